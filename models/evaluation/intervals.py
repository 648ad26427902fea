"""Treated minus control with an interval, from the sums of the two arms.

Every function takes the treated arm first. A difference is read by assignment: every customer who
was assigned counts in his arm, reached or not.
"""

from dataclasses import dataclass

import numpy as np
from scipy import stats
from statsmodels.stats.proportion import confint_proportions_2indep

from models.evaluation.sums import Figure, Sums

LEVEL = 0.95


@dataclass(frozen=True)
class Effect:
    """An estimate between `low` and `high`, its standard error and its two-sided p-value.

    The fields are not numbers (nan) where the data give no variance.
    """

    estimate: Figure
    low: Figure
    high: Figure
    error: Figure
    p: Figure


def difference_of_rates(treated: Sums, control: Sums, *, level: float = LEVEL) -> Effect:
    """Difference of two shares: Newcombe's hybrid score interval, p of the pooled z test."""
    n, m = np.asarray(treated.n, dtype=float), np.asarray(control.n, dtype=float)
    a, b = np.asarray(treated.y, dtype=float), np.asarray(control.y, dtype=float)
    with np.errstate(divide="ignore", invalid="ignore"):
        low, high = confint_proportions_2indep(
            a, n, b, m, method="newcomb", compare="diff", alpha=1 - level
        )
        p, q, both = a / n, b / m, (a + b) / (n + m)
        pooled = np.sqrt(both * (1 - both) * (1 / n + 1 / m))
        error = np.sqrt(p * (1 - p) / n + q * (1 - q) / m)
        return Effect(p - q, low, high, error, 2 * stats.norm.sf(np.abs(p - q) / pooled))


def difference_of_means(treated: Sums, control: Sums, *, level: float = LEVEL) -> Effect:
    """Difference of two means: Welch's interval, with Satterthwaite's degrees of freedom."""
    return _welch(
        treated.mean - control.mean,
        (treated.variance, treated.n),
        (control.variance, control.n),
        level,
    )


def ratio(of: Sums, *, level: float = LEVEL) -> Effect:
    """Σy/Σx of one group, by the delta method over its units; `p` is of the ratio 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        found, spread = _linearised(of)
        error = np.sqrt(np.divide(spread, of.n))
        error = np.where(error > 0, error, np.nan)[()]
        reach = stats.t.ppf((1 + level) / 2, np.subtract(of.n, 1)) * error
        p = 2 * stats.t.sf(np.abs(found) / error, np.subtract(of.n, 1))
        return Effect(found, found - reach, found + reach, error, p)


def difference_of_ratios(treated: Sums, control: Sums, *, level: float = LEVEL) -> Effect:
    """Difference of Σy/Σx, such as calls per bill: the delta method over assigned units."""
    with np.errstate(divide="ignore", invalid="ignore"):
        (left, spread), (right, spread_right) = _linearised(treated), _linearised(control)
        return _welch(left - right, (spread, treated.n), (spread_right, control.n), level)


def cuped(treated: Sums, control: Sums, *, level: float = LEVEL) -> Effect:
    """Difference of means, less what x (known before the campaign) explains.

    theta = cov(x, y) / var(x) inside the arms, pooled over both (Deng et al. 2013). One theta for
    both arms leaves the expected difference as it is, because x cannot follow from the assignment.
    Where x does not vary the plain difference remains.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        together = (treated.n - 1) * treated.variance_x + (control.n - 1) * control.variance_x
        shared = (treated.n - 1) * treated.covariance + (control.n - 1) * control.covariance
        theta = np.where(together > 0, shared / together, 0.0)[()]

    def adjusted(arm: Sums) -> tuple[Figure, Figure]:
        spread = arm.variance - 2 * theta * arm.covariance + theta**2 * arm.variance_x
        return np.maximum(spread, 0), arm.n

    estimate = treated.mean - control.mean - theta * (treated.mean_x - control.mean_x)
    return _welch(estimate, adjusted(treated), adjusted(control), level)


def roi(treated: Sums, control: Sums, *, level: float = LEVEL) -> Effect:
    """(gained - spent) / spent: y is the revenue and x the cost of each assigned customer.

    Gained and spent are the differences of the arms. Their ratio has Fieller's interval, which
    holds also where cost and revenue come from the same customers. Where the cost cannot be told
    from nothing, there is no bounded interval and the fields are not numbers. A fixed cost is
    x = cost / n for each treated customer.
    """
    z = stats.norm.ppf((1 + level) / 2)
    gained, spent = treated.mean - control.mean, treated.mean_x - control.mean_x

    def error(name: str) -> Figure:
        return getattr(treated, name) / treated.n + getattr(control, name) / control.n

    with np.errstate(divide="ignore", invalid="ignore"):
        vy, vx, vxy = error("variance"), error("variance_x"), error("covariance")
        a = spent**2 - z**2 * vx
        b = gained * spent - z**2 * vxy
        root = np.sqrt(b**2 - a * (gained**2 - z**2 * vy))
        sure = (a > 0) & (spent > 0) & (vy > 0)
        ratio = gained / spent
        spread = np.sqrt(np.maximum(vy - 2 * ratio * vxy + ratio**2 * vx, 0)) / spent
        breakeven = np.sqrt(np.maximum(vy - 2 * vxy + vx, 0))
        fields = (ratio - 1, (b - root) / a - 1, (b + root) / a - 1, spread)
        p = 2 * stats.norm.sf(np.abs(gained - spent) / breakeven)
        return Effect(*(np.where(sure, field, np.nan)[()] for field in (*fields, p)))


def _linearised(arm: Sums) -> tuple[Figure, Figure]:
    """The ratio Σy/Σx, and n times its variance."""
    found = arm.mean / arm.mean_x
    spread = arm.variance - 2 * found * arm.covariance + found**2 * arm.variance_x
    return found, np.maximum(spread, 0) / arm.mean_x**2


def _welch(
    estimate: Figure,
    treated: tuple[Figure, Figure],
    control: tuple[Figure, Figure],
    level: float,
) -> Effect:
    """The interval of a difference of two independent averages, from (variance, n) of each."""
    (v, n), (w, m) = treated, control
    with np.errstate(divide="ignore", invalid="ignore"):
        a, b = np.divide(v, n), np.divide(w, m)
        error = np.sqrt(a + b)
        error = np.where(error > 0, error, np.nan)[()]
        free = (a + b) ** 2 / (a**2 / (np.subtract(n, 1)) + b**2 / (np.subtract(m, 1)))
        reach = stats.t.ppf((1 + level) / 2, free) * error
        p = 2 * stats.t.sf(np.abs(estimate) / error, free)
    return Effect(estimate, estimate - reach, estimate + reach, error, p)
