"""A tariff package: the product offering, its price rules, pools and bands.

Units: money is yuan as an exact Fraction. Quantities are integers in base units (seconds, bytes,
messages; 1 KB = 1024 bytes). Rules match on the facts of a rating cell (dw.rating_cell): service,
direction, roaming, toll, dial, in_group, message_kind, day_type and slot_from, which is a local
second of the slot. A package turns (day_type, slot_from) into its own band.

`reader` reads a package from YAML, `check` finds what is wrong with it, `catalogue` holds them all.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from math import lcm
from typing import Any

Facts = Mapping[str, Any]
"""The facts of an event or a rating cell, by name: texts, a flag and local seconds, or None."""
Clause = Mapping[str, frozenset[object]]
"""A condition on facts: fact (or "band") → accepted values. A fact that is not named is free."""

KIND_SERVICE = {"voice": "voice", "gprs": "data", "sms": "sms", "mms": "mms", "wlan": "wlan"}
SERVICE_UNIT = {"voice": "s", "wlan": "s", "data": "B", "sms": "msg", "mms": "msg"}
BUNDLE = "bundle"  # the kind of a package that re-rates several services
COMPONENT_SERVICES = {
    "airtime": ("voice", "wlan"),
    "toll": ("voice",),
    "message": ("sms", "mms"),
    "volume": ("data",),
}
PLACES = ("home", "intra_prov", "inter_prov", "hkmotw", "intl")
DAY_TYPES = ("workday", "weekend", "holiday")
FACT_VALUES: dict[str, tuple[str | bool, ...]] = {
    "direction": ("mo", "mt", "fwd"),
    "roaming": PLACES,
    "toll": ("local", *PLACES[1:]),
    "dial": ("direct", "ip17951", "ip12593"),
    "in_group": (False, True),
    "message_kind": ("p2p", "sp"),
    "day_type": DAY_TYPES,
}
SERVICE_FACTS = {
    "voice": ("direction", "roaming", "toll", "dial", "in_group", "day_type"),
    "sms": ("direction", "roaming", "message_kind", "day_type"),
    "mms": ("direction", "roaming", "message_kind", "day_type"),
    "data": ("roaming", "day_type"),
    "wlan": ("roaming", "day_type"),
}
UNKNOWN = "unknown"  # in place of a value above: the code of the record is not known
OFF_PEAK = "off_peak"
DAY_SECONDS = 86400
MONTH_LENGTHS = (28, 29, 30, 31)


@dataclass(frozen=True)
class PriceStep:
    """One of the `groups` of a rule: from `start` base units of an event, `rate` yuan per `per`."""

    start: int
    rate: Fraction
    per: int
    increment: int


@dataclass(frozen=True)
class Rule:
    """One price of one component of one service.

    `no` is its 0-based place in the file; the first match wins. `increment` (first, next) decides
    the billed quantity in base units; `per` only divides the price. `rate` and `connect` are yuan.
    `pools` are in the order in which they are consumed. With `groups`, `rate`, `per` and
    `increment` are those of the first step. `increment_at` is "event" or "month". A base unit is
    worth `exchange` base units of the pools: 1, unless the pools are of another service.
    """

    no: int
    service: str
    component: str
    match: Clause = field(hash=False)
    rate: Fraction
    per: int
    increment: tuple[int, int]
    connect: Fraction = Fraction(0)
    pools: tuple[str, ...] = ()
    groups: tuple[PriceStep, ...] = ()
    increment_at: str = "event"
    exchange: int = 1

    @property
    def price(self) -> Fraction:
        """Yuan per base unit."""
        return self.rate / self.per

    def price_of(self, step: int) -> Fraction:
        """Yuan per base unit of a step of `groups`; without groups there is only one step."""
        return self.groups[step].rate / self.groups[step].per if self.groups else self.price

    def settled_price_of(self, step: int) -> Fraction:
        """Yuan per base unit of the pools, in which a rule with an exchange is settled."""
        return self.price_of(step) / self.exchange


@dataclass(frozen=True)
class Pool:
    """Free units of one month: `amount` × `unit` base units, consumed by billed units.

    A component draws when its rule lists the pool and the event matches `covers`, which is always
    an event of one of the `services`. `exchange` says how many base units of the pool a base unit
    of another service takes: with {sms: 60} a message takes 60 seconds.
    """

    id: str
    covers: Clause = field(hash=False)
    services: tuple[str, ...]
    components: tuple[str, ...]
    amount: int
    unit: int
    order: int
    draw: str = "block"
    both: bool = False
    carry_over: bool = False
    exchange: Mapping[str, int] = field(default_factory=dict, hash=False)

    @property
    def size(self) -> int:
        """Base units in a full month."""
        return self.amount * self.unit

    def size_at(self, factor: Fraction) -> int:
        """Base units in a part of a month, rounded down to whole units (rating.md, step 1)."""
        return (self.amount * factor.numerator // factor.denominator) * self.unit


@dataclass(frozen=True)
class BandRange:
    """Seconds [start, end) of the local day on the given day types that belong to a band."""

    band: str
    days: frozenset[str]
    start: int
    end: int


@dataclass(frozen=True)
class TierStep:
    """Up to `up_to` units (cumulative, inclusive; None: no end) at `rate`, plus `flat`, in yuan."""

    up_to: int | None
    rate: Fraction
    flat: Fraction


@dataclass(frozen=True)
class Tier:
    """Prices of the paid units of a service's component in a month; they replace its rules' rates.

    `mode` is "graduated" (each step prices its own units) or "volume" (the last step reached prices
    all units). The `flat` of the first step is due at zero units only with `flat_at_zero`.
    """

    service: str
    component: str
    mode: str
    per: int
    steps: tuple[TierStep, ...]
    flat_at_zero: bool = False


@dataclass(frozen=True)
class Rounding:
    """Where (event, line, bill, none) and how (scale in digits, mode) amounts are rounded.

    At `line`, each line of the bill is rounded once on its exact value: usage lines, the cut of a
    cap, the fee, and the amount that a minimum commitment adds. Modes: half_up (away from zero),
    half_even, up (away from zero), down (toward zero).
    """

    at: str = "none"
    scale: int = 2
    mode: str = "half_up"


@dataclass(frozen=True)
class Package:
    """One tariff package 套餐. Its `kinds` decide which services it re-rates; several: a bundle.

    Valid on [valid_from, valid_to). Fees and caps are yuan; `caps` is keyed by service. `source`
    says where the prices come from, or 'assumed'. A `present_only` package is priced for the
    customers who hold it and is never offered. The same holds for a former tariff: it has the
    prices of the package `former_of` until `valid_to`. `origin` is the file, for messages.

    With `fee_when` "used", a month without usage that the package re-rates owes no fee and no
    commitment and has no free units. Who holds the package holds at least one package of
    `requires`, if it names any, and none of `excludes`.
    """

    id: str
    name: str
    kinds: tuple[str, ...]
    brands: tuple[str, ...]
    valid_from: date
    valid_to: date
    monthly_fee: Fraction
    partial_month: str
    pools: tuple[Pool, ...]
    rules: tuple[Rule, ...]
    caps: Mapping[str, Fraction] = field(hash=False)
    min_commitment: Fraction
    rounding: Rounding
    bands: tuple[BandRange, ...]
    band_policy: str
    tiers: tuple[Tier, ...]
    otherwise: str
    source: str
    present_only: bool = False
    former_of: str | None = None
    fee_when: str = "held"
    requires: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()
    origin: str = field(default="", compare=False)

    @property
    def kind(self) -> str:
        """The kind of the package, or BUNDLE if it has several."""
        return self.kinds[0] if len(self.kinds) == 1 else BUNDLE

    @property
    def services(self) -> tuple[str, ...]:
        """The services that the package re-rates; all other services pass through."""
        return tuple(KIND_SERVICE[kind] for kind in self.kinds)

    @property
    def lasting(self) -> tuple[str, ...]:
        """The services of the package that are counted in seconds: an event may change its band."""
        return tuple(service for service in self.services if SERVICE_UNIT[service] == "s")

    def valid_on(self, day: date) -> bool:
        """Whether the tariff is in force on the day."""
        return self.valid_from <= day < self.valid_to

    def offered_on(self, day: date) -> bool:
        """Whether a customer can order the package on the day."""
        return self.valid_on(day) and not self.present_only and self.former_of is None

    def pool(self, pool_id: str) -> Pool:
        """The pool with that id; KeyError if there is none."""
        for pool in self.pools:
            if pool.id == pool_id:
                return pool
        raise KeyError(pool_id)

    @property
    def band_names(self) -> tuple[str, ...]:
        """All bands of the package, off_peak last."""
        return (*tuple(sorted({part.band for part in self.bands})), OFF_PEAK)

    def band_at(self, day_type: str, local_second: int) -> str:
        """The band of a local second; a second outside all bands is off_peak."""
        for part in self.bands:
            if part.start <= local_second < part.end and day_type in part.days:
                return part.band
        return OFF_PEAK


def kinds_of(names: Collection[str]) -> tuple[str, ...]:
    """The kinds that a file names, in order: by the kind of package, or by its service."""
    return tuple(kind for kind, service in KIND_SERVICE.items() if {kind, service} & set(names))


def due_components(facts: Facts) -> tuple[str, ...]:
    """The components that are due for an event with these facts, in the order of rating.

    - airtime: each call and each WLAN session;
    - toll: each call that is made or forwarded beyond the local area;
    - message: each message sent;
    - volume: each data session.
    """
    service = facts["service"]
    if service == "voice":
        if facts["direction"] != "mt" and facts["toll"] != "local":
            return ("airtime", "toll")
        return ("airtime",)
    if service in ("sms", "mms"):
        return ("message",) if facts["direction"] == "mo" else ()
    return {"data": ("volume",), "wlan": ("airtime",)}[service]


def not_known(facts: Facts) -> bool:
    """Whether one of the facts is unknown. The components of such an event have no price.

    This holds under any rules: even a rule that accepts every zone was written for known zones.
    """
    return UNKNOWN in facts.values()


def accepts(clause: Clause, package: Package, facts: Facts, band: str | None = None) -> bool:
    """Whether a rule's `match` or a pool's `covers` accepts the facts of a rating cell.

    The band is that of the cell's slot, unless `band` is given.
    """
    for fact, values in clause.items():
        if fact == "band":
            if (band or package.band_at(facts["day_type"], facts["slot_from"])) not in values:
                return False
        elif facts[fact] not in values:
            return False
    return True


def first_rule(
    package: Package, component: str, facts: Facts, band: str | None = None
) -> Rule | None:
    """The rule that prices a component of an event with these facts; None if no rule does."""
    for rule in package.rules:
        mine = rule.service == facts["service"] and rule.component == component
        if mine and accepts(rule.match, package, facts, band):
            return rule
    return None


def drawn_pools(
    package: Package, rule: Rule, facts: Facts, band: str | None = None
) -> tuple[Pool, ...]:
    """The pools on which a rule draws for these facts, in the order in which they are consumed."""
    return tuple(
        pool
        for pool in (package.pool(pool_id) for pool_id in rule.pools)
        if rule.component in pool.components
        and rule.service in pool.services
        and accepts(pool.covers, package, facts, band)
    )


def month_factors(package: Package) -> tuple[Fraction, ...]:
    """Every factor by which a partial month can reduce fee, pools and commitment."""
    if package.partial_month == "half_month":
        return (Fraction(1, 2), Fraction(1))
    if package.partial_month == "daily":
        return tuple(
            sorted({Fraction(k, days) for days in MONTH_LENGTHS for k in range(1, days + 1)})
        )
    return (Fraction(1),)


def denominator(package: Package) -> int:
    """The smallest denominator that makes every price per base unit and fixed amount an integer.

    Fixed amounts are the fee and the commitment in every partial month, connect fees, caps, and the
    flat amounts of tiers. The result does not depend on the order of the file.
    """
    prices = [
        rule.settled_price_of(step)
        for rule in package.rules
        for step in range(max(1, len(rule.groups)))
    ]
    prices += [step.rate / tier.per for tier in package.tiers for step in tier.steps]
    amounts = [rule.connect for rule in package.rules] + list(package.caps.values())
    amounts += [step.flat for tier in package.tiers for step in tier.steps]
    amounts += [
        amount * factor
        for amount in (package.monthly_fee, package.min_commitment)
        for factor in month_factors(package)
    ]
    return lcm(*(value.denominator for value in prices + amounts))
