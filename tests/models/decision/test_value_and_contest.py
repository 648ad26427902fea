"""What a contact is worth, who competes, the last slot, exploration, scarce resources, prices."""

from datetime import datetime
from decimal import Decimal

import pytest

from models.decision import ledger
from schemas.config.campaign import Worth
from tests.given.campaigns import campaign
from tests.given.decisions import BEIJING, VALUE, DecisionInputs, channels, ways
from tests.given.rows import fits, frame

CAPS = {"week": {"limit": 1, "per": "7d"}}


def one(rows, customer, channel, campaign_id="tariff", offer="gotone_58"):
    (row,) = (
        row
        for row in rows
        if (row.customer_id, row.channel, row.campaign_id, row.offer)
        == (customer, channel, campaign_id, offer)
    )
    return row


def got(rows):
    return {
        (row.customer_id, row.campaign_id, row.offer, row.channel)
        for row in rows
        if row.fate == "pushed"
    }


def test_the_parts_of_a_value_stand_beside_it(spark):
    campaigns = (
        campaign(
            acceptance={"hall": Decimal("0.3"), "hotline": Decimal("0.5"), "sms": Decimal("0.2")},
        ),
    )
    inputs = DecisionInputs().subscriber(1).match(1, saving="20", income="-15")
    row = one(inputs.decide(spark, campaigns=campaigns), 1, "hall")
    parts = ("acceptance", "saving_value", "margin", "preference_value", "cost", "value")
    assert {part: str(row[part]) for part in parts} == {
        "acceptance": "0.300000",
        "saving_value": "60.000000",  # 3 months
        "margin": "-45.000000",
        "preference_value": "0.000000",
        "cost": "5.310000",
        "value": "12.690000",
    }


def test_the_levers_of_a_campaign_weigh_saving_and_margin(spark):
    weighted = campaign(worth=Worth(saving=Decimal("0.5"), margin=Decimal("0.2")))
    inputs = DecisionInputs().subscriber(1).match(1, saving="20", income="-15")
    row = one(inputs.decide(spark, campaigns=(weighted,)), 1, "sms")
    assert row.value == Decimal("4.100000")  # 0.2 × (0.5 × 60 − 0.2 × 45) − 0.10


def test_feedback_goes_before_the_configured_acceptance_of_its_cell_only(spark):
    inputs = DecisionInputs().subscriber(1).subscriber(2, brand="mzone")
    inputs.match(1).match(2).accepts("gotone_58", "sms", "0.9")
    rows = inputs.decide(spark)
    assert one(rows, 1, "sms").acceptance == Decimal("0.900000")
    assert one(rows, 1, "hall").acceptance == Decimal("0.300000")
    assert one(rows, 2, "sms").acceptance == Decimal("0.200000")


@pytest.mark.parametrize(("bill", "channel"), [("49.999999", "sms"), ("50", "hall")])
def test_high_value_customers_go_by_preference_and_ordinary_ones_by_cost(spark, bill, channel):
    """8-08, at the boundary. All channels have one acceptance; the customer prefers the hall."""
    even = dict.fromkeys(("hall", "hotline", "sms"), Decimal("0.2"))
    rule = {
        "high_value_from": "50",
        "high_value": {"preference": "20", "cost": "1"},
        "ordinary": {"preference": "0", "cost": "1"},
    }
    scores = {"hall": "0.8", "hotline": "0.1", "sms": "0.1"}
    rows = (
        DecisionInputs()
        .subscriber(1, scores=scores)
        .match(1, bill=bill)
        .decide(spark, campaigns=(campaign(acceptance=even),), value={"channel_rule": rule})
    )
    assert [row.channel for row in rows if row.fate == "pushed"] == [channel]


def test_one_slot_and_three_candidates_the_best_goes_and_the_others_name_it(spark):
    three = tuple(
        campaign(name, acceptance={"sms": Decimal(share)}, channels=("sms",))
        for name, share in (("a", "0.2"), ("b", "0.4"), ("c", "0.3"))
    )
    rows = (
        DecisionInputs()
        .subscriber(1)
        .match(1)
        .decide(spark, campaigns=three, contacts={"caps": CAPS})
    )
    assert got(rows) == {(1, "b", "gotone_58", "sms")}
    for name in ("a", "c"):
        lost = one(rows, 1, "sms", name)
        assert (lost.fate, list(lost.reasons), lost.winner) == (
            "dropped",
            ["CAP_ALL"],
            "b|1|gotone_58|sms",
        )


def test_a_full_cap_drops_a_candidate_and_names_no_winner(spark):
    when = datetime(2009, 5, 1, 10, tzinfo=BEIJING)
    rows = (
        DecisionInputs()
        .subscriber(1)
        .match(1)
        .contacted(1, "sms", when)
        .decide(spark, contacts={"caps": CAPS})
    )
    assert {(row.first_reason, row.winner) for row in rows} == {("CAP_ALL", None)}


def test_cap_0_means_never(spark):
    never = {"never": {"limit": 0, "per": "1d", "channels": ["sms"]}}
    rows = DecisionInputs().subscriber(1).match(1).decide(spark, contacts={"caps": never})
    assert one(rows, 1, "sms").first_reason == "CAP_CHANNEL"
    assert got(rows) == {(1, "tariff", "gotone_58", "hotline")}


def test_an_absent_cap_limits_nothing_but_the_night(spark):
    when = datetime(2009, 5, 3, 10, tzinfo=BEIJING)
    inputs = DecisionInputs().subscriber(1).match(1)
    for _ in range(20):
        inputs.contacted(1, "sms", when)
    assert len(got(inputs.decide(spark))) == 1


def test_an_exempt_class_that_counts_uses_the_slot_of_others(spark):
    when = datetime(2009, 5, 1, 10, tzinfo=BEIJING)
    rows = (
        DecisionInputs()
        .subscriber(1)
        .match(1)
        .contacted(1, "sms", when, **{"class": "care"})
        .decide(spark, contacts={"caps": CAPS})
    )
    assert {row.first_reason for row in rows} == {"CAP_ALL"}


def test_a_preferred_channel_that_is_not_offered_leaves_the_next_best(spark):
    scores = {"hotline": "0.9", "sms": "0.1"}
    rows = (
        DecisionInputs()
        .subscriber(1, scores=scores)
        .match(1)
        .decide(spark, campaigns=(campaign(channels=("hall", "sms")),))
    )
    assert got(rows) == {(1, "tariff", "gotone_58", "hall")}


def test_two_ways_take_one_offer_of_a_story_each(spark):
    """The customer hears the same offer by call and at the counter."""
    inputs = DecisionInputs().subscriber(1).match(1, "gotone_58", "20").match(1, "gprs_20", "19")
    rows = inputs.decide(spark, contacts=ways(hall="pull"))
    assert got(rows) == {
        (1, "tariff", "gotone_58", "hotline"),
        (1, "tariff", "gotone_58", "hall"),
    }
    lost = one(rows, 1, "hall", offer="gprs_20")
    assert (lost.first_reason, lost.winner) == ("LOST_PRIORITY", "tariff|1|gotone_58|hall")


def test_two_ways_do_not_both_take_the_last_slot_of_a_cap(spark):
    inputs = DecisionInputs().subscriber(1).match(1)
    rows = inputs.decide(spark, contacts={**ways(hall="pull"), "caps": CAPS})
    assert got(rows) == {(1, "tariff", "gotone_58", "hotline")}
    assert one(rows, 1, "hall").first_reason == "CAP_ALL"
    two = {"week": {"limit": 2, "per": "7d"}}
    rows = inputs.decide(spark, contacts={**ways(hall="pull"), "caps": two})
    assert len(got(rows)) == 2


def test_campaigns_of_a_family_and_exclusive_ones_share_one_story(spark):
    both = (
        campaign("a", acceptance=dict.fromkeys(("hotline", "hall"), Decimal("0.5"))),
        campaign("b", acceptance=dict.fromkeys(("hotline", "hall"), Decimal("0.6"))),
    )
    both = tuple(
        campaign(one.id, acceptance=one.acceptance, channels=("hotline", "hall")) for one in both
    )
    inputs = DecisionInputs().subscriber(1).match(1)
    free = inputs.decide(spark, campaigns=both, contacts=ways(hall="pull"))
    assert {campaign_id for _, campaign_id, _, _ in got(free)} == {"b"}
    families = {"family": {"campaigns": ["a", "b"], "apart": "30d"}}
    rows = inputs.decide(
        spark, campaigns=both, contacts={**ways(hall="pull"), "families": families}
    )
    assert {(c, ch) for _, c, _, ch in got(rows)} == {("b", "hotline"), ("b", "hall")}
    assert {one(rows, 1, name, "a").winner for name in ("hotline", "hall")} == {
        "b|1|gotone_58|hotline",
        "b|1|gotone_58|hall",
    }


def test_of_equal_priority_the_greater_value_goes_first(spark):
    both = tuple(
        campaign(name, channels=("sms",), acceptance={"sms": Decimal(share)})
        for name, share in (("a", "0.2"), ("b", "0.3"))
    )
    rows = DecisionInputs().subscriber(1).match(1).decide(spark, campaigns=both)
    assert got(rows) == {(1, "b", "gotone_58", "sms")}
    assert one(rows, 1, "sms", "a").first_reason == "LOST_PRIORITY"  # the night's limit, no cap


def test_a_universal_hold_out_comes_before_that_of_a_campaign_and_keeps_its_offer(spark):
    everybody = {"share": "0.999999999999", "salt": "all", "classes": ["marketing"]}
    rows = (
        DecisionInputs()
        .subscriber(1)
        .match(1)
        .decide(
            spark,
            campaigns=(campaign(control_share=Decimal(1)),),
            contacts={"hold_out": everybody},
        )
    )
    assert {row.fate for row in rows} == {"held_out"}
    reasons = {row.channel: list(row.reasons) for row in rows}
    assert reasons == {
        "hotline": ["HOLD_UNIVERSAL", "HOLD_ACTIVITY"],
        "sms": ["HOLD_UNIVERSAL", "HOLD_ACTIVITY", "LOST_PRIORITY"],
        "hall": ["HOLD_UNIVERSAL", "HOLD_ACTIVITY", "LOST_PRIORITY"],
    }


def test_what_was_pushed_on_the_night_before_stays_for_a_few_cents(spark):
    """Two customers of nearly equal gain and one place on the hotline."""
    inputs = DecisionInputs().subscriber(1).match(1, saving="20.02").subscriber(2).match(2)
    campaigns = (campaign(channels=("hotline",)),)
    assert got(inputs.decide(spark, campaigns=campaigns, room=channels(hotline=1))) == {
        (1, "tariff", "gotone_58", "hotline")
    }
    inputs.was_pushed(2, "hotline")
    made = inputs.decision(spark, campaigns=campaigns, room=channels(hotline=1))
    assert got(made.rows) == {(2, "tariff", "gotone_58", "hotline")}
    row = one(made.rows, 2, "hotline")
    assert row.stay_bonus == Decimal("0.050000")
    assert row.reduced_value == row.value + row.stay_bonus - row.price
    churn = made.assignment.summary.churn
    assert (churn.kept, churn.moved, churn.gone, churn.new) == (1, 0, 0, 0)


def test_prices_stand_beside_what_is_used_and_reduce_the_value(spark):
    inputs = DecisionInputs()
    for number in range(1, 5):
        inputs.subscriber(number, branch="east").match(number, saving=str(10 + number))
    campaigns = (campaign(channels=("hotline",)),)
    resources = {
        "branches": {"hotline": {"each": 3}},
        "minutes": {"hotline": {"a_day": 13, "a_contact": 6}},
        "budgets": {"all": {"amount": "100"}},
    }
    made = inputs.decision(spark, campaigns=campaigns, resources=resources)
    assert {customer for customer, *_ in got(made.rows)} == {3, 4}  # 13 minutes: two contacts
    row = one(made.rows, 4, "hotline")
    used = {one.resource: one.units for one in row.prices}
    assert used == {
        "channel:hotline": 1,
        "branch:hotline:east": 1,
        "minutes:hotline": 6,
        "budget:all": 1,  # unit costs of 2 yuan: one unit of money is 2 yuan
    }
    assert row.price == sum(one.price * one.units for one in row.prices)
    assert row.price > 0
    assert row.reduced_value == row.value - row.price
    assert one(made.rows, 1, "hotline").fate == "spilled"


def test_a_branch_with_0_places_gets_none_and_an_unknown_branch_has_its_own(spark):
    inputs = DecisionInputs().subscriber(1, branch="east").subscriber(2, branch="west")
    inputs.subscriber(3)
    for number in (1, 2, 3):
        inputs.match(number)
    rows = inputs.decide(
        spark,
        campaigns=(campaign(channels=("hall",)),),
        resources={"branches": {"hall": {"each": 1, "named": {"east": 0}}}},
    )
    assert {customer for customer, *_ in got(rows)} == {2, 3}
    assert one(rows, 1, "hall").first_reason == "LOST_CAPACITY"


def test_a_budget_pays_the_contacts_of_its_campaigns_only(spark):
    inputs = DecisionInputs()
    for number in (1, 2, 3):
        inputs.subscriber(number).match(number)
    budgets = {"budgets": {"calls": {"amount": "4.01", "channels": ["hotline"]}}}
    made = inputs.decision(spark, resources=budgets)
    assert sorted(channel for *_, channel in got(made.rows)) == ["hall", "hotline", "hotline"]


def explored(rows):
    return {row.customer_id for row in rows if row.explored}


def test_a_share_of_the_customers_has_its_channel_drawn_with_a_logged_propensity(spark):
    inputs = DecisionInputs()
    for number in range(1, 201):
        inputs.subscriber(number).match(number)
    half = {**VALUE["exploration"], "share": "0.5"}
    rows = inputs.decide(spark, value={"exploration": half})
    pushed = {row.customer_id: row for row in rows if row.fate == "pushed"}
    assert len(pushed) == 200
    drawn = explored(rows)
    assert 70 < len(drawn) < 130
    assert {pushed[number].channel for number in drawn} == {"hall", "hotline", "sms"}
    assert {row.channel for row in pushed.values() if row.customer_id not in drawn} == {"hotline"}
    assert {(row.channel, str(row.propensity)) for row in pushed.values()} == {
        ("hotline", "0.666667"),  # 1 − 0.5 + 0.5 ÷ 3: the plan takes the hotline
        ("hall", "0.166667"),
        ("sms", "0.166667"),
    }
    lost = [row for row in rows if row.customer_id in drawn and row.fate != "pushed"]
    assert {row.first_reason for row in lost} == {"LOST_PRIORITY"}
    chosen = [row for row in rows if "optimal" in (row.rules or ())]
    assert {row.channel for row in chosen} == {"hotline"}  # also of those who were drawn
    assert len(chosen) == 200
    assert {str(row.propensity) for row in chosen} == {"0.666667"}
    weighed = {row.customer_id for row in rows if row.fate != "pushed" and row.propensity}
    assert weighed == {number for number in drawn if pushed[number].channel != "hotline"}
    assert all(row.propensity is None for row in rows if row.fate != "pushed" and not row.rules)


def test_a_drawn_customer_whose_ways_share_a_slot_is_drawn_among_all_of_them(spark):
    """A cap leaves one contact a day for two ways: each of three channels has a third of a lot."""
    inputs = DecisionInputs()
    for number in range(1, 201):
        inputs.subscriber(number).match(number)
    rows = inputs.decide(
        spark,
        value={"exploration": {**VALUE["exploration"], "share": "0.5"}},
        contacts={
            **ways(hall="pull"),
            "caps": {"day": {"limit": 1, "per": "calendar_day"}},
        },
    )
    pushed = [row for row in rows if row.fate == "pushed"]
    assert len(pushed) == 200
    by_lot = [row.channel for row in pushed if row.explored]
    assert all(by_lot.count(name) > 15 for name in ("hall", "hotline", "sms"))
    assert {(row.channel, str(row.propensity)) for row in pushed} == {
        ("hotline", "0.666667"),
        ("hall", "0.166667"),
        ("sms", "0.166667"),
    }


def test_what_a_rule_would_choose_is_kept_with_what_an_order_is_worth(spark):
    """Two want the hotline's only place. Naive leaves the second without a contact."""
    inputs = DecisionInputs()
    inputs.subscriber(1).match(1, saving="20").subscriber(2).match(2, saving="30")
    made = inputs.decision(spark, room=channels(hotline=1))
    rows = frame(spark, "mart.decision", *(row.asDict(recursive=True) for row in made.rows))
    kept = fits(ledger.rule_choices(rows, [campaign()]), "mart.rule_choice").collect()
    assert {row.customer_id for row in kept if row.pushed} == {1, 2}
    of_rule = {
        rule: [(row.customer_id, row.channel) for row in kept if rule in row.rules]
        for rule in ("optimal", "greedy", "naive")
    }
    assert sorted(of_rule["optimal"]) == sorted(
        (row.customer_id, row.channel) for row in kept if row.pushed
    )
    assert len(of_rule["naive"]) == 1
    for row in kept:
        assert row.worth == {1: Decimal(60), 2: Decimal(90)}[row.customer_id]


def test_the_funnel_adds_up_and_knows_the_rivals(spark):
    inputs = DecisionInputs()
    for number in range(1, 21):
        inputs.subscriber(number, consent=number % 4 > 0).match(number, saving=str(5 + number))
    made = inputs.decision(
        spark,
        campaigns=(campaign(control_share=Decimal("0.2")),),
        room=channels(hotline=4, hall=2, sms=3),
    )
    assert made.unexplained == []
    by_channel = {}
    for row in made.funnel:
        by_channel[row.channel] = by_channel.get(row.channel, 0) + row.rows
    assert by_channel == dict.fromkeys(("hall", "hotline", "sms"), 20)
    assert {row.reason for row in made.funnel if row.stage == 19} == {"PUSHED"}
    summary = made.assignment.summary
    assert summary.value >= max(summary.rivals.values())
    assert summary.gap >= 0
    assert summary.value == sum(row.value for row in made.rows if row.fate == "pushed")


def test_rows_are_pushed_as_often_as_their_propensity_says_where_channels_are_full(spark):
    """The hotline has room for a quarter of 400 customers, and half of them are drawn."""
    inputs = DecisionInputs()
    for number in range(1, 401):
        inputs.subscriber(number).match(number, saving=str(10 + number % 97))
    half = {**VALUE["exploration"], "share": "0.5"}
    rows = inputs.decide(spark, value={"exploration": half}, room=channels(hotline=100))
    for rule in ("optimal", "greedy", "naive", "margin_order"):
        chosen = [row for row in rows if rule in (row.rules or ())]
        likely = [float(row.propensity) for row in chosen]
        pushed = sum(row.fate == "pushed" for row in chosen)
        spread = sum(p * (1 - p) for p in likely) ** 0.5
        assert abs(pushed - sum(likely)) < 4 * spread + 1, rule
        assert not [row for row in chosen if row.fate == "pushed" and not row.propensity]
