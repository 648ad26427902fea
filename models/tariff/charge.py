"""What an event of a rating cell owes under a package: components, parts, prices and pools.

This is the one place where the rules of a package meet the facts of a cell. The register takes from
it which measures are needed, the price matrix what they cost, and the replay who draws first.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import gcd, lcm

from models.tariff.measure import Definition, Rounded, Units
from models.tariff.package import (
    SERVICE_UNIT,
    Facts,
    Package,
    Pool,
    Rule,
    drawn_pools,
    due_components,
    first_rule,
    not_known,
)
from models.tariff.segmentation import Part, Segmentation, Steps


@dataclass(frozen=True)
class Price:
    """The price of one part of an event: a step of a rule, and the pools it draws on in order."""

    rule: Rule
    step: int
    pools: tuple[Pool, ...]

    @property
    def rate(self) -> Fraction:
        """Yuan per base unit."""
        return self.rule.price_of(self.step)


@dataclass(frozen=True)
class Charge:
    """One due component. `rule` is the rule at the start of the event: its connect fee is due."""

    component: str
    rule: Rule
    segmentation: Segmentation
    prices: Mapping[Part, Price]

    @property
    def monthly(self) -> bool:
        """Whether the quantity is rounded up once for the month instead of by event."""
        return self.rule.increment_at == "month"


def charges(package: Package, facts: Facts) -> tuple[tuple[Charge, ...], tuple[str, ...]]:
    """The charges of an event, and the due components that have no price.

    The charges are in the order in which they draw on pools, which is that of the rules. A
    component has no price if no rule prices it in at least one band. If a fact is unknown, no
    component has a price.
    """
    due = due_components(facts)
    if not_known(facts):
        return (), due
    found, unpriced = [], []
    for component in due:
        charge = _charge(package, facts, component)
        if charge is None:
            unpriced.append(component)
        else:
            found.append(charge)
    return tuple(sorted(found, key=lambda charge: charge.rule.no)), tuple(unpriced)


def _charge(package: Package, facts: Facts, component: str) -> Charge | None:
    rule = first_rule(package, component, facts)
    if rule is None:
        return None
    if package.band_policy == "start" or SERVICE_UNIT[rule.service] != "s":
        return _plain(package, facts, component, rule)
    rules: dict[str, Rule] = {}
    for band in package.band_names:
        in_band = first_rule(package, component, facts, band)
        if in_band is None:
            return None
        rules[band] = in_band
    pools = {band: drawn_pools(package, one, facts, band) for band, one in rules.items()}
    if len({(one.no, pools[band]) for band, one in rules.items()}) == 1:
        return _plain(package, facts, component, rule)
    segmentation = Segmentation.by_band(
        package, {band: Steps.of(one) for band, one in rules.items()}
    )
    prices = {(band, no): Price(rules[band], no, pools[band]) for band, no in segmentation.parts}
    return Charge(component, rule, segmentation, prices)


def _plain(package: Package, facts: Facts, component: str, rule: Rule) -> Charge:
    segmentation, pools = Segmentation.plain(Steps.of(rule)), drawn_pools(package, rule, facts)
    prices = {part: Price(rule, part[1], pools) for part in segmentation.parts}
    return Charge(component, rule, segmentation, prices)


def rounding_matters(package: Package, found: Sequence[Charge]) -> bool:
    """Whether rounding at event can change the price of an event with these charges.

    It cannot if each fee and each block costs a multiple of the quantum. A block is the size in
    which units are billed or drawn from a pool.
    """
    if package.rounding.at != "event":
        return False
    drawn = _drawn_block(package)
    amounts = [charge.rule.connect for charge in found]
    for charge in found:
        steps = dict(charge.segmentation.steps)
        for (band, step), price in charge.prices.items():
            sizes = [steps[band].first] if step == 0 else []
            block = gcd(*sizes, steps[band].steps[step][1])
            amounts.append(
                price.rule.settled_price_of(step) * drawn if price.pools else price.rate * block
            )
    return not _all_in_quanta(package, amounts)


def _all_in_quanta(package: Package, amounts: Sequence[Fraction]) -> bool:
    """Whether each amount is a multiple of the quantum of the package's rounding."""
    return all((amount * 10**package.rounding.scale).denominator == 1 for amount in amounts)


def _drawn_block(package: Package) -> int:
    """A size that divides every quantity that an event can draw from a pool or leave in it.

    It is in base units of the pools.
    """
    drawing = [(rule.exchange, Steps.of(rule)) for rule in package.rules if rule.pools]
    return gcd(
        *(pool.unit for pool in package.pools),
        *(steps.first * exchange for exchange, steps in drawing),
        *(size * exchange for exchange, steps in drawing for _, size in steps.steps),
    )


def exact_rules(package: Package) -> frozenset[int]:
    """The rules whose amounts are always multiples of the quantum: their lines need no rounding."""
    drawn = _drawn_block(package)
    found = set()
    for rule in package.rules:
        steps = (
            Steps.of(rule)
            if rule.increment_at == "event"
            else Steps(rule.increment[0], ((0, rule.increment[1]),))
        )
        places = range(len(steps.steps))
        if rule.pools:
            prices = [rule.settled_price_of(step) * drawn for step in places]
        else:
            block = gcd(steps.first, *(size for _, size in steps.steps))
            prices = [rule.price_of(step) * block for step in places]
        amounts = [rule.connect, *prices]
        if _all_in_quanta(package, amounts):
            found.add(rule.no)
    return frozenset(found)


def rounded(package: Package, found: Sequence[Charge], *, paid: bool) -> Rounded:
    """The measure of the amounts of whole events, rounded one by one.

    With `paid`, all units are paid; else all units that draw on a pool are free.
    """
    amounts = [charge.rule.connect for charge in found]
    rates = [
        [
            price.rate if paid or not price.pools else Fraction(0)
            for price in (charge.prices[part] for part in charge.segmentation.parts)
        ]
        for charge in found
    ]
    denominator = lcm(
        10**package.rounding.scale,
        *(amount.denominator for amount in amounts),
        *(rate.denominator for by_part in rates for rate in by_part),
    )
    return Rounded(
        package.rounding.scale,
        package.rounding.mode,
        denominator,
        int(sum(amounts) * denominator),
        tuple(
            (charge.segmentation, tuple(int(rate * denominator) for rate in by_part))
            for charge, by_part in zip(found, rates, strict=True)
        ),
    )


def definitions(package: Package, found: Sequence[Charge]) -> Iterator[Definition]:
    """The measures that the cube needs of a cell with these charges."""
    for charge in found:
        for part in charge.segmentation.parts:
            yield Units(charge.segmentation, part)
    if rounding_matters(package, found):
        yield rounded(package, found, paid=True)
        yield rounded(package, found, paid=False)
