"""Channel preference: who is frequent, who comes first, what the others get."""

from datetime import date, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from models.preference import frequent as preference
from schemas.config import Channel
from tests.given.rows import fits, frame

BEIJING = timezone(timedelta(hours=8))
DAY = date(2009, 5, 3)
COSTS = {"hall": "5.31", "hotline": "2.00", "sms": "0.10", "web": "9.00"}


def channels(costs):
    return {
        name: Channel(id=name, name_cn=name, order=order, unit_cost=Decimal(cost))
        for order, (name, cost) in enumerate(costs.items(), start=1)
    }


def used(
    customer_id, channel, enquiries=0, *, complaints=0, transactions=0, about=0, queries=0, day=1
):
    last = datetime(2009, 5, day, 9, tzinfo=BEIJING)
    contacts = enquiries + complaints + transactions + queries
    return {
        "customer_id": customer_id,
        "channel": channel,
        "contacts": contacts,
        "enquiries": enquiries,
        "complaints": complaints,
        "complaints_about": about,
        "transactions": transactions,
        "queries": queries,
        "successes": contacts,
        "first_contact_at": last,
        "last_contact_at": last,
    }


def person(customer_id, brand="gotone", joined=date(2005, 1, 1), subscriber_id=None):
    return {
        "customer_id": customer_id,
        "subscriber_id": subscriber_id or customer_id * 10,
        "brand": brand,
        "join_date": joined,
    }


def rank(spark, view, people=(), **changes):
    settings = {
        "channels": channels(COSTS),
        "frequent_above": 10,
        "kinds": ["enquiry", "complaint", "transaction"],
        "data_date": DAY,
    }
    ranked = preference.channel_preference(
        frame(spark, "dw.contact_view", *view),
        frame(spark, "dw.subscriber", *people),
        **(settings | changes),
    )
    return fits(ranked, "mart.channel_preference").collect()


def ranking(rows, customer_id=1):
    return [
        row.channel
        for row in sorted(rows, key=lambda row: row["rank"])
        if row.customer_id == customer_id
    ]


def entry(rows, channel, customer_id=1):
    return next(row for row in rows if (row.customer_id, row.channel) == (customer_id, channel))


@pytest.mark.parametrize(("contacts", "basis"), [(11, "frequent"), (10, "prior")])
def test_eleven_contacts_are_scored_and_ten_are_not(spark, contacts, basis):
    rows = rank(spark, [used(1, "hall", contacts - 4), used(1, "sms", 2, transactions=2)])
    assert {row.basis for row in rows} == {basis}
    assert len(rows) == len(COSTS)


def test_only_the_named_kinds_count_toward_the_eleven(spark):
    view = [used(1, "hall", 10, queries=50)]
    assert {row.basis for row in rank(spark, view)} == {"prior"}
    with_queries = rank(spark, view, kinds=["enquiry", "query"])
    assert {row.basis for row in with_queries} == {"frequent"}


def test_the_score_is_the_share_of_the_counted_contacts(spark):
    rows = rank(
        spark,
        [
            used(1, "hall", 2, transactions=1, complaints=1, queries=9),
            used(1, "sms", 8),
        ],
    )
    assert ranking(rows)[:2] == ["sms", "hall"]
    assert entry(rows, "sms").score == Decimal("0.666667")
    assert entry(rows, "hall").score == Decimal("0.333333")
    assert entry(rows, "web").score == 0
    assert (entry(rows, "hall").contacts, entry(rows, "hall").reason) == (
        4,
        "4 of 12 contacts, no complaint",
    )


def test_the_top_share_channel_with_a_complaint_about_it_is_skipped_for_the_next(spark):
    rows = rank(spark, [used(1, "hotline", 9, about=1), used(1, "web", 2), used(1, "hall", 3)])
    assert ranking(rows) == ["hall", "hotline", "web", "sms"]
    assert entry(rows, "hotline").reason == "9 of 14 contacts, 1 complaint about it"


def test_with_a_complaint_about_all_he_used_the_highest_share_is_first(spark):
    rows = rank(spark, [used(1, "hotline", 9, about=1), used(1, "web", 3, about=2)])
    assert ranking(rows)[:2] == ["hotline", "web"]


def test_a_complaint_about_a_channel_never_used_changes_nothing(spark):
    rows = rank(spark, [used(1, "hotline", 12), used(1, "hall", about=1)])
    assert ranking(rows)[0] == "hotline"
    assert entry(rows, "hall").complaints == 1


def test_equal_shares_go_by_recency_then_by_cost_then_by_channel_order(spark):
    assert ranking(
        rank(
            spark,
            [
                used(1, "hall", 6, day=2),
                used(1, "hotline", 6, day=1),
                used(1, "sms", 6, day=1),
            ],
        )
    ) == ["hall", "sms", "hotline", "web"]
    same_cost = channels(dict.fromkeys(COSTS, "1"))
    assert ranking(rank(spark, [used(1, "web", 6), used(1, "sms", 6)], channels=same_cost)) == [
        "sms",
        "web",
        "hall",
        "hotline",
    ]


def test_who_is_not_frequent_gets_what_the_frequent_of_his_brand_prefer_first(spark):
    view = [used(n, "web", 11) for n in (11, 12)] + [used(13, "sms", 20)]
    view += [used(n, "hall", 11) for n in (21, 22, 23, 24)]
    view += [used(1, "hall", 3)]
    people = [person(n) for n in (1, 11, 12, 13)]
    people += [person(n, "mzone") for n in (21, 22, 23, 24)]
    rows = rank(spark, view, people)
    assert ranking(rows) == ["web", "sms", "hall", "hotline"]
    assert (entry(rows, "web").score, entry(rows, "web").basis) == (Decimal("0.666667"), "prior")
    assert entry(rows, "web").reason == (
        "first preference of 2 of 3 frequent customers of segment gotone, no complaint"
    )
    assert entry(rows, "hall").contacts == 3


def test_a_brand_without_frequent_customers_takes_those_of_all_brands(spark):
    rows = rank(spark, [used(11, "hotline", 11)], [person(1, "easyown"), person(2, None)])
    assert ranking(rows, 1)[0] == ranking(rows, 2)[0] == "hotline"
    assert "all segments" in entry(rows, "hotline").reason


def test_with_nobody_frequent_every_channel_weighs_the_same(spark):
    rows = rank(spark, [], [person(1)])
    assert {row.score for row in rows} == {Decimal("0.25")}
    assert ranking(rows) == ["sms", "hotline", "hall", "web"]  # by cost
    assert entry(rows, "sms").reason == "no frequent customer to learn from, no complaint"


def test_the_complaint_rule_holds_for_the_prior_too(spark):
    view = [used(11, "web", 11), used(12, "web", 11), used(13, "sms", 20)]
    view += [used(1, "web", 1, about=1)]
    assert ranking(rank(spark, view))[:2] == ["sms", "web"]


def test_the_segment_is_the_brand_of_the_subscriber_who_joined_first(spark):
    view = [used(11, "web", 11), used(21, "hall", 11)]
    people = [
        person(11, "gotone"),
        person(21, "mzone"),
        person(1, "gotone", date(2008, 1, 1), 1),
        person(1, "mzone", date(2003, 1, 1), 2),
    ]
    assert ranking(rank(spark, view, people))[0] == "hall"


def test_every_customer_of_either_table_has_every_channel_once_and_ranks_without_gap(spark):
    rows = rank(spark, [used(1, "hall", 11), used(2, "web", 1)], [person(2), person(3)])
    for customer_id in (1, 2, 3):
        ranks = sorted(row["rank"] for row in rows if row.customer_id == customer_id)
        assert ranks == [1, 2, 3, 4]
    assert len(rows) == 12
