"""Who is held out, what is registered, and which contacts should not have happened."""

import hashlib
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from models.contact_policy import hold_out
from schemas.config import HoldOut
from tests.given.contact_policies import ZONE
from tests.given.frames import local_frame
from tests.given.rows import fits, frame, named

UNIVERSAL = HoldOut(Decimal("0.05"), "all", ("marketing",))


def first_bits(salt, customer):
    return int(hashlib.sha256(f"{salt}|{customer}".encode()).hexdigest()[:15], 16)


def test_the_universal_group_is_fixed_for_a_quarter_and_anybody_can_recompute_it(spark):
    customers = local_frame(spark, [(number,) for number in range(2000)], "customer_id bigint")

    def held(day):
        rows = customers.where(hold_out.of_all(UNIVERSAL, day)).collect()
        return {row["customer_id"] for row in rows}

    april = held(date(2009, 4, 1))
    assert april == held(date(2009, 6, 30))
    assert april == {
        number for number in range(2000) if first_bits("all-2009q2", number) * 20 < 2**60
    }
    assert 60 < len(april) < 140
    assert len(april & held(date(2009, 7, 1))) < 20
    assert hold_out.quarter_salt(UNIVERSAL, date(2009, 12, 31)) == "all-2009q4"


def test_withheld_offers_are_registered_with_the_day_they_would_have_been_made(spark):
    decisions = frame(
        spark,
        "mart.decision",
        *named(
            "customer_id fate reasons offer channel",
            (1, "held_out", ["HOLD_UNIVERSAL"], "gotone_58", "sms"),
            (2, "held_out", ["HOLD_ACTIVITY"], "gotone_88", "web"),
            (3, "pushed", [], "gotone_58", "sms"),
            (2, "held_out", ["HOLD_ACTIVITY", "LOST_PRIORITY"], "gotone_88", "sms"),
            (4, "held_out", ["HOLD_UNIVERSAL", "HOLD_ACTIVITY"], "gotone_88", "hall"),
        ),
    )
    match = frame(
        spark,
        "mart.package_match",
        *named(
            "subscriber_id package_id kind recommended mean_present_cost mean_cost",
            (1001, "gotone_58", "whole", False, Decimal(90), Decimal(70)),
            (1001, "gotone_58", "voice", True, Decimal(100), Decimal(80)),
        ),
    )
    made = hold_out.registry(decisions, match, date(2009, 5, 31))
    found = fits(made, "mart.hold_out").collect()
    assert {(row["offer"], row["present_bill"], row["forecast_bill"]) for row in found} == {
        ("gotone_58", 100, 80),
        ("gotone_88", None, None),
    }
    assert sorted(
        (row["customer_id"], row["scope"], row["offer"], row["channel"], row["would_be_date"])
        for row in found
    ) == [
        (1, "universal", "gotone_58", "sms", date(2009, 6, 1)),
        (2, "campaign", "gotone_88", "web", date(2009, 6, 1)),
        (4, "universal", "gotone_88", "hall", date(2009, 6, 1)),
    ]
    assert {row["drawn_on"] for row in found} == {date(2009, 5, 31)}


def test_contacts_of_held_out_customers_are_counted(spark):
    registered = frame(
        spark,
        "mart.hold_out",
        *named(
            "customer_id scope campaign_id drawn_on data_date",
            (1, "universal", "a", date(2009, 5, 1), date(2009, 5, 1)),
            (1, "universal", "a", date(2009, 5, 2), date(2009, 5, 2)),
            (2, "campaign", "a", date(2009, 5, 1), date(2009, 5, 1)),
            (3, "universal", "a", date(2009, 6, 30), date(2009, 6, 30)),
        ),
    )
    contacts = (
        (1, "b", "marketing", "made", "05-03"),  # all marketing is withheld
        (1, "b", "care", "made", "05-03"),
        (1, "b", "marketing", "reserved", "05-03"),
        (1, "b", "marketing", "made", "05-01"),  # before the draw is known
        (1, "b", "marketing", "made", "07-01"),  # in the next quarter
        (2, "a", "marketing", "made", "07-02"),
        (2, "b", "marketing", "made", "05-03"),  # another campaign
        (3, "b", "marketing", "made", "09-30"),  # drawn for the quarter of the next day
        (4, "a", "marketing", "made", "05-03"),
    )
    history = frame(
        spark,
        "dw.contact_history",
        *(
            {
                "contact_id": number,
                "customer_id": who,
                "campaign_id": campaign,
                "class": kind,
                "state": state,
                "happened_at": datetime.strptime(f"2009-{day}", "%Y-%m-%d").replace(
                    hour=12, tzinfo=ZoneInfo(ZONE)
                ),
            }
            for number, (who, campaign, kind, state, day) in enumerate(contacts)
        ),
    )
    found = hold_out.contaminated(registered, history, ["marketing"]).collect()
    assert sorted(row["contact_id"] for row in found) == [0, 5, 7]
