"""Effects of declared segments, drawn towards the effect of all.

The best of several segments looks better than it is. The model is normal-normal: the true effects
of the segments spread around a common one. Each estimate moves towards it by what its own error
says. The spread is estimated from the segments themselves (empirical Bayes, DerSimonian and Laird,
never below zero), unless a fixed one is given.
"""

from collections.abc import Mapping

import numpy as np
from scipy import stats
from statsmodels.stats.meta_analysis import combine_effects

from models.evaluation.intervals import LEVEL, Effect

MOST = 5


def shrunken(
    effects: Mapping[str, Effect], *, spread: float | None = None, level: float = LEVEL
) -> dict[str, Effect]:
    """The posterior effect of each segment, with its interval. Others than these are explored only.

    `spread` is the standard deviation of true effects between segments, where it is fixed before.
    A segment without an error keeps its fields: it says nothing of the others.
    """
    if len(effects) > MOST:
        raise ValueError(f"{len(effects)} segments are declared; expected at most {MOST}")
    told = {name: effect for name, effect in effects.items() if effect.error > 0}
    if len(told) < 2:
        return dict(effects)
    estimates = np.array([effect.estimate for effect in told.values()])
    variances = np.array([effect.error**2 for effect in told.values()])
    if spread is None:
        # Equal estimates make its I² divide by zero; that figure is not used.
        with np.errstate(divide="ignore", invalid="ignore"):
            between = max(float(combine_effects(estimates, variances).tau2), 0.0)
    else:
        between = spread**2
    weights = 1 / (variances + between)
    common = float((weights * estimates).sum() / weights.sum())
    kept = between / (between + variances)
    centres = kept * estimates + (1 - kept) * common
    errors = np.sqrt(kept * variances + (1 - kept) ** 2 / weights.sum())
    reach = stats.norm.ppf((1 + level) / 2) * errors
    p = 2 * stats.norm.sf(np.abs(centres) / errors)
    rows = zip(centres, centres - reach, centres + reach, errors, p, strict=True)
    posterior = {
        name: Effect(*(float(value) for value in row)) for name, row in zip(told, rows, strict=True)
    }
    return {name: posterior.get(name, effect) for name, effect in effects.items()}
