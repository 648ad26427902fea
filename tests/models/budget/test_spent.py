"""What campaigns have spent, from small ledgers, pushes and receipts."""

from datetime import date, datetime, timedelta, timezone
from decimal import Decimal

from models.budget.spent import Tables, spent
from tests.given.rows import frame, named

BEIJING = timezone(timedelta(hours=8))
UNIT_COSTS = {"hall": Decimal("5.31"), "sms": Decimal("0.10")}


def day(number):
    return date(2009, 5, number)


def at(hour):
    return datetime(2009, 5, 4, hour, tzinfo=BEIJING)


def month(number):
    return date(2009, number, 1)


def test_items_of_every_campaign_come_from_ledgers_pushes_and_receipts(spark):
    pushed = "campaign_id channel data_date reason rows"
    files = "channel data_date file_name rows"
    told = "channel pushed_file rows_loaded received_at"
    applied = "application_no month campaign_id state amount granted"
    tables = Tables(
        costs=frame(
            spark,
            "ods.cost_entry",
            *named(
                "campaign_id cost_type amount",
                ("pilot", "advertising", Decimal("100.500")),
                ("pilot", "advertising", Decimal("-0.500")),
                ("pilot", "sales", Decimal("7.000")),
                (None, "sales", Decimal("999.000")),
            ),
        ),
        deposits=frame(
            spark,
            "ods.gift_deposit",
            *named(
                applied,
                ("A1", month(3), "pilot", "applied", Decimal("50"), None),
                ("A1", month(4), "pilot", "granted", Decimal("50"), Decimal("20")),
                ("A2", month(4), "pilot", "rejected", Decimal("9"), None),
                ("A3", month(4), "pilot", "approved", Decimal("6"), Decimal("0")),
                ("A4", month(4), "old", "applied", Decimal("4"), None),
            ),
        ),
        funnel=frame(
            spark,
            "mart.decision_funnel",
            *named(
                pushed,
                ("pilot", "hall", day(3), "PUSHED", 8),
                ("pilot", "hall", day(3), "CONSENT", 70),
                ("pilot", "hall", day(4), "PUSHED", 10),
                ("pilot", "sms", day(3), "PUSHED", 5),
                ("other", "hall", day(3), "PUSHED", 2),
            ),
        ),
        files=frame(
            spark,
            "mart.push_file",
            *named(
                files,
                ("hall", day(3), "h3", 10),
                ("hall", day(4), "h4", 10),
                ("sms", day(3), "s3", 5),
            ),
        ),
        receipts=frame(
            spark,
            "ods.receipt",
            *named(
                told,
                ("hall", "h3", 1, at(8)),  # the last receipt counts
                ("hall", "h3", 5, at(9)),
                ("sms", "s3", 7, at(9)),  # more than was sent: the five that were
            ),
        ),
        decisions=frame(
            spark,
            "mart.decision",
            *named(
                "campaign_id customer_id fate data_date",
                ("pilot", 1, "pushed", day(3)),
                ("pilot", 1, "pushed", day(4)),
                ("pilot", 2, "pushed", day(4)),
                ("pilot", 3, "held_out", day(4)),
                ("other", 4, "pushed", day(4)),
            ),
        ),
    )
    found = spent(tables, campaigns=["pilot"], by_head=["pilot"], unit_costs=UNIT_COSTS)
    assert {(row.campaign_id, row.item): row.amount for row in found.collect()} == {
        ("pilot", "advertising"): 100,
        ("pilot", "sales"): 7,
        ("pilot", "applied"): 65,
        ("pilot", "approved"): 56,
        ("pilot", "gift_deposit"): 20,
        # 8 × 5.31 × 5/10 loaded + 10 × 5.31 without a receipt + 5 × .10
        ("pilot", "contacts"): Decimal("74.84"),
        ("pilot", "customers"): 2,
        ("old", "applied"): 4,
        ("old", "approved"): 0,
        ("old", "gift_deposit"): 0,
    }
