"""One package compiled to integers, and the numbered sums that it is priced from.

Each price is an integer over the package's own denominator; models/rating/settlement.py prices a
month with them. A *sum* adds up usage of a customer-month, for example the billed units of one
price group. The price matrix (models/rating/price_matrix.py) says which usage a sum adds up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

Statistic = str | int
"""What the cube holds of a cell: a field by its name, or a measure by its number."""


@dataclass(frozen=True)
class PriceGroup:
    """Billed units of one rule and price step, amount column and list of pools.

    These units have one price and are settled together.

    - `price`: 1/denominator yuan per base unit of the pools;
    - `exchange`: base units of the pools per base unit of the service;
    - `units`: the number of the sum that counts the units of the service;
    - `monthly`: (first, next) if the sum is raw and rounded up once for the month;
    - `rounded_in`: the place in `PackagePrices.rounded` of the line of rounded events that holds
      the units, if any;
    - `slot`: the place of the units in a replay of the package's signature; None without pools.
    """

    rule_no: int
    step: int
    bucket: str
    pools: tuple[str, ...]
    service: str
    component: str
    price: int
    exchange: int
    units: int
    monthly: tuple[int, int] | None
    rounded_in: int | None
    slot: int | None


@dataclass(frozen=True)
class Connect:
    """The connect fee of a rule in 1/denominator yuan; `events` is the sum of its events."""

    rule_no: int
    price: int
    events: int
    rounded_in: int | None
    service: str


@dataclass(frozen=True)
class RoundedLine:
    """Events that are rounded one by one, by rule and amount column of their first component.

    `paid` and `free` are the numbers of two sums of rounded amounts, in the quantum: with all units
    paid, and with all units free that draw on a pool.
    """

    rule_no: int
    bucket: str
    paid: int
    free: int
    slot: int | None
    service: str


@dataclass(frozen=True)
class PoolPlan:
    """A pool and the price groups that draw on it.

    - `members`: the groups that draw event by event;
    - `classes`: the class of each member; the order of events does not matter within one class;
    - `monthly`: the groups that draw at the close of the month;
    - `blocks`: whether the quantities that an event draws or leaves keep amounts exact under
      rounding at event.
    """

    id: str
    amount: int
    unit: int
    members: tuple[int, ...]
    classes: tuple[int, ...]
    monthly: tuple[int, ...]
    carry_over: bool
    blocks: bool


@dataclass(frozen=True)
class TierPlan:
    """The prices of a component's paid units in a month, over the denominator.

    A step is (units from, units to or None, price per base unit, flat amount).
    """

    service: str
    component: str
    bucket: str
    graduated: bool
    steps: tuple[tuple[int, int | None, int, int], ...]
    flat_at_zero: bool


@dataclass(frozen=True)
class PackagePrices:
    """One package as integers over `denominator`.

    - `unpriced`: the sum that counts events without a price; `unpriced_cells` flags their cells;
    - `passed`: the sum of the recorded fees (micro-yuan) that the package does not re-rate;
    - `used`: the sum that counts re-rated events, if a month without them owes no fee;
    - `caps`: by service;
    - `measured`: by measure_no, which cells need the measure;
    - `signature`: identifies the split of the package's free units (tariff/signature.py);
    - `exact_rules`: the rules whose lines are multiples of the quantum without rounding.
    """

    id: str
    kind: str
    main_bucket: str
    denominator: int
    partial_month: str
    fee: int
    caps: Mapping[str, int]
    commitment: int
    round_at: str
    quantum: int
    mode: str
    groups: tuple[PriceGroup, ...]
    connects: tuple[Connect, ...]
    rounded: tuple[RoundedLine, ...]
    pools: tuple[PoolPlan, ...]
    tiers: tuple[TierPlan, ...]
    signature: str
    exact_rules: frozenset[int]
    unpriced: int
    passed: int
    used: int | None
    unpriced_cells: np.ndarray
    measured: Mapping[int, np.ndarray]

    def units(self, sums: SumValues) -> np.ndarray:
        """The billed units by price group and customer-month, in base units of the pools."""
        units = sums.these([group.units for group in self.groups])
        for no, group in enumerate(self.groups):
            if group.exchange != 1:  # never of units that are summed up by month
                units[no] *= group.exchange
        return units


class SumPlan:
    """The sums that packages need, collected cell by cell and then folded into few rows."""

    def __init__(self, cell_count: int, statistics: Sequence[Statistic]):
        self.place = {statistic: no for no, statistic in enumerate(statistics)}
        self.cell_count = cell_count
        self.needed_by: dict[tuple[int, int], set[int]] = {}
        self.count = 0

    def new(self) -> int:
        """The number of a new sum."""
        self.count += 1
        return self.count - 1

    def add(self, sum_no: int, cell_no: int, statistic: Statistic) -> None:
        """Add a statistic of a cell to a sum."""
        self.needed_by.setdefault((cell_no, self.place[statistic]), set()).add(sum_no)

    def matrix(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Three arrays: columns, adding, row_of.

        - `columns[cell, statistic]`: the column of a cell's statistic, -1 if no sum needs it;
        - `adding[row, column]`: 1 if the row adds up the column, else 0;
        - `row_of[sum]`: the row of a sum.

        Statistics needed by the same sums share a column. Sums of the same columns, such as those
        of similar packages, share a row.
        """
        columns = np.full((self.cell_count + 1, len(self.place)), -1, dtype=np.int64)
        column_of: dict[tuple[int, ...], int] = {}
        for place, needed_by in sorted(self.needed_by.items()):
            columns[place] = column_of.setdefault(tuple(sorted(needed_by)), len(column_of))
        adding = np.zeros((self.count, len(column_of)), dtype=np.int64)
        for sum_nos, column in column_of.items():
            adding[list(sum_nos), column] = 1
        rows, row_of = np.unique(adding, axis=0, return_inverse=True)
        return columns, rows, row_of.reshape(self.count)


class SumValues:
    """The values of the sums of some customer-months, by the number of a sum.

    `rows` holds each folded row once, with one column per customer-month.
    """

    def __init__(self, rows: np.ndarray, row_of: np.ndarray):
        self.rows, self.row_of = rows, row_of
        self._largest: dict[int, int] = {}

    def __len__(self) -> int:
        return int(self.rows.shape[1])

    def __getitem__(self, sum_no: int) -> np.ndarray:
        values: np.ndarray = self.rows[self.row_of[sum_no]]
        return values

    def these(self, sum_nos: Sequence[int]) -> np.ndarray:
        """A copy of some sums, one row each."""
        values: np.ndarray = self.rows[self.row_of[list(sum_nos)]]
        return values

    def largest(self, sum_no: int) -> int:
        """The largest value of a sum; no value is below 0."""
        row = int(self.row_of[sum_no])
        if row not in self._largest:
            self._largest[row] = int(self.rows[row].max(initial=0))
        return self._largest[row]

    def of(self, months: np.ndarray) -> SumValues:
        """The values of some of the customer-months."""
        return SumValues(self.rows[:, months], self.row_of)
