"""How much money 64-bit integers hold, and which package could ask for more in a month.

Amounts are whole numbers over a package's denominator D. A package is refused when a month within
LARGEST_MONTH could leave them; a month beyond that is settled or refused by itself
(models/settlement.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from math import ceil, lcm
from typing import NamedTuple

from models.tariff.package import MONTH_LENGTHS, SERVICE_UNIT, Package, denominator

INT64_LIMIT = 2**63
YUAN_LIMIT = 10**11  # what DECIMAL(18, 6) holds, with room for a sum of months
MICRO = 10**6
LONGEST_MONTH = max(MONTH_LENGTHS)
# Billed base units of a component: ten calls at a time, a line of 200 kbit/s at full speed, and
# messages, the whole month long.
LARGEST_MONTH = {"s": 10 * LONGEST_MONTH * 86400, "B": 2**36, "msg": 10**6}
MOST_EVENTS = 10**6


class Amount(NamedTuple):
    """The place of a value, and the yuan to which it could come in the largest month."""

    path: tuple
    yuan: Fraction


def holds(amount: int, whole: int) -> bool:
    """Whether amounts over `whole` can be added up and rounded in 64 bits, when all of them without
    sign make `amount`."""
    return 2 * amount + whole < min(INT64_LIMIT, 2 * YUAN_LIMIT * whole)


def whole_of(package: Package) -> int:
    """The denominator in which a package is settled: of its prices, of a quantum and of 10^-6."""
    return lcm(denominator(package), MICRO, 10**package.rounding.scale)


def problems(package: Package) -> Iterator[tuple[tuple, str]]:
    """The value to blame when amounts of the largest month may leave 64-bit integers."""
    amounts, whole = list(_amounts(package)), whole_of(package)
    together = sum(one.yuan for one in amounts)
    if holds(ceil(together * whole), whole):
        return
    if holds(ceil(together * MICRO), MICRO):
        values = _prices(package) + _connects(package) + _fixed(package)
        path, _ = max(values, key=lambda one: one[1].denominator)
        yield (
            path,
            (
                f"amounts in 1/{whole:,} yuan may leave 64-bit integers: expected a price with fewer "
                "digits, or per a rounder quantity"
            ),
        )
        return
    largest = max(amounts, key=lambda one: one.yuan)
    yield (
        largest.path,
        (
            f"may come to {ceil(largest.yuan):,} yuan in a month, which leaves 64-bit integers: "
            "expected a smaller number"
        ),
    )


def _amounts(package: Package) -> Iterator[Amount]:
    """What can stand in a month, at its largest and without sign: together no less than what
    settlement adds up."""
    units = LARGEST_MONTH[SERVICE_UNIT[package.service]]
    # Rounded event by event, amounts are also added up as if all units were paid, and all free.
    times = 3 if package.rounding.at == "event" else 1
    prices = _prices(package)
    dearest = max(abs(price) for _, price in prices)
    for component in {rule.component for rule in package.rules}:
        path, price = max(_prices(package, component), key=lambda one: abs(one[1]))
        yield Amount(path, abs(price) * units * times)
    for path, amount in _connects(package):
        yield Amount(path, abs(amount) * MOST_EVENTS * times)
    for rule in package.rules:
        if rule.increment_at == "month":  # rounded up once at home and once away
            yield Amount(
                ("rules", rule.no, "increment"), 2 * sum(rule.increment) * dearest * LONGEST_MONTH
            )
    for path, amount in _fixed(package):
        yield Amount(path, abs(amount) * LONGEST_MONTH)
    for no, pool in enumerate(package.pools):
        yield Amount(("pools", no, "amount"), pool.size * dearest * LONGEST_MONTH)
    if package.rounding.at == "event":
        yield Amount(("rounding",), Fraction(2 * MOST_EVENTS, 10**package.rounding.scale))


def _prices(package: Package, component: str = "") -> list[tuple[tuple, Fraction]]:
    """Place and value of every price per base unit (of a component)."""
    found = []
    for rule in package.rules:
        if component in ("", rule.component):
            steps = [("groups", step, "rate") for step in range(len(rule.groups))] or [("rate",)]
            found += [
                (("rules", rule.no, *path), rule.price_of(step)) for step, path in enumerate(steps)
            ]
    for no, tier in enumerate(package.tiers):
        if component in ("", tier.component):
            found += [
                (("tiers", no, "steps", place, "rate"), step.rate / tier.per)
                for place, step in enumerate(tier.steps)
            ]
    return found


def _connects(package: Package) -> list[tuple[tuple, Fraction]]:
    """Place and value of every connect fee."""
    return [(("rules", rule.no, "connect"), rule.connect) for rule in package.rules]


def _fixed(package: Package) -> list[tuple[tuple, Fraction]]:
    """Place and value of what is due once a month."""
    return [
        (("monthly_fee",), package.monthly_fee),
        (("min_commitment",), package.min_commitment),
        *((("caps",), cap) for cap in package.caps.values()),
        *(
            (("tiers", no, "steps", place, "flat"), step.flat)
            for no, tier in enumerate(package.tiers)
            for place, step in enumerate(tier.steps)
        ),
    ]
