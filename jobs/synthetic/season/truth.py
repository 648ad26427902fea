"""What a season really did: planted effects, value in yuan, and rules that were broken."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from jobs.synthetic.season.province import Season
from jobs.warehouse.committed import CommittedRows
from models.synthetic.season.answers import Touch
from schemas.config import Config
from schemas.config.contact_policy import CALENDAR_DAY, seconds

DECIDED = ("data_date", "subscriber_id", "campaign_id", "channel", "fate")
RESULT = ("campaign_id", "wave", "metric", "uplift", "low", "high", "outcome")
WORTH = ("saving_value", "margin")


@dataclass(frozen=True)
class Effect:
    """The planted effect of a wave of a campaign on the subscribers who were pushed.

    `ordered`: those who ordered within the days after the push. `without`: those who would have
    ordered then without any contact.
    """

    campaign: str
    wave: int
    pushed: int
    ordered: int
    without: int

    @property
    def uplift(self) -> float:
        return (self.ordered - self.without) / self.pushed


def effects(season: Season, days: int) -> list[Effect]:
    """The effect of each wave, over those whose days have all passed."""
    first: dict[tuple[str, int, str], date] = {}
    for push in season.pushes:
        who = season.holder(push)
        if who is not None:
            since = push.pushed + timedelta(days=1)
            first.setdefault((push.campaign, push.wave, who), since)
    counted: dict[tuple[str, int], list[int]] = defaultdict(lambda: [0, 0, 0])
    for (campaign, wave, who), since in sorted(first.items()):
        if since + timedelta(days=days - 1) > season.until:
            continue
        without = season.natural_in(campaign, who, since, days)
        day = season.memory.accepted.get((campaign, who))
        caused = day is not None and since <= day < since + timedelta(days=days)
        counted[campaign, wave][0] += 1
        counted[campaign, wave][1] += int(caused or without)
        counted[campaign, wave][2] += int(without)
    return [Effect(*wave, *sums) for wave, sums in sorted(counted.items())]


def estimates(
    tables: CommittedRows, conf: Config, last: date
) -> dict[tuple[str, int], dict[str, Any]]:
    """By campaign and wave, what the last night says of its success among all customers."""
    goals = {one.id: one.success.metric for one in conf.campaigns.values() if one.success}
    rows = tables.rows("mart.campaign_result", RESULT, on=last, where={"segment": ["all"]})
    return {
        (row["campaign_id"], row["wave"]): row
        for row in rows
        if row["metric"] == goals.get(row["campaign_id"])
    }


def value(season: Season, tables: CommittedRows) -> Decimal:
    """Yuan: the worth of all orders of the season, less the cost of its contacts.

    An order that a contact caused is worth what the night of its push reckoned. An order without a
    contact is worth the margin of the business.
    """
    conf = season.conf
    who = {
        row["subscriber_id"]: row["subscriber_no"]
        for row in tables.rows("dw.subscriber", ("subscriber_id", "subscriber_no"), distinct=True)
    }
    worth: dict[tuple[str, str], Decimal] = {}
    rows = tables.rows("mart.decision", (*DECIDED, *WORTH), where={"fate": ["pushed"]})
    for row in sorted(rows, key=lambda one: (one["data_date"], one["subscriber_id"])):
        weights = conf.campaigns[row["campaign_id"]].worth
        worth[row["campaign_id"], who[row["subscriber_id"]]] = (
            weights.saving * row["saving_value"] + weights.margin * row["margin"]
        )
    # A number may have changed hands since the push: its new holder is in no decision.
    caused = sum((worth.get(key, Decimal(0)) for key in season.memory.accepted), Decimal(0))
    natural = season.memory.orders.keys() - season.memory.accepted.keys()
    return caused + _natural(season, natural) - cost(conf, season.touches)


def value_without(season: Season) -> Decimal:
    """The worth of the orders that the season would have had without any contact, in yuan."""
    orders = (
        (campaign, who)
        for campaign in season.offers
        for who in season.people
        if (day := season.planted.natural_day(campaign, who, season.first)) is not None
        and day <= season.until
        and season.active(who, day)
    )
    return _natural(season, orders)


def _natural(season: Season, orders: Iterable[tuple[str, str]]) -> Decimal:
    """The worth of orders of businesses that no contact caused: the mean margin of the offers."""
    total = Decimal(0)
    for campaign, _ in orders:
        one = season.conf.campaigns[campaign]
        margins = [offer.margin for offer in one.offers.values()]
        total += one.worth.margin * one.horizon_months * sum(margins) / len(margins)
    return total


def cost(conf: Config, touches: Iterable[Touch]) -> Decimal:
    """Yuan that the contacts cost. A row is no contact until its customer comes to the channel."""
    return sum((conf.channels[one.push.channel].unit_cost for one in touches), Decimal(0))


def violations(season: Season) -> int:
    """Contacts that were made and that a cap of the policy did not allow.

    Counted from the moments of the season's own contacts alone, so it needs none of the code that
    decides.
    """
    contacts, broken = season.conf.policy.contacts, 0
    class_of = {kind: name for name, one in contacts.classes.items() for kind in one.campaign_types}
    for cap in contacts.caps.values():
        at: dict[str, list[datetime]] = defaultdict(list)
        for touch in season.touches:
            push = touch.push
            class_ = class_of[season.conf.campaigns[push.campaign].type]
            way = contacts.channels[push.channel].way
            if (
                touch.reached
                and contacts.classes[class_].limited
                and (not cap.classes or class_ in cap.classes)
                and (not cap.ways or way in cap.ways)
                and (not cap.channels or push.channel in cap.channels)
            ):
                at[season.customer(touch.subscriber)].append(touch.at)
        for moments in at.values():
            moments.sort()
            broken += sum(
                sum(_within(one, moment, cap.per) for one in moments[: place + 1]) > cap.limit
                for place, moment in enumerate(moments)
            )
    return broken


def contaminated(season: Season, tables: CommittedRows) -> int:
    """Pushed rows of a campaign to a subscriber who was held out of it."""
    who = {
        row["subscriber_id"]: row["subscriber_no"]
        for row in tables.rows("dw.subscriber", ("subscriber_id", "subscriber_no"), distinct=True)
    }
    held = {
        (row["campaign_id"], who[row["subscriber_id"]])
        for row in tables.rows("mart.decision", DECIDED, where={"fate": ["held_out"]})
    }
    return sum((push.campaign, season.holder(push)) in held for push in season.pushes)


def _within(earlier: datetime, moment: datetime, per: str) -> bool:
    """Whether the earlier contact lies in the window that ends with `moment`."""
    if per == CALENDAR_DAY:
        return earlier.date() == moment.date()
    return (moment - earlier).total_seconds() < seconds(per)
