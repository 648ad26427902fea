"""The part `contacts` of policy.yml as frozen dataclasses: who may be contacted, how often, when.

A duration is text such as `72h` or `7d`; `contact_policy.seconds` reads it. A clock time is text
such as `09:30` in the operator's time zone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

CALENDAR_DAY = "calendar_day"
_UNITS = {"h": 3600, "d": 86400}


def seconds(duration: str) -> int:
    """The seconds of a duration such as 72h or 7d."""
    return int(duration[:-1]) * _UNITS[duration[-1]]


def second_of_day(clock: str) -> int:
    """The seconds since midnight of a clock time such as 09:30."""
    hours, minutes = clock.split(":")
    return int(hours) * 3600 + int(minutes) * 60


@dataclass(frozen=True)
class ContactClass:
    """A class of contact. `limited`: caps may drop it. `counts`: it uses a slot.

    `kinds` of contacts and `campaign_types` belong to it. `consent`: what holds for a customer who
    never said anything, allowed or refused.
    """

    kinds: tuple[str, ...]
    campaign_types: tuple[str, ...]
    limited: bool
    counts: bool
    consent: str


@dataclass(frozen=True)
class ContactWay:
    """A way of contact. A contact is limited, or counts, if both its class and its way say so.

    `a_night`: how many contacts of the way one night may plan for one customer.
    """

    limited: bool
    counts: bool
    a_night: int


@dataclass(frozen=True)
class ContactChannel:
    """The way of a channel, its contact hours, and how its lists are worked.

    A channel without an entry has no way: only caps that name neither ways nor channels count its
    contacts. Outside [`open_from`, `open_to`) the channel is quiet. A list is worked from
    `contact_at` on the day after its night, for `listed_for`. The channel reports each contact
    within `report_within` after that; one of which nothing is heard by then was not made.
    """

    way: str
    open_from: str = "00:00"
    open_to: str = "24:00"
    contact_at: str | None = None
    listed_for: str | None = None
    report_within: str | None = None


@dataclass(frozen=True)
class ContactCap:
    """At most `limit` contacts of a customer in each window of `per`; 0: never.

    It is about the contacts of these classes, ways and channels; empty: of all.
    """

    limit: int
    per: str
    classes: tuple[str, ...] = ()
    ways: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()


@dataclass(frozen=True)
class Rest:
    """After `times` outcomes `within` a duration, contacts of the `classes` pause for `rest`."""

    outcome: str
    times: int
    within: str
    rest: str
    classes: tuple[str, ...]


@dataclass(frozen=True)
class Family:
    """Campaigns of which a customer has one offer at a time: the next one `apart` after it."""

    campaigns: tuple[str, ...]
    apart: str


@dataclass(frozen=True)
class Sequence:
    """The campaign `then` contacts only customers whom the campaign `first` has contacted."""

    first: str
    then: str


@dataclass(frozen=True)
class SensitiveLevel:
    """Customers with one of these `levels` of a `fact` get no contacts of these classes.

    `fact`: a column of mart.sensitivity. `channels`: only over these; empty: over all.
    """

    fact: str
    levels: tuple[str, ...]
    classes: tuple[str, ...]
    channels: tuple[str, ...] = ()


@dataclass(frozen=True)
class HoldOut:
    """The universal hold-out: `share` of the customers get no contacts of these classes.

    Drawn anew each quarter by a hash of `salt`, quarter and customer.
    """

    share: Decimal
    salt: str
    classes: tuple[str, ...]


@dataclass(frozen=True)
class Contacts:
    """The part `contacts` of policy.yml; each map is by name.

    `proof_kept_days`: how long the consent of an erased customer is kept after the erasure.
    """

    proof_kept_days: int
    hold_out: HoldOut
    classes: Mapping[str, ContactClass]
    ways: Mapping[str, ContactWay]
    channels: Mapping[str, ContactChannel]
    caps: Mapping[str, ContactCap]
    rests: Mapping[str, Rest]
    families: Mapping[str, Family]
    exclusive: Mapping[str, tuple[str, ...]]
    sequences: Mapping[str, Sequence]
    sensitivity: Mapping[str, SensitiveLevel]

    def class_of_type(self, campaign_type: str) -> str:
        """The class of the campaigns of a type."""
        return next(
            name for name, entry in self.classes.items() if campaign_type in entry.campaign_types
        )
