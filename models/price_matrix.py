"""The catalogue compiled: what each rating cell costs under each package, as integers.

Every price of a package becomes an integer over the package's own denominator D. Cells and measures
that no package tells apart share one column, so a customer-month is a short vector; a matrix of
zeros and ones adds its columns up to the *sums* that packages are priced from (billed units of a
price group, events with a connect fee, recorded fees that pass). models/settlement.py does the
rest.
"""
from __future__ import annotations

from dataclasses import dataclass
from math import lcm
from typing import Mapping, Sequence

import numpy as np

from models.catalogue import require_priceable
from models.measure import FACTS, FEES, Measure, measure_no
from models.tariff import (
    COMPONENT_SERVICES,
    Package,
    denominator,
    drawn_pools,
    due_components,
    first_rule,
)

EVENTS, BILLED_EVENTS = "events", "billed_events"
BUCKETS = (
    "monthly_fee", "local_airtime", "roaming_airtime", "toll", "sms", "mms", "gprs", "wlan",
    "connect", "cap_cut", "commitment",
)
MICRO = 10**6
IP_ONLY, ALL_TOLL = "ip_only", "all"
TOLL_READINGS = (IP_ONLY, ALL_TOLL)


@dataclass(frozen=True)
class Group:
    """Units of one rule, amount column and list of pools: whatever prices and settles them alike.

    `price` is in 1/D yuan per base unit; `units` is the number of the sum that counts them.
    """

    rule_no: int
    bucket: str
    pools: tuple[str, ...]
    price: int
    units: int


@dataclass(frozen=True)
class Connect:
    """A rule's connect fee in 1/D yuan and the number of the sum that counts its events."""

    rule_no: int
    price: int
    events: int


@dataclass(frozen=True)
class PoolPlan:
    """A pool and the groups that draw on it, each with its class (rating order does not matter
    within one class)."""

    amount: int
    unit: int
    members: tuple[int, ...]
    classes: tuple[int, ...]


@dataclass(frozen=True)
class PackagePrices:
    """One package as integers over `denominator`.

    `unpriced` counts the events of `unpriced_cells` (a flag per cell), `passed` sums the recorded
    fees of what the package does not re-rate; both are numbers of sums. `measured` says by
    measure_no which cells need that measure.
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
    pools: tuple[PoolPlan, ...]
    unpriced: int
    passed: int
    unpriced_cells: np.ndarray
    measured: Mapping[int, np.ndarray]


@dataclass(frozen=True)
class PriceMatrix:
    """All packages over the observed cells.

    `columns[cell, statistic]` is the column of a cell's statistic or -1 when nobody needs it.
    Arrays by cell have one more entry at the end, for a cell that is not known (number -1).
    `adding[sum, column]` says which columns make a sum. `d12593` and `other` are the sums of the
    recorded fees that every package passes (S2-R5, S2-R6), `direct_toll` of direct long distance
    where no package re-rates it (S2-R4 read as `ip_only`; else it is empty).
    """

    cell_ids: np.ndarray
    cell_names: tuple[str, ...]
    statistics: tuple[str | int, ...]
    columns: np.ndarray
    adding: np.ndarray
    d12593: int
    other: int
    direct_toll: int
    packages: tuple[PackagePrices, ...]


def compile_prices(
    packages: Sequence[Package],
    cells: Sequence,
    measures: Sequence[Measure],
    toll_rerated: str = IP_ONLY,
) -> PriceMatrix:
    """Packages over the rows of dw.rating_cell (anything with the attributes of a cell).

    `toll_rerated` reads S2-R4: `ip_only` re-rates the toll of 17951 calls alone, `all` every toll.
    In-group calls are left out (S2-07) and 12593 calls pass (S2-R5). Raises ConfigError for an
    increment without a measure and for a package that the cube cannot price.
    """
    if toll_rerated not in TOLL_READINGS:
        raise ValueError(f"toll_rerated: expected one of {TOLL_READINGS}, got {toll_rerated!r}")
    ordered = sorted(cells, key=lambda cell: cell.cell_id)
    facts = [{fact: getattr(cell, fact) for fact in FACTS} for cell in ordered]
    deepest = max((measure.measure_no for measure in measures), default=0)
    statistics = (*range(1, deepest + 1), BILLED_EVENTS, EVENTS, *FEES)
    sums = _Sums(len(ordered), statistics)
    d12593, other, direct_toll = sums.new(), sums.new(), sums.new()
    for cell_no, cell in enumerate(facts):
        if cell["dial"] == "ip12593":
            for fee in FEES:
                sums.add(d12593, cell_no, fee)
            continue
        sums.add(other, cell_no, "other_fee")
        if cell["dial"] == "direct" and toll_rerated == IP_ONLY:
            sums.add(direct_toll, cell_no, "toll_fee")
    compiled = tuple(
        _Compiler(package, facts, measures, toll_rerated, sums).compiled() for package in packages
    )
    columns, adding = sums.matrix()
    return PriceMatrix(
        np.array([cell.cell_id for cell in ordered], dtype=np.int64),
        tuple(_name(cell) for cell in facts),
        statistics, columns, adding, d12593, other, direct_toll, compiled,
    )


def _name(cell: Mapping) -> str:
    words = [str(cell[f]) for f in FACTS[:5] + FACTS[6:8] if cell[f] is not None]
    return " ".join(words + [f"{cell['slot_from']}-{cell['slot_to']} s"])


class _Sums:
    """The sums that packages need, collected cell by cell and then folded into few columns."""

    def __init__(self, cell_count: int, statistics: Sequence):
        self.place = {statistic: no for no, statistic in enumerate(statistics)}
        self.cell_count = cell_count
        self.needed_by: dict[tuple[int, int], set[int]] = {}
        self.count = 0

    def new(self) -> int:
        self.count += 1
        return self.count - 1

    def add(self, sum_no: int, cell_no: int, statistic) -> None:
        self.needed_by.setdefault((cell_no, self.place[statistic]), set()).add(sum_no)

    def matrix(self) -> tuple[np.ndarray, np.ndarray]:
        """Statistics needed by the same sums share a column."""
        columns = np.full((self.cell_count + 1, len(self.place)), -1, dtype=np.int64)
        column_of: dict[tuple[int, ...], int] = {}
        for place, sum_nos in sorted(self.needed_by.items()):
            columns[place] = column_of.setdefault(tuple(sorted(sum_nos)), len(column_of))
        adding = np.zeros((self.count, len(column_of)), dtype=np.int64)
        for sum_nos, column in column_of.items():
            adding[list(sum_nos), column] = 1
        return columns, adding


class _Compiler:
    """One package over the cells of its service."""

    def __init__(self, package: Package, facts, measures, toll_rerated: str, sums: _Sums):
        self.package, self.facts, self.measures = package, facts, measures
        self.toll_rerated, self.sums = toll_rerated, sums
        self.groups: dict[tuple[int, int, tuple[str, ...]], int] = {}
        self.connects: dict[int, int] = {}
        self.unpriced, self.passed = sums.new(), sums.new()
        self.unpriced_cells = np.zeros(len(facts) + 1, dtype=bool)
        self.measured: dict[int, np.ndarray] = {}
        self.cuts = {second for part in package.bands for second in (part.start, part.end)}

    def compiled(self) -> PackagePrices:
        package = self.package
        require_priceable(package)
        for cell_no, cell in enumerate(self.facts):
            if cell["service"] == package.service:
                self._cell(cell_no, cell)
        whole = lcm(denominator(package), MICRO, 10**package.rounding.scale)
        groups = tuple(
            Group(rule_no, BUCKETS[bucket], pools,
                  int(package.rules[rule_no].price * whole), units)
            for (rule_no, bucket, pools), units in sorted(self.groups.items())
        )
        connects = tuple(
            Connect(rule_no, int(package.rules[rule_no].connect * whole), events)
            for rule_no, events in sorted(self.connects.items())
        )
        cap = next(iter(package.caps.values()), None)
        return PackagePrices(
            package.id, package.kind,
            "local_airtime" if package.kind == "voice" else package.kind,
            whole, package.partial_month,
            int(package.monthly_fee * whole), None if cap is None else int(cap * whole),
            int(package.min_commitment * whole),
            package.rounding.at,
            whole // 10**package.rounding.scale, package.rounding.mode,
            groups, connects, _pool_plans(package, groups),
            self.unpriced, self.passed, self.unpriced_cells, self.measured,
        )

    def _cell(self, cell_no: int, cell: Mapping) -> None:
        """Price a cell's due components; what is not re-rated passes with its recorded fee."""
        if cell["dial"] == "ip12593":
            return
        rated: set[str] = set()
        if not cell["in_group"]:
            if any(cell["slot_from"] < cut < cell["slot_to"] for cut in self.cuts):
                self._leave_unpriced(cell_no)
                return
            for component in due_components(cell):
                if component != "toll" or self._toll_is_rerated(cell):
                    self._component(cell_no, cell, component)
                    rated.add("toll_fee" if component == "toll" else "airtime_fee")
        # What the records charged for a component that is not re-rated passes, once: direct toll
        # that no package re-rates is a sum of its own.
        for fee in {"airtime_fee", "toll_fee"} - rated:
            if fee == "airtime_fee" or self._toll_is_rerated(cell):
                self.sums.add(self.passed, cell_no, fee)

    def _toll_is_rerated(self, cell: Mapping) -> bool:
        return self.toll_rerated == ALL_TOLL or cell["dial"] == "ip17951"

    def _component(self, cell_no: int, cell: Mapping, component: str) -> None:
        package = self.package
        rule = first_rule(package, component, cell)
        if rule is None:
            if package.otherwise == "pass_through":
                fee = "toll_fee" if component == "toll" else "airtime_fee"
                self.sums.add(self.passed, cell_no, fee)
            else:
                self._leave_unpriced(cell_no)
            return
        pools = tuple(pool.id for pool in drawn_pools(package, rule, cell))
        key = (rule.no, BUCKETS.index(_bucket(component, cell)), pools)
        if key not in self.groups:
            self.groups[key] = self.sums.new()
        position = measure_no(package, rule.increment, self.measures)
        self.sums.add(self.groups[key], cell_no, position)
        measured = self.measured.setdefault(position, np.zeros(len(self.facts) + 1, dtype=bool))
        measured[cell_no] = True
        if rule.connect:
            if rule.no not in self.connects:
                self.connects[rule.no] = self.sums.new()
            self.sums.add(self.connects[rule.no], cell_no, BILLED_EVENTS)

    def _leave_unpriced(self, cell_no: int) -> None:
        self.unpriced_cells[cell_no] = True
        self.sums.add(self.unpriced, cell_no, EVENTS)


def _bucket(component: str, cell: Mapping) -> str:
    if component == "toll":
        return "toll"
    if cell["service"] in COMPONENT_SERVICES["message"]:
        return cell["service"]
    if cell["service"] == "voice":
        return "local_airtime" if cell["roaming"] == "home" else "roaming_airtime"
    return "gprs" if cell["service"] == "data" else "wlan"


def _pool_plans(package: Package, groups: Sequence[Group]) -> tuple[PoolPlan, ...]:
    plans = []
    for pool in sorted(package.pools, key=lambda pool: pool.order):
        members = tuple(no for no, group in enumerate(groups) if pool.id in group.pools)
        # One class: same price, same line (rule), same pools still to come. A package has one
        # service, so its cap is common to all.
        kinds = [
            (groups[no].price, groups[no].rule_no,
             groups[no].pools[groups[no].pools.index(pool.id) + 1:])
            for no in members
        ]
        numbers = {kind: no for no, kind in enumerate(dict.fromkeys(kinds))}
        classes = tuple(numbers[kind] for kind in kinds)
        if members:
            plans.append(PoolPlan(pool.amount, pool.unit, members, classes))
    return tuple(plans)
