"""Campaigns with a target: businesses offered to its customers, and matches of these alone."""

from decimal import Decimal

from schemas.config.campaign import LaterWave, Offer, Worth
from tests.given.campaigns import campaign
from tests.given.decisions import DecisionInputs

EARNS = Worth(saving=Decimal(0), margin=Decimal(1))
CARD = {"hsdpa_card": Offer(Decimal("30")), "mobile_paper": Offer(Decimal("3"))}


def got(rows):
    return {
        (row.customer_id, row.campaign_id, row.wave, row.offer, row.channel)
        for row in rows
        if row.fate == "pushed"
    }


def test_a_business_is_offered_to_the_target_and_the_best_one_wins(spark):
    inputs = DecisionInputs().subscriber(1).subscriber(2).is_target(1, "card").match(2)
    one = campaign("card", type="tariff", offers=CARD, worth=EARNS, channels=("sms",))
    rows = inputs.decide(spark, campaigns=(one,))
    assert {row.customer_id for row in rows} == {1}  # 2 has a match, which is no offer of it
    assert got(rows) == {(1, "card", 1, "hsdpa_card", "sms")}
    best = next(row for row in rows if row.fate == "pushed")
    assert (best.margin, best.saving_value) == (Decimal("90"), Decimal(0))
    assert best.value == Decimal("17.900000")  # 0.2 × 3 × 30 − 0.10
    (other,) = (row for row in rows if row.offer == "mobile_paper")
    assert (other.first_reason, other.winner) == ("LOST_PRIORITY", "card|1|hsdpa_card|sms")


def test_who_has_the_business_is_no_candidate(spark):
    inputs = DecisionInputs().subscriber(1).is_target(1, "card").owns(1, "hsdpa_card")
    one = campaign("card", offers=CARD, worth=EARNS, channels=("sms",))
    assert got(inputs.decide(spark, campaigns=(one,))) == {(1, "card", 1, "mobile_paper", "sms")}


def test_care_reaches_those_in_arrears_and_marketing_does_not(spark):
    inputs = DecisionInputs().subscriber(1, status="arrears")
    inputs.is_target(1, "reminder").is_target(1, "card")
    offers = {"payment_reminder": Offer(Decimal("20"))}
    reminder = campaign("reminder", type="care", offers=offers, worth=EARNS, channels=("sms",))
    card = campaign("card", offers=CARD, worth=EARNS, channels=("hall",))
    rows = inputs.decide(spark, campaigns=(reminder, card))
    assert got(rows) == {(1, "reminder", 1, "payment_reminder", "sms")}
    assert {row.first_reason for row in rows if row.campaign_id == "card"} == {"STATUS"}


def test_a_wave_that_is_due_goes_over_its_own_channels(spark):
    waves = (LaterWave(2, "not_reached", ("hall",)),)
    one = campaign("card", offers=CARD, worth=EARNS, channels=("sms",), later_waves=waves)
    inputs = DecisionInputs()
    for number, wave in ((1, 1), (2, 2)):
        inputs.subscriber(number).is_target(number, "card", wave)
    rows = inputs.decide(spark, campaigns=(one,))
    assert got(rows) == {
        (1, "card", 1, "hsdpa_card", "sms"),
        (2, "card", 2, "hsdpa_card", "hall"),
    }


def test_a_tariff_campaign_with_a_target_takes_its_matches_only(spark):
    inputs = DecisionInputs()
    for number in (1, 2):
        inputs.subscriber(number).match(number)
    inputs.is_target(1, "askers")
    askers = campaign("askers", target="tariff_askers", channels=("sms",))
    rows = inputs.decide(spark, campaigns=(askers, campaign("all", channels=("hall",), priority=2)))
    assert {row.customer_id for row in rows if row.campaign_id == "askers"} == {1}
    assert got(rows) == {
        (1, "askers", 1, "gotone_58", "sms"),
        (2, "all", 1, "gotone_58", "hall"),
    }
