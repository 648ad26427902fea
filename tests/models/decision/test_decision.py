"""Decisions of a night: rules, hold-outs, competition, capacity, and counts that add up."""

import hashlib
from collections import Counter
from dataclasses import replace
from datetime import datetime
from decimal import Context, Decimal
from fractions import Fraction

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.contact_policy import hold_out
from models.decision import policy
from schemas.errors import ConfigError
from tests.given.campaigns import campaign
from tests.given.decisions import BEIJING, DAY, DecisionInputs, channels
from tests.given.rows import CONTRACTS


def fates(rows, customer_id):
    return {
        row.channel: (row.fate, list(row.reasons)) for row in rows if row.customer_id == customer_id
    }


def pushed(rows):
    return {row.customer_id: row.channel for row in rows if row.fate == "pushed"}


def drawn(customer_id, salt="2009q2"):
    """The first 60 bits of sha256(salt|customer), computed without the model."""
    digest = hashlib.sha256(f"{salt}|{customer_id}".encode()).hexdigest()
    return int(digest, 16) >> (256 - 60)


def test_the_offer_is_pushed_over_the_first_channel_with_its_value(spark):
    rows = DecisionInputs().subscriber(1).match(1).decide(spark)
    assert fates(rows, 1) == {
        "hotline": ("pushed", []),
        "hall": ("dropped", ["LOST_PRIORITY"]),
        "sms": ("dropped", ["LOST_PRIORITY"]),
    }
    first = next(row for row in rows if row.fate == "pushed")
    assert (first.value, first.first_reason, first.price, first.runner_up) == (
        Decimal("28.000000"),
        None,
        Decimal(0),
        "hall",
    )  # 20 yuan × 3 months × 0.5 − 2.00
    assert {row.runner_up for row in rows if row.fate != "pushed"} == {None}


def test_every_rule_gives_its_reason_in_the_order_of_the_stages(spark):
    midnight = datetime(2009, 5, 4, tzinfo=BEIJING)
    inputs = (
        DecisionInputs()
        .subscriber(1, brand="mzone")
        .match(1, recommended=False, reasons=["BRAND"])
        .subscriber(2)
        .match(2, "gone_package")  # no longer open
        .subscriber(3, brand=None)
        .match(3)  # brand is not known
        .subscriber(4, status="suspended")
        .match(4)
        .subscriber(5, has_number=False)
        .match(5)
        .subscriber(6, number_until=midnight)
        .match(6)  # the number is given up tonight
        .subscriber(8, consent=False)
        .match(8)
        .subscriber(9, consent=None)
        .match(9)  # consent is not known
        .subscriber(10)
        .owns(10, "gotone_58")
        .match(10, recommended=False, reasons=["OWNED"])
        .subscriber(11)
        .match(11, recommended=False, reasons=["BILL_SHOCK"])
        .subscriber(12)
        .match(12, recommended=False, reasons=["BACKTEST"])
        .subscriber(13)
        .match(13, recommended=False, reasons=["BACKTEST", "BILL_SHOCK"])
        .subscriber(14, status="churned", consent=False, brand="mzone")
        .owns(14, "gotone_58")
        .match(14, recommended=False, reasons=["BACKTEST"])
        .subscriber(15)
        .match(15, "gprs_20")  # breaks no rule
        .subscriber(16)
        .owns(16, "gotone_58", end=DAY)
        .match(16)  # the package ended today
        .subscriber(17)
        .match(17, recommended=False)  # no reason is given
    )
    rows = inputs.decide(spark)
    reasons = {row.customer_id: list(row.reasons) for row in rows if row.channel == "hotline"}
    assert reasons == {
        1: ["ELIG"],
        2: ["ELIG"],
        3: ["ELIG"],
        4: ["STATUS"],
        5: ["STATUS"],
        6: ["STATUS"],
        8: ["CONSENT"],
        9: ["CONSENT"],
        10: ["OWNED"],
        11: ["NO_SAVING"],
        12: ["BACKTEST"],
        13: ["NO_SAVING", "BACKTEST"],
        14: ["ELIG", "STATUS", "CONSENT", "OWNED", "BACKTEST"],
        15: [],
        16: [],
        17: ["NO_SAVING"],
    }
    for row in rows:
        assert row.first_reason == (row.reasons[0] if row.reasons else None)
        assert row.fate == "dropped" or row.customer_id in (15, 16)


def test_a_channel_that_requires_a_fact_gets_no_customer_without_it(spark):
    """Customer 1 has it, 2 has it for another channel only, of 3 nothing is known."""
    inputs = DecisionInputs().is_served(1, "hall").is_served(2, "web")
    for number in (1, 2, 3):
        inputs.subscriber(number).match(number)
    room = channels()
    room["hall"] = replace(room["hall"], requires="member.employee")
    made = inputs.decision(spark, room=room)
    assert fates(made.rows, 1)["hall"] == ("dropped", ["LOST_PRIORITY"])
    for number in (2, 3):
        assert fates(made.rows, number)["hall"] == ("dropped", ["CHANNEL"])
        assert fates(made.rows, number)["hotline"] == ("pushed", [])
    assert made.unexplained == []


def test_a_contact_that_costs_more_than_it_brings_is_no_candidate(spark):
    shares = {"sms": Decimal("0.9"), "hotline": Decimal("0.033334"), "hall": Decimal(0)}
    campaigns = (campaign(acceptance=shares),)
    rows = DecisionInputs().subscriber(1).match(1).decide(spark, campaigns=campaigns)
    assert fates(rows, 1) == {
        "sms": ("pushed", []),
        "hotline": ("dropped", ["LOST_PRIORITY"]),  # worth 0.00004 yuan
        "hall": ("dropped", ["NO_SAVING"]),  # worth −5.31 yuan
    }


def test_one_customer_gets_one_offer_with_the_greatest_saving(spark):
    rows = (
        DecisionInputs()
        .subscriber(1)
        .subscriber(2, customer=1)
        .match(1, "gotone_58", "20")
        .match(1, "gprs_20", "25", rank=2)
        .match(2, "gotone_58", "30")
    ).decide(spark)
    keys = Counter((row.customer_id, row.campaign_id, row.offer, row.channel) for row in rows)
    assert set(keys.values()) == {1}
    assert len(keys) == 6
    winner = next(row for row in rows if row.fate == "pushed")
    assert (winner.subscriber_id, winner.offer) == (2, "gotone_58")
    assert {row.first_reason for row in rows if row.offer == "gprs_20"} == {"LOST_PRIORITY"}


def test_a_subscriber_without_reasons_goes_before_one_with_a_greater_saving(spark):
    rows = (
        DecisionInputs()
        .subscriber(1)
        .subscriber(2, customer=1, status="suspended")
        .match(1, saving="20")
        .match(2, saving="30")
    ).decide(spark)
    assert [row.subscriber_id for row in rows if row.fate == "pushed"] == [1]


def test_equal_savings_are_ordered_by_the_rank_of_the_match_then_by_id(spark):
    rows = (
        DecisionInputs()
        .subscriber(1)
        .match(1, "gotone_58", rank=2)
        .match(1, "gprs_20", rank=1)
        .subscriber(2)
        .match(2, "gprs_20", rank=1)
        .match(2, "gotone_58", rank=1)
    ).decide(spark)
    assert {row.customer_id: row.offer for row in rows if row.fate == "pushed"} == {
        1: "gprs_20",
        2: "gotone_58",
    }


def test_the_campaign_with_the_lower_priority_number_goes_first(spark):
    both = (campaign("late", priority=2), campaign("soon", priority=1))
    rows = DecisionInputs().subscriber(1).match(1).decide(spark, campaigns=both)
    assert {(row.campaign_id, row.fate) for row in rows if row.fate == "pushed"} == {
        ("soon", "pushed")
    }
    assert {row.first_reason for row in rows if row.campaign_id == "late"} == {"LOST_PRIORITY"}


def test_a_campaign_ends_before_its_valid_to_day(spark):
    inputs = DecisionInputs().subscriber(1).match(1)
    assert inputs.decide(spark, campaigns=(campaign(valid_to=DAY),)) == []
    assert inputs.decide(spark, campaigns=(campaign(valid_from=DAY),)) != []
    assert inputs.decide(spark, campaigns=()) == []


@pytest.mark.parametrize(("above", "fate"), [(0, "pushed"), (1, "held_out")])
def test_the_share_of_the_control_group_is_exact_to_one_part_in_2_to_the_60(spark, above, fate):
    exact = Context(prec=80).divide(Decimal(drawn(1) + above), Decimal(2**60))
    assert Fraction(exact) == Fraction(drawn(1) + above, 2**60)
    rows = (
        DecisionInputs()
        .subscriber(1)
        .match(1)
        .decide(spark, campaigns=(campaign(control_share=exact),))
    )
    assert fates(rows, 1)["hotline"][0] == fate


def test_a_control_share_of_0_and_of_1():
    assert hold_out.bound(Decimal("0")) == 0
    assert hold_out.bound(Decimal("1")) == 2**60
    assert hold_out.bound(Decimal("0.10")) == -(-(2**60) // 10)


def test_control_customers_are_held_out_on_all_channels_and_before_capacity(spark):
    share = "0.3"
    numbers = range(1, 41)
    inputs = DecisionInputs()
    for number in numbers:
        inputs.subscriber(number, consent=number % 5 > 0).match(number)
        inputs.match(number, "gprs_20", "10")
    eligible = {number for number in numbers if number % 5}
    control = {number for number in eligible if drawn(number) < Fraction(share) * 2**60}
    treated = eligible - control
    assert control
    assert treated
    rows = inputs.decide(
        spark,
        campaigns=(campaign(control_share=Decimal(share)),),
        room=channels(hotline=len(treated)),
    )
    assert pushed(rows) == dict.fromkeys(treated, "hotline")  # the control group uses no capacity
    assert {row.customer_id for row in rows if row.fate == "held_out"} == control
    for number in control:
        mine = [row for row in rows if row.customer_id == number]
        assert {row.first_reason for row in mine} == {"HOLD_ACTIVITY"}
        withheld = [
            (row.offer, row.channel) for row in mine if list(row.reasons) == ["HOLD_ACTIVITY"]
        ]
        assert withheld == [("gotone_58", "hotline")]  # the offer that was withheld
    assert {row.first_reason for row in rows if row.customer_id % 5 == 0} == {"CONSENT"}


def test_a_customer_held_out_of_one_campaign_may_be_in_another(spark):
    held, free = campaign("held", control_share=Decimal(1)), campaign("free", priority=2)
    rows = DecisionInputs().subscriber(1).match(1).decide(spark, campaigns=(held, free))
    assert {row.fate for row in rows if row.campaign_id == "held"} == {"held_out"}
    assert [row.channel for row in rows if row.fate == "pushed"] == ["hotline"]


def crowd(count, **scores):
    """Customers 1..count who save 11, 12, … yuan: a higher number has a higher margin."""
    inputs = DecisionInputs()
    for number in range(1, count + 1):
        inputs.subscriber(number, **scores).match(number, saving=str(10 + number))
    return inputs


def test_a_channel_that_is_exactly_full_spills_nobody(spark):
    rows = crowd(3).decide(spark, room=channels(hotline=3))
    assert pushed(rows) == {1: "hotline", 2: "hotline", 3: "hotline"}
    assert "spilled" not in {row.fate for row in rows}


def test_over_capacity_the_customer_who_loses_least_goes_to_the_next_best_with_room(spark):
    """C7. Of 33 yuan: hotline 14.50, sms 6.50, hall 4.59."""
    rows = crowd(3).decide(spark, room=channels(hotline=2))
    assert pushed(rows) == {1: "sms", 2: "hotline", 3: "hotline"}
    assert fates(rows, 1) == {
        "hotline": ("spilled", ["LOST_CAPACITY"]),
        "sms": ("pushed", []),
        "hall": ("dropped", ["LOST_PRIORITY"]),
    }
    assert {row.customer_id: row.runner_up for row in rows if row.fate == "pushed"} == {
        1: "hotline",
        2: "sms",
        3: "sms",
    }


def test_capacity_0_means_never_and_a_full_last_channel_leaves_the_customer_out(spark):
    rows = crowd(3).decide(spark, room=channels(hotline=0, hall=1, sms=1))
    assert pushed(rows) == {3: "hall", 2: "sms"}
    assert {fate for fate, _ in fates(rows, 1).values()} == {"spilled"}
    assert all(reasons == ["LOST_CAPACITY"] for _, reasons in fates(rows, 1).values())


def test_a_channel_without_capacity_is_refused_by_name(spark):
    with pytest.raises(ConfigError, match="channels.yml: sms: no capacity"):
        DecisionInputs().subscriber(1).match(1).decide(spark, room=channels(sms=None))


def test_neither_the_order_of_rows_nor_the_number_of_partitions_changes_anything(spark):
    inputs = DecisionInputs()
    for number in range(1, 31):  # equal savings: every place is a tie
        inputs.subscriber(number).match(number).match(number, "gprs_20")
    room, campaigns = channels(hotline=7, hall=6, sms=5), (campaign(control_share=Decimal("0.2")),)

    def outcome(partitions):
        decided = inputs.decide(spark, campaigns=campaigns, room=room, partitions=partitions)
        return sorted(decided, key=str)

    first = outcome(1)
    for rows in (inputs.subscribers, inputs.matches, inputs.identity, inputs.preferences):
        rows.reverse()
    assert outcome(7) == first
    assert Counter(row.channel for row in first if row.fate == "pushed") == {
        "hotline": 7,
        "hall": 6,
        "sms": 5,
    }


person = st.fixed_dictionaries(
    {
        "status": st.sampled_from(["active", "active", "active", "arrears"]),
        "consent": st.sampled_from([True, True, True, False]),
        "scores": st.permutations(["0.5", "0.3", "0.02"]).map(
            lambda scores: dict(zip(("hall", "hotline", "sms"), scores, strict=True))
        ),
    }
)
savings = st.lists(st.integers(-5, 60), min_size=2, max_size=2)
limits = st.fixed_dictionaries({name: st.integers(0, 4) for name in ("hall", "hotline", "sms")})


@settings(
    max_examples=6,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(people=st.lists(st.tuples(person, savings), min_size=1, max_size=14), limits=limits)
def test_counts_add_up_and_no_channel_exceeds_its_capacity(spark, people, limits):
    inputs = DecisionInputs()
    for number, (traits, amounts) in enumerate(people, start=1):
        inputs.subscriber(number, **traits)
        for offer, saving in zip(("gotone_58", "gprs_20"), amounts, strict=True):
            inputs.match(
                number,
                offer,
                str(saving),
                recommended=saving >= 5,
                reasons=[] if saving >= 5 else ["NO_SAVING"],
            )
    campaigns = (
        campaign("a", control_share=Decimal("0.25")),
        campaign("b", priority=2, channels=("sms", "hall")),
    )
    rows = inputs.decide(spark, campaigns=campaigns, room=channels(**limits))

    use = Counter(row.channel for row in rows if row.fate == "pushed")
    for one in campaigns:
        for name in one.channels:
            mine = [row for row in rows if (row.campaign_id, row.channel) == (one.id, name)]
            reasons = Counter(row.first_reason for row in mine if row.first_reason)
            ways_out = sum(1 for row in mine if row.fate == "pushed")
            assert len(mine) == 2 * len(people) == ways_out + sum(reasons.values())
            assert set(reasons) <= set(policy.STAGES)
    assert all(use[name] <= limits[name] for name in use)
    assert all(use[row.channel] == limits[row.channel] for row in rows if row.fate == "spilled")
    assert (
        max(Counter(row.customer_id for row in rows if row.fate == "pushed").values(), default=0)
        <= 1
    )
    for row in rows:
        places = [policy.STAGES.index(reason) for reason in row.reasons]
        assert places == sorted(places)
        assert (row.fate == "pushed") == (places == [])


def test_the_stages_are_those_of_the_contract():
    assert CONTRACTS["mart.decision"].column("first_reason").allowed == policy.STAGES


def test_a_whole_alternative_is_offered_if_all_that_is_new_is_open_and_not_all_is_owned(spark):
    inputs = DecisionInputs()
    for number in range(1, 7):
        inputs.subscriber(number)
    inputs.match(1, "gotone_58+gprs_20+kept_only", kind="whole", new=["gotone_58", "gprs_20"])
    inputs.match(2, "gotone_58+gprs_20", kind="whole", new=["gotone_58", "gprs_20"])
    inputs.owns(2, "gotone_58").owns(2, "gprs_20")
    inputs.match(3, "gotone_58+gprs_20", kind="whole", new=["gotone_58", "gprs_20"])
    inputs.owns(3, "gprs_20")
    inputs.match(4, "gotone_58+mzone_18", kind="whole", new=["gotone_58", "mzone_18"])
    # Without a new bundle each change has a row of its own; the present holding changes nothing.
    inputs.match(5, "gotone_58+gprs_20", kind="whole", recommended=False, reasons=["SEPARATE"])
    inputs.match(6, "gotone_58", kind="whole", rank=None, recommended=False, reasons=["OWNED"])
    rows = inputs.decide(spark)
    reasons = {row.customer_id: list(row.reasons) for row in rows if row.channel == "hotline"}
    assert reasons == {1: [], 2: ["OWNED"], 3: [], 4: ["ELIG"]}
    assert {row.offer for row in rows if row.customer_id == 1} == {"gotone_58+gprs_20+kept_only"}
