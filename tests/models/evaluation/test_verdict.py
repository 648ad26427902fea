"""The sentence of a read-out, and the reasons why there is none."""

import pytest

from models.evaluation.guardrail import Guard
from models.evaluation.intervals import (
    Effect,
    difference_of_means,
    difference_of_rates,
    roi,
)
from models.evaluation.sample_ratio import Stage
from models.evaluation.sums import Sums
from models.evaluation.verdict import Cohort, Outcome, Reason, Subject, Unit, verdict

ORDERS = Subject("订购率", "The order rate", Unit.POINTS)
REVENUE = Subject("户均收入", "The revenue per customer", Unit.YUAN)
RETURN = Subject("投资回报率", "The return", Unit.RETURN)
COMPLAINTS = Subject(
    "投诉率", "The complaint rate", Unit.POINTS, lower_is_better=True, margin=0.005
)
HALVES = Cohort([Stage("push", 1000, 1000), Stage("read-out", 1000, 1000)], 0.5)
RISE = Effect(0.08, 0.05, 0.11, 0.0153, 1e-7)


def test_a_gain_is_said_in_both_languages():
    found = verdict(ORDERS, HALVES, RISE)
    assert found.outcome is Outcome.GAIN
    assert found.because is None
    assert found.english == (
        "The order rate rose by 8.00 percentage points (95 % interval 5.00 to 11.00; "
        "1,000 treated, 1,000 control): the campaign works."
    )
    assert found.chinese == (
        "订购率提高 8.00 个百分点（95% 区间 5.00 至 11.00；"
        "目标组 1,000 人，对照组 1,000 人）：活动有效。"
    )


@pytest.mark.parametrize(
    ("low", "high", "lower_is_better", "expected"),
    [
        (-0.11, -0.05, False, Outcome.HARM),
        (-0.11, -0.05, True, Outcome.GAIN),
        (0.05, 0.11, True, Outcome.HARM),
        (-0.01, 0.11, False, Outcome.OPEN),
    ],
)
def test_the_interval_and_the_direction_make_the_outcome(low, high, lower_is_better, expected):
    subject = Subject("指标", "It", Unit.YUAN, lower_is_better)
    assert verdict(subject, HALVES, Effect((low + high) / 2, low, high, 1, 0.5)).outcome is expected


def test_a_fall_is_called_a_fall():
    found = verdict(REVENUE, HALVES, Effect(-1.5, -2, -1, 0.2, 1e-6))
    assert found.english.startswith(
        "The revenue per customer fell by 1.50 yuan (95 % interval -2.00"
    )
    assert found.chinese.startswith("户均收入降低 1.50 元（95% 区间 -2.00 至 -1.00")


def test_an_effect_that_many_campaigns_explain_is_not_claimed():
    assert verdict(ORDERS, HALVES, RISE, claimed=False).outcome is Outcome.OPEN
    assert verdict(ORDERS, HALVES, RISE, claimed=True).outcome is Outcome.GAIN


def test_a_guardrail_names_its_margin():
    found = verdict(COMPLAINTS, HALVES, Effect(0.001, -0.002, 0.004, 0.0015, 0.5))
    assert found.outcome is Guard.KEPT
    assert found.english.endswith("within the margin of 0.5 percentage points.")
    assert found.chinese.endswith("未超出容限 0.5 个百分点。")


@pytest.mark.parametrize(("customers", "expected"), [(100_000, Guard.KEPT), (100, Guard.OPEN)])
def test_no_complaint_at_all_keeps_the_margin_when_customers_are_many(customers, expected):
    nobody = Sums.of_rate(customers, 0)
    given = cohort(customers, customers)
    assert verdict(COMPLAINTS, given, difference_of_rates(nobody, nobody)).outcome is expected


def test_a_return_is_told_as_it_is():
    found = verdict(RETURN, HALVES, Effect(0.25, 0.1, 0.4, 0.07, 1e-4))
    assert found.english.startswith("The return is 25.00 % (95 % interval 10.00 to 40.00;")


def test_a_narrow_interval_has_ends_that_differ():
    found = verdict(ORDERS, HALVES, Effect(3e-5, 2.1e-5, 3.9e-5, 1e-5, 1e-3))
    assert "interval 0.00210 to 0.00390" in found.english


def cohort(treated: int, control: int, **changed) -> Cohort:
    return Cohort([Stage("push", treated, control)], **{"share_treated": 0.5} | changed)


LOST = Cohort([Stage("push", 5000, 5000), Stage("receipt", 4600, 5000)], 0.5)


@pytest.mark.parametrize(
    ("given", "reason", "said"),
    [
        (cohort(0, 100), Reason.NOBODY_TREATED, "nobody was assigned to the campaign"),
        (cohort(100, 0), Reason.NOBODY_IN_CONTROL, "nobody was assigned to the control group"),
        (cohort(100, 900, share_treated=0.9), Reason.SWAPPED, "seem to be swapped at push"),
        (cohort(500, 500, contacted=(2, 480)), Reason.SWAPPED, "seem to be swapped at push"),
        (cohort(500, 500, open_windows=1200), Reason.NOT_MATURED, "windows of 1,200 customers"),
        (
            cohort(60, 39, share_treated=0.6, first_look=100),
            Reason.BEFORE_FIRST_LOOK,
            "the windows of 99 customers have closed, daily looks need 100",
        ),
        (
            LOST,
            Reason.SAMPLE_RATIO,
            "at receipt 4,600 treated and 5,000 control do not fit the planned share of 50.0%",
        ),
    ],
)
def test_there_is_no_verdict_for_a_reason_that_is_said(given, reason, said):
    found = verdict(ORDERS, given, RISE)
    assert (found.outcome, found.because) == (None, reason)
    assert found.english.startswith("No verdict on the order rate: ")
    assert said in found.english
    assert found.chinese.startswith("订购率无结论：")
    assert "{" not in found.chinese + found.english


FLAT = Sums.of([3.0, 3.0, 3.0], 0.0)


@pytest.mark.parametrize(
    ("subject", "effect", "reason"),
    [
        (REVENUE, difference_of_means(FLAT, FLAT), Reason.NO_VARIANCE),
        (ORDERS, difference_of_rates(Sums.of_rate(9, 0), Sums.of_rate(9, 0)), Reason.NO_VARIANCE),
        (RETURN, roi(FLAT, FLAT), Reason.NO_RETURN),
    ],
)
def test_values_that_do_not_vary_give_no_verdict(subject, effect, reason):
    assert verdict(subject, HALVES, effect).because is reason


def test_reached_against_not_reached_is_refused():
    given = cohort(500, 500, grouped_by="reached")
    with pytest.raises(ValueError, match="parted by 'reached'; expected 'assignment'"):
        verdict(ORDERS, given, RISE)
