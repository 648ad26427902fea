"""Fifty random nights beside HiGHS: its whole optimum when they are small, else its linear one."""

import numpy as np
import pytest

from models.assignment import prices
from models.assignment.assign import planned
from models.assignment.prices import exact_sum
from tests.given.assignment_instances import MICRO, Night, night

SMALL = {
    **{f"plain {i}": {"seed": i, "customers": 60 + 24 * i} for i in range(10)},
    **{f"ties {i}": {"seed": 20 + i, "customers": 60 + 24 * i, "ties": True} for i in range(10)},
    **{f"branches {i}": {"seed": 40 + i, "customers": 150, "branches": 5 + i} for i in range(5)},
    **{f"budgets {i}": {"seed": 50 + i, "customers": 200, "budgets": 1 + i % 2} for i in range(6)},
    **{f"slots {i}": {"seed": 60 + i, "customers": 150, "slots": 3} for i in range(3)},
    **{f"infeasible {i}": {"seed": 70 + i, "customers": 50, "empty": True} for i in range(3)},
    "infeasible branches": {"seed": 73, "customers": 50, "empty": True, "branches": 3},
    "infeasible budgets": {"seed": 74, "customers": 50, "empty": True, "budgets": 2},
}
LARGE = {
    "plain": {"seed": 80, "customers": 5000},
    "plenty": {"seed": 81, "customers": 5000, "scarce": 3.0},
    **{f"branches {i}": {"seed": 82 + i, "customers": 5000, "branches": 20} for i in range(3)},
    "branches with ties": {"seed": 86, "customers": 5000, "branches": 40, "ties": True},
    "branches and budgets": {"seed": 87, "customers": 5000, "branches": 10, "budgets": 2},
    **{f"ties {i}": {"seed": 90 + i, "customers": 5000, "ties": True} for i in range(4)},
    **{f"budgets {i}": {"seed": 94 + i, "customers": 5000, "budgets": 1 + i} for i in range(3)},
    "slots": {"seed": 98, "customers": 5000, "slots": 3},
}


def planned_night(tried: Night):
    """The primal and the bound in yuan, after a look at every limit."""
    options = tried.options()
    plan = planned(options)
    taken = plan.admission.taken
    used = dict.fromkeys((resource.name for resource in tried.resources), 0)
    got = np.zeros(len(tried.offers), dtype=int)
    total = 0
    for chooser, position in zip(options.chooser[taken], options.position[taken], strict=True):
        value, uses = tried.offers[chooser][position]
        assert value > 0
        total += value
        got[chooser] += 1
        for name, units in uses:
            used[name] += units
    assert all(used[resource.name] <= resource.capacity for resource in tried.resources)
    assert (got <= tried.slots).all()
    assert total == exact_sum(options.worth[taken]) <= plan.bound
    return total / MICRO, plan.bound / MICRO, used


def test_the_nights_are_as_many_and_as_various_as_promised():
    both = [*SMALL.values(), *LARGE.values()]
    assert len(both) >= 50
    assert sum("ties" in one for one in both) >= 15
    assert sum("branches" in one for one in both) >= 10
    assert sum("budgets" in one for one in both) >= 10
    assert sum("empty" in one for one in both) >= 5


@pytest.mark.parametrize("name", SMALL)
def test_a_small_night_is_the_optimum_but_for_a_contact_per_binding_row(name):
    tried = night(**SMALL[name])
    primal, bound, used = planned_night(tried)
    best = tried.best_whole()
    binding = sum(used[one.name] >= one.capacity - 4 for one in tried.resources if one.capacity)
    dearest = max((value for offers in tried.offers for value, _ in offers), default=0) / MICRO
    assert primal <= best + 1e-6 <= bound + 2e-6
    assert best - primal <= binding * dearest + 1e-6
    assert best - primal <= 0.002 * best  # far below what the binding rows would allow
    assert bool(primal) == ("empty" not in SMALL[name])


@pytest.mark.parametrize("name", LARGE)
def test_a_large_night_is_near_the_linear_optimum_and_says_how_near(name):
    tried = night(**LARGE[name])
    primal, bound, _ = planned_night(tried)
    best = tried.best_shares()
    near = 0.001 if LARGE[name].get("ties") else 0.0002
    assert primal <= best + 1e-6 <= bound + 2e-6
    assert best - primal <= near * best
    assert bound - primal <= near * bound


def test_prices_from_a_sample_serve_everybody(monkeypatch):
    tried = night(3, 6000, branches=5)
    primal, bound, _ = planned_night(tried)
    monkeypatch.setattr(prices, "SAMPLE", 1500)
    sampled, bound_of_sample, _ = planned_night(tried)
    assert bound_of_sample - sampled <= 0.001 * bound
    assert primal <= bound_of_sample


@pytest.mark.parametrize("ties", [False, True])
def test_a_larger_capacity_never_lowers_the_bound(ties):
    bounds = [
        planned_night(night(7, 1500, ties=ties, branches=5, scarce=scarce))[1]
        for scarce in (0.05, 0.1, 0.2, 0.4, 0.41, 0.6, 0.8, 1.2, 2.0, 4.0)
    ]
    assert bounds == sorted(bounds)
