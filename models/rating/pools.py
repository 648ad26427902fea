"""How the pools of one package are consumed: the free units of many customer-months.

Integers in base units, one array entry per customer-month. A month is `ordered` if its split of
free units depends on the order of events, which the usage cube does not hold. A replay of the
events (models/rating/replay.py) then gives the split.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np

from models.rating.package_prices import PackagePrices, PoolPlan
from models.tariff.amounts import cumulated
from models.tariff.package import Pool

HALF_MONTH_DAY = 16


@dataclass(frozen=True)
class MonthParts:
    """The part of the month for which each row is charged, and the row of the month before.

    - `first_day`: the first charged day of the month, 1 for a whole month;
    - `days`: the number of charged days; `in_month`: the number of days of the month;
    - `before`: the row of the same customer's month before, always an earlier row; -1 for none;
    - `begins`: whether the row is the first of its customer.
    """

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
        """Month parts from days (datetime64[D]), in order of customers and their months.

        - `months`: a day of the month of each row;
        - `joined`: the day of joining; NaT or another month means the whole month;
        - `until`: the day before which the part ends; without it each part ends with its month.
        """
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
        """Rows in waves: the month before of each row is in the wave before."""
        chosen = np.flatnonzero(self.before < 0)
        done = np.zeros(len(self.before), dtype=bool)
        while len(chosen):
            yield chosen
            done[chosen] = True
            chosen = np.flatnonzero(~done & (self.before >= 0) & done[self.before])

    def factor(self, partial_month: str) -> tuple[np.ndarray, np.ndarray]:
        """Numerator and denominator of the charged share of the month (`Package.partial_month`)."""
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
        """The parts of some rows, in order; they hold all rows of each of their customers."""
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
    """The result of a replay for some customer-months (`rows`) under one signature.

    `paid` holds units to pay by slot, `left` units left by pool, `rounded` amounts by line, counted
    in the quantum; each with one column per row.
    """

    rows: np.ndarray
    paid: np.ndarray
    left: np.ndarray
    rounded: np.ndarray

    def of(self, chosen: np.ndarray) -> Replayed:
        """The results for the chosen rows (in order), with row numbers among the chosen ones."""
        mine = np.isin(self.rows, chosen)
        return Replayed(
            np.searchsorted(chosen, self.rows[mine]),
            self.paid[:, mine],
            self.left[:, mine],
            self.rounded[:, mine],
        )


@dataclass(frozen=True)
class Drawn:
    """The pools after drawing, with one column per customer-month.

    - `paid`: units left to pay, by price group;
    - `left`: units left, by pool;
    - `ordered`: whether the order of events decides the split and is not known;
    - `empty`: whether all pools have size 0.
    """

    paid: np.ndarray
    left: np.ndarray
    ordered: np.ndarray
    empty: np.ndarray


def draw_pools(
    prices: PackagePrices, units: np.ndarray, parts: MonthParts, replayed: Replayed | None = None
) -> Drawn:
    """Consume the pools: first by the units of events, then by the units summed up by month.

    `units` are billed units by price group and customer-month; the array is changed. If a pool
    carries units over, the months of a customer are settled one after the other.
    """
    rows = units.shape[1]
    sizes = pool_sizes(prices.pools, prices.partial_month, parts)
    if not any(pool.carry_over for pool in prices.pools):
        return _draw_together(prices, units, sizes, replayed)
    drawn = Drawn(units.copy(), sizes.copy(), np.zeros(rows, bool), np.zeros(rows, bool))
    for chosen in parts.waves():
        before = parts.before[chosen]
        ready = sizes[:, chosen] + carried(prices.pools, sizes, drawn.left, before)
        known_split = None if replayed is None else replayed.of(chosen)
        some = _draw_together(prices, units[:, chosen], ready, known_split)
        drawn.paid[:, chosen], drawn.left[:, chosen] = some.paid, some.left
        known = False if replayed is None else np.isin(chosen, replayed.rows)
        drawn.ordered[chosen] = some.ordered | ((before >= 0) & drawn.ordered[before] & ~known)
        drawn.empty[chosen] = some.empty
    return drawn


def pool_sizes(
    pools: Sequence[PoolPlan | Pool], partial_month: str, parts: MonthParts
) -> np.ndarray:
    """The own base units of each pool, rounded down to whole units, by pool and customer-month."""
    numerator, denominator = parts.factor(partial_month)
    sizes = [pool.amount * numerator // denominator * pool.unit for pool in pools]
    return np.array(sizes, dtype=np.int64).reshape(len(sizes), len(numerator))


def carried(
    pools: Sequence[PoolPlan | Pool], sizes: np.ndarray, left: np.ndarray, before: np.ndarray
) -> np.ndarray:
    """The units that months get from the rows `before` them (-1: none), by pool.

    A pool with carry_over hands on what is left of the own units of the month before.
    """
    carrying = np.array([[pool.carry_over] for pool in pools])
    handed_on = np.minimum(sizes[:, before], left[:, before])
    return np.where(carrying & (before >= 0), handed_on, 0)


def _draw_together(
    prices: PackagePrices, units: np.ndarray, sizes: np.ndarray, replayed: Replayed | None
) -> Drawn:
    """Draw on the pools in order, without carry-over between the rows.

    A pool is exact from the cube in three cases: the units that reach it fit, its size is 0, or all
    these units are one class. Otherwise the row is `ordered`, and so are its later pools.
    """
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
        # Within one class it does not matter which units were free.
        for no in pool.members:
            left[place] -= _draw(paid, no, left[place])
    # The sums of rounded events are known with all pools empty or with none empty. With some empty,
    # each event has to be replayed.
    ordered |= some & ~empty
    if replayed is not None:
        ordered[replayed.rows] = False
        for no, group in enumerate(prices.groups):
            if not group.monthly:
                paid[no, replayed.rows] = replayed.paid[group.slot]
        left[:, replayed.rows] = replayed.left
    _draw_monthly(prices, paid, left)
    return Drawn(paid, left, ordered, empty)


def _classes_present(pool: PoolPlan, paid: np.ndarray) -> np.ndarray:
    """How many classes have units, by customer-month."""
    present = np.zeros(paid.shape[1], dtype=np.int64)
    for wanted in set(pool.classes):
        of_class = [no for no, one in zip(pool.members, pool.classes, strict=True) if one == wanted]
        present = present + np.any([paid[no] > 0 for no in of_class], axis=0)
    return present


def _draw(paid: np.ndarray, no: int, size: np.ndarray) -> np.ndarray:
    """Take units of one group from a pool; returns the free units."""
    free: np.ndarray = np.minimum(paid[no], size)
    paid[no] -= free
    return free


def _draw_monthly(prices: PackagePrices, paid: np.ndarray, left: np.ndarray) -> None:
    """Round up the units that rules sum up over the month, then draw, rule by rule.

    Each rule rounds up its sum once and draws after all events. The amount columns of a rule share
    its units in their order.
    """
    rules: dict[int, tuple[tuple[int, int], list[int]]] = {}
    for no, group in enumerate(prices.groups):
        if group.monthly:
            rules.setdefault(group.rule_no, (group.monthly, []))[1].append(no)
    for _, (increment, numbers) in sorted(rules.items()):
        rounded = cumulated(
            ((no, paid[no].copy()) for no in numbers), partial(_rounded_up, increment)
        )
        for no, units in rounded:
            paid[no] = units
            for place, pool in enumerate(prices.pools):
                if no in pool.monthly:
                    left[place] -= _draw(paid, no, left[place])


def _rounded_up(increment: tuple[int, int], raw: np.ndarray) -> np.ndarray:
    """Raw quantities rounded up to an increment (first, next); 0 stays 0."""
    first, following = increment
    more = (np.maximum(raw - first, 0) + following - 1) // following * following
    return np.where(raw <= 0, 0, first + more)
