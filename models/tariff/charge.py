"""What an event of a rating cell owes under a package: components, parts, prices, pools.

The one place where the rules of a package meet the facts of a cell; the usage cube takes from it
which measures are needed, the price matrix what they cost, and the replay who draws first.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import gcd, lcm

from models.tariff.measure import Definition, Rounded, Units
from models.tariff.package import (
    Package,
    Pool,
    Rule,
    drawn_pools,
    due_components,
    first_rule,
    not_known,
)
from models.tariff.segmentation import Laying, Part, Steps


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
    """One due component. `rule` is that of the start: the connect fee is due by it."""

    component: str
    rule: Rule
    laying: Laying
    prices: Mapping[Part, Price]

    @property
    def monthly(self) -> bool:
        """Whether the quantity is rounded up once for the month and not by event."""
        return self.rule.increment_at == "month"


def charges(package: Package, facts: Mapping) -> tuple[tuple[Charge, ...], tuple[str, ...]]:
    """The charges in the order in which they draw on pools (that of the rules), and what no rule
    prices: components of which at least one band has no rule, and all where a fact is not known."""
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


def _charge(package: Package, facts: Mapping, component: str) -> Charge | None:
    rule = first_rule(package, component, facts)
    if rule is None:
        return None
    if package.band_policy == "start":
        return _plain(package, facts, component, rule)
    rules = {band: first_rule(package, component, facts, band) for band in package.band_names}
    if None in rules.values():
        return None
    pools = {band: drawn_pools(package, one, facts, band) for band, one in rules.items()}
    if len({(one.no, pools[band]) for band, one in rules.items()}) == 1:
        return _plain(package, facts, component, rule)
    laying = Laying.split(package, {band: Steps.of(one) for band, one in rules.items()})
    prices = {(band, step): Price(rules[band], step, pools[band]) for band, step in laying.parts}
    return Charge(component, rule, laying, prices)


def _plain(package: Package, facts: Mapping, component: str, rule: Rule) -> Charge:
    laying, pools = Laying.plain(Steps.of(rule)), drawn_pools(package, rule, facts)
    return Charge(
        component, rule, laying, {part: Price(rule, part[1], pools) for part in laying.parts}
    )


def rounding_matters(package: Package, found: Sequence[Charge]) -> bool:
    """Whether rounding at event can change the price of an event with these charges.

    It cannot where every fee, and every block in which units are billed or drawn from a pool, costs
    a multiple of the quantum.
    """
    if package.rounding.at != "event":
        return False
    drawn = _drawn_block(package)
    amounts = [charge.rule.connect for charge in found]
    for charge in found:
        steps = dict(charge.laying.steps)
        for (band, step), price in charge.prices.items():
            sizes = [steps[band].first] if step == 0 else []
            block = gcd(*sizes, steps[band].steps[step][1])
            amounts.append(price.rate * (drawn if price.pools else block))
    return not _whole_quanta(package, amounts)


def _whole_quanta(package: Package, amounts: Sequence[Fraction]) -> bool:
    return all((amount * 10**package.rounding.scale).denominator == 1 for amount in amounts)


def _drawn_block(package: Package) -> int:
    """A size of which every amount that an event can draw from or leave in a pool is a multiple."""
    drawing = [Steps.of(rule) for rule in package.rules if rule.pools]
    return gcd(
        *(pool.unit for pool in package.pools),
        *(steps.first for steps in drawing),
        *(size for steps in drawing for _, size in steps.steps),
    )


def whole_rules(package: Package) -> frozenset[int]:
    """The rules whose amounts are multiples of the quantum by themselves, so that rounding their
    lines changes nothing."""
    drawn = _drawn_block(package)
    found = set()
    for rule in package.rules:
        steps = (
            Steps.of(rule)
            if rule.increment_at == "event"
            else Steps(rule.increment[0], ((0, rule.increment[1]),))
        )
        block = drawn if rule.pools else gcd(steps.first, *(size for _, size in steps.steps))
        amounts = [rule.connect, *(rule.price_of(step) * block for step in range(len(steps.steps)))]
        if _whole_quanta(package, amounts):
            found.add(rule.no)
    return frozenset(found)


def rounded(package: Package, found: Sequence[Charge], paid: bool) -> Rounded:
    """The amounts of whole events, rounded one by one: with everything to be paid, or with all that
    draws on a pool free."""
    amounts = [charge.rule.connect for charge in found]
    rates = [
        [
            price.rate if paid or not price.pools else Fraction(0)
            for price in (charge.prices[part] for part in charge.laying.parts)
        ]
        for charge in found
    ]
    whole = lcm(
        10**package.rounding.scale,
        *(amount.denominator for amount in amounts),
        *(rate.denominator for by_part in rates for rate in by_part),
    )
    return Rounded(
        package.rounding.scale,
        package.rounding.mode,
        whole,
        int(sum(amounts) * whole),
        tuple(
            (charge.laying, tuple(int(rate * whole) for rate in by_part))
            for charge, by_part in zip(found, rates)
        ),
    )


def definitions(package: Package, found: Sequence[Charge]) -> Iterator[Definition]:
    """What the cube must add up of a cell with these charges."""
    for charge in found:
        for part in charge.laying.parts:
            yield Units(charge.laying, part)
    if rounding_matters(package, found):
        yield rounded(package, found, paid=True)
        yield rounded(package, found, paid=False)
