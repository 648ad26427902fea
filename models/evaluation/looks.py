"""Daily looks at a running campaign: intervals that hold at all of them together.

An asymptotic confidence sequence with a delayed start: Waudby-Smith, Arbour, Sinha, Kennedy and
Ramdas, "Time-uniform central limit theory and asymptotic confidence sequences" (Annals of
Statistics 2024, arXiv 2103.06476), after the boundary of Robbins and Siegmund (1970):

    estimate_k ± error_k · sqrt(Ψ⁻¹(level) + ln(k / m)),   k ≥ m

k customers stand in the arms at this look and m stood in them at the first. Ψ(r) is
2Φ(√r) - 1 - 2√r·φ(√r), the distribution of chi-square with three degrees of freedom.

A customer enters once, when his window has closed, and his value stays. The shares of the arms are
those of the plan at every look.
"""

import numpy as np
from scipy import stats

from models.evaluation.intervals import LEVEL, Effect
from models.evaluation.sums import Figure


def at_look(effect: Effect, customers: Figure, first: Figure, *, level: float = LEVEL) -> Effect:
    """The effect with the interval of the sequence, at a look with `customers` in both arms.

    `first` is the number at the first look. p is valid at whichever look it is read.
    """
    customers, first = np.asarray(customers, dtype=float), np.asarray(first, dtype=float)
    if (first < 1).any() or (customers < first).any():
        raise ValueError("a look has fewer customers than the first; expected at least as many")
    grown = np.log(customers / first)
    reach = effect.error * np.sqrt(stats.chi2.ppf(level, 3) + grown)
    with np.errstate(divide="ignore", invalid="ignore"):
        p = stats.chi2.sf(np.maximum((effect.estimate / effect.error) ** 2 - grown, 0), 3)
    return Effect(
        effect.estimate, effect.estimate - reach, effect.estimate + reach, effect.error, p
    )
