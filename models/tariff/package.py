"""What a tariff package is: the product offering, its price rules, pools and bands.

Units: money is yuan as an exact Fraction; quantities are integers in base units (seconds, bytes,
messages; 1 KB = 1024 bytes). The facts an event is judged by are those of a rating cell
(dw.rating_cell): service, direction, roaming, toll, dial, in_group, message_kind, day_type and
slot_from, a local second of the slot. A package turns (day_type, slot_from) into its own band.

The reader of the YAML form and its checks are in models/catalogue.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from math import lcm

KIND_SERVICE = {"voice": "voice", "gprs": "data", "sms": "sms", "mms": "mms", "wlan": "wlan"}
SERVICE_UNIT = {"voice": "s", "wlan": "s", "data": "B", "sms": "msg", "mms": "msg"}
COMPONENT_SERVICES = {
    "airtime": ("voice", "wlan"),
    "toll": ("voice",),
    "message": ("sms", "mms"),
    "volume": ("data",),
}
PLACES = ("home", "intra_prov", "inter_prov", "hkmotw", "intl")
FACT_VALUES = {
    "direction": ("mo", "mt", "fwd"),
    "roaming": PLACES,
    "toll": ("local", *PLACES[1:]),
    "dial": ("direct", "ip17951", "ip12593"),
    "in_group": (False, True),
    "message_kind": ("p2p", "sp"),
    "day_type": ("workday", "weekend", "holiday"),
}
SERVICE_FACTS = {
    "voice": ("direction", "roaming", "toll", "dial", "in_group", "day_type"),
    "sms": ("direction", "roaming", "message_kind", "day_type"),
    "mms": ("direction", "roaming", "message_kind", "day_type"),
    "data": ("roaming", "day_type"),
    "wlan": ("roaming", "day_type"),
}
UNKNOWN = "unknown"  # in place of a value above: the record's code is not known
OFF_PEAK = "off_peak"
DAY_SECONDS = 86400
MONTH_LENGTHS = (28, 29, 30, 31)


@dataclass(frozen=True)
class Group:
    """A price step inside one event: from `start` base units on, `rate` yuan per `per`."""

    start: int
    rate: Fraction
    per: int
    increment: int


@dataclass(frozen=True)
class Rule:
    """One price of one component. `no` is its 0-based place in the file; the first match wins.

    `match` maps a fact (or "band", "service") to the values accepted; a fact not named accepts
    all. `increment` (first, next) decides the billed quantity, `per` only divides the price.
    `pools` stand in the order in which the pools are consumed. With `groups`, `rate`, `per` and
    `increment` are those of the first step. `increment_at` is "event" or "month".
    """

    no: int
    component: str
    match: Mapping[str, frozenset] = field(hash=False)
    rate: Fraction
    per: int
    increment: tuple[int, int]
    connect: Fraction = Fraction(0)
    pools: tuple[str, ...] = ()
    groups: tuple[Group, ...] = ()
    increment_at: str = "event"

    @property
    def price(self) -> Fraction:
        """Yuan per base unit."""
        return self.rate / self.per

    def price_of(self, step: int) -> Fraction:
        """Yuan per base unit of a step of `groups`, or of the only one."""
        return self.groups[step].rate / self.groups[step].per if self.groups else self.price


@dataclass(frozen=True)
class Pool:
    """Free units of one month: `amount` × `unit` base units, consumed by billed units.

    A component draws when its rule lists the pool and the event matches `covers`.
    """

    id: str
    covers: Mapping[str, frozenset] = field(hash=False)
    components: tuple[str, ...]
    amount: int
    unit: int
    order: int
    draw: str = "block"
    both: bool = False
    carry_over: bool = False

    @property
    def size(self) -> int:
        """Base units in a full month."""
        return self.amount * self.unit

    def size_at(self, factor: Fraction) -> int:
        """Base units in a part of a month, down to whole units (rating order, step 1)."""
        return (self.amount * factor.numerator // factor.denominator) * self.unit


@dataclass(frozen=True)
class BandRange:
    """Seconds [start, end) of the local day on the given day types that belong to a band."""

    band: str
    days: frozenset
    start: int
    end: int


@dataclass(frozen=True)
class TierStep:
    """Up to `up_to` units (cumulative, inclusive; None: without end) at `rate`, plus `flat`."""

    up_to: int | None
    rate: Fraction
    flat: Fraction


@dataclass(frozen=True)
class Tier:
    """Month prices of a component's paid units, in place of its rules' rates."""

    component: str
    mode: str
    per: int
    steps: tuple[TierStep, ...]
    flat_at_zero: bool = False


@dataclass(frozen=True)
class Rounding:
    """Where (event, line, bill, none) and how (scale in digits, mode) amounts are rounded.

    At `line` every line that stands on the bill is rounded once on its exact value: usage lines,
    the cut of a cap, the fee and what a minimum commitment adds. Modes: half_up (away from
    zero), half_even, up (away from zero), down (toward zero).
    """

    at: str = "none"
    scale: int = 2
    mode: str = "half_up"


@dataclass(frozen=True)
class Package:
    """One tariff package 套餐. Its kind decides the one service it re-rates.

    Valid on [valid_from, valid_to). `caps` is keyed by service. `source` says in words where the
    prices are from, or 'assumed'. A `present_only` package is priced for those who hold it and
    never offered; so is a tariff that `former_of` names another package for: its prices until
    `valid_to`. `origin` is its file, for messages.
    """

    id: str
    name: str
    kind: str
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
    origin: str = field(default="", compare=False)

    @property
    def service(self) -> str:
        """The service that the package re-rates; all others pass through."""
        return KIND_SERVICE[self.kind]

    def valid_on(self, day: date) -> bool:
        """Whether the tariff is in force on the day."""
        return self.valid_from <= day < self.valid_to

    def offered_on(self, day: date) -> bool:
        """Whether somebody can take the package on the day."""
        return self.valid_on(day) and not self.present_only and self.former_of is None

    def pool(self, pool_id: str) -> Pool:
        """The pool of that id; KeyError when there is none."""
        for pool in self.pools:
            if pool.id == pool_id:
                return pool
        raise KeyError(pool_id)

    @property
    def band_names(self) -> tuple[str, ...]:
        """The bands that a moment can have, off_peak last."""
        return (*tuple(sorted({part.band for part in self.bands})), OFF_PEAK)

    def band_at(self, day_type: str, local_second: int) -> str:
        """The band of a local second; what no band names is off_peak."""
        for part in self.bands:
            if part.start <= local_second < part.end and day_type in part.days:
                return part.band
        return OFF_PEAK


def due_components(facts: Mapping) -> tuple[str, ...]:
    """The components that an event of these facts owes, in the order they are rated.

    Airtime for every call, toll for calls made or forwarded beyond the local area, one message
    for messages sent, volume for data.
    """
    service = facts["service"]
    if service == "voice":
        if facts["direction"] != "mt" and facts["toll"] != "local":
            return ("airtime", "toll")
        return ("airtime",)
    if service in ("sms", "mms"):
        return ("message",) if facts["direction"] == "mo" else ()
    return {"data": ("volume",), "wlan": ("airtime",)}[service]


def not_known(facts: Mapping) -> bool:
    """Whether one of the facts is not known. What is due of such an event has no price under any
    rules: even a rule that accepts every zone was written for those that there are."""
    return UNKNOWN in facts.values()


def accepts(
    clause: Mapping[str, frozenset], package: Package, facts: Mapping, band: str | None = None
) -> bool:
    """Whether a rule's match or a pool's covers accepts the facts of a rating cell.

    The band is that of the cell's slot unless another one is given.
    """
    for fact, values in clause.items():
        if fact == "band":
            if (band or package.band_at(facts["day_type"], facts["slot_from"])) not in values:
                return False
        elif facts[fact] not in values:
            return False
    return True


def first_rule(
    package: Package, component: str, facts: Mapping, band: str | None = None
) -> Rule | None:
    """The rule that prices a component of these facts (in a band), or None when no rule does."""
    for rule in package.rules:
        if rule.component == component and accepts(rule.match, package, facts, band):
            return rule
    return None


def drawn_pools(
    package: Package, rule: Rule, facts: Mapping, band: str | None = None
) -> tuple[Pool, ...]:
    """The pools on which a rule draws for these facts, in the order they are consumed."""
    return tuple(
        pool
        for pool in (package.pool(pool_id) for pool_id in rule.pools)
        if rule.component in pool.components and accepts(pool.covers, package, facts, band)
    )


def month_factors(package: Package) -> tuple[Fraction, ...]:
    """Every factor that a part of a month can put on fee, pools and commitment."""
    if package.partial_month == "half_month":
        return (Fraction(1, 2), Fraction(1))
    if package.partial_month == "daily":
        return tuple(
            sorted({Fraction(k, days) for days in MONTH_LENGTHS for k in range(1, days + 1)})
        )
    return (Fraction(1),)


def denominator(package: Package) -> int:
    """The smallest D for which every price per base unit and every fixed amount × D is whole.

    Fixed amounts are fee and commitment under every partial month, connect fees, caps and the
    flat amounts of tiers. The least common multiple does not depend on the order of the file.
    """
    prices = [rule.price for rule in package.rules]
    prices += [step.rate / step.per for rule in package.rules for step in rule.groups]
    prices += [step.rate / tier.per for tier in package.tiers for step in tier.steps]
    amounts = [rule.connect for rule in package.rules] + list(package.caps.values())
    amounts += [step.flat for tier in package.tiers for step in tier.steps]
    amounts += [
        amount * factor
        for amount in (package.monthly_fee, package.min_commitment)
        for factor in month_factors(package)
    ]
    return lcm(*(value.denominator for value in prices + amounts))
