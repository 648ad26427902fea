"""Power against published figures and against the exact distribution; contacts of one night."""

from decimal import Decimal
from itertools import product

import pytest
from scipy.stats import binom

from models.campaign.night_load import contacts
from models.campaign.power import detectable, power


@pytest.mark.parametrize(
    ("low", "high", "each"),
    [
        # Fleiss, Levin and Paik (2003), without correction for continuity: 80 %, two-sided 5 %.
        ("0.10", "0.15", 686),
        ("0.50", "0.60", 388),
        ("0.05", "0.10", 435),
    ],
)
def test_the_sizes_of_the_text_books_have_the_power_that_they_promise(low, high, each):
    assert power(float(low), float(high), each, each) >= 0.8
    assert power(float(low), float(high), each - 2, each - 2) < 0.8


def exact(low, high, controls, treated):
    """The probability that the z-test finds a difference, over all outcomes of two binomials."""
    found = 0.0
    for a, b in product(range(controls + 1), range(treated + 1)):
        pooled = (a + b) / (controls + treated)
        spread = (pooled * (1 - pooled) * (1 / controls + 1 / treated)) ** 0.5
        if spread and abs(b / treated - a / controls) > 1.959963984540054 * spread:
            found += binom.pmf(a, controls, low) * binom.pmf(b, treated, high)
    return found


@pytest.mark.parametrize(
    ("low", "high", "controls", "treated"),
    [(0.2, 0.4, 60, 120), (0.3, 0.35, 80, 150), (0.25, 0.25, 80, 80)],
)
def test_the_formula_is_near_the_exact_power(low, high, controls, treated):
    assert power(low, high, controls, treated) == pytest.approx(
        exact(low, high, controls, treated), abs=0.03
    )


def test_without_an_effect_the_power_is_the_level():
    assert power(0.1, 0.1, 500, 900) == pytest.approx(0.05)


def test_a_group_without_customers_sees_nothing():
    assert power(0.1, 0.9, 0, 100) == 0
    assert detectable(0.1, 100, 0) is None


def test_the_smallest_rise_has_the_power_that_is_wanted():
    rise = detectable(0.05, 200, 1800)
    assert rise is not None
    assert power(0.05, 0.05 + rise, 200, 1800) == pytest.approx(0.8, abs=1e-6)
    assert detectable(0.05, 1, 3) is None


COST = {"hall": Decimal("5.31"), "sms": Decimal("0.10"), "web": Decimal("0.05")}


@pytest.mark.parametrize(
    ("groups", "capacity", "expected"),
    [
        ({}, (1, 1, 1), (0, 0, 0)),
        ({("sms",): 5}, (9, 3, 9), (0, 3, 0)),
        # The cheapest channel first, as far as it reaches.
        ({("hall", "sms", "web"): 10}, (4, 4, 4), (2, 4, 4)),
        # Who may only be met at the web needs its places; the others go to the dear hall.
        ({("hall", "web"): 4, ("web",): 4}, (4, 4, 4), (4, 0, 4)),
        # Every customer once, whatever the capacity.
        ({("sms", "web"): 3, ("hall",): 1}, (9, 9, 9), (1, 0, 3)),
        ({("hall", "sms"): 3, ("sms", "web"): 3, ("hall", "web"): 3}, (0, 2, 3), (0, 2, 3)),
    ],
)
def test_a_night_contacts_as_many_as_it_can_the_cheapest_way(groups, capacity, expected):
    found = contacts(groups, dict(zip(COST, capacity, strict=True)), COST)
    assert tuple(found.values()) == expected
