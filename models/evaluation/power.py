"""What a campaign can see before it starts: power, smallest visible effect, customers needed.

All take the variance of the metric among customers, for a rate p·(1 - p), and the correlation with
the value before the campaign: CUPED leaves 1 - correlation² of the variance.
"""

import math

from statsmodels.stats.power import NormalIndPower

ALPHA = 0.05
POWER = 0.8


def left_by_cuped(variance: float, correlation: float) -> float:
    """The variance after CUPED with a value of that correlation from the last quarter."""
    if not -1 < correlation < 1:
        raise ValueError(f"correlation is {correlation}; expected between -1 and 1")
    if not variance > 0:
        raise ValueError(f"variance is {variance}; expected more than 0")
    return variance * (1 - correlation**2)


def power(
    effect: float, variance: float, treated: int, control: int, *, correlation: float = 0.0
) -> float:
    """The probability that the interval of this effect will not contain zero."""
    deviation = math.sqrt(left_by_cuped(variance, correlation))
    _somebody(treated, control)
    return float(
        NormalIndPower().power(abs(effect) / deviation, treated, ALPHA, ratio=control / treated)
    )


def smallest_effect(
    variance: float, treated: int, control: int, *, correlation: float = 0.0, sought: float = POWER
) -> float:
    """The smallest effect that is seen with the probability `sought`."""
    deviation = math.sqrt(left_by_cuped(variance, correlation))
    _somebody(treated, control)
    found = NormalIndPower().solve_power(
        nobs1=treated, alpha=ALPHA, power=sought, ratio=control / treated
    )
    return float(found) * deviation


def customers_needed(
    effect: float,
    variance: float,
    share_treated: float,
    *,
    correlation: float = 0.0,
    sought: float = POWER,
) -> tuple[int, int]:
    """Treated and control that see `effect` with the probability `sought`."""
    if not 0 < share_treated < 1:
        raise ValueError(f"planned share of treated is {share_treated}; expected between 0 and 1")
    if effect == 0:
        raise ValueError("effect is 0; expected the smallest effect that matters")
    deviation = math.sqrt(left_by_cuped(variance, correlation))
    ratio = (1 - share_treated) / share_treated
    treated = NormalIndPower().solve_power(
        effect_size=abs(effect) / deviation, alpha=ALPHA, power=sought, ratio=ratio
    )
    return math.ceil(treated), math.ceil(treated * ratio)


def _somebody(treated: int, control: int) -> None:
    if treated < 1 or control < 1:
        raise ValueError(f"{treated} treated, {control} control; expected somebody in both arms")
