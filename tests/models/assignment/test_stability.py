"""Values move by two per cent overnight: how many change, with and without a stay bonus."""

import numpy as np

from models.assignment import summary
from models.assignment.assign import planned
from models.assignment.prices import exact_sum
from tests.given.assignment_instances import MICRO, Night, night


def next_night(today: Night, taken: set[tuple[int, int]]) -> Night:
    rng = np.random.default_rng(5)
    offers = [
        [(round(value * rng.uniform(0.98, 1.02)), uses) for value, uses in mine]
        for mine in today.offers
    ]
    return Night(offers, today.slots, today.resources, sticky=taken)


def test_a_small_stay_bonus_keeps_more_customers_and_costs_almost_nothing():
    today = night(4, 4000, branches=8)
    options = today.options()
    first = planned(options).admission.taken
    taken = set(zip(options.chooser[first].tolist(), options.position[first].tolist(), strict=True))
    tomorrow = next_night(today, taken)
    found = {}
    for bonus in (0, MICRO // 20, MICRO // 2):
        options = tomorrow.options(bonus)
        admission = planned(options).admission
        churn = summary.churn(admission)
        assert churn.kept + churn.moved + churn.gone == len(taken)
        assert churn.kept == (admission.taken & options.sticky).sum()
        found[bonus] = churn.moved + churn.gone, exact_sum(options.value[admission.taken])
    changed = [changes for changes, _ in found.values()]
    assert changed == sorted(changed, reverse=True)
    assert changed[-1] < changed[1] < changed[0] < len(taken) // 10
    assert found[MICRO // 20][1] >= 0.9999 * found[0][1]
