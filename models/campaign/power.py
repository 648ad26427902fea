"""Whether a campaign could see its own effect: power of the test of two shares.

Two-sided z-test of the share of orders among those who are contacted and those who are held out,
with the pooled variance under "no effect" and the own variances under the effect.
"""

from math import sqrt

from scipy.optimize import brentq
from scipy.stats import norm

LEVEL = 0.05
WANTED = 0.8


def power(control_rate: float, treated_rate: float, controls: int, treated: int) -> float:
    """The probability that the effect is found at the level of 5 %; 0 without one of the groups."""
    if not controls or not treated:
        return 0.0
    shares = (control_rate, treated_rate)
    pooled = (control_rate * controls + treated_rate * treated) / (controls + treated)
    none = sqrt(pooled * (1 - pooled) * (1 / controls + 1 / treated))
    own = sqrt(sum(p * (1 - p) / n for p, n in zip(shares, (controls, treated), strict=True)))
    effect, limit = treated_rate - control_rate, norm.ppf(1 - LEVEL / 2) * none
    if own == 0:
        return float(abs(effect) > limit)
    return float(norm.cdf((effect - limit) / own) + norm.cdf((-effect - limit) / own))


def detectable(control_rate: float, controls: int, treated: int) -> float | None:
    """The smallest rise of the share that is found with 80 %; None if no rise is."""
    most = 1 - control_rate

    def lacking(rise: float) -> float:
        return power(control_rate, control_rate + rise, controls, treated) - WANTED

    if lacking(most) < 0:
        return None
    return float(brentq(lacking, 0, most, xtol=1e-9))
