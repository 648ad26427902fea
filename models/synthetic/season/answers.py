"""What customers do about the rows that channels were given."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from models.synthetic.season.planted import (
    CALL_BACK,
    COMPLAINT,
    FATIGUE_DAYS,
    OBJECTION,
    Planted,
    drawn,
)

OUTBOUND = ("hotline_outbound", "sms", "customer_manager")  # the operator begins the contact
LISTED_DAYS = 6  # on how many days a customer may come to a channel that waits for him
FIRST_HOUR, LAST_HOUR = 10, 18


@dataclass(frozen=True)
class Push:
    """A row of a pushed file, as its channel reads it."""

    campaign: str
    wave: int
    channel: str
    msisdn: str
    offer: str
    pushed: date


@dataclass(frozen=True)
class Touch:
    """What became of a pushed row: one contact, or one that failed.

    `refusal` is the code of a refusal, None where nobody was asked or he accepted.
    `offer`: what the row offered, also to those who did not take it.
    """

    push: Push
    subscriber: str
    at: datetime
    reached: bool
    accepted: bool
    refusal: str | None
    complains: bool
    objects: bool
    calls_back: bool


@dataclass(frozen=True)
class NaturalOrder:
    """An order of a campaign's business that no contact caused."""

    campaign: str
    offer: str
    subscriber: str
    at: datetime


@dataclass
class Memory:
    """What happened so far in the season.

    `contacts`: by subscriber, the days of his contacts. `orders`: by campaign and subscriber, the
    day of the order. `accepted`: the same, of orders that a contact caused.
    """

    contacts: dict[str, list[date]] = field(default_factory=lambda: defaultdict(list))
    orders: dict[tuple[str, str], date] = field(default_factory=dict)
    accepted: dict[tuple[str, str], date] = field(default_factory=dict)

    def lately(self, who: str, day: date) -> int:
        """How many contacts he had in the FATIGUE_DAYS before the day."""
        return sum(0 < (day - one).days <= FATIGUE_DAYS for one in self.contacts[who])


def due(push: Push, planted: Planted) -> date:
    """The day on which the row comes to a contact, or would."""
    if push.channel in OUTBOUND:
        return push.pushed + timedelta(days=1)
    later = drawn(planted.seed, "comes", push.channel, push.campaign, push.msisdn, push.pushed)
    return push.pushed + timedelta(days=1 + int(later * LISTED_DAYS))


def touches(
    day: date,
    pushes: Iterable[Push],
    holders: Mapping[str, str],
    planted: Planted,
    memory: Memory,
) -> list[Touch]:
    """The contacts of a day, in order of time; `memory` learns of them.

    `pushes`: the rows whose `due` is the day. `holders`: by number, the subscriber who holds it on
    the day; a number that nobody holds is reached by nobody.
    """
    found = []
    known = [(holders[one.msisdn], one) for one in pushes if one.msisdn in holders]
    at = {(who, push): _moment(day, who, push, planted) for who, push in known}
    ordered = sorted(known, key=lambda pair: (at[pair], *map(str, _key(*pair))))
    for who, push in ordered:
        key = _key(who, push)
        reached = planted.reached(push.channel, *key)
        if not reached and push.channel not in OUTBOUND:
            continue  # he did not come, so nobody has anything to report
        lately = memory.lately(who, day)
        has_it = (push.campaign, who) in memory.orders
        accepted = (
            reached
            and not has_it
            and planted.accepts(push.campaign, push.channel, push.wave, who, lately)
        )
        tired = 1 + lately
        found.append(
            Touch(
                push,
                who,
                at[who, push],
                reached,
                accepted,
                _refusal(planted, key) if reached and not accepted and _asks(push) else None,
                complains=reached and drawn(planted.seed, "complains", *key) < COMPLAINT * tired,
                objects=reached and drawn(planted.seed, "objects", *key) < OBJECTION * tired,
                calls_back=reached
                and push.channel == "sms"
                and drawn(planted.seed, "calls back", *key) < CALL_BACK,
            )
        )
        if reached:
            memory.contacts[who].append(day)
        if accepted:
            memory.orders[push.campaign, who] = day
            memory.accepted[push.campaign, who] = day
    return found


def natural_orders(
    day: date,
    first: date,
    subscribers: Sequence[str],
    offers: Mapping[str, Sequence[str]],
    planted: Planted,
    memory: Memory,
) -> list[NaturalOrder]:
    """The orders of a day that no contact caused; `memory` learns of them.

    `first`: the first day of the season. `offers`: the businesses of each campaign. Of several, a
    customer orders one.
    """
    found = []
    for campaign, names in offers.items():
        for who in subscribers:
            if planted.natural_day(campaign, who, first) != day:
                continue
            if (campaign, who) in memory.orders:
                continue
            memory.orders[campaign, who] = day
            at = int(drawn(planted.seed, "offer", campaign, who) * len(names))
            second = int(drawn(planted.seed, "orders at", campaign, who) * 8 * 3600)
            moment = datetime.combine(day, time(FIRST_HOUR)) + timedelta(seconds=second)
            found.append(NaturalOrder(campaign, names[at], who, moment))
    return found


def _asks(push: Push) -> bool:
    """Whether somebody of the operator hears why the customer does not want the offer."""
    return push.channel in ("hotline_outbound", "hall", "hotline_inbound", "customer_manager")


def _key(who: str, push: Push) -> tuple[object, ...]:
    return who, push.campaign, push.wave, push.channel, push.pushed


def _moment(day: date, who: str, push: Push, planted: Planted) -> datetime:
    seconds = drawn(planted.seed, "moment", *_key(who, push)) * (LAST_HOUR - FIRST_HOUR) * 3600
    return datetime.combine(day, time(FIRST_HOUR)) + timedelta(seconds=int(seconds))


def _refusal(planted: Planted, key: tuple[object, ...]) -> str:
    return str(1 + int(drawn(planted.seed, "refusal", *key) * 5))
