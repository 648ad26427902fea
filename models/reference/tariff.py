"""Events, and the keys of a tariff file as the reference rater understands them.

A package is the plain mapping of its YAML file. Quantities are returned in base units (seconds,
bytes, messages; 1 KB = 1024 bytes), prices as exact Fractions of a yuan.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Collection, Mapping
from datetime import date
from fractions import Fraction
from typing import NamedTuple

DAY = 86400
UNITS = {"s": 1, "msg": 1, "B": 1, "KB": 1024, "MB": 1024**2, "GB": 1024**3}
COMPONENTS = {
    "voice": ("airtime", "toll"),
    "wlan": ("airtime",),
    "data": ("volume",),
    "sms": ("message",),
    "mms": ("message",),
}
EVERY_DAY = ("workday", "weekend", "holiday")
UNKNOWN = "unknown"  # the zone of a record whose code is in no list


class Event(NamedTuple):
    """One use of the network.

    `at` is the answer time as an instant (epoch seconds). `local_date` and `local_second` are local
    time of the home operator. A fact that a service does not have is None. A missed call has
    quantity 0.
    """

    key: object
    service: str
    direction: str | None
    roaming: str | None
    toll: str | None
    dial: str | None
    in_group: bool | None
    message_kind: str | None
    at: int
    local_date: date
    local_second: int
    day_type: str
    quantity: int


class PriceStep(NamedTuple):
    """The price inside an event from position `start` (base units) on.

    `price` is yuan per base unit × the denominator of the package.
    """

    start: int
    price: int
    increment: int


class PricedComponent(NamedTuple):
    """How one component of an event is charged.

    `no` is the rule's number; None: the component passes through without a price. `first` and
    `next` are the increments in base units. `price` and `connect` are × the denominator.
    """

    no: int | None
    component: str
    first: int
    next: int
    price: int
    connect: int
    pools: tuple[int, ...]


def service_of(name: str) -> str:
    """The service that a kind of package, or the name of a cap, means."""
    return "data" if name == "gprs" else name


def services_of(package: Mapping) -> tuple[str, ...]:
    """The services that a package re-rates: the one of its kind, or all of a bundle."""
    return tuple(service_of(name) for name in package.get("services") or [package["kind"]])


def service_of_rule(package: Mapping, rule: Mapping) -> str:
    """The service of a rule (or tier): the one that it names, or the only one with its component.

    ValueError if there are several.
    """
    named = listed((rule.get("match") or {}).get("service") or rule.get("service") or [])
    able = [
        service
        for service in services_of(package)
        if rule["component"] in COMPONENTS[service] and (not named or service in named)
    ]
    if len(able) != 1:
        raise ValueError(f"{package['id']}: a rule of {rule['component']} has no single service")
    return able[0]


def taken_from(pool: Mapping, service: str) -> int:
    """How many base units of a pool one base unit of a service takes (`exchange`)."""
    for name, quantity in (pool.get("exchange") or {}).items():
        if service_of(name) == service:
            return base_units(quantity)
    return 1


def yuan(text: str | None) -> Fraction:
    """A price from its decimal string; None costs nothing. ValueError for any other type."""
    if text is None:
        return Fraction(0)
    if not isinstance(text, str):
        raise ValueError(f"a price is a decimal string, not {text!r}")
    return Fraction(text)


def base_units(quantity: int | str) -> int:
    """`60s`, `1KB`, `30MB`, `1msg`, or a plain count of base units."""
    if isinstance(quantity, int):
        return quantity
    digits = quantity.rstrip("sBKMGmg")
    return int(digits) * UNITS[quantity[len(digits) :]]


def listed(value: object) -> list:
    """One value or a list of values, as a list."""
    return value if isinstance(value, list) else [value]


def price_steps(rule: Mapping) -> list[Mapping]:
    """The steps of a rule's price: its groups, or the rule itself as the only one."""
    return rule.get("groups") or [rule]


def unit_price(step: Mapping) -> Fraction:
    """Yuan per base unit."""
    return yuan(step["rate"]) / base_units(step["per"])


def increment_of(step: Mapping) -> tuple[int, int]:
    """The first and the next increment in base units; a group has only one."""
    increment = listed(step["increment"])
    return base_units(increment[0]), base_units(increment[-1])


def band_ranges(bands: Mapping) -> list[tuple[str, tuple[str, ...], int, int]]:
    """Every range of every band: name, day types, seconds from and to of the local day."""
    ranges = []
    for name, parts in bands.items():
        for part in parts:
            days = EVERY_DAY if part["days"] == "all" else tuple(listed(part["days"]))
            ranges.append((name, days, _second(part["from"]), _second(part["to"])))
    return ranges


def _second(clock: str) -> int:
    return sum(
        int(part) * size for part, size in zip(clock.split(":"), (3600, 60, 1), strict=False)
    )


def day_type(day: date, holidays: Collection[date]) -> str:
    """The day type: holiday by the calendar, else weekend or workday."""
    if day in holidays:
        return "holiday"
    return "weekend" if day.isoweekday() >= 6 else "workday"


def days_in(month: date) -> int:
    """The number of days of a month."""
    return monthrange(month.year, month.month)[1]


def month_factor(partial_month: str, month: date, joined: date | None) -> Fraction:
    """The share of the month that is charged to a customer who joined within it."""
    if joined is None or joined <= month:
        return Fraction(1)
    if (joined.year, joined.month) != (month.year, month.month):
        raise ValueError(f"joined on {joined}, after {month:%Y-%m}")
    if partial_month == "half_month":
        return Fraction(1, 2) if joined.day >= 16 else Fraction(1)
    if partial_month == "daily":
        return Fraction(days_in(month) - joined.day + 1, days_in(month))
    return Fraction(1)


def pool_size(pool: Mapping, factor: Fraction) -> int:
    """Base units of the pool in the month, rounded down to whole units of the pool."""
    return int(pool["amount"] * factor) * base_units(pool["unit"])


def rounded(value: Fraction, scale: int, mode: str) -> Fraction:
    """An exact value rounded once to `scale` decimals."""
    units, rest = divmod(abs(value.numerator) * 10**scale, value.denominator)
    twice, one = 2 * rest, value.denominator
    if mode == "up":
        units += rest > 0
    elif mode == "half_up":
        units += twice >= one
    elif mode == "half_even":
        units += twice > one or (twice == one and units % 2 == 1)
    elif mode != "down":
        raise ValueError(f"unknown rounding mode {mode!r}")
    return Fraction(units if value >= 0 else -units, 10**scale)


def billed_quantity(quantity: int, first: int, following: int) -> int:
    """The billed quantity: 0, the first increment, or the first and every next one started."""
    if quantity <= 0:
        return 0
    if quantity <= first:
        return first
    return first - (first - quantity) // following * following


def due_components(event: Event) -> tuple[str, ...]:
    """The components that are due for an event."""
    if event.service == "voice":
        far = event.toll != "local" and event.direction in ("mo", "fwd")
        return ("airtime", "toll") if far else ("airtime",)
    if event.service in ("sms", "mms"):
        return ("message",) if event.direction == "mo" else ()
    return ("volume",) if event.service == "data" else ("airtime",)


def matches(clause: Mapping | None, event: Event, band: str) -> bool:
    """Whether a clause accepts an event; a fact that the clause does not name may be any."""
    for fact, wanted in (clause or {}).items():
        if (band if fact == "band" else getattr(event, fact)) not in listed(wanted):
            return False
    return True
