"""Differences with intervals: values by hand, and those of SciPy from the single values."""

from decimal import Decimal

import numpy as np
import pytest
from scipy import stats

from models.evaluation.intervals import (
    cuped,
    difference_of_means,
    difference_of_rates,
    difference_of_ratios,
    roi,
)
from models.evaluation.sums import Sums, winsor_limit


def test_newcombes_interval_is_that_of_his_paper():
    """Newcombe 1998, table II, case (a), method 10: 56/70 - 48/80 is .0524 to .3339."""
    found = difference_of_rates(Sums.of_rate(70, 56), Sums.of_rate(80, 48))
    assert found.estimate == pytest.approx(0.2)
    assert (found.low, found.high) == pytest.approx((0.0524, 0.3339), abs=5e-5)


def test_none_of_one_arm_against_all_of_the_other_has_an_interval():
    """Newcombe 1998, table II, case (h): 10/10 - 0/10 is .6075 to 1; here with the arms swapped."""
    found = difference_of_rates(Sums.of_rate(10, 0), Sums.of_rate(10, 10))
    assert (found.low, found.high) == pytest.approx((-1.0, -0.6075), abs=5e-5)


def test_treated_minus_control_has_the_sign_of_the_treated():
    more, less = Sums.of([3.0, 4.0, 5.0]), Sums.of([1.0, 2.0, 4.0])
    assert difference_of_means(more, less).estimate > 0 > difference_of_means(less, more).estimate


def test_welch_is_that_of_scipy():
    rng = np.random.default_rng(1)
    treated, control = rng.lognormal(size=40), rng.lognormal(size=25)
    found = difference_of_means(Sums.of(treated), Sums.of(control))
    truth = stats.ttest_ind(treated, control, equal_var=False)
    interval = truth.confidence_interval()
    assert (found.low, found.high, found.p) == pytest.approx(
        (interval.low, interval.high, truth.pvalue)
    )


def test_sums_of_exact_numbers_lose_nothing():
    """A mean of a billion and a spread of one: the squares differ in the nineteenth digit."""
    values = [10**9 + 1, 10**9 + 2, 10**9 + 3]
    squares = sum(value * value for value in values)
    assert Sums(3, sum(values), squares).variance == 1
    assert Sums(np.int64(3), np.int64(sum(values)), squares).variance == 1
    assert Sums(3, Decimal(sum(values)), Decimal(squares)).variance == 1


@pytest.mark.parametrize("of", [difference_of_means, cuped, difference_of_ratios])
def test_without_variance_there_is_no_interval(of):
    flat = Sums.of([2.0, 2.0, 2.0], [1.0, 1.0, 1.0])
    found = of(flat, flat)
    assert np.isnan([found.low, found.high, found.p]).all()


def test_an_arm_of_nobody_gives_no_number():
    assert np.isnan(difference_of_means(Sums.of([1.0, 2.0]), Sums(0, 0, 0)).estimate)
    assert np.isnan(difference_of_rates(Sums.of_rate(9, 1), Sums.of_rate(0, 0)).estimate)


def test_a_ratio_whose_denominator_is_always_one_is_a_mean():
    rng = np.random.default_rng(2)
    treated, control = rng.normal(3, 1, 50), rng.normal(2, 2, 60)
    ones = difference_of_ratios(Sums.of(treated, 1.0), Sums.of(control, 1.0))
    plain = difference_of_means(Sums.of(treated), Sums.of(control))
    assert (ones.low, ones.high) == pytest.approx((plain.low, plain.high))


def test_a_ratio_weighs_units_by_their_denominator():
    """Two customers with 1 of 1 and 0 of 3 calls: a quarter, not the mean of 1 and 0."""
    treated, control = Sums.of([1.0, 0.0], [1.0, 3.0]), Sums.of([0.0, 1.0], [2.0, 2.0])
    assert difference_of_ratios(treated, control).estimate == pytest.approx(0.25 - 0.25)


def test_cuped_takes_out_what_the_bill_before_explains():
    """y = 10 + 2x without noise, and 1 more when treated: theta 2, all that is left is the 1."""
    x, other = np.array([1.0, 2.0, 6.0]), np.array([2.0, 3.0, 9.0])
    found = cuped(Sums.of(11 + 2 * x, x), Sums.of(10 + 2 * other, other))
    assert found.estimate == pytest.approx(1)


def test_cuped_without_a_spread_of_the_bill_before_is_the_plain_difference():
    treated, control = Sums.of([1.0, 4.0, 5.0], 7.0), Sums.of([1.0, 2.0, 2.0], 7.0)
    plain = difference_of_means(treated, control)
    assert cuped(treated, control).low == pytest.approx(plain.low)


def test_roi_of_a_fixed_cost_is_the_interval_of_the_revenue_over_the_cost():
    rng = np.random.default_rng(3)
    revenue, other = rng.normal(12, 3, 500), rng.normal(10, 3, 500)
    found = roi(Sums.of(revenue, 1.0), Sums.of(other, 0.0))
    z, plain = stats.norm.ppf(0.975), difference_of_means(Sums.of(revenue), Sums.of(other))
    assert found.estimate == pytest.approx(plain.estimate / 1.0 - 1)
    assert found.high == pytest.approx(plain.estimate + z * plain.error - 1)


def test_roi_without_a_cost_that_can_be_told_from_nothing_has_no_interval():
    found = roi(Sums.of([5.0, 9.0], [1.0, 0.0]), Sums.of([1.0, 3.0], [0.0, 1.0]))
    assert np.isnan([found.estimate, found.low, found.high]).all()


def test_one_winsor_limit_holds_for_both_arms():
    values = np.arange(1.0, 101.0)
    limit = winsor_limit(values, 0.05)
    assert (values > limit).sum() <= 5
    assert Sums.of([1.0, 500.0], limit=limit).y == 1 + limit


@pytest.mark.parametrize("share", [0, 1, -0.1])
def test_a_winsor_share_that_is_none_is_refused(share):
    with pytest.raises(ValueError, match="expected between 0 and 1"):
        winsor_limit([1.0], share)
