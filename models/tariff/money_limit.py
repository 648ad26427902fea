"""How much money 64-bit integers hold, and which package could exceed them in a month.

Amounts are integers over a package's denominator. A package is refused if a month within
LARGEST_MONTH could exceed 64 bits. A larger month is priced or refused on its own
(models/rating/settlement.py).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from fractions import Fraction
from math import ceil, lcm
from typing import NamedTuple

from models.tariff.package import MONTH_LENGTHS, SERVICE_UNIT, Package, denominator
from schemas.document import Key

INT64_LIMIT = 2**63
YUAN_LIMIT = 10**11  # what DECIMAL(18, 6) holds, with room for a sum of months
MICRO_YUAN = 10**6  # in a yuan
LARGEST_DENOMINATOR = INT64_LIMIT // (2 * MICRO_YUAN + 1)  # `amounts.in_parts` reads these exactly
LONGEST_MONTH = max(MONTH_LENGTHS)
# The most billed base units of a component in a month: ten calls at a time all month long, a line
# of 200 kbit/s at full speed all month long, a million messages.
LARGEST_MONTH = {"s": 10 * LONGEST_MONTH * 86400, "B": 2**36, "msg": 10**6}
MOST_EVENTS = 10**6


class Amount(NamedTuple):
    """The place of a value, and the yuan that it could reach in the largest month."""

    path: Key
    yuan: Fraction


def fits(amount: int, over: int) -> bool:
    """Whether amounts over the denominator `over` can be added up and rounded in 64 bits.

    `amount` is the sum of their absolute values, also over `over`.
    """
    return 2 * amount + over < min(INT64_LIMIT, 2 * YUAN_LIMIT * over)


def settling_denominator(package: Package) -> int:
    """The denominator in which months of a package are settled.

    It makes prices, fixed amounts and the quantum of the rounding integers; micro-yuan too, which
    is faster, unless amounts would then be too large. A price per GB beside one per minute is such
    a case.
    """
    rounds = package.rounding.at != "none"
    least = lcm(denominator(package), 10**package.rounding.scale if rounds else 1)
    whole = lcm(least, MICRO_YUAN)
    together = sum(one.yuan for one in _amounts(package))
    return whole if fits(ceil(together * whole), whole) else least


def problems(package: Package) -> Iterator[tuple[Key, str]]:
    """The value to change if amounts of the largest month may exceed 64-bit integers."""
    amounts, over = list(_amounts(package)), settling_denominator(package)
    together = sum(one.yuan for one in amounts)
    if fits(ceil(together * over), over) and over <= LARGEST_DENOMINATOR:
        return
    if fits(ceil(together * MICRO_YUAN), MICRO_YUAN):
        values = _prices(package) + _connects(package) + _fixed(package)
        path, _ = max(values, key=lambda one: one[1].denominator)
        yield (
            path,
            (
                f"amounts in 1/{over:,} yuan may exceed 64-bit integers: expected a price with "
                "fewer digits, or a rounder quantity in per"
            ),
        )
        return
    largest = max(amounts, key=lambda one: one.yuan)
    yield (
        largest.path,
        (
            f"may reach {ceil(largest.yuan):,} yuan in a month, which exceeds 64-bit integers: "
            "expected a smaller number"
        ),
    )


def _amounts(package: Package) -> Iterator[Amount]:
    """The amounts of the largest possible month, without sign.

    Their sum is at least the sum that settlement adds up.
    """
    # With rounding by event, two more sums are added up: with all units paid and with all free.
    times = 3 if package.rounding.at == "event" else 1
    for service, component in sorted({(rule.service, rule.component) for rule in package.rules}):
        units = LARGEST_MONTH[SERVICE_UNIT[service]]
        path, price = max(_prices(package, service, component), key=lambda one: abs(one[1]))
        yield Amount(path, abs(price) * units * times)
    for path, amount in _connects(package):
        yield Amount(path, abs(amount) * MOST_EVENTS * times)
    for rule in package.rules:
        if rule.increment_at == "month":  # rounded up once at home and once while roaming
            dearest = _dearest(package, [rule.service])
            yield Amount(
                ("rules", rule.no, "increment"), 2 * sum(rule.increment) * dearest * LONGEST_MONTH
            )
    for path, amount in _fixed(package):
        yield Amount(path, abs(amount) * LONGEST_MONTH)
    for no, pool in enumerate(package.pools):
        dearest = _dearest(package, pool.services)
        yield Amount(("pools", no, "amount"), pool.size * dearest * LONGEST_MONTH)
    if package.rounding.at == "event":
        yield Amount(("rounding",), Fraction(2 * MOST_EVENTS, 10**package.rounding.scale))


def _dearest(package: Package, services: Collection[str]) -> Fraction:
    """The largest price per base unit of the services."""
    return max(abs(price) for one in services for _, price in _prices(package, one))


def _prices(package: Package, service: str = "", component: str = "") -> list[tuple[Key, Fraction]]:
    """Place and value of each price per base unit (of a service, of a component)."""
    found: list[tuple[Key, Fraction]] = []
    for rule in package.rules:
        if service in ("", rule.service) and component in ("", rule.component):
            steps: list[Key] = [("groups", step, "rate") for step in range(len(rule.groups))]
            steps = steps or [("rate",)]
            found += [
                (("rules", rule.no, *path), rule.price_of(step)) for step, path in enumerate(steps)
            ]
    for no, tier in enumerate(package.tiers):
        if service in ("", tier.service) and component in ("", tier.component):
            found += [
                (("tiers", no, "steps", place, "rate"), step.rate / tier.per)
                for place, step in enumerate(tier.steps)
            ]
    return found


def _connects(package: Package) -> list[tuple[Key, Fraction]]:
    """Place and value of each connect fee."""
    return [(("rules", rule.no, "connect"), rule.connect) for rule in package.rules]


def _fixed(package: Package) -> list[tuple[Key, Fraction]]:
    """Place and value of each amount that is due at most once a month."""
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
