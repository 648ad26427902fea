"""Compiling one package over the observed rating cells: which sums it needs, and its prices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from models.rating.package_prices import (
    BUCKETS,
    Connect,
    Group,
    PackagePrices,
    PoolPlan,
    RoundedLine,
    TierPlan,
)
from models.rating.sums import Sums
from models.tariff.charge import Charge, charges, rounded, rounding_matters, whole_rules
from models.tariff.check import event_kinds
from models.tariff.measure import Definition, Measure, Units, measure_no
from models.tariff.money_limit import whole_of
from models.tariff.package import COMPONENT_SERVICES, Package, Tier, not_known
from models.tariff.segmentation import Part
from models.tariff.signature import signature

EVENTS, BILLED_EVENTS = "events", "billed_events"
TOLD_APART: tuple[Mapping[str, frozenset], ...] = (
    {"roaming": frozenset(["home"])},
    {"dial": frozenset(["direct"])},
    {"dial": frozenset(["ip12593"])},
    {"in_group": frozenset([True])},
)


class PackageCompiler:
    """One package over the cells of its service; `toll_is_rerated` tells which toll is its own."""

    def __init__(
        self,
        package: Package,
        facts: Sequence[Mapping],
        measures: Sequence[Measure],
        all_toll: bool,
        sums: Sums,
    ):
        self.package, self.facts, self.measures = package, facts, measures
        self.all_toll, self.sums = all_toll, sums
        self.groups: dict[Key, int] = {}
        self.connects: dict[tuple, int] = {}
        self.lines: dict[tuple[int, ...], tuple[int, int]] = {}
        self.unpriced, self.passed = sums.new(), sums.new()
        self.unpriced_cells = np.zeros(len(facts) + 1, dtype=bool)
        self.measured: dict[int, np.ndarray] = {}
        self.slots = every_key(package, all_toll) if package.pools else ()
        self.cuts = {second for part in package.bands for second in (part.start, part.end)}

    def compiled(self) -> PackagePrices:
        """The package's prices; its sums have been registered."""
        package = self.package
        for cell_no, cell in enumerate(self.facts):
            if cell["service"] == package.service:
                self._cell(cell_no, cell)
        whole = whole_of(package)
        lines = sorted(self.lines)
        groups = tuple(self._group(key, lines, whole) for key in sorted(self.groups))
        cap = next(iter(package.caps.values()), None)
        return PackagePrices(
            package.id,
            package.kind,
            _main_bucket(package),
            whole,
            package.partial_month,
            int(package.monthly_fee * whole),
            None if cap is None else int(cap * whole),
            int(package.min_commitment * whole),
            package.rounding.at,
            whole // 10**package.rounding.scale,
            package.rounding.mode,
            groups,
            tuple(
                Connect(
                    rule_no,
                    int(package.rules[rule_no].connect * whole),
                    self.connects[rule_no, line],
                    _place(lines, line),
                )
                for rule_no, line in sorted(self.connects)
            ),
            tuple(self._rounded_line(line) for line in lines),
            _pool_plans(package, groups),
            tuple(_tier_plan(package, tier, whole) for tier in package.tiers),
            signature(package, self.all_toll),
            whole_rules(package),
            self.unpriced,
            self.passed,
            self.unpriced_cells,
            self.measured,
        )

    def _group(self, key: Key, lines: Sequence, whole: int) -> Group:
        rule = self.package.rules[key.rule_no]
        monthly = rule.increment if rule.increment_at == "month" else None
        return Group(
            key.rule_no,
            key.step,
            BUCKETS[key.bucket],
            key.pools,
            rule.component,
            int(rule.price_of(key.step) * whole),
            self.groups[key],
            monthly,
            _place(lines, key.line),
            self.slots.index(key) if self.slots else None,
        )

    def _cell(self, cell_no: int, cell: Mapping) -> None:
        """Price a cell's due components; what is not re-rated passes with its recorded fee."""
        if cell["dial"] == "ip12593":
            return
        if not cell["in_group"] and any(
            cell["slot_from"] < cut < cell["slot_to"] for cut in self.cuts
        ):
            self._leave_unpriced(cell_no)
            return
        due, unpriced = rerated(self.package, cell, self.all_toll)
        self._charge(cell_no, cell, due)
        priced = {_fee(charge.component) for charge in due}
        # Nobody can tell whether the package would have left an unknown zone to the records.
        if unpriced and (self.package.otherwise != "pass_through" or not_known(cell)):
            self._leave_unpriced(cell_no)
            priced |= {_fee(component) for component in unpriced}
        # What the records charged for a component that is not re-rated passes, once: direct toll
        # that no package re-rates is a sum of its own.
        fees = {"airtime_fee"}
        if toll_is_rerated(cell, self.all_toll):
            fees.add("toll_fee")
        for fee in fees - priced:
            self.sums.add(self.passed, cell_no, fee)

    def _charge(self, cell_no: int, cell: Mapping, due: Sequence[Charge]) -> None:
        """Add a cell's events to the sums from which its components are priced."""
        line = rounded_line(self.package, cell, due)
        if line:
            if line not in self.lines:
                self.lines[line] = (self.sums.new(), self.sums.new())
            for sum_no, paid in zip(self.lines[line], (True, False)):
                self._measure(sum_no, cell_no, rounded(self.package, due, paid))
        for charge, by_part in zip(due, keys(self.package, cell, due)):
            for part, key in by_part.items():
                if key not in self.groups:
                    self.groups[key] = self.sums.new()
                self._measure(self.groups[key], cell_no, Units(charge.laying, part))
            if charge.rule.connect:
                fee = (charge.rule.no, line)
                if fee not in self.connects:
                    self.connects[fee] = self.sums.new()
                self.sums.add(self.connects[fee], cell_no, BILLED_EVENTS)

    def _rounded_line(self, line: tuple[int, ...]) -> RoundedLine:
        slots = sorted({key.line for key in self.slots if key.line})
        return RoundedLine(
            line[0], BUCKETS[line[1]], *self.lines[line], slots.index(line) if slots else None
        )

    def _measure(self, sum_no: int, cell_no: int, definition: Definition) -> None:
        position = measure_no(self.package, definition, self.measures)
        self.sums.add(sum_no, cell_no, position)
        measured = self.measured.setdefault(position, np.zeros(len(self.facts) + 1, dtype=bool))
        measured[cell_no] = True

    def _leave_unpriced(self, cell_no: int) -> None:
        self.unpriced_cells[cell_no] = True
        self.sums.add(self.unpriced, cell_no, EVENTS)


@dataclass(frozen=True, order=True)
class Key:
    """What prices and settles units alike: a step of a rule, an amount column (its place in
    BUCKETS), the pools in order, and where events are rounded one by one their line (rule and
    amount column of the first component)."""

    rule_no: int
    step: int
    bucket: int
    pools: tuple[str, ...]
    line: tuple[int, ...]


def rerated(package: Package, cell: Mapping, all_toll: bool) -> tuple[list[Charge], list[str]]:
    """What a package prices of a cell's events, and what it should and has no price for.

    In-group and 12593 calls are not re-rated (S2-07, S2-R5), direct toll only with `all_toll`.
    """
    if cell["service"] != package.service or cell["dial"] == "ip12593" or cell["in_group"]:
        return [], []
    due, unpriced = charges(package, cell)
    toll = toll_is_rerated(cell, all_toll)
    return (
        [one for one in due if one.component != "toll" or toll],
        [one for one in unpriced if one != "toll" or toll],
    )


def toll_is_rerated(cell: Mapping, all_toll: bool) -> bool:
    """Whether long distance of the cell is re-rated at all (S2-R4)."""
    return all_toll or cell["dial"] == "ip17951"


def rounded_line(package: Package, cell: Mapping, due: Sequence[Charge]) -> tuple[int, ...]:
    """Rule and amount column that carry the rounding of the cell's events; () where none does."""
    if not rounding_matters(package, due):
        return ()
    return due[0].rule.no, _bucket(due[0].component, cell)


def keys(package: Package, cell: Mapping, due: Sequence[Charge]) -> list[dict[Part, Key]]:
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


def every_key(package: Package, all_toll: bool) -> tuple[Key, ...]:
    """The keys of all events that there can be, in order: they do not depend on what was seen."""
    found = set()
    for facts in event_kinds(package, TOLD_APART):
        due, _ = rerated(package, facts, all_toll)
        for by_part in keys(package, facts, due):
            found.update(by_part.values())
    return tuple(sorted(found))


def _place(lines: Sequence, line: tuple) -> int | None:
    return lines.index(line) if line else None


def _fee(component: str) -> str:
    return "toll_fee" if component == "toll" else "airtime_fee"


def _main_bucket(package: Package) -> str:
    return "local_airtime" if package.kind == "voice" else package.kind


def _bucket(component: str, cell: Mapping) -> int:
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


def _pool_plans(package: Package, groups: Sequence[Group]) -> tuple[PoolPlan, ...]:
    plans = []
    for pool in sorted(package.pools, key=lambda pool: pool.order):
        drawing = [no for no, group in enumerate(groups) if pool.id in group.pools]
        members = tuple(no for no in drawing if groups[no].monthly is None)
        # One class: same price, same line (rule), same pools still to come. A package has one
        # service, so its cap is common to all.
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


def _tier_plan(package: Package, tier: Tier, whole: int) -> TierPlan:
    steps, start = [], 0
    for step in tier.steps:
        end = None if step.up_to is None else step.up_to * tier.per
        steps.append((start, end, int(step.rate / tier.per * whole), int(step.flat * whole)))
        start = end
    bucket = "toll" if tier.component == "toll" else _main_bucket(package)
    return TierPlan(
        tier.component, bucket, tier.mode == "graduated", tuple(steps), tier.flat_at_zero
    )
