"""Customers of a rehearsed season: what they do is planted, and depends on nothing else."""

from datetime import date, datetime, time, timedelta
from statistics import mean

import pytest

from models.synthetic.season import answers, planted, rows
from models.synthetic.season.answers import Memory, Push
from models.synthetic.season.planted import Planted

DAY = date(2009, 5, 4)
NUMBERS = {f"1380000{n:04d}": f"S{n:04d}" for n in range(2000)}
SURE = Planted(1, {("tones", "sms"): 2.0, ("tones", "hall"): 2.0}, {"tones": 0.2})
NEVER = Planted(1, {}, {})


def push(number="13800000001", campaign="tones", channel="sms", wave=1, day=DAY, offer="tone"):
    return Push(campaign, wave, channel, number, offer, day - timedelta(days=1))


def touched(pushes, truth=SURE, memory=None):
    memory = Memory() if memory is None else memory
    return answers.touches(DAY, pushes, NUMBERS, truth, memory), memory


def test_an_order_of_pushes_changes_nothing():
    pushes = [push(number) for number in list(NUMBERS)[:50]]
    assert touched(pushes)[0] == touched(reversed(pushes))[0]


def test_acceptance_is_as_planted_and_falls_with_each_contact_before():
    truth = Planted(3, {("tones", "sms"): 0.3}, {})
    rates = [
        mean(truth.accepts("tones", "sms", 1, who, before) for who in NUMBERS.values())
        for before in range(3)
    ]
    for before, rate in enumerate(rates):
        assert rate == pytest.approx(0.3 * planted.FATIGUE**before, abs=0.025)
    assert not any(truth.accepts("others", "sms", 1, who, 0) for who in NUMBERS.values())


def test_orders_without_a_contact_come_at_the_planted_rate_and_only_once():
    truth = Planted(5, {}, {"tones": 0.2})
    memory = Memory()
    people = sorted(NUMBERS.values())
    found = [
        order
        for n in range(planted.NATURAL_DAYS)
        for order in answers.natural_orders(
            DAY + timedelta(days=n), DAY, people, {"tones": ["tone"]}, truth, memory
        )
    ]
    assert len(found) / len(people) == pytest.approx(0.2, abs=0.025)
    assert len({order.subscriber for order in found}) == len(found)


def test_who_has_ordered_does_not_order_again():
    _, memory = touched([push()])
    accepted = dict(memory.accepted)
    again, _ = touched([push(wave=2)], memory=memory)
    assert list(accepted) == [("tones", "S0001")]
    assert not any(one.accepted for one in again)
    assert memory.accepted == accepted


def test_a_number_that_nobody_holds_is_reached_by_nobody():
    assert touched([push("13999999999")])[0] == []


def test_a_customer_who_does_not_come_to_a_waiting_channel_leaves_no_trace():
    pushes = [push(number, channel="hall") for number in NUMBERS]
    found, memory = touched(pushes)
    assert len(found) / len(pushes) == pytest.approx(planted.REACHED["hall"], abs=0.04)
    assert all(one.reached for one in found)
    assert sum(map(len, memory.contacts.values())) == len(found)


def test_a_list_is_worked_on_the_day_after_and_a_prompt_waits_for_the_customer():
    assert answers.due(push(channel="sms"), SURE) == DAY
    days = {answers.due(push(number, channel="hall"), SURE) for number in NUMBERS}
    assert days == {DAY + timedelta(days=n) for n in range(answers.LISTED_DAYS)}


def test_a_season_without_uplift_has_only_natural_orders(conf):
    truth = planted.planted(conf.campaigns, 7, uplift=0)
    assert set(truth.acceptance.values()) == {0.0}
    assert truth.natural["outbound_ringback"] > 0
    assert truth.natural["tariff_saving"] == 0  # customers change packages by themselves anyway


def test_each_answer_is_delivered_where_the_channel_reports_it(conf):
    words = {
        word: text for text, word in conf.sources["campaign_feedback"].codes["channel"].items()
    }
    truth = Planted(2, {(c, "sms"): 9.0 for c in ("tones", "tariff")}, {})
    pushes = [push(), push("13800000002", campaign="tariff", offer="gprs_5+sms_5")]
    found = answers.touches(DAY, pushes, NUMBERS, truth, Memory())
    natural = answers.NaturalOrder("tones", "tone", "S0003", datetime.combine(DAY, time(10)))
    made = rows.lines(
        found,
        [natural],
        {who: number for number, who in NUMBERS.items()},
        {"tones": "sale", "tariff": "sale"},
        words,
        ["gprs_5", "sms_5"],
        truth,
    )
    assert all(one.accepted for one in found)
    feedback = {cells[1]: cells[6:] for cells in made["campaign_feedback"]}
    assert {name: cells[2:4] for name, cells in feedback.items()} == {
        "tones": ("1", "1"),
        "tariff": ("1", "1"),
    }
    booked = [(cells[3], cells[4]) for cells in made["campaign_order"]]
    assert booked == [("S0002", "GPRS_5"), ("S0002", "SMS_5")]  # the CRM books packages alone
    sent = [cells for cells in made["sms_log"] if cells[2] == "MT"]
    assert sorted(cells[9] for cells in sent) == ["tariff", "tones"]
    ordered = [cells for cells in made["sms_log"] if cells[2] == "MO"]
    assert ("13800000001", "tone") in [(cells[1], cells[6]) for cells in ordered]
    for source, lines in made.items():
        assert {len(cells) for cells in lines} == {len(conf.sources[source].columns)}
