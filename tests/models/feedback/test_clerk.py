"""Which clerk gets the credit of an order: cases worked by hand, one customer for each."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from models.feedback import clerk, report
from tests.given.contact_policies import ZONE
from tests.given.numbered_customers import KEY, identity, subscriber
from tests.given.rows import fits, frame

PILOT = "hall_pilot"
NIGHT, CLOSES, TOLD = date(2009, 5, 3), date(2009, 6, 2), date(2009, 6, 5)


def instant(text):
    return datetime.strptime(f"2009-{text}", "%Y-%m-%d %H:%M").replace(tzinfo=ZoneInfo(ZONE))


def response(customer, ordered=None, credits=0, wave=1):
    return {
        "campaign_id": PILOT,
        "wave": wave,
        "customer_id": customer,
        "subscriber_id": subscriber(customer),
        "assigned_on": NIGHT,
        "closes_on": CLOSES,
        "told_until": TOLD,
        "offers": ["gprs"],
        "ordered_at": ordered and instant(ordered),
        "credits": credits,
    }


def contact(customer, when, who, number, *, channel="hall", **more):
    at = instant(when)
    return {
        "source": "campaign_feedback",
        "feedback_no": number,
        "campaign_id": PILOT,
        "wave": 1,
        "subscriber_no": f"S{customer}",
        "channel": channel,
        "occurred_at": at,
        "local_date": at.date(),
        "batch_date": at.date(),
        "contacted": True,
        "viewed": None,
        "accepted": None,
        "handled": False,
        "order_no": None,
        "refusal": None,
        "employee": who,
        **more,
    }


RESPONSES = (
    response(1, "05-10 11:00", 1),  # ordered by answering the message, days after the hall
    response(2, "05-10 11:00", 1),  # two clerks: the last one before the order
    response(3, "05-10 11:00", 2),  # two orders
    response(4, "05-10 11:00"),  # the credit went to another campaign
    response(5),  # nothing was ordered
    response(6, "05-10 11:00", 1),  # the last contact was a call, and nobody is named for it
    response(7, "05-10 11:00", 1),  # the contact came after the order
    response(8, "05-10 11:00", 1),  # at the same instant: the feedback tells the order, too
    response(9, "05-10 11:00", 1),  # nobody was reached
    response(10, "05-10 11:00", 1),  # told twice
)
FEEDBACK = (
    contact(1, "05-06 10:00", "Y1", "F1"),
    contact(2, "05-06 10:00", "Y1", "F2"),
    contact(2, "05-09 10:00", "Y2", "F3"),
    contact(2, "05-11 10:00", "Y3", "F4"),
    contact(3, "05-06 10:00", "Y1", "F5"),
    contact(4, "05-06 10:00", "Y1", "F6"),
    contact(5, "05-06 10:00", "Y3", "F7"),
    contact(5, "05-07 10:00", "Y3", "F8"),
    contact(6, "05-06 10:00", "Y1", "F9"),
    contact(6, "05-08 10:00", None, "F10", channel="hotline"),
    contact(7, "05-11 10:00", "Y4", "F11"),
    contact(8, "05-10 11:00", "Y4", "F12", handled=True),
    contact(9, "05-06 10:00", "Y5", "F13", contacted=False),
    contact(10, "05-06 10:00", "Y5", "F14"),
    contact(10, "05-06 10:00", "Y5", "F15", batch_date=date(2009, 5, 7)),
    contact(11, "05-06 10:00", "Y6", "F16"),  # not assigned
    contact(1, "06-10 10:00", "Y6", "F17"),  # after the window
)


@pytest.fixture(scope="module")
def made(spark):
    known = identity(spark, range(1, 12), instant("01-01 00:00"))
    told = report.reports(
        frame(spark, "ods.campaign_feedback", *FEEDBACK),
        frame(spark, "ods.campaign_order"),
        known,
        KEY,
    )
    responses = frame(spark, "dw.campaign_response", *RESPONSES)
    rows = clerk.credits(report.judged(told, responses, [PILOT]), responses, TOLD)
    return [row.asDict() for row in fits(rows, "mart.clerk_credit").collect()]


def test_each_clerk_gets_the_orders_after_the_own_last_contact(made):
    found = {row["employee"]: (row["contacts"], row["customers"], row["orders"]) for row in made}
    assert found == {
        "Y1": (5, 5, 3),  # one of customer 1, two of customer 3
        "Y2": (1, 1, 1),
        "Y3": (3, 2, 0),
        "Y4": (2, 2, 1),
        "Y5": (1, 1, 1),
    }


def test_an_order_is_credited_once(made):
    """9 orders are credited to the campaign; those of customers 6, 7 and 9 to no clerk."""
    assert sum(row["credits"] for row in RESPONSES) == 9
    assert sum(row["orders"] for row in made) == 9 - 3
    assert {(row["campaign_id"], row["channel"]) for row in made} == {(PILOT, "hall")}
