"""Whether the arms are still as large as planned, and where rows were lost if not."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from models.evaluation.sums import Figure

# Below this p-value the arms differ from the plan, and there is no verdict.
BROKEN = 0.001


@dataclass(frozen=True)
class Stage:
    """How many customers of each arm were there at `name`: push, receipt or read-out."""

    name: str
    treated: int
    control: int


def p_of_split(treated: Figure, control: Figure, share_treated: float) -> Figure:
    """p of the chi-square test that the arms are drawn with the planned share of treated.

    Not a number where nobody is in either arm.
    """
    if not 0 < share_treated < 1:
        raise ValueError(f"planned share of treated is {share_treated}; expected between 0 and 1")
    treated, control = np.asarray(treated, dtype=float), np.asarray(control, dtype=float)
    total = treated + control
    with np.errstate(divide="ignore", invalid="ignore"):
        excess = (treated - total * share_treated) ** 2
        return stats.chi2.sf(excess / (total * share_treated * (1 - share_treated)), 1)


def is_broken(treated: Figure, control: Figure, share_treated: float) -> Figure:
    return p_of_split(treated, control, share_treated) < BROKEN


def first_broken(stages: Sequence[Stage], share_treated: float) -> Stage | None:
    """The first stage, in the order of the night, at which the arms are not as planned."""
    for stage in stages:
        if is_broken(stage.treated, stage.control, share_treated):
            return stage
    return None


def is_swapped(stage: Stage, share_treated: float) -> bool:
    """Whether the arms fit the plan only when treated and control change places."""
    return bool(
        is_broken(stage.treated, stage.control, share_treated)
        and not is_broken(stage.control, stage.treated, share_treated)
    )
