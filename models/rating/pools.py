"""The free units of many customer-months under one package: how its pools are consumed.

Whole numbers of base units, one array entry per customer-month. What the usage cube cannot tell is
said to be `ordered`, unless a replay of the events (models/replay.py) has told it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from models.rating.package_prices import PackagePrices, PoolPlan
from models.tariff.package import Pool
from models.tariff.rounding import cumulated

HALF_MONTH_DAY = 16


@dataclass(frozen=True)
class MonthParts:
    """How much of the month each customer is charged: the day of the month from which on, how many
    days, and days at all; and the row of his month before (-1: none), which stands before it.
    `begins`: his first row."""

    first_day: np.ndarray
    days: np.ndarray
    in_month: np.ndarray
    before: np.ndarray
    begins: np.ndarray

    @classmethod
    def of(
        cls,
        customers: np.ndarray,
        months: np.ndarray,
        joined: np.ndarray,
        until: np.ndarray | None = None,
    ) -> MonthParts:
        """From customers with days of months in order, days of joining (NaT or another month: the
        whole month), and the days before which a part of the month ends (else it ends with it)."""
        first = months.astype("datetime64[M]")
        in_month = ((first + 1).astype("datetime64[D]") - first.astype("datetime64[D]")).astype(int)
        within = joined.astype("datetime64[M]") == first
        day = np.where(within, (joined - first.astype("datetime64[D]")).astype(np.int64) + 1, 1)
        days = in_month - day + 1
        if until is not None:
            days = (until - first.astype("datetime64[D]")).astype(np.int64) - day + 1
        numbers = first.astype(np.int64)
        begins = np.ones(len(numbers), dtype=bool)
        begins[1:] = customers[1:] != customers[:-1]
        follows = ~begins
        follows[1:] &= numbers[1:] == numbers[:-1] + 1
        before = np.where(follows, np.arange(len(numbers)) - 1, -1)
        return cls(day, days, in_month, before, begins)

    def waves(self) -> Iterator[np.ndarray]:
        """Rows such that the month before of each stands in the wave before."""
        chosen = np.flatnonzero(self.before < 0)
        done = np.zeros(len(self.before), dtype=bool)
        while len(chosen):
            yield chosen
            done[chosen] = True
            chosen = np.flatnonzero(~done & (self.before >= 0) & done[self.before])

    def factor(self, partial_month: str) -> tuple[np.ndarray, np.ndarray]:
        """Numerator and denominator of the part of the month under a package's rule."""
        if partial_month == "daily":
            return self.days, self.in_month
        return self._halves if partial_month == "half_month" else (self._two, self._two)

    @cached_property
    def _two(self) -> np.ndarray:
        return np.full(len(self.days), 2, dtype=np.int64)

    @cached_property
    def _halves(self) -> tuple[np.ndarray, np.ndarray]:
        return np.where(self.first_day >= HALF_MONTH_DAY, 1, 2), self._two

    def these(self, rows: np.ndarray) -> MonthParts:
        """The parts of some rows, in order, of customers taken whole."""
        before = np.searchsorted(rows, self.before[rows])
        return MonthParts(
            self.first_day[rows],
            self.days[rows],
            self.in_month[rows],
            np.where(self.before[rows] < 0, -1, before),
            self.begins[rows],
        )


@dataclass(frozen=True)
class Replayed:
    """What a replay says of some customer-months (`rows`) under a package's signature: units to
    pay by slot, units left by pool, rounded amounts by line."""

    rows: np.ndarray
    paid: np.ndarray
    left: np.ndarray
    rounded: np.ndarray

    def of(self, chosen: np.ndarray) -> Replayed:
        """What is said of some rows (in order), numbered anew."""
        mine = np.isin(self.rows, chosen)
        return Replayed(
            np.searchsorted(chosen, self.rows[mine]),
            self.paid[:, mine],
            self.left[:, mine],
            self.rounded[:, mine],
        )


@dataclass(frozen=True)
class Drawn:
    """By customer-month: units left to pay by group, units left by pool, where the order of events
    would decide which they are, and where all pools have size 0."""

    paid: np.ndarray
    left: np.ndarray
    ordered: np.ndarray
    empty: np.ndarray


def draw_pools(
    prices: PackagePrices, units: np.ndarray, parts: MonthParts, replayed: Replayed | None = None
) -> Drawn:
    """Consume the pools of the months, event by event first and then what is summed up by month.

    `units`: by group and customer-month; they are changed. Where pools carry units over, the months
    of a customer are taken one after the other.
    """
    rows = units.shape[1]
    sizes = pool_sizes(prices.pools, prices.partial_month, parts)
    if not any(pool.carry_over for pool in prices.pools):
        return _draw_together(prices, units, sizes, replayed)
    drawn = Drawn(units.copy(), sizes.copy(), np.zeros(rows, bool), np.zeros(rows, bool))
    for chosen in parts.waves():
        before = parts.before[chosen]
        ready = sizes[:, chosen] + carried(prices.pools, sizes, drawn.left, before)
        told = None if replayed is None else replayed.of(chosen)
        some = _draw_together(prices, units[:, chosen], ready, told)
        drawn.paid[:, chosen], drawn.left[:, chosen] = some.paid, some.left
        known = False if replayed is None else np.isin(chosen, replayed.rows)
        drawn.ordered[chosen] = some.ordered | ((before >= 0) & drawn.ordered[before] & ~known)
        drawn.empty[chosen] = some.empty
    return drawn


def pool_sizes(
    pools: Sequence[PoolPlan | Pool], partial_month: str, parts: MonthParts
) -> np.ndarray:
    """Base units of each pool's own month, down to whole units, by pool and customer-month."""
    numerator, denominator = parts.factor(partial_month)
    sizes = [pool.amount * numerator // denominator * pool.unit for pool in pools]
    return np.array(sizes, dtype=np.int64).reshape(len(sizes), len(numerator))


def carried(
    pools: Sequence[PoolPlan | Pool], sizes: np.ndarray, left: np.ndarray, before: np.ndarray
) -> np.ndarray:
    """What months get from the rows `before` them (-1: none): of pools with carry_over what is left
    of that month's own units."""
    carrying = np.array([[pool.carry_over] for pool in pools])
    handed_on = np.minimum(sizes[:, before], left[:, before])
    return np.where(carrying & (before >= 0), handed_on, 0)


def _draw_together(
    prices: PackagePrices, units: np.ndarray, sizes: np.ndarray, replayed: Replayed | None
) -> Drawn:
    """A pool is exact from the cube if what reaches it fits, or its size is 0, or all of it is one
    class; only then may pools after it be settled."""
    paid, left, rows = units, sizes.copy(), sizes.shape[1]
    ordered, some = np.zeros(rows, dtype=bool), np.zeros(rows, dtype=bool)
    empty = (sizes == 0).all(axis=0)
    for place, pool in enumerate(prices.pools):
        size = left[place]
        overdrawn = (paid[list(pool.members)].sum(axis=0) > size) & (size > 0)
        if not pool.blocks:
            some |= size == 0
            ordered |= overdrawn
        elif len(set(pool.classes)) > 1 and overdrawn.any():
            ordered |= overdrawn & (_classes_present(pool, paid) > 1)
        # Within one class it is a convention, not a claim, whose units were the free ones.
        for no in pool.members:
            left[place] -= _draw(paid, no, left[place])
    # Rounded events are summed up with all pools or with none: with some, each has to be looked at.
    ordered |= some & ~empty
    if replayed is not None:
        ordered[replayed.rows] = False
        for no, group in enumerate(prices.groups):
            if not group.monthly:
                paid[no, replayed.rows] = replayed.paid[group.slot]
        left[:, replayed.rows] = replayed.left
    _draw_monthly(prices, paid, left)
    return Drawn(paid, left, ordered, empty)


def _classes_present(pool: PoolPlan, paid: Sequence[np.ndarray]) -> np.ndarray:
    present = 0
    for wanted in set(pool.classes):
        of_class = [no for no, one in zip(pool.members, pool.classes) if one == wanted]
        present = present + np.any([paid[no] > 0 for no in of_class], axis=0)
    return present


def _draw(paid: np.ndarray, no: int, size: np.ndarray) -> np.ndarray:
    free = np.minimum(paid[no], size)
    paid[no] -= free
    return free


def _draw_monthly(prices: PackagePrices, paid: np.ndarray, left: np.ndarray) -> None:
    """What a rule sums up over the month is rounded up once, and draws after all events, rule by
    rule; its amount columns share the units in their order."""
    rules: dict[int, list[int]] = {}
    for no, group in enumerate(prices.groups):
        if group.monthly:
            rules.setdefault(group.rule_no, []).append(no)
    for _, numbers in sorted(rules.items()):
        first, following = prices.groups[numbers[0]].monthly
        rounded = cumulated(
            ((no, paid[no].copy()) for no in numbers),
            lambda raw: _rounded_up(raw, first, following),
        )
        for no, units in rounded:
            paid[no] = units
            for place, pool in enumerate(prices.pools):
                if no in pool.monthly:
                    left[place] -= _draw(paid, no, left[place])


def _rounded_up(raw: np.ndarray, first: int, following: int) -> np.ndarray:
    more = (np.maximum(raw - first, 0) + following - 1) // following * following
    return np.where(raw <= 0, 0, first + more)
