"""The reference rater's bill: how rated lines become the total of a customer-month.

After the pools are used, the order is: tiers, caps, rounding of lines, sum, minimum commitment,
rounding of the bill. All amounts are exact Fractions of a yuan.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction

from models.reference.tariff import base_units, rounded, service_of, service_of_rule, yuan


@dataclass
class Line:
    """The charge of one rule (or tier) in the month. Units are billed base units.

    `rated` is units × price and `connect` is the connect fees, both exact. `charged` is the amount
    on the bill, after rounding by event or by line.
    """

    events: int = 0
    units: int | Fraction = 0
    free_units: int | Fraction = 0
    connects: int = 0
    free_by_pool: dict[str, int | Fraction] = field(default_factory=dict)
    rated: Fraction = Fraction(0)
    connect: Fraction = Fraction(0)
    charged: Fraction = Fraction(0)

    @property
    def amount(self) -> Fraction:
        """The exact amount before rounding."""
        return self.rated + self.connect


@dataclass(frozen=True)
class PoolUse:
    """Base units of a pool: of the month, carried in, used, and carried to the next month."""

    size: int
    carried: int
    used: int
    carry_out: int


@dataclass(frozen=True)
class MonthBill:
    """The bill of one customer, month and package, in exact yuan.

    The key of a line is (service, component, rule number); tier k has the number -1 - k.
    `passed` counts the due components without a price, by (service, component). `cap_cuts` are at
    most 0, by service. `commitment` is what the minimum commitment adds, `rounding` the rounding of
    the bill. Charged lines + fee + cuts + commitment + rounding = total.
    """

    month: date
    lines: dict[tuple[str, str, int], Line]
    pools: dict[str, PoolUse]
    passed: dict[tuple[str, str], int]
    fee: Fraction
    cap_cuts: dict[str, Fraction]
    commitment: Fraction
    rounding: Fraction
    total: Fraction


def close_month(
    package: Mapping,
    month: date,
    factor: Fraction,
    lines: Sequence[Line],
    services: Sequence[str],
    pools: dict[str, PoolUse],
    passed: dict[tuple[str, str], int],
) -> MonthBill:
    """Turn the rated lines of a month into its bill.

    `lines` and `services` are in the order of the package's rules. The lines have their exact
    amounts. Their `charged` is the amount or, if the package rounds at event, the sum of the
    rounded events. `factor` is the share of the month to charge.
    """
    on_bill = {
        (services[no], rule["component"], no): line
        for no, (rule, line) in enumerate(zip(package["rules"], lines, strict=True))
        if line.events or line.units
    }
    for no, tier in enumerate(package.get("tiers") or []):
        mine = (service_of_rule(package, tier), tier["component"])
        replaced = [line for key, line in on_bill.items() if key[:2] == mine]
        on_bill[(*mine, -1 - no)] = _tier_line(tier, replaced)
    cuts = {}
    for name, cap in (package.get("caps") or {}).items():
        service = service_of(name)
        usage = [line.charged for key, line in on_bill.items() if key[0] == service]
        cuts[service] = min(Fraction(0), yuan(cap) - sum(usage))
    for line in on_bill.values():
        line.charged = _rounded_at("line", package, line.charged)
    cuts = {name: _rounded_at("line", package, cut) for name, cut in cuts.items()}
    fee = _rounded_at("line", package, yuan(package.get("monthly_fee")) * factor)
    rerated = fee + sum(line.charged for line in on_bill.values()) + sum(cuts.values())
    missing = max(Fraction(0), yuan(package.get("min_commitment")) * factor - rerated)
    commitment = _rounded_at("line", package, missing)
    total = _rounded_at("bill", package, rerated + commitment)
    rounding = total - rerated - commitment
    return MonthBill(month, on_bill, pools, passed, fee, cuts, commitment, rounding, total)


def _rounded_at(place: str, package: Mapping, value: Fraction) -> Fraction:
    rounding = package.get("rounding") or {"at": "none"}
    if rounding["at"] != place:
        return value
    return rounded(value, rounding.get("scale", 2), rounding.get("mode", "half_up"))


def _tier_line(tier: Mapping, lines: Sequence[Line]) -> Line:
    """The line of a tier. The lines that it replaces keep only their units and connect fees."""
    paid = sum(line.units - line.free_units for line in lines)
    for line in lines:
        line.rated = Fraction(0)
        line.charged = line.connect
    amount = _tier_amount(tier, Fraction(paid, base_units(tier["per"])))
    events = sum(line.events for line in lines)
    return Line(events=events, units=paid, rated=amount, charged=amount)


def _tier_amount(tier: Mapping, units: Fraction) -> Fraction:
    """Graduated: each step prices its own units. Volume: the last step reached prices all units."""
    if units == 0:
        return yuan(tier["steps"][0].get("flat")) if tier.get("flat_at_zero") else Fraction(0)
    amount, below = Fraction(0), Fraction(0)
    for step in tier["steps"]:
        bound, rate, flat = step["up_to"], yuan(step["rate"]), yuan(step.get("flat"))
        last = bound is None or units <= bound
        if tier["mode"] == "graduated":
            amount += ((units if last else bound) - below) * rate + flat
        elif last:
            amount = units * rate + flat
        if last:
            return amount
        below = Fraction(bound)
    raise ValueError(f"{units} units lie above the last step of the tier")
