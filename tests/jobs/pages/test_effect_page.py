"""The pages of what campaigns changed, from rows of mart.campaign_result."""

import re
from datetime import date
from decimal import Decimal
from html import unescape

import pytest

from jobs.pages import effect_page
from models.drawing import page
from schemas.config.campaign import Success
from schemas.currency import YUAN
from tests.given.campaigns import campaign
from tests.given.rows import CONTRACTS, rows
from tests.models.evaluation.test_reading import METRICS

SPRING = campaign("spring", name_cn="春季", success=Success("order_rate", 30))
NAMES = CONTRACTS["mart.campaign_result"].column_names


def results(*changes):
    common = {
        "campaign_id": "spring",
        "verdict": "The order rate rose by 3.00 percentage points.",
        "verdict_cn": "订购率提高 3.00 个百分点。",
        "no_verdict_because": None,
        "overlapping": 0,
    }
    made = rows("mart.campaign_result", *({**common, **one} for one in changes))
    return [dict(zip(NAMES, row, strict=True)) for row in made]


def rate(name, value, low, high, *, targets=1000, day=2, **more):
    return {
        "metric": name,
        "role": "tracked",
        "targets": targets,
        "treated_value": Decimal(value),
        "uplift": None,
        "low": Decimal(low),
        "high": Decimal(high),
        "verdict": None,
        "outcome": None,
        "data_date": date(2009, 6, day),
        **more,
    }


TOLD = results(
    {"data_date": date(2009, 6, 1), "uplift": Decimal("0.02")},
    {"data_date": date(2009, 6, 2)},
    rate("contact_rate", "0.9", "0.1", "0.2", day=1),
    rate("contact_rate", "0.4", "0.37", "0.43", overlapping=600),
    rate("success_rate", "0.1", "0.07", "0.14", targets=400),
    rate("refusal_rate", "0.3", "0.25", "0.35", targets=400),
)


def shown(parts):
    return " ".join(re.sub(r"<[^>]*>", " ", unescape(page.page("", parts))).split())


def test_the_overview_has_the_newest_verdict_of_each_campaign():
    text = shown(effect_page.overview(TOLD, {"spring": SPRING}))
    assert "spring 春季 1 2009-06-02 1,000 111 40.0% gain" in text
    assert "订购率提高 3.00 个百分点。" in text
    assert text.count("The order rate rose") == 1


def test_the_page_of_a_campaign_leads_from_targets_to_orders():
    """400 of 1,000 targets were reached, and 40 of these ordered."""
    text = shown(effect_page.of_campaign(TOLD, SPRING, METRICS))
    drawn = unescape(page.page("", effect_page.of_campaign(TOLD, SPRING, METRICS)))
    assert "targets: 1,000" in drawn
    assert "not reached: 400 of 1,000, 600 lost" in drawn
    assert "no order: 40 of 400, 360 lost" in drawn
    assert "reached ÷ targets 400 1,000 40.0% 37.0% to 43.0%" in text


def test_the_effect_is_drawn_with_its_interval_over_time():
    drawn = unescape(page.page("", effect_page.of_campaign(TOLD, SPRING, METRICS)))
    assert "2009-06-01: 2 points (1 to 5)" in drawn
    assert "2009-06-02: 3 points (1 to 5)" in drawn
    assert "2009-06-01 to 2009-06-02" in drawn


def test_what_is_to_be_adjusted_stands_on_both_pages():
    for parts in (
        effect_page.overview(TOLD, {"spring": SPRING}),
        effect_page.of_campaign(TOLD, SPRING, METRICS),
    ):
        text = shown(parts)
        assert "fewer than half of the targets are reached" in text
        assert "more customers refuse than order" in text
        assert "other campaigns treat 600 of 1,000 targets" in text


@pytest.mark.parametrize("reason", sorted(effect_page.ADVICE))
def test_a_reason_without_a_verdict_says_what_to_do(reason):
    silent = results(
        {"no_verdict_because": reason, "outcome": None, "uplift": None, "low": None, "high": None}
    )
    text = shown(effect_page.overview(silent, {"spring": SPRING}))
    assert effect_page.ADVICE[reason] in text
    assert reason.lower().replace("_", " ") in text


def test_a_campaign_of_which_nothing_was_told_asks_for_its_feedback():
    told = results({}, rate("contact_rate", "0", "0", "0.004"))
    assert "look for its feedback" in shown(effect_page.overview(told, {"spring": SPRING}))


def test_without_results_the_pages_say_so():
    assert "no campaign is judged" in shown(effect_page.overview([], {}))
    assert "nothing is judged" in shown(effect_page.of_campaign([], SPRING, METRICS))


def of(table, *changes):
    names = CONTRACTS[table].column_names
    return [dict(zip(names, row, strict=True)) for row in rows(table, *changes)]


def test_the_value_of_another_rule_has_its_interval_or_its_reason():
    values = of(
        "mart.policy_value",
        {"rule": "naive", "estimator": "doubly_robust"},
        {
            "rule": "greedy",
            "estimator": "inverse_propensity",
            "support": Decimal("0.25"),
            "value": None,
            "low": None,
            "high": None,
            "because": "no_support",
        },
    )
    text = shown([effect_page.of_rules(values, YUAN)])
    assert "naive doubly robust 5,200 90% 4,300 12 1.24 0.91 to 1.57" in text
    assert (
        "greedy inverse propensity 5,200 25% 4,300 12 the nights could not have made its contacts"
    ) in text
    assert text.index("greedy") < text.index("naive")


def test_offers_with_an_alarm_stand_first():
    drift = of(
        "mart.acceptance_drift",
        {"campaign_id": "a", "alarm": None},
        {"campaign_id": "z", "orders": 2, "alarm": "accepted_less"},
    )
    text = shown([effect_page.of_drift(drift)])
    assert "z gotone_58 sms 240 14.4 2 3 to 31 less often" in text
    assert text.index("z gotone_58") < text.index("a gotone_58")


@pytest.mark.parametrize("reason", CONTRACTS["mart.policy_value"].column("because").allowed)
def test_each_reason_without_a_value_is_told_in_words(reason):
    row = of("mart.policy_value", {"value": None, "low": None, "high": None, "because": reason})
    assert effect_page.NO_VALUE[reason] in shown([effect_page.of_rules(row, YUAN)])
