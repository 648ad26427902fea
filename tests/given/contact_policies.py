"""A small contact policy for tests, and what it knows of a customer as frames."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from pyspark.sql import SparkSession

from models.contact_policy.compiled import instant_of, local_second
from models.contact_policy.one_customer import Candidate, Person
from models.contact_policy.rules import Facts
from schemas.config import Contacts
from schemas.config.settings import built
from tests.given.frames import local_frame

ZONE = "Asia/Shanghai"
POLICY: dict[str, Any] = {
    "proof_kept_days": 150,
    "hold_out": {"share": "0.02", "salt": "all", "classes": ["marketing"]},
    "classes": {
        "service": {"kinds": ["query"], "limited": False, "counts": False, "consent": "allowed"},
        "care": {"kinds": ["care"], "limited": False, "counts": True, "consent": "allowed"},
        "marketing": {"kinds": ["marketing"], "limited": True, "counts": True},
        "survey": {"kinds": [], "limited": True, "counts": False, "consent": "allowed"},
    },
    "ways": {
        "intrusive": {"limited": True, "counts": True, "a_night": 2},
        "pull": {"limited": True, "counts": True, "a_night": 3},
    },
    "channels": {
        "sms": {"way": "intrusive", "open_from": "09:00", "open_to": "20:00"},
        "hotline": {"way": "intrusive", "open_from": "09:00", "open_to": "20:00"},
        "web": {"way": "pull"},
        "email": {"way": "pull"},
    },
    "caps": {
        "message": {"limit": 2, "per": "72h", "channels": ["sms"]},
        "week": {"limit": 3, "per": "7d"},
        "day": {"limit": 1, "per": "calendar_day", "channels": ["web"]},
        "never": {"limit": 0, "per": "1d", "channels": ["email"]},
    },
    "rests": {},
    "families": {},
    "exclusive": {},
    "sequences": {},
    "sensitivity": {},
}
for _class in POLICY["classes"].values():
    _class.setdefault("consent", "allowed")
    _class["campaign_types"] = []


def contacts(**changes: Mapping[str, Any]) -> Contacts:
    """The policy with some of its parts exchanged."""
    return built(Contacts, {**POLICY, **changes})


def at(text: str) -> int:
    """The local second of a time of the year 2008, like "05-10 10:00"."""
    moment = datetime.strptime(f"2008-{text}", "%Y-%m-%d %H:%M").replace(tzinfo=ZoneInfo(ZONE))
    return local_second(moment, ZONE)


def said(second: int | None) -> str | None:
    """A local second as text, like "05-10 10:00"."""
    return None if second is None else f"{instant_of(second, ZONE):%m-%d %H:%M}"


def frames(
    spark: SparkSession, people: Mapping[int, Person], candidates: list[tuple[int, Candidate]]
):
    """(candidates, facts): the customers by id, and candidates numbered in the column `no`."""

    def instant(second):
        return None if second is None else instant_of(second, ZONE)

    of = list(people.items())
    facts = Facts(
        contacts=local_frame(
            spark,
            [
                (
                    who,
                    one.class_,
                    one.way,
                    one.channel,
                    one.campaign,
                    one.offer,
                    instant(one.at),
                    None if one.made else instant(one.until),
                    "made" if one.made else "reserved",
                )
                for who, person in of
                for one in person.contacts
            ],
            "customer_id bigint, class string, way string, channel string, campaign_id string, "
            "offer string, happened_at timestamp, until timestamp, state string",
        ),
        outcomes=local_frame(
            spark,
            [(who, name, instant(when)) for who, person in of for name, when in person.outcomes],
            "customer_id bigint, outcome string, happened_at timestamp",
        ),
        closed=local_frame(
            spark,
            [
                (who, one.channel, one.class_, instant(one.since), instant(one.until))
                for who, person in of
                for one in person.closed
            ],
            "customer_id bigint, channel string, class string, valid_from timestamp, "
            "valid_to timestamp",
        ),
        consent=local_frame(
            spark,
            [
                (who, one.class_, one.granted, instant(one.since), instant(one.until))
                for who, person in of
                for one in person.consent
            ],
            "customer_id bigint, class string, granted boolean, valid_from timestamp, "
            "valid_to timestamp",
        ),
        sensitive=local_frame(
            spark, [(who,) for who, person in of if person.sensitive], "customer_id bigint"
        ),
        levels=local_frame(
            spark,
            [
                (who, person.levels.get("tariff_level"), person.levels.get("complaint_level"))
                for who, person in of
                if person.levels
            ],
            "customer_id bigint, tariff_level string, complaint_level string",
        ),
    )
    rows = [
        (
            number,
            who,
            one.class_,
            one.channel,
            one.campaign,
            one.offer,
            instant(one.at),
            instant(one.until),
        )
        for number, (who, one) in enumerate(candidates)
    ]
    frame = local_frame(
        spark,
        rows,
        "no int, customer_id bigint, class string, channel string, campaign_id string, "
        "offer string, planned_at timestamp, planned_until timestamp",
    )
    return frame, facts
