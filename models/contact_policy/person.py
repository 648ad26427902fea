"""One customer as the tables of a night tell it: the entry of `one_customer`, without Spark.

The same as `known` for one customer; rows are mappings by column, instants are aware.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from models.contact_policy.compiled import Compiled, local_second
from models.contact_policy.one_customer import Candidate, Closed, Consent, Contact, Person

Rows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Told:
    """The rows of one customer, of the tables that known.Tables names.

    - `history`, `outcomes`, `consent`: the customer's rows
    - `identity`: all holders of each number that the customer ever held
    - `do_not_contact`, `sensitive_numbers`: the rows of these numbers
    - `sensitive_months`: the months of all lists of sensitive numbers
    """

    history: Rows
    outcomes: Rows
    consent: Rows
    identity: Rows
    do_not_contact: Rows
    sensitive_numbers: Rows
    sensitive_months: Collection[date]


@dataclass(frozen=True)
class Evening:
    """The end of a data date on the operator's clock; `zone`: its time zone."""

    data_date: date
    zone: str

    @property
    def midnight(self) -> datetime:
        """The instant at which the day after begins: lists are worked from then on."""
        following = self.data_date + timedelta(days=1)
        return datetime.combine(following, time(), ZoneInfo(self.zone))

    def second(self, instant: datetime) -> int:
        return local_second(instant, self.zone)


def person(customer_id: int, told: Told, policy: Compiled, evening: Evening) -> Person:
    """What the policy knows of the customer at the end of the data date.

    Nobody has a level of sensitivity, as known.facts says without mart.sensitivity.
    """
    second = evening.second
    return Person(
        contacts=[_contact(row, second(row["happened_at"]), evening) for row in _standing(told)],
        outcomes=_outcomes(told.outcomes, evening),
        closed=_closed(customer_id, told, policy, evening),
        consent=[
            Consent(
                row["class"],
                row["granted"],
                second(row["valid_from"]),
                row["valid_to"] and second(row["valid_to"]),
            )
            for row in told.consent
        ],
        sensitive=_sensitive(customer_id, told, evening),
    )


def planned(
    class_: str,
    channel: str,
    policy: Compiled,
    evening: Evening,
    *,
    campaign: str = "",
    offer: str = "",
) -> Candidate:
    """The contact that a list of the night would hold, as known.planned says.

    A channel that no list leaves on is planned at one moment: the first of its hours.
    """
    if channel not in policy.lists:
        at = policy.hours[channel].next(evening.second(evening.midnight))
        return Candidate(class_, channel, at, at, campaign, offer)
    listing = policy.lists[channel]
    begins = evening.midnight.astimezone(ZoneInfo("UTC")) + timedelta(seconds=listing.at)
    ends = begins + timedelta(seconds=listing.length)
    at, until = evening.second(begins), evening.second(ends)
    return Candidate(class_, channel, at, until, campaign, offer)


def _contact(row: Mapping[str, Any], at: int, evening: Evening) -> Contact:
    return Contact(
        row["class"],
        row["way"] or "",
        row["channel"],
        at,
        evening.second(row["until"]) if row["until"] else at,
        row["campaign_id"],
        row["offer"],
        row["state"] == "made",
    )


def _standing(told: Told) -> list[Mapping[str, Any]]:
    """The contacts that were made and the open reservations, in the order of time."""
    freed = {row["contact_id"] for row in told.history if row["state"] == "freed"}
    standing = [
        row
        for row in told.history
        if row["state"] == "made" or (row["state"] == "reserved" and row["contact_id"] not in freed)
    ]
    return sorted(standing, key=lambda row: (row["happened_at"], row["contact_id"]))


def _outcomes(rows: Rows, evening: Evening) -> list[tuple[str, int]]:
    """Each outcome once, at the first of its instants."""
    first: dict[tuple, datetime] = {}
    for row in rows:
        same = (row["outcome"], row["campaign_id"], row["channel"], row["local_date"])
        first[same] = min(first.get(same, row["happened_at"]), row["happened_at"])
    return sorted((outcome, evening.second(at)) for (outcome, *_), at in first.items())


def _closed(customer_id: int, told: Told, policy: Compiled, evening: Evening) -> list[Closed]:
    """The entries about the customer: who held the number when it was listed, else the next one."""
    last: dict[tuple, Mapping[str, Any]] = {}
    oldest_first = sorted(
        told.do_not_contact, key=lambda row: (row["file_name"], row["row_no"]), reverse=True
    )
    for row in sorted(oldest_first, key=lambda row: (row["changed_at"], row["batch_date"])):
        last[row["msisdn"], row["channel"], row["campaign_type"]] = row
    found = []
    for row in last.values():
        holders = [
            (one["valid_from"], one["customer_id"])
            for one in told.identity
            if one["msisdn"] == row["msisdn"]
            and (one["valid_to"] is None or one["valid_to"] > row["listed_at"])
        ]
        if holders and min(holders)[1] == customer_id:
            found.append(
                Closed(
                    row["channel"],
                    policy.class_of_type.get(row["campaign_type"]),
                    evening.second(row["listed_at"]),
                    row["delisted_at"] and evening.second(row["delisted_at"]),
                )
            )
    return sorted(found, key=lambda one: one.since)


def _sensitive(customer_id: int, told: Told, evening: Evening) -> bool:
    """Whether the customer holds a number of the newest list on the day after the data date."""
    planned_day = evening.data_date + timedelta(days=1)
    newest = max((month for month in told.sensitive_months if month <= planned_day), default=None)
    listed = {row["msisdn"] for row in told.sensitive_numbers if row["month"] == newest}
    return any(
        one["customer_id"] == customer_id
        and one["msisdn"] in listed
        and one["valid_from"] <= evening.midnight
        and (one["valid_to"] is None or one["valid_to"] > evening.midnight)
        for one in told.identity
    )
