"""What came of assignments: a table of cases, worked by hand, one customer for each.

Everybody is assigned on the night of 3 May 2008 with a window of 30 days: the answers of 4 May to
2 June count, if they are told until 5 June.
"""

from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from pyspark.sql import functions as F

from models.feedback import assignment, report, response
from tests.given.campaigns import campaign
from tests.given.contact_policies import ZONE
from tests.given.numbered_customers import KEY, identity, subscriber
from tests.given.rows import fits, frame

VALID = {"valid_from": date(2008, 5, 1), "valid_to": date(2008, 7, 1), "valid_days": 30}
CAMPAIGNS = [
    campaign("message", **VALID, priority=2),
    campaign("call", **VALID, priority=1),
    campaign("tone", **VALID, priority=3),
]
NIGHT = "05-03"


def day(text):
    return date.fromisoformat(f"2008-{text}")


def instant(text):
    return datetime.strptime(f"2008-{text}", "%Y-%m-%d %H:%M").replace(tzinfo=ZoneInfo(ZONE))


class Told:
    """Rows of the tables that a case writes."""

    def __init__(self):
        self.decisions, self.withheld, self.contacts, self.outcomes = [], [], [], []
        self.assigned = []
        self.feedback, self.orders, self.events, self.subscriptions = [], [], [], []

    def pushed(self, customer, campaign="message", offer="gotone_58", wave=1, night=NIGHT):
        self.decisions.append(
            {
                "data_date": day(night),
                "customer_id": customer,
                "subscriber_id": subscriber(customer),
                "campaign_id": campaign,
                "offer": offer,
                "wave": wave,
                "fate": "pushed",
            }
        )

    def held(self, customer, scope="campaign", worth="1"):
        self.withheld.append(
            {
                "data_date": day(NIGHT),
                "customer_id": customer,
                "subscriber_id": subscriber(customer),
                "campaign_id": "message",
                "offer": "gotone_58",
                "scope": scope,
                "reduced_value": Decimal(worth),
            }
        )

    def contact(self, customer, when, campaign="message", wave=1):
        self.contacts.append(
            {
                "batch_date": instant(when).date(),
                "contact_id": 100 + len(self.contacts),
                "customer_id": customer,
                "campaign_id": campaign,
                "wave": wave,
                "happened_at": instant(when),
                "state": "made",
            }
        )

    def answer(self, customer, when, number, campaign="message", told=None, **more):
        self.feedback.append(
            {
                "feedback_no": number,
                "campaign_id": campaign,
                "subscriber_no": f"S{customer}",
                "occurred_at": instant(when),
                "local_date": instant(when).date(),
                "batch_date": day(told or when[:5]),
                "source": "feedback",
                **{"viewed": None, "accepted": None, "handled": False, "refusal": None},
                "order_no": None,
                **more,
            }
        )

    def order(self, customer, when, number, package="gotone_58", told=None, **more):
        self.orders.append(
            {
                "order_no": number,
                "campaign_id": "message",
                "subscriber_no": f"S{customer}",
                "package_id": package,
                "occurred_at": instant(when),
                "local_date": instant(when).date(),
                "batch_date": day(told or when[:5]),
                "source": "orders",
                "state": "active",
                **more,
            }
        )

    def package(self, customer, since, until=None, package="gotone_58"):
        self.subscriptions.append(
            {
                "subscriber_id": subscriber(customer),
                "package_id": package,
                "valid_from": day(since),
                "valid_to": until and day(until),
            }
        )

    def event(self, customer, when, kind="transaction", code="ringback_tone", result="success"):
        self.events.append(
            {
                "batch_date": instant(when).date(),
                "contact_id": 500 + len(self.events),
                "customer_id": customer,
                "kind": kind,
                "business_code": code,
                "occurred_at": instant(when),
                "local_date": instant(when).date(),
                "result": result,
            }
        )


def cases():
    told = Told()
    # 1: one contact, one booked order
    told.pushed(1), told.contact(1, "05-04 10:00"), told.order(1, "05-10 11:00", "O1")
    # 2: two orders of the two packages that were offered
    told.pushed(2, offer="gotone_58+gprs_20"), told.contact(2, "05-04 10:00")
    told.order(2, "05-06 11:00", "O2"), told.order(2, "05-20 11:00", "O3", "gprs_20")
    # 3: touched twice; only the subscription tells the order
    told.pushed(3), told.package(3, "05-10")
    told.contact(3, "05-04 10:00"), told.contact(3, "05-08 10:00"), told.contact(3, "05-20 10:00")
    # 4: two campaigns touched him, the call last
    told.pushed(4), told.pushed(4, "call"), told.package(4, "05-12")
    told.contact(4, "05-04 10:00"), told.contact(4, "05-07 10:00", "call")
    # 5: the same, but the order names the message
    told.pushed(5), told.pushed(5, "call"), told.order(5, "05-12 11:00", "O5")
    told.contact(5, "05-04 10:00"), told.contact(5, "05-07 10:00", "call")
    # 6: the order came before the contact
    told.pushed(6), told.order(6, "05-05 09:00", "O6"), told.contact(6, "05-06 10:00")
    # 7: a control customer orders by himself
    told.held(7), told.package(7, "05-20")
    # 8: the order is given back; 21: its package ends in the window
    told.pushed(8), told.contact(8, "05-04 10:00"), told.order(8, "05-10 11:00", "O8")
    told.order(8, "05-10 11:00", "O8", told="05-18", state="cancelled", source="returns")
    told.pushed(21), told.contact(21, "05-04 10:00"), told.package(21, "05-10", "05-20")
    # 9: told late; 10: ordered after the window; 11: ordered before the assignment
    told.pushed(9), told.contact(9, "05-04 10:00"), told.order(9, "05-30 11:00", "O9", told="06-20")
    told.pushed(10), told.order(10, "06-10 11:00", "O10")
    told.pushed(11), told.order(11, "05-03 11:00", "O11")
    # 12: a refusal that is fed back twice
    told.pushed(12), told.contact(12, "05-05 10:00")
    told.outcomes.append(
        {
            "batch_date": day("05-05"),
            "customer_id": 12,
            "outcome": "refused",
            "campaign_id": "message",
            "local_date": day("05-05"),
            "happened_at": instant("05-05 10:00"),
        }
    )
    told.answer(12, "05-05 10:00", "F12", accepted=False)
    told.answer(12, "05-05 10:00", "F13", accepted=False, told="05-06")
    # 13: nobody assigned him; a campaign that never ran; nobody knows the subscriber
    told.answer(13, "05-05 10:00", "F14"), told.answer(1, "05-05 10:00", "F15", "autumn")
    told.answer(99, "05-05 10:00", "F16")
    # 14, 15: a business, ordered at a terminal, and an attempt that failed
    told.pushed(14, "tone", "ringback_tone"), told.event(14, "05-09 10:00")
    told.pushed(15, "tone", "ringback_tone"), told.event(15, "05-09 10:00", result="failed")
    # 16: one order, told by the channel, the CRM and the subscription of the next month
    told.pushed(16), told.contact(16, "05-09 10:00"), told.order(16, "05-10 11:00", "O16")
    told.answer(16, "05-09 10:00", "F17", viewed=True, handled=True, order_no="O16")
    told.package(16, "06-01")
    # 17: a control customer complains; 18, 19: no controls of the campaign
    told.held(17), told.event(17, "05-09 10:00", "complaint", "tariff")
    told.held(18, scope="universal"), told.held(19, worth="-0.5")
    # 20: two waves; a contact that names no wave belongs to the one before it
    told.pushed(20), told.pushed(20, wave=2, night="05-13")
    told.contact(20, "05-15 10:00", wave=None)
    # 22: contacted on the night of the assignment, by an older list
    told.pushed(22), told.contact(22, "05-03 18:00")
    # 23, 24: another system treated the one and kept the other; 98: nobody knows him
    for customer, arm in ((23, "treated"), (24, "control"), (98, "treated")):
        told.assigned.append(
            {
                "campaign_id": "call",
                "subscriber_no": f"S{customer}",
                "arm": arm,
                "offer": "gotone_58",
                "occurred_at": instant("05-03 12:00"),
                "local_date": day(NIGHT),
            }
        )
    told.package(24, "05-20")
    return told


@pytest.fixture(scope="module")
def made(spark):
    """(rows of dw.campaign_response by campaign, wave and customer, reasons by record)."""
    told = cases()
    known = identity(spark, range(1, 30), instant("01-01 00:00"))
    cohort = assignment.assigned(
        frame(spark, "mart.decision", *told.decisions),
        frame(spark, "mart.hold_out", *told.withheld),
        assignment.of_others(frame(spark, "ods.campaign_assignment", *told.assigned), known, KEY),
        CAMPAIGNS,
    ).cache()
    told_of = report.reports(
        frame(spark, "ods.campaign_feedback", *told.feedback),
        frame(spark, "ods.campaign_order", *told.orders),
        known,
        KEY,
    )
    reported = report.judged(told_of, cohort, [one.id for one in CAMPAIGNS]).cache()
    known = response.Told(
        reported,
        frame(spark, "dw.contact_history", *told.contacts),
        frame(spark, "dw.contact_outcome", *told.outcomes),
        frame(spark, "dw.contact_event", *told.events),
        frame(spark, "dw.subscription", *told.subscriptions),
    )
    touched = response.touched(cohort, known).cache()
    rows = response.responses(touched, known, CAMPAIGNS, day("06-30"))
    left_out = fits(report.unmatched(reported, F.lit(True)), "dw.unmatched_response")
    found = {
        (row["campaign_id"], row["wave"], row["customer_id"]): row
        for row in fits(rows, "dw.campaign_response").collect()
    }
    return found, {row["record_no"]: row["reason"] for row in left_out.collect()}


@pytest.mark.parametrize(
    ("customer", "campaign", "orders", "credits", "touches"),
    [
        (1, "message", 1, 1, 1),
        (2, "message", 2, 2, 1),
        (3, "message", 1, 1, 2),
        (4, "message", 1, 0, 1),
        (4, "call", 1, 1, 1),
        (5, "message", 1, 1, 1),
        (5, "call", 1, 0, 1),
        (6, "message", 1, 0, 0),
        (7, "message", 1, 0, 0),
        (8, "message", 0, 0, 1),
        (9, "message", 0, 0, 1),
        (10, "message", 0, 0, 0),
        (11, "message", 0, 0, 0),
        (14, "tone", 1, 0, 0),
        (15, "tone", 0, 0, 0),
        (16, "message", 1, 1, 1),
        (23, "call", 0, 0, 0),
        (24, "call", 1, 0, 0),
        (21, "message", 0, 0, 1),
        (22, "message", 0, 0, 0),
    ],
)
def test_one_order_has_one_credit(made, customer, campaign, orders, credits, touches):
    row = made[0][campaign, 1, customer]
    assert (row["orders"], row["credits"], row["touches"]) == (orders, credits, touches)
    assert (row["ordered"], row["credited"]) == (orders > 0, credits > 0)
    assert (row["ordered_at"] is not None) == row["ordered"]


def test_every_order_is_credited_once_at_most(made):
    """Customers 1, 3, 4, 5, 16: one; 2: two; 6, 7 and 14: no contact came before the order."""
    assert sum(row["credits"] for row in made[0].values()) == 7


def test_what_was_given_back_is_no_order(made):
    returned = {key[2] for key, row in made[0].items() if row["returned"]}
    assert returned == {8, 21}


def test_the_arms_are_who_was_pushed_and_who_would_have_been(made):
    control = {key[2] for key, row in made[0].items() if row["arm"] == "control"}
    assert control == {7, 17, 24}
    assert not {18, 19, 98} & {key[2] for key in made[0]}


def test_windows_begin_on_the_day_after_the_assignment(made):
    row = made[0]["message", 1, 1]
    assert (row["assigned_on"], row["closes_on"], row["told_until"]) == (
        day("05-03"),
        day("06-02"),
        day("06-05"),
    )


def test_answers_are_kept_beside_the_orders(made):
    def who(name):
        return {key[2] for key, row in made[0].items() if row[name]}

    assert who("refused") == {12}
    assert who("viewed") == {16}
    assert who("complained") == {17}
    assert made[0]["message", 1, 3]["first_contact_at"].astimezone() == instant("05-04 10:00")


def test_a_contact_without_a_wave_belongs_to_the_last_one_before_it(made):
    assert [made[0]["message", wave, 20]["contacted"] for wave in (1, 2)] == [False, True]


def test_campaigns_that_share_a_customer_are_counted(made):
    shared = {key[:1] + key[2:]: row["other_campaigns"] for key, row in made[0].items()}
    assert {key for key, count in shared.items() if count} == {
        (name, customer) for name in ("message", "call") for customer in (4, 5)
    }


def test_what_counts_for_no_campaign_is_kept_with_its_reason(made):
    assert made[1] == {
        "F13": "doubled",
        "F14": "not_assigned",
        "F15": "unknown_campaign",
        "F16": "unknown_customer",
        "O9": "late",
        "O10": "after_window",
        "O11": "before_assignment",
    }
