"""One package compiled to integers: what its month is settled from (models/settlement.py).

Every price is a whole number over the package's own denominator D. The numbers of *sums* point into
the price matrix (models/price_matrix.py), which says what of a customer-month adds up to them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

BUCKETS = (
    "monthly_fee",
    "local_airtime",
    "roaming_airtime",
    "toll",
    "sms",
    "mms",
    "gprs",
    "wlan",
    "connect",
    "cap_cut",
    "commitment",
)


@dataclass(frozen=True)
class Group:
    """Units of one step of a rule, amount column and list of pools: whatever prices and settles
    them alike.

    `price` is in 1/D yuan per base unit; `units` is the number of the sum that counts them.
    `monthly` (first, next): the sum is raw and rounded up once for the month. `rounded_in`: the
    number of the line of rounded events (PackagePrices.rounded) that holds them, if any. `slot`:
    its place in what a replay says of the package's signature; None without pools.
    """

    rule_no: int
    step: int
    bucket: str
    pools: tuple[str, ...]
    component: str
    price: int
    units: int
    monthly: tuple[int, int] | None
    rounded_in: int | None
    slot: int | None


@dataclass(frozen=True)
class Connect:
    """A rule's connect fee in 1/D yuan and the number of the sum that counts its events."""

    rule_no: int
    price: int
    events: int
    rounded_in: int | None


@dataclass(frozen=True)
class RoundedLine:
    """Events that are rounded one by one, by rule and amount column of their first component.

    `paid` and `free` are the numbers of two sums of rounded amounts, in the quantum: as if all
    units had to be paid, and as if all that draw on a pool were free.
    """

    rule_no: int
    bucket: str
    paid: int
    free: int
    slot: int | None


@dataclass(frozen=True)
class PoolPlan:
    """A pool and the groups that draw on it event by event, each with its class (the order of
    events does not matter within one class), and those that draw at the close of the month.

    `blocks`: whether whatever an event draws or leaves keeps amounts exact under rounding at event.
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
    """Month prices of a component's paid units over the denominator: (units from, units to or
    None, price per base unit, flat amount) by step."""

    component: str
    bucket: str
    graduated: bool
    steps: tuple[tuple[int, int | None, int, int], ...]
    flat_at_zero: bool


@dataclass(frozen=True)
class PackagePrices:
    """One package as integers over `denominator`.

    `unpriced` counts the events of `unpriced_cells` (a flag per cell), `passed` sums the recorded
    fees of what the package does not re-rate; both are numbers of sums. `measured` says by
    measure_no which cells need that measure. `signature` names what the split of its free units
    depends on; the lines of `whole_rules` are whole quanta without rounding.
    """

    id: str
    kind: str
    main_bucket: str
    denominator: int
    partial_month: str
    fee: int
    cap: int | None
    commitment: int
    round_at: str
    quantum: int
    mode: str
    groups: tuple[Group, ...]
    connects: tuple[Connect, ...]
    rounded: tuple[RoundedLine, ...]
    pools: tuple[PoolPlan, ...]
    tiers: tuple[TierPlan, ...]
    signature: str
    whole_rules: frozenset[int]
    unpriced: int
    passed: int
    unpriced_cells: np.ndarray
    measured: Mapping[int, np.ndarray]
