"""Acceptance learnt from feedback, drawn towards what the campaign configures."""

from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from random import Random

from models.decision.acceptance import acceptance
from tests.given.campaigns import campaign
from tests.given.decisions import BEIJING, DAY
from tests.given.rows import fits, frame, named

WEIGHT = 100


def reported(customer, channel="sms", offer="gotone_58", *, reached=True, source="sms_log"):
    """A reservation that ended, and the contact that was made, as dw.contact_history has them."""
    when = datetime(2009, 5, 3, 10, tzinfo=BEIJING)
    columns = "contact_id customer_id channel campaign_id offer state source happened_at"
    freed = (customer * 10, customer, channel, "tariff", offer, "freed", source, when)
    made = (customer * 10 + 1, customer, channel, "tariff", None, "made", source, when)
    return named(columns, freed, *([made] if reached else []))


def accepted(customer, channel="sms"):
    return named(
        "customer_id channel campaign_id outcome", (customer, channel, "tariff", "accepted")
    )


def learnt(spark, history, outcomes, previous=(), brands=None):
    brands = brands or {}
    numbers = {row["customer_id"] for row in history}
    subscribers = named(
        "subscriber_id customer_id brand join_date",
        *((1000 + n, n, brands.get(n, "gotone"), date(2005, 1, 1)) for n in numbers),
    )
    made = acceptance(
        frame(spark, "mart.acceptance", *previous),
        frame(spark, "dw.contact_history", *history),
        frame(spark, "dw.contact_outcome", *outcomes),
        frame(spark, "dw.subscriber", *subscribers),
        campaigns=[campaign()],
        weight=WEIGHT,
        data_date=DAY,
    )
    return {
        (row.offer, row.channel, row.segment): row
        for row in fits(made, "mart.acceptance").collect()
    }


def test_contacts_and_orders_are_counted_by_offer_channel_and_brand(spark):
    history = [
        *reported(1),
        *reported(2),
        *reported(3, offer="gprs_20"),
        *reported(4, channel="hall"),
        *reported(5),
        *reported(6, reached=False),  # an attempt that reached nobody
        *reported(7, source="expiry", reached=False),  # nothing was heard
    ]
    found = learnt(spark, history, [*accepted(2), *accepted(4, "hall")], brands={5: "mzone"})
    assert {cell: (row.contacts, row.orders) for cell, row in found.items()} == {
        ("gotone_58", "sms", "gotone"): (2, 1),
        ("gprs_20", "sms", "gotone"): (1, 0),
        ("gotone_58", "hall", "gotone"): (1, 1),
        ("gotone_58", "sms", "mzone"): (1, 0),
    }
    row = found["gotone_58", "sms", "gotone"]
    assert (row.rate, row.prior) == (Decimal("0.5"), Decimal("0.2"))
    assert row.pooled_rate == Decimal("0.201923")  # (1 + 100 × 0.2) ÷ 104: all contacts by SMS
    assert row.shrunk_rate == Decimal("0.207768")  # (1 + 100 × 0.201923) ÷ 102
    assert found["gotone_58", "hall", "gotone"].pooled_rate == Decimal("0.306931")


def test_a_night_adds_to_the_counts_before(spark):
    before = named(
        "campaign_id offer channel segment contacts orders",
        ("tariff", "gotone_58", "sms", "gotone", 98, 9),
        ("ended", "gotone_58", "sms", "gotone", 5, 5),  # no campaign any more
    )
    found = learnt(spark, reported(1), accepted(1), before)
    (row,) = found.values()
    assert (row.contacts, row.orders, row.pooled_rate) == (99, 10, Decimal("0.150754"))
    assert row.shrunk_rate == Decimal("0.126007")  # (10 + 100 × 0.150754) ÷ 199


def test_a_campaign_learns_from_all_of_its_offers(spark):
    """Of 10 contacts for each of 40 offers no customer accepts: no offer is thought good."""
    before = named(
        "campaign_id offer channel segment contacts orders",
        *(("tariff", f"offer_{n}", "sms", "gotone", 10, 0) for n in range(40)),
    )
    found = learnt(spark, [], [], before)
    assert {row.pooled_rate for row in found.values()} == {Decimal("0.04")}  # 20 ÷ 500
    assert max(row.shrunk_rate for row in found.values()) == Decimal("0.036364")


def test_without_feedback_there_are_no_rows(spark):
    assert learnt(spark, [], []) == {}


def test_drawn_counts_equal_exact_fractions(spark):
    draw = Random(2009)
    cells = [
        (f"offer_{number}", contacts, draw.randrange(contacts + 1))
        for number, contacts in enumerate(draw.choices([1, 7, 100, 10**6, 10**9], k=60))
    ]
    before = named(
        "campaign_id offer channel segment contacts orders",
        *(
            ("tariff", offer, "sms", "gotone", contacts, orders)
            for offer, contacts, orders in cells
        ),
    )
    found = learnt(spark, [], [], before)
    pooled = drawn(
        sum(orders for *_, orders in cells),
        Fraction(1, 5),
        sum(contacts for _, contacts, _ in cells),
    )
    for offer, contacts, orders in cells:
        row = found[offer, "sms", "gotone"]
        assert row.pooled_rate == pooled
        assert row.shrunk_rate == drawn(orders, Fraction(pooled), contacts)


def drawn(orders, towards, contacts):
    """The exact rate, in millionths."""
    exact = (orders + towards * WEIGHT) / (contacts + WEIGHT)
    return Decimal(int(exact * 10**6 + Fraction(1, 2))).scaleb(-6)
