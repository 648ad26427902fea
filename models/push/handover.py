"""The documents that leave for the CRM (R1) and for each contact point (R2) 接口 R1/R2.

They hold plain values: days, instants and amounts are text. Their order does not depend on the
order of the rows, so a rerun gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from schemas.config import Campaign, Channel, Config
from schemas.config.contact_policy import Contacts

Row = Mapping[str, Any]
ALL = "all"  # whom a first wave reaches
# Columns of push.<channel> that the documents need.
PUSHED = (
    *("campaign_id", "wave", "customer_id", "subscriber_id", "package_id", "package_name"),
    *("cost_before", "cost_after", "saving", "reason", "script", "valid_until"),
)


def plan_and_targets(
    conf: Config,
    campaigns: Sequence[Campaign],
    pushed: Mapping[str, Iterable[Row]],
    numbers: Mapping[int, tuple[str, str]],
    day: date,
) -> dict[str, Any]:
    """R1: the plan, the rules, and the targets in the order of campaign, wave and channel.

    `pushed`: by channel the rows of push.<channel>. `numbers`: by subscriber_id the numbers of
    customer and subscriber at the CRM.
    """
    found = [
        {
            "campaign_id": row["campaign_id"],
            "wave": row["wave"],
            "channel": channel,
            "customer_no": numbers[row["subscriber_id"]][0],
            "subscriber_no": numbers[row["subscriber_id"]][1],
            "offer": row["package_id"],
            "saving": _text(row["saving"]),
            "valid_until": _text(row["valid_until"]),
        }
        for channel, rows in pushed.items()
        for row in rows
    ]
    order = ("campaign_id", "wave", "channel", "customer_no", "subscriber_no", "offer")
    return {
        "interface": "R1",
        "data_date": day.isoformat(),
        "timezone": conf.runtime.timezone,
        "currency": conf.runtime.currency.code,
        "plan": [_planned(one, conf.policy.contacts, day) for one in campaigns],
        "rules": rules(conf.policy.contacts, conf.channels),
        "targets": sorted(found, key=lambda one: tuple(one[name] for name in order)),
    }


def _planned(campaign: Campaign, contacts: Contacts, day: date) -> dict[str, Any]:
    """A campaign with the waves that run on the day."""
    later = [one for one in campaign.later_waves if one.valid_on(day)]
    return {
        "campaign_id": campaign.id,
        "name": campaign.name_cn,
        "type": campaign.type,
        "class": contacts.class_of_type(campaign.type),
        "priority": campaign.priority,
        "from": campaign.valid_from.isoformat(),
        "until": campaign.valid_to.isoformat(),
        "valid_days": campaign.valid_days,
        "target": campaign.target,
        "waves": [
            {"wave": campaign.wave, "reaches": ALL, "channels": list(campaign.channels)},
            *(
                {"wave": one.wave, "reaches": one.reaches, "channels": list(one.channels)}
                for one in later
            ),
        ],
        "offers": sorted(campaign.offers),
    }


def rules(contacts: Contacts, channels: Mapping[str, Channel]) -> dict[str, Any]:
    """The rules by which customers may be contacted. Salts of hold-outs stay in the house."""
    return {
        "channels": [
            {
                "channel": name,
                "way": one.way,
                "open_from": one.open_from,
                "open_to": one.open_to,
                "contact_at": one.contact_at,
                "listed_for": one.listed_for,
                "report_within": one.report_within,
                "capacity": channels[name].capacity if name in channels else None,
            }
            for name, one in sorted(contacts.channels.items())
        ],
        "caps": [
            {
                "cap": name,
                "limit": one.limit,
                "per": one.per,
                "classes": list(one.classes),
                "ways": list(one.ways),
                "channels": list(one.channels),
            }
            for name, one in sorted(contacts.caps.items())
        ],
        "rests": [
            {
                "outcome": one.outcome,
                "times": one.times,
                "within": one.within,
                "rest": one.rest,
                "classes": list(one.classes),
            }
            for _, one in sorted(contacts.rests.items())
        ],
        "families": [
            {"campaigns": list(one.campaigns), "apart": one.apart}
            for _, one in sorted(contacts.families.items())
        ],
        "exclusive": [list(one) for _, one in sorted(contacts.exclusive.items())],
        "sequences": [
            {"first": one.first, "then": one.then} for _, one in sorted(contacts.sequences.items())
        ],
    }


def results(
    conf: Config,
    channel: str,
    pushed: Iterable[Row],
    numbers: Mapping[int, tuple[str, str]],
    preference: Mapping[int, Row],
    contacts: Mapping[int, Row],
    day: date,
) -> dict[str, Any]:
    """R2: what the contact point should know of each customer with an offer over it.

    `preference`, `contacts`: by customer_id the row of mart.channel_preference and of
    dw.contact_view for the contact point.
    """
    zone = ZoneInfo(conf.runtime.timezone)
    offers: dict[tuple[str, int], list[Row]] = {}
    for row in pushed:
        key = numbers[row["subscriber_id"]][0], row["customer_id"]
        offers.setdefault(key, []).append(row)
    return {
        "interface": "R2",
        "data_date": day.isoformat(),
        "channel": channel,
        "currency": conf.runtime.currency.code,
        "results": [
            {
                "customer_no": number,
                "preference": _preferred(preference.get(customer)),
                "contacts": _contacted(contacts.get(customer), zone),
                "offers": _offers(rows, numbers),
            }
            for (number, customer), rows in sorted(offers.items())
        ],
    }


def _preferred(row: Row | None) -> dict[str, Any] | None:
    if row is None:
        return None
    return {"rank": row["rank"], "score": _text(row["score"]), "basis": row["basis"]}


def _contacted(row: Row | None, zone: ZoneInfo) -> dict[str, Any] | None:
    if row is None:
        return None
    last: datetime | None = row["last_contact_at"]
    names = ("contacts", "successes", "complaints_about")
    return {
        **{name: row[name] for name in names},
        "last_contact_at": last and last.astimezone(zone).isoformat(),
    }


def _offers(rows: Sequence[Row], numbers: Mapping[int, tuple[str, str]]) -> list[dict[str, Any]]:
    amounts = ("cost_before", "cost_after", "saving")
    found = [
        {
            "campaign_id": row["campaign_id"],
            "wave": row["wave"],
            "subscriber_no": numbers[row["subscriber_id"]][1],
            "offer": row["package_id"],
            "name": row["package_name"],
            **{name: _text(row[name]) for name in amounts},
            "reason": row["reason"],
            "script": row["script"],
            "valid_until": _text(row["valid_until"]),
        }
        for row in rows
    ]
    order = ("campaign_id", "wave", "subscriber_no", "offer")
    return sorted(found, key=lambda one: tuple(one[name] for name in order))


def _text(value: date | Decimal | None) -> str | None:
    if value is None:
        return None
    return value.isoformat() if isinstance(value, date) else format(value, "f")
