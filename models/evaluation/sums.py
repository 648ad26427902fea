"""Sufficient sums of one arm: all that an evaluation needs of its customers.

Spark adds up exact numbers (integers, decimals); the moments are taken from them exactly, and only
the result becomes a float. Each field may also be an array: one entry for each of many trials.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

# One number, or an array with one number for each of many trials.
Figure = Any


@dataclass(frozen=True)
class Sums:
    """`n` units with the value y: `y`, `yy`; with a second value x beside it: `x`, `xx`, `xy`.

    The unit is what was assigned (a customer). What x is, the caller knows: the bill before the
    campaign (CUPED), the denominator of a ratio, or the cost.
    """

    n: Figure
    y: Figure
    yy: Figure
    x: Figure = 0
    xx: Figure = 0
    xy: Figure = 0

    @classmethod
    def of(cls, values: Figure, beside: Figure = 0.0, *, limit: float | None = None) -> "Sums":
        """Adds up `values` along their last axis, each cut at the winsor `limit` first.

        `beside` holds x of the same units and is not cut. The limit is one for both arms.
        """
        y = np.asarray(values, dtype=float)
        if limit is not None:
            y = np.minimum(y, limit)
        x = np.broadcast_to(np.asarray(beside, dtype=float), y.shape)
        return cls(y.shape[-1], *(a.sum(axis=-1) for a in (y, y * y, x, x * x, x * y)))

    @classmethod
    def of_rate(cls, n: Figure, events: Figure) -> "Sums":
        """The sums of a value that is 1 for `events` of `n` units and 0 for the others."""
        return cls(n, events, events)

    @property
    def mean(self) -> Figure:
        return _over(self.y, self.n)

    @property
    def mean_x(self) -> Figure:
        return _over(self.x, self.n)

    @property
    def variance(self) -> Figure:
        return self._moment(self.y, self.y, self.yy)

    @property
    def variance_x(self) -> Figure:
        return self._moment(self.x, self.x, self.xx)

    @property
    def covariance(self) -> Figure:
        return self._moment(self.x, self.y, self.xy)

    def _moment(self, left: Figure, right: Figure, product: Figure) -> Figure:
        """(n·Σab - Σa·Σb) / (n·(n-1)): the difference of large sums is taken before any float."""
        n, left, right, product = (_exact(value) for value in (self.n, left, right, product))
        return _over(n * product - left * right, n * (n - 1))


def winsor_limit(values: Figure, share: float) -> float:
    """The limit that at most `share` of the values of both arms together exceed.

    It is taken from both arms as one, or from a period before: a limit for each arm would itself
    make a difference.
    """
    if not 0 < share < 1:
        raise ValueError(f"winsor share is {share}; expected between 0 and 1, such as 0.01")
    return float(np.quantile(np.asarray(values, dtype=float), 1 - share, method="higher"))


def _exact(value: Figure) -> Figure:
    """NumPy's integers overflow without a word; Python's do not."""
    if isinstance(value, np.ndarray):
        return value.astype(float)
    return value.item() if isinstance(value, np.generic) else value


def _over(numerator: Figure, denominator: Figure) -> Figure:
    """The quotient as float; not a number where nothing is divided."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.divide(np.asarray(numerator, dtype=float), np.asarray(denominator, dtype=float))
