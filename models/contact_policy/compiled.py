"""The part `contacts` of policy.yml as the rules read it, for frames and for one customer alike.

Plain Python, without Spark. Instants of rules are local seconds: the seconds since 1970-01-01 00:00
of the operator's clock. A contact covers the instants at which a window that ends there may hold
it. So a cap is kept if at no instant more contacts than its limit cover it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from schemas.config import Campaign, Channel, Contacts
from schemas.config.contact_policy import CALENDAR_DAY, second_of_day, seconds

DAY = 86400
# The codes of these rules, in the order of the stages of a decision.
CODES = ("CONSENT", "SENSITIVE", "SUPPRESSED", "CAP_CHANNEL", "CAP_ALL", "CONFLICT", "QUIET")


@dataclass(frozen=True)
class Cap:
    """At most `limit` contacts in each window of `window` seconds; None: in each calendar day.

    `bit`: its bit in the masks of contacts. `code`: the reason of a candidate without a slot.
    """

    name: str
    bit: int
    limit: int
    window: int | None
    code: str


@dataclass(frozen=True)
class Masks:
    """Bits of the caps by class, way and channel of a contact; a cap needs its bit in all three.

    `no_way`, `other`: the bits of a way and a channel that the policy does not name. Such a contact
    is bound by the caps of all ways or channels only.
    """

    classes: Mapping[str, int]
    ways: Mapping[str, int]
    channels: Mapping[str, int]
    no_way: int
    other: int

    def of(self, class_: str, way: str | None, channel: str) -> int:
        return (
            self.classes.get(class_, 0)
            & self.ways.get(way or "", self.no_way)
            & self.channels.get(channel, self.other)
        )


@dataclass(frozen=True)
class Hours:
    """The contact hours of a channel, in local seconds of the day: [opens, closes)."""

    opens: int = 0
    closes: int = DAY

    def next(self, at: int) -> int:
        """The first instant from `at` on within the hours."""
        second = at % DAY
        if second < self.opens:
            return at - second + self.opens
        return at if second < self.closes else at - second + DAY + self.opens


@dataclass(frozen=True)
class Rest:
    """After `times` outcomes `within` seconds, contacts of the classes pause for `rest` seconds."""

    outcome: str
    times: int
    within: int
    rest: int
    classes: tuple[str, ...]


@dataclass(frozen=True)
class Family:
    """One offer of these campaigns at a time; the next one at least `apart` seconds after it."""

    campaigns: tuple[str, ...]
    apart: int


@dataclass(frozen=True)
class Level:
    """Classes and channels (empty: all) that are closed at these levels of a fact."""

    fact: str
    levels: tuple[str, ...]
    classes: tuple[str, ...]
    channels: tuple[str, ...]


@dataclass(frozen=True)
class Listing:
    """How a channel works its lists: from `at` (seconds of the day) on the day after the night.

    `length`: how long it works them. `report`: how long after that it may report. In seconds.
    """

    at: int
    length: int
    report: int


@dataclass(frozen=True)
class Compiled:
    """The contact policy of a run. `counted`: caps that a contact uses; `limited`: that bind it.

    `known_as`: the channel that customers close, for channels that are worked under another name.
    """

    caps: tuple[Cap, ...]
    counted: Masks
    limited: Masks
    ways: Mapping[str, str]
    a_night: Mapping[str, int]
    hours: Mapping[str, Hours]
    lists: Mapping[str, Listing]
    consent: Mapping[str, bool]
    class_of_kind: Mapping[str, str]
    class_of_type: Mapping[str, str]
    rests: tuple[Rest, ...]
    families: tuple[Family, ...]
    exclusive: tuple[tuple[str, ...], ...]
    sequences: tuple[tuple[str, str], ...]
    levels: tuple[Level, ...]
    known_as: Mapping[str, str]

    @property
    def list_days(self) -> int:
        """The days from a push to the end of the longest reservation."""
        lives = [one.at + one.length + one.report for one in self.lists.values()]
        return max((-(-life // DAY) for life in lives), default=0) + 1

    def memory(self, campaigns: Sequence[Campaign], day: date) -> int:
        """How many days before `day` a contact or outcome can still decide something."""
        spans = [cap.window or DAY for cap in self.caps]
        spans += [rest.within + rest.rest for rest in self.rests]
        spans += [family.apart for family in self.families]
        days = max((-(-span // DAY) for span in spans), default=0) + 1
        days += self.list_days
        named = {name for names in (*self.exclusive, *self.sequences) for name in names}
        ages = [(day - one.valid_from).days for one in campaigns if one.id in named]
        return max([days, *ages])


def compiled(contacts: Contacts, channels: Mapping[str, Channel]) -> Compiled:
    """The policy of the configuration, ready for `rules` and `one_customer`.

    `channels`: of the configuration; some are worked under another name than customers know.
    """
    caps = tuple(
        Cap(
            name,
            1 << position,
            cap.limit,
            None if cap.per == CALENDAR_DAY else seconds(cap.per),
            "CAP_CHANNEL" if cap.channels else "CAP_ALL",
        )
        for position, (name, cap) in enumerate(contacts.caps.items())
    )
    return Compiled(
        caps=caps,
        counted=_masks(contacts, "counts"),
        limited=_masks(contacts, "limited"),
        ways={name: entry.way for name, entry in contacts.channels.items()},
        a_night={name: entry.a_night for name, entry in contacts.ways.items()},
        hours={
            name: Hours(second_of_day(entry.open_from), second_of_day(entry.open_to))
            for name, entry in contacts.channels.items()
        },
        lists={
            name: Listing(
                second_of_day(entry.contact_at),
                seconds(entry.listed_for),
                seconds(entry.report_within),
            )
            for name, entry in contacts.channels.items()
            if entry.contact_at and entry.listed_for and entry.report_within
        },
        consent={name: entry.consent == "allowed" for name, entry in contacts.classes.items()},
        class_of_kind={kind: name for name, one in contacts.classes.items() for kind in one.kinds},
        class_of_type={
            of: name for name, one in contacts.classes.items() for of in one.campaign_types
        },
        rests=tuple(
            Rest(one.outcome, one.times, seconds(one.within), seconds(one.rest), one.classes)
            for one in contacts.rests.values()
        ),
        families=tuple(
            Family(one.campaigns, seconds(one.apart)) for one in contacts.families.values()
        ),
        exclusive=tuple(contacts.exclusive.values()),
        sequences=tuple((one.first, one.then) for one in contacts.sequences.values()),
        levels=tuple(
            Level(one.fact, one.levels, one.classes, one.channels)
            for one in contacts.sensitivity.values()
        ),
        known_as={name: one.known_as for name, one in channels.items() if one.logged_as},
    )


def _masks(contacts: Contacts, switch: str) -> Masks:
    caps = list(contacts.caps.values())

    def bits(name: str, of: str) -> int:
        found = 0
        for position, cap in enumerate(caps):
            names = getattr(cap, of)
            found |= (1 << position) if not names or name in names else 0
        return found

    def switched(entry: object, mask: int) -> int:
        return mask if getattr(entry, switch) else 0

    return Masks(
        {name: switched(one, bits(name, "classes")) for name, one in contacts.classes.items()},
        {name: switched(one, bits(name, "ways")) for name, one in contacts.ways.items()},
        {name: bits(name, "channels") for name in contacts.channels},
        bits("", "ways"),
        bits("", "channels"),
    )


def local_second(instant: datetime, zone: str) -> int:
    """The local second of an instant on the clock of the zone."""
    return int(instant.astimezone(ZoneInfo(zone)).replace(tzinfo=UTC).timestamp())


def instant_of(second: int, zone: str) -> datetime:
    """The instant that the clock of the zone shows as this local second."""
    return datetime.fromtimestamp(second, UTC).replace(tzinfo=ZoneInfo(zone))
