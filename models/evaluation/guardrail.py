"""Whether a campaign leaves alone what it must not harm: non-inferiority with a margin."""

from enum import StrEnum

import numpy as np

from models.evaluation.intervals import Effect


class Guard(StrEnum):
    """What the interval says of a guardrail."""

    KEPT = "kept"
    BROKEN = "broken"
    OPEN = "open"


def guard(effect: Effect, margin: float, *, lower_is_better: bool) -> Guard:
    """`kept` when the whole interval harms less than `margin`, `broken` when all of it harms more.

    `margin` is in the metric's own unit. A difference that is merely not significant keeps nothing:
    an interval across the margin, or none at all, is `open`.
    """
    if not margin > 0:
        raise ValueError(f"margin of a guardrail is {margin}; expected more than 0")
    if np.isnan(effect.low) or np.isnan(effect.high):
        return Guard.OPEN
    harm = (effect.low, effect.high) if lower_is_better else (-effect.high, -effect.low)
    if harm[1] < margin:
        return Guard.KEPT
    return Guard.BROKEN if harm[0] > margin else Guard.OPEN
