"""What customers did around their assignment, counted from few contacts."""

from datetime import UTC, date, datetime, timedelta

import pytest

from models.channel_effect import counted
from tests.given.rows import frame

DAY, ASSIGNED = date(2009, 6, 10), date(2009, 5, 3)


def assigned(customer, arm="treated", campaign="blast", channel="sms", on=ASSIGNED, offers=()):
    return {
        "data_date": DAY,
        "campaign_id": campaign,
        "wave": 1,
        "customer_id": customer,
        "subscriber_id": customer + 1000,
        "arm": arm,
        "assigned_on": on,
        "offers": list(offers),
        "channel": channel,
    }


def contact(customer, days, channel, kind="query", business=None, hour=9, **more):
    day = ASSIGNED + timedelta(days=days)
    return {
        "contact_id": contact.number.__next__(),
        "customer_id": customer,
        "direction": "in",
        "channel": channel,
        "kind": kind,
        "business_code": business,
        "local_date": day,
        "occurred_at": datetime(day.year, day.month, day.day, hour - 8, 30, tzinfo=UTC),
        "about_channel": None,
        **more,
    }


contact.number = iter(range(1, 1000))
PAY = ("payment",)
RESPONSES = [
    assigned(1),
    assigned(2, arm="control"),
    assigned(3, channel="web"),
    assigned(4, on=date(2009, 6, 5)),
    assigned(5, campaign="move", channel="web", offers=PAY),
    assigned(6, campaign="move", channel="sms", offers=PAY),
    assigned(7, campaign="move", channel="web", offers=PAY, arm="control"),
    assigned(8, campaign="saving", channel="web", offers=("gotone_58",)),
]
CONTACTS = [
    contact(1, 0, "hotline"),  # the night of the push: before
    contact(1, 1, "hotline", hour=23),
    contact(1, 7, "ivr", hour=14),
    contact(1, 8, "hotline"),  # after the window
    contact(1, -7, "hotline"),  # before it
    contact(1, 2, "web"),
    contact(1, 2, "hotline", direction="out"),
    contact(1, 3, "hall", "complaint", "marketing_sms"),
    contact(1, 3, "hall", "complaint", "network", about_channel="sms"),
    contact(1, 3, "hall", "complaint", "network"),  # another topic
    contact(1, 9, "hall", "complaint", "marketing_sms"),  # too late
    contact(2, 2, "hotline"),
    contact(None, 2, "hotline"),
    contact(5, -3, "hall", "transaction", "payment"),
    contact(5, 3, "hall", "transaction", "payment"),
    contact(5, 4, "hotline", "transaction", "payment"),
    contact(5, 5, "web", "transaction", "gprs"),  # another business
    contact(6, 20, "hall", "transaction", "payment"),
    contact(6, 28, "web", "transaction", "payment"),
    contact(6, 29, "web", "transaction", "payment"),  # after the window
    contact(7, 3, "hall", "transaction", "payment"),
    contact(8, -2, "web"),
    contact(8, 1, "web"),
    contact(8, 28, "wap"),
    contact(8, 5, "sms"),  # no portal
    contact(8, 6, "hall", "complaint", "tariff"),
    contact(8, 7, "hall", "complaint", "tariff"),
    contact(8, 7, "hall", "complaint", "sp"),  # another topic
]


@pytest.fixture(scope="module")
def done(spark):
    cohort = counted.cohorts(
        frame(spark, "dw.campaign_response", *RESPONSES), ["move"], ["saving"], DAY
    )
    return counted.people(cohort, frame(spark, "dw.contact_event", *CONTACTS)).cache()


@pytest.fixture(scope="module")
def of_customer(done):
    return {(row.effect, row.customer_id): row for row in done.collect()}


def test_messages_count_who_was_or_would_have_been_sent_one_with_a_closed_window(of_customer):
    assert set(of_customer) == {
        ("sms_blast", 1),
        ("sms_blast", 2),
        ("sms_blast", 6),
        ("offload", 5),
        ("offload", 6),
        ("offload", 7),
        ("tariff", 8),
    }


def test_calls_are_counted_in_the_window_before_and_after(of_customer):
    row = of_customer["sms_blast", 1]
    assert (row.calls_before, row.calls_after) == (1, 2)  # seven days each, from the day after
    assert {hour: calls for hour, calls in enumerate(row.hours) if calls} == {14: 1, 23: 1}
    assert (of_customer["sms_blast", 2].calls_after, of_customer["sms_blast", 2].arm) == (
        1,
        "control",
    )


def test_a_complaint_counts_if_topic_and_window_match(of_customer):
    assert of_customer["sms_blast", 1].complaints == 2


def test_visits_and_complaints_about_tariffs_are_counted(of_customer):
    row = of_customer["tariff", 8]
    assert (row.browsed_before, row.browsed_after, row.tariff_complaints) == (1, 2, 2)


def test_transactions_of_the_offer_are_counted_by_where_they_were_made(of_customer):
    found = {
        number: tuple(
            of_customer["offload", number][f"{name}_{part}"]
            for part in ("before", "after")
            for name in ("done", "electronic", "counter")
        )
        for number in (5, 6, 7)
    }
    assert found == {5: (1, 0, 1, 2, 0, 1), 6: (0, 0, 0, 2, 1, 1), 7: (0, 0, 0, 1, 0, 1)}


def test_the_second_round_is_for_guided_customers_who_still_come(done):
    rows = counted.second_round(done).collect()
    assert [tuple(row) for row in rows] == [("move", 1, 5, 1005, 2, 1)]


def test_both_arms_are_added_up_by_metric(done):
    rows = {
        (row.effect, row.group, row.arm, row.metric, row.part): row
        for row in counted.sums(done).collect()
    }
    calls = rows["sms_blast", "blast|1", "treated", "calls", "all"]
    assert (calls.n, calls.y, calls.yy, calls.x, calls.xy) == (1, 2, 4, 1, 2)
    share = rows["offload", "move|1", "treated", "electronic_share", "after"]
    assert (share.n, share.y, share.x, share.xx) == (2, 1, 4, 8)
    assert rows["guidance", "move|1", "treated", "calls", "all"].n == 2
    complaints = rows["sms_blast", "blast|1", "treated", "complaint_rate", "all"]
    assert (complaints.n, complaints.y) == (1, 1)  # a customer counts once
    complaints = rows["tariff", "saving|1", "treated", "complaint_rate", "all"]
    visits = rows["tariff", "saving|1", "treated", "visits", "all"]
    assert (complaints.y, visits.y, visits.x) == (1, 2, 1)
    assert sum(part[:2] == ("sms_blast", "blast|1") for part in rows) == 2 * 26
