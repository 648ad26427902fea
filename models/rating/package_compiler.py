"""Compiles one package over the observed rating cells: the sums that it needs, and its prices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.rating.package_prices import (
    Connect,
    PackagePrices,
    PoolPlan,
    PriceGroup,
    RoundedLine,
    SumPlan,
    TierPlan,
)
from models.tariff.amounts import BUCKETS
from models.tariff.charge import Charge, charges, exact_rules, rounded, rounding_matters
from models.tariff.event_kinds import event_kinds
from models.tariff.measure import Definition, Units
from models.tariff.money_limit import settling_denominator
from models.tariff.package import (
    COMPONENT_SERVICES,
    Clause,
    Facts,
    Package,
    Tier,
    not_known,
)
from models.tariff.segmentation import Part
from models.tariff.signature import signature
from models.usage.register import Measure, measure_no

Line = tuple[int, ...]
"""Where events are rounded one by one: rule and amount column of their first component, or ()."""

EVENTS, BILLED_EVENTS = "events", "billed_events"
# Facts by which this module treats events differently, whatever the package says.
DISTINGUISHED: tuple[Clause, ...] = (
    {"roaming": frozenset(["home"])},
    {"dial": frozenset(["direct"])},
    {"dial": frozenset(["ip12593"])},
    {"in_group": frozenset([True])},
)


class PackageCompiler:
    """One package over the cells of its service. With `all_toll` all long distance is re-rated.

    `facts` are those of all cells in order of cell_id; new sums are added to `sums`.
    """

    def __init__(
        self,
        package: Package,
        facts: Sequence[Facts],
        measures: Sequence[Measure],
        sums: SumPlan,
        *,
        all_toll: bool,
    ):
        self.package, self.facts, self.measures = package, facts, measures
        self.all_toll, self.sums = all_toll, sums
        self.groups: dict[Key, int] = {}
        self.connects: dict[tuple[int, Line], int] = {}
        self.lines: dict[Line, tuple[int, int]] = {}
        self.unpriced, self.passed = sums.new(), sums.new()
        self.used = sums.new() if package.fee_when == "used" else None
        self.unpriced_cells = np.zeros(len(facts) + 1, dtype=bool)
        self.measured: dict[int, np.ndarray] = {}
        self.slots = every_key(package, all_toll=all_toll) if package.pools else ()
        self.cuts = {second for part in package.bands for second in (part.start, part.end)}

    def compiled(self) -> PackagePrices:
        """The prices of the package; its sums are then part of the plan."""
        package = self.package
        for cell_no, cell in enumerate(self.facts):
            if cell["service"] in package.services:
                self._cell(cell_no, cell)
        denominator = settling_denominator(package)
        lines = sorted(self.lines)
        groups = tuple(self._group(key, lines, denominator) for key in sorted(self.groups))
        return PackagePrices(
            package.id,
            package.kind,
            _main_bucket(package),
            denominator,
            package.partial_month,
            int(package.monthly_fee * denominator),
            {service: int(cap * denominator) for service, cap in sorted(package.caps.items())},
            int(package.min_commitment * denominator),
            package.rounding.at,
            denominator // 10**package.rounding.scale,
            package.rounding.mode,
            groups,
            tuple(
                Connect(
                    rule_no,
                    int(package.rules[rule_no].connect * denominator),
                    self.connects[rule_no, line],
                    _place(lines, line),
                    package.rules[rule_no].service,
                )
                for rule_no, line in sorted(self.connects)
            ),
            tuple(self._rounded_line(line) for line in lines),
            _pool_plans(package, groups),
            tuple(_tier_plan(package, tier, denominator) for tier in package.tiers),
            signature(package, all_toll=self.all_toll),
            exact_rules(package),
            self.unpriced,
            self.passed,
            self.used,
            self.unpriced_cells,
            self.measured,
        )

    def _group(self, key: Key, lines: Sequence[Line], denominator: int) -> PriceGroup:
        rule = self.package.rules[key.rule_no]
        monthly = rule.increment if rule.increment_at == "month" else None
        return PriceGroup(
            key.rule_no,
            key.step,
            BUCKETS[key.bucket],
            key.pools,
            rule.service,
            rule.component,
            int(rule.settled_price_of(key.step) * denominator),
            rule.exchange,
            self.groups[key],
            monthly,
            _place(lines, key.line),
            self.slots.index(key) if self.slots else None,
        )

    def _cell(self, cell_no: int, cell: Facts) -> None:
        """Price the due components of a cell; the recorded fees of the others pass through."""
        if cell["dial"] == "ip12593":
            return
        if not cell["in_group"] and any(
            cell["slot_from"] < cut < cell["slot_to"] for cut in self.cuts
        ):
            self._leave_unpriced(cell_no)
            return
        due, unpriced = rerated(self.package, cell, all_toll=self.all_toll)
        if due and self.used is not None:
            self.sums.add(self.used, cell_no, BILLED_EVENTS)
        self._charge(cell_no, cell, due)
        priced = {_fee(charge.component) for charge in due}
        # An unknown zone is never passed through: whether the package prices it cannot be known.
        if unpriced and (self.package.otherwise != "pass_through" or not_known(cell)):
            self._leave_unpriced(cell_no)
            priced |= {_fee(component) for component in unpriced}
        # The recorded fee of a component that is not re-rated passes through, once. Direct toll
        # that no package re-rates is a sum of its own in the price matrix.
        fees = {"airtime_fee"}
        if toll_is_rerated(cell, all_toll=self.all_toll):
            fees.add("toll_fee")
        for fee in fees - priced:
            self.sums.add(self.passed, cell_no, fee)

    def _charge(self, cell_no: int, cell: Facts, due: Sequence[Charge]) -> None:
        """Add the events of a cell to the sums from which its components are priced."""
        line = rounded_line(self.package, cell, due)
        if line:
            if line not in self.lines:
                self.lines[line] = (self.sums.new(), self.sums.new())
            for sum_no, paid in zip(self.lines[line], (True, False), strict=True):
                self._measure(sum_no, cell_no, rounded(self.package, due, paid=paid))
        for charge, by_part in zip(due, keys(self.package, cell, due), strict=True):
            for part, key in by_part.items():
                if key not in self.groups:
                    self.groups[key] = self.sums.new()
                self._measure(self.groups[key], cell_no, Units(charge.segmentation, part))
            if charge.rule.connect:
                fee = (charge.rule.no, line)
                if fee not in self.connects:
                    self.connects[fee] = self.sums.new()
                self.sums.add(self.connects[fee], cell_no, BILLED_EVENTS)

    def _rounded_line(self, line: Line) -> RoundedLine:
        slots = sorted({key.line for key in self.slots if key.line})
        return RoundedLine(
            line[0],
            BUCKETS[line[1]],
            *self.lines[line],
            slots.index(line) if slots else None,
            self.package.rules[line[0]].service,
        )

    def _measure(self, sum_no: int, cell_no: int, definition: Definition) -> None:
        service = self.facts[cell_no]["service"]
        position = measure_no(self.package, service, definition, self.measures)
        self.sums.add(sum_no, cell_no, position)
        measured = self.measured.setdefault(position, np.zeros(len(self.facts) + 1, dtype=bool))
        measured[cell_no] = True

    def _leave_unpriced(self, cell_no: int) -> None:
        self.unpriced_cells[cell_no] = True
        self.sums.add(self.unpriced, cell_no, EVENTS)


@dataclass(frozen=True, order=True)
class Key:
    """Units with one key have one price and are settled together.

    - `rule_no`, `step`: the rule and its price step;
    - `bucket`: the amount column, as its place in BUCKETS;
    - `pools`: the pools in drawing order;
    - `line`: the line of rounded events, or () if events are not rounded one by one.
    """

    rule_no: int
    step: int
    bucket: int
    pools: tuple[str, ...]
    line: Line


def rerated(package: Package, cell: Facts, *, all_toll: bool) -> tuple[list[Charge], list[str]]:
    """The charges by which a package re-rates a cell's events, and the components without a price.

    In-group and 12593 calls are not re-rated (S2-07, S2-R5). Direct long distance is re-rated only
    with `all_toll`.
    """
    if cell["service"] not in package.services or cell["dial"] == "ip12593" or cell["in_group"]:
        return [], []
    due, unpriced = charges(package, cell)
    toll = toll_is_rerated(cell, all_toll=all_toll)
    return (
        [one for one in due if one.component != "toll" or toll],
        [one for one in unpriced if one != "toll" or toll],
    )


def toll_is_rerated(cell: Facts, *, all_toll: bool) -> bool:
    """Whether the long distance of the cell is re-rated (S2-R4)."""
    return all_toll or bool(cell["dial"] == "ip17951")


def rounded_line(package: Package, cell: Facts, due: Sequence[Charge]) -> Line:
    """The line that carries the rounding of the cell's events; () if rounding does not matter."""
    if not rounding_matters(package, due):
        return ()
    return due[0].rule.no, _bucket(due[0].component, cell)


def keys(package: Package, cell: Facts, due: Sequence[Charge]) -> list[dict[Part, Key]]:
    """The key of each part of each charge."""
    line = rounded_line(package, cell, due)
    return [
        {
            part: Key(
                price.rule.no,
                price.step,
                _bucket(charge.component, cell),
                tuple(pool.id for pool in price.pools),
                line,
            )
            for part, price in charge.prices.items()
        }
        for charge in due
    ]


def every_key(package: Package, *, all_toll: bool) -> tuple[Key, ...]:
    """The keys of all possible events, in order. They do not depend on the observed cells."""
    found: set[Key] = set()
    for facts in event_kinds(package, DISTINGUISHED):
        due, _ = rerated(package, facts, all_toll=all_toll)
        for by_part in keys(package, facts, due):
            found.update(by_part.values())
    return tuple(sorted(found))


def _place(lines: Sequence[Line], line: Line) -> int | None:
    return lines.index(line) if line else None


def _fee(component: str) -> str:
    return "toll_fee" if component == "toll" else "airtime_fee"


def _main_bucket(package: Package) -> str:
    """The amount column that takes the rounding of the bill."""
    return _usage_bucket(package.kinds[0])


def _usage_bucket(kind: str) -> str:
    return "local_airtime" if kind == "voice" else kind


def _bucket(component: str, cell: Facts) -> int:
    """The amount column of a component, as its place in BUCKETS."""
    if component == "toll":
        name = "toll"
    elif cell["service"] in COMPONENT_SERVICES["message"]:
        name = cell["service"]
    elif cell["service"] == "voice":
        name = "local_airtime" if cell["roaming"] == "home" else "roaming_airtime"
    else:
        name = "gprs" if cell["service"] == "data" else "wlan"
    return BUCKETS.index(name)


def _pool_plans(package: Package, groups: Sequence[PriceGroup]) -> tuple[PoolPlan, ...]:
    plans = []
    for pool in sorted(package.pools, key=lambda pool: pool.order):
        drawing = [no for no, group in enumerate(groups) if pool.id in group.pools]
        members = tuple(no for no in drawing if groups[no].monthly is None)
        # One class: same price, same line (rule) and same later pools. A rule has one service, so
        # its units share one cap.
        kinds = [
            (
                groups[no].rule_no,
                groups[no].step,
                groups[no].pools[groups[no].pools.index(pool.id) + 1 :],
            )
            for no in members
        ]
        numbers = {kind: no for no, kind in enumerate(dict.fromkeys(kinds))}
        plans.append(
            PoolPlan(
                pool.id,
                pool.amount,
                pool.unit,
                members,
                tuple(numbers[kind] for kind in kinds),
                tuple(no for no in drawing if groups[no].monthly is not None),
                pool.carry_over,
                all(groups[no].rounded_in is None for no in drawing),
            )
        )
    return tuple(plans)


def _tier_plan(package: Package, tier: Tier, denominator: int) -> TierPlan:
    steps: list[tuple[int, int | None, int, int]] = []
    start = 0
    for step in tier.steps:
        end = None if step.up_to is None else step.up_to * tier.per
        price, flat = int(step.rate / tier.per * denominator), int(step.flat * denominator)
        steps.append((start, end, price, flat))
        start = end or 0  # only the last step has no end
    kinds = dict(zip(package.services, package.kinds, strict=True))
    bucket = "toll" if tier.component == "toll" else _usage_bucket(kinds[tier.service])
    return TierPlan(
        tier.service,
        tier.component,
        bucket,
        tier.mode == "graduated",
        tuple(steps),
        tier.flat_at_zero,
    )
