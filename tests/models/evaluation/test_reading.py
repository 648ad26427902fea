"""Read-outs of campaigns from the sums of both arms: when, and what stands in their rows."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import numpy as np
import pytest

from models.campaign import read_out
from models.evaluation import reading
from models.evaluation.reading import Counts, Wave
from schemas.config import HoldOut
from schemas.config.campaign import Success
from schemas.config.metric import metric_of
from tests.given.campaigns import campaign

RESPONSES = {"table": "dw.campaign_response", "at": "ordered_at", "take": "any"}
BILLS = {"table": "ods.bill", "at": "month", "take": "sum", "column": "total"}
EVENTS = {"table": "dw.contact_event", "at": "local_date"}
NAMES = {"name_cn": "指标", "name_en": "The rate"}


def metric(name, numerator, **more):
    entry = {
        **NAMES,
        "unit": "customer",
        "numerator": numerator,
        "denominator": "assigned",
        "window_days": 30,
        "direction": "up",
        "role": "goal",
    }
    return metric_of(name, {**entry, **more})


METRICS = {
    one.id: one
    for one in (
        metric("order_rate", RESPONSES),
        metric("bill", BILLS),
        metric(
            "calls_per_bill", {**EVENTS, "take": "rows"}, denominator={**EVENTS, "take": "rows"}
        ),
        metric(
            "complaint_rate",
            {**EVENTS, "take": "any"},
            direction="down",
            role="guardrail",
            margin=Decimal("0.02"),
        ),
    )
}
LAST_DAY = date(2009, 7, 3)  # the campaign ends before 1 June, 30 days and 3 to settle after 31 May


def spring(**success):
    """A campaign of May that holds out half."""
    return campaign(
        "spring",
        control_share=Decimal("0.5"),
        success=Success("order_rate", 30, **success),
    )


def wave(one=None, treated=1000, control=1000, **more):
    whole = {"known": treated, "received": treated, "contacted": 600, "contacted_ordered": 60}
    arms = {
        "treated": Counts(assigned=treated, **{**whole, **more}),
        "control": Counts(assigned=control, received=control, known=control),
    }
    return Wave(one or spring(), 1, **arms)


def added(arm, y, *, name="order_rate", n=1000, brand="gotone", closed=True, look=None, **more):
    sums = {"y": y, "yy": y, "x": 0, "xx": 0, "xy": 0, "c": 0, "cc": 0, "cy": 0, **more}
    place = {"campaign_id": "spring", "wave": 1, "metric": name, "arm": arm, "brand": brand}
    return {**place, "n": n, "closed": closed, "look": look, **sums}


def read(rows, *, of=None, day=LAST_DAY, earlier=()):
    made = reading.results([of or wave()], reading.samples(rows), METRICS, earlier, day)
    return {(row["metric"], row["segment"]): row for row in made}


ORDERS = [added("treated", 80), added("control", 50)]


def test_a_due_read_out_has_its_value_interval_and_sentence():
    row = read(ORDERS)["order_rate", "all"]
    assert (row["treated_value"], row["control_value"]) == (Decimal("0.08"), Decimal("0.05"))
    assert row["uplift"] == Decimal("0.03")
    # Newcombe's interval of 80 and 50 of 1,000, by hand from the two Wilson intervals
    assert float(row["low"]) == pytest.approx(0.008387, abs=1e-6)
    assert float(row["high"]) == pytest.approx(0.051952, abs=1e-6)
    assert (row["outcome"], row["no_verdict_because"]) == ("gain", None)
    assert row["verdict"].endswith("1,000 treated, 1,000 control): the campaign works.")


def test_before_the_last_window_has_closed_nothing_is_shown():
    row = read(ORDERS, day=LAST_DAY - timedelta(days=1))["order_rate", "all"]
    assert row["no_verdict_because"] == "NOT_MATURED"
    assert (row["treated_value"], row["uplift"], row["p"]) == (None, None, None)
    assert (row["targets"], row["controls"]) == (1000, 1000)


def test_open_windows_are_counted_by_the_night_of_the_assignment():
    """On 2 July 30 days and three to settle have passed since 30 May, not since 31 May."""
    nights = {date(2009, 5, 1): 1000, date(2009, 5, 30): 500, date(2009, 5, 31): 500}
    of = replace(wave(), nights=nights)
    row = read([], of=of, day=LAST_DAY - timedelta(days=1))["order_rate", "all"]
    assert row["open_windows"] == 500
    assert "the windows of 500 customers have not closed" in row["verdict"]
    assert read(ORDERS, of=of)["order_rate", "all"]["open_windows"] == 0


def test_the_days_of_a_read_out_follow_from_the_campaign(conf):
    one = spring()
    assert read_out.due_on(one, 30) == LAST_DAY
    universal = HoldOut(Decimal(0), "all", ("marketing",))
    policy = replace(conf.policy, contacts=replace(conf.policy.contacts, hold_out=universal))
    only = replace(conf, campaigns={"spring": one}, metrics=METRICS, policy=policy)
    assert read_out.judged(only, date(2009, 4, 30)) == []
    assert read_out.judged(only, LAST_DAY) == [one]
    assert read_out.judged(only, LAST_DAY + timedelta(days=8)) == []


def test_all_campaigns_of_a_quarter_are_judged_as_one(conf):
    """The shipped 2 % of the second quarter; its last windows close on 30 July."""
    *_, one = [one for one in read_out.judged(conf, date(2009, 5, 3)) if not one.channels]
    assert (one.id, one.control_share) == ("all_2009q2", Decimal("0.02"))
    assert read_out.due_on(one, 30) == date(2009, 8, 2)
    assert "care_bill" not in [other.id for other in read_out.of_all(conf)]


def test_a_wave_is_read_out_once():
    before = [{**row, "data_date": LAST_DAY} for row in read(ORDERS).values()]
    after = read(ORDERS, day=LAST_DAY + timedelta(days=1), earlier=before)
    assert ("order_rate", "all") not in after
    assert ("contact_rate", "all") in after


@pytest.mark.parametrize(
    ("of", "rows", "because"),
    [
        (wave(treated=0), ORDERS, "NOBODY_TREATED"),
        (wave(control=0), ORDERS, "NOBODY_IN_CONTROL"),
        (wave(treated=800), ORDERS, "SAMPLE_RATIO"),
        (wave(received=700), ORDERS, "SAMPLE_RATIO"),
        (wave(), [added("treated", 0), added("control", 0)], "NO_VARIANCE"),
    ],
)
def test_without_a_sound_comparison_there_is_no_verdict(of, rows, because):
    row = read(rows, of=of)["order_rate", "all"]
    assert (row["no_verdict_because"], row["uplift"], row["outcome"]) == (because, None, None)


def test_the_stage_that_lost_rows_is_named():
    assert (
        "at receipt 700 treated"
        in read(ORDERS, of=wave(received=700))["order_rate", "all"]["verdict"]
    )
    assert (
        "at read-out 600 treated"
        in read(ORDERS, of=wave(known=600))["order_rate", "all"]["verdict"]
    )


def test_arms_that_were_named_the_wrong_way_round_are_found():
    one = campaign("spring", control_share=Decimal("0.1"), success=Success("order_rate", 30))
    row = read(ORDERS, of=wave(one, treated=100, control=900, contacted=60))["order_rate", "all"]
    assert row["no_verdict_because"] == "SWAPPED"


def test_a_ratio_without_a_denominator_says_so():
    one = spring(also=("calls_per_bill",))
    rows = [added(arm, 5, name="calls_per_bill") for arm in ("treated", "control")]
    row = read(rows, of=wave(one))["calls_per_bill", "all"]
    assert row["no_verdict_because"] == "NO_DENOMINATOR"
    assert row["verdict"] == "No verdict on the rate: the denominator of an arm is nothing."
    assert (row["treated_value"], row["control_value"]) == (None, None)


def test_guardrails_are_always_read_out_against_their_margin():
    rows = [added(arm, 5, name="complaint_rate") for arm in ("treated", "control")]
    row = read(ORDERS + rows)["complaint_rate", "all"]
    assert (row["role"], row["outcome"]) == ("guardrail", "kept")


def test_money_comes_with_the_return_on_the_cost_of_contacts():
    """1,000 × 12 yuan against 1,000 × 10; a contact costs 1 yuan: 2,000 gained for 1,000 spent."""
    one = spring(also=("bill",))
    rows = [
        added("treated", 12000, name="bill", yy=149000, c=1000, cc=1001, cy=12000),
        added("control", 10000, name="bill", yy=105000),
    ]
    made = read(ORDERS + rows, of=wave(one))
    assert made["bill", "all"]["uplift"] == 2
    assert made["bill", "all"]["unit"] == "money"
    row = made["roi", "all"]
    assert (row["unit"], row["uplift"]) == ("return", 1)
    assert row["low"] < 1 < row["high"]


def test_declared_segments_are_drawn_towards_the_whole():
    one = spring(segments=("gotone", "mzone"))
    rows = [
        added("treated", 60, n=500),
        added("control", 25, n=500),
        added("treated", 20, n=500, brand="mzone"),
        added("control", 25, n=500, brand="mzone"),
    ]
    made = read(rows, of=wave(one))
    assert made["order_rate", "all"]["uplift"] == Decimal("0.03")
    assert made["order_rate", "gotone"]["targets"] == 500
    assert Decimal("0.03") < made["order_rate", "gotone"]["uplift"] < Decimal("0.07")
    assert Decimal("-0.01") < made["order_rate", "mzone"]["uplift"] < Decimal("0.03")


def test_daily_looks_have_the_wider_interval_of_the_sequence():
    one = spring(read_out="daily")
    early = [added(arm, 2, n=20, look=date(2009, 6, 1)) for arm in ("treated", "control")]
    waiting = read([*early, added("treated", 0, closed=False)], of=wave(one), day=date(2009, 6, 5))
    assert waiting["order_rate", "all"]["no_verdict_because"] == "BEFORE_FIRST_LOOK"
    assert waiting["order_rate", "all"]["treated_value"] is None
    looked = [{**row, "look": date(2009, 6, 2)} for row in ORDERS]
    row = read(early + looked, of=wave(one), day=date(2009, 6, 6))["order_rate", "all"]
    once = read(early + ORDERS)["order_rate", "all"]
    assert row["uplift"] == once["uplift"]
    assert row["high"] - row["low"] > Decimal("1.3") * (once["high"] - once["low"])


def test_many_campaigns_are_claimed_together():
    """An effect with p of .03 is claimed alone, and not beside nine tries that showed nothing."""
    rows = [added("treated", 78), added("control", 54)]
    assert read(rows)["order_rate", "all"]["outcome"] == "gain"
    assert 0.02 < read(rows)["order_rate", "all"]["p"] < 0.05
    tried = {"wave": 1, "metric": "order_rate", "segment": "all", "role": "goal", "p": 0.6}
    earlier = [
        {**tried, "campaign_id": f"other_{n}", "data_date": LAST_DAY, "no_verdict_because": None}
        for n in range(9)
    ]
    assert read(rows, earlier=earlier)["order_rate", "all"]["outcome"] == "open"


def test_rates_of_the_treated_are_followed_with_their_intervals():
    row = read(ORDERS)["contact_rate", "all"]
    assert (row["role"], row["targets"], row["treated_value"]) == ("tracked", 1000, Decimal("0.6"))
    # Wilson's interval of 600 of 1,000
    assert float(row["low"]) == pytest.approx(0.56930, abs=1e-5)
    assert float(row["high"]) == pytest.approx(0.62993, abs=1e-5)
    assert read(ORDERS)["success_rate", "all"]["treated_value"] == Decimal("0.1")
    nobody = read(ORDERS, of=wave(contacted=0))["success_rate", "all"]
    assert (nobody["targets"], nobody["treated_value"]) == (0, None)


def drawn(seed, uplift):
    """One campaign of 800 treated and 400 control customers, of whom 10 % order by themselves."""
    chance = np.random.default_rng(seed)
    counts = chance.binomial(800, 0.1 + uplift), chance.binomial(400, 0.1)
    rows = [
        added(arm, int(count), n=n)
        for arm, count, n in zip(("treated", "control"), counts, (800, 400), strict=True)
    ]
    return read(rows, of=wave(ONE_THIRD, treated=800, control=400))["order_rate", "all"]


ONE_THIRD = campaign("spring", control_share=Decimal(1) / 3, success=Success("order_rate", 30))


def test_a_planted_uplift_is_covered():
    """Of 1,000 campaigns, 93 % at least; an interval of 95 % misses fewer with p < .002."""
    planted = [drawn(seed, 0.05) for seed in range(1000)]
    assert sum(row["low"] <= Decimal("0.05") <= row["high"] for row in planted) >= 930


def test_campaigns_that_change_nothing_seldom_claim_something():
    claims = [drawn(10_000 + seed, 0.0)["outcome"] for seed in range(1000)]
    assert sum(one != "open" for one in claims) <= 70
