"""Sample ratio, guardrails, power, many campaigns, daily looks and segments, by hand."""

import numpy as np
import pytest
from scipy import stats

from models.evaluation.campaigns import claimed
from models.evaluation.guardrail import Guard, guard
from models.evaluation.intervals import Effect, difference_of_means
from models.evaluation.looks import at_look
from models.evaluation.power import customers_needed, power, smallest_effect
from models.evaluation.sample_ratio import Stage, first_broken, is_broken, is_swapped, p_of_split
from models.evaluation.segments import shrunken
from models.evaluation.sums import Sums

NAN = float("nan")


def effect(low: float, high: float) -> Effect:
    middle = (low + high) / 2
    return Effect(middle, low, high, (high - middle) / stats.norm.ppf(0.975), 0.5)


def test_49_against_51_of_40_000_is_found():
    """By hand: 400² / (40,000 / 4) = 16, which chance exceeds in 6 of 100,000 splits."""
    assert p_of_split(19_600, 20_400, 0.5) == pytest.approx(6.334e-5, rel=1e-3)
    assert is_broken(19_600, 20_400, 0.5)


def test_the_planned_share_decides_and_not_one_half():
    assert not is_broken(90_000, 10_000, 0.9)
    assert is_broken(90_000, 10_000, 0.89)


def test_the_stage_that_lost_rows_is_named():
    stages = [
        Stage("push", 5000, 5000),
        Stage("receipt", 4600, 5000),
        Stage("read-out", 4550, 5000),
    ]
    assert first_broken(stages, 0.5) == stages[1]
    assert first_broken(stages[:1], 0.5) is None


def test_swapped_arms_are_told_from_lost_rows():
    assert is_swapped(Stage("push", 1000, 9000), 0.9)
    assert not is_swapped(Stage("push", 5000, 5000), 0.9)
    assert not is_swapped(Stage("push", 9000, 1000), 0.9)


@pytest.mark.parametrize("share", [0, 1])
def test_a_share_that_leaves_an_arm_empty_is_refused(share):
    with pytest.raises(ValueError, match="planned share of treated"):
        p_of_split(1, 1, share)


@pytest.mark.parametrize(
    ("low", "high", "lower_is_better", "expected"),
    [
        (-0.01, 0.004, True, Guard.KEPT),
        (-0.01, 0.006, True, Guard.OPEN),
        (0.001, 0.004, True, Guard.KEPT),
        (0.006, 0.02, True, Guard.BROKEN),
        (-0.004, 0.01, False, Guard.KEPT),
        (-0.02, -0.006, False, Guard.BROKEN),
        (-0.2, 0.2, False, Guard.OPEN),
        (NAN, NAN, True, Guard.OPEN),
    ],
)
def test_a_guardrail_is_kept_when_the_whole_interval_harms_less_than_the_margin(
    low, high, lower_is_better, expected
):
    assert guard(effect(low, high), 0.005, lower_is_better=lower_is_better) is expected


def test_a_guardrail_without_a_margin_is_refused():
    with pytest.raises(ValueError, match="margin of a guardrail is 0"):
        guard(effect(0, 1), 0, lower_is_better=True)


def test_the_customers_needed_are_those_of_the_textbook():
    """2 · (1.96 + .8416)² / .1² = 1,569.8 an arm for a tenth of a standard deviation."""
    assert customers_needed(0.1, 1.0, 0.5) == (1570, 1570)
    assert smallest_effect(1.0, 1570, 1570) == pytest.approx(0.1, rel=1e-3)
    assert power(0.1, 1.0, 1570, 1570) == pytest.approx(0.8, abs=1e-3)


def test_a_bill_before_with_correlation_of_seven_tenths_halves_the_customers():
    treated, _ = customers_needed(0.1, 1.0, 0.5, correlation=0.7)
    assert treated == pytest.approx(1570 * 0.51, abs=1)


def test_power_is_what_simulated_campaigns_find():
    rng = np.random.default_rng(11)
    treated, control = rng.normal(0.3, 1, (4000, 150)), rng.normal(0, 1, (4000, 100))
    found = difference_of_means(Sums.of(treated), Sums.of(control))
    assert power(0.3, 1.0, 150, 100) == pytest.approx((found.p < 0.05).mean(), abs=0.02)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: power(1, 1, 10, 0), "10 treated, 0 control; expected somebody"),
        (lambda: customers_needed(0, 1, 0.5), "effect is 0"),
        (lambda: smallest_effect(0, 5, 5), "variance is 0"),
        (lambda: smallest_effect(1, 5, 5, correlation=1), "correlation is 1"),
    ],
)
def test_power_of_an_impossible_campaign_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_benjamini_hochberg_claims_what_their_paper_claims():
    """Benjamini and Hochberg 1995, section 4.1: the first four of fifteen p-values."""
    p = [.0001, .0004, .0019, .0095, .0201, .0278, .0298, .0344, .0459, .3240, .4262, .5719, .6528,
         .7590, 1.0]  # fmt: skip
    found = claimed({f"campaign {i}": value for i, value in enumerate(p)})
    assert [name for name, holds in found.items() if holds] == [f"campaign {i}" for i in range(4)]


def test_a_campaign_without_a_verdict_is_not_counted_as_tried():
    assert claimed({"a": 0.04, "b": None, "c": NAN}) == {"a": True, "b": False, "c": False}
    assert claimed({}) == {}


def test_the_first_look_has_the_reach_of_robbins():
    """The .95 quantile of chi-square with three degrees of freedom is 7.8147, its root 2.7955."""
    found = at_look(Effect(1.0, 0.0, 2.0, 0.5, 0.05), 100, 100)
    assert found.high - 1 == pytest.approx(0.5 * 2.7955, abs=1e-4)


def test_a_look_excludes_zero_when_its_p_is_below_five_percent():
    for estimate in np.linspace(0.5, 3, 40):
        found = at_look(Effect(estimate, 0.0, 0.0, 0.5, 0.05), 900, 100)
        assert (found.low > 0) == (found.p < 0.05)


def test_a_look_with_fewer_customers_than_the_first_is_refused():
    with pytest.raises(ValueError, match="fewer customers than the first"):
        at_look(effect(0, 1), 99, 100)


def test_equal_segments_become_one_effect():
    found = shrunken({"a": effect(0, 1), "b": effect(0, 1), "c": effect(0, 1)})
    assert {round(e.estimate, 9) for e in found.values()} == {0.5}
    assert found["a"].error < effect(0, 1).error


def test_a_fixed_spread_moves_each_estimate_by_its_share():
    """Errors 1 and spread 1: half-way from 4 and 0 to their mean 2."""
    effects = {"a": Effect(4.0, 2, 6, 1.0, 0.01), "b": Effect(0.0, -2, 2, 1.0, 1.0)}
    found = shrunken(effects, spread=1.0)
    assert [e.estimate for e in found.values()] == pytest.approx([3.0, 1.0])
    assert found["a"].error == pytest.approx(np.sqrt(0.5 + 0.25 * 1.0))


def test_a_segment_of_nobody_keeps_its_fields_and_leaves_the_others():
    empty = Effect(NAN, NAN, NAN, NAN, NAN)
    found = shrunken({"a": effect(0, 1), "b": effect(0, 1), "c": empty})
    assert found["c"] is empty
    assert found["a"].estimate == pytest.approx(0.5)


def test_a_sixth_segment_is_refused():
    with pytest.raises(ValueError, match="6 segments are declared; expected at most 5"):
        shrunken({str(i): effect(0, 1) for i in range(6)})
