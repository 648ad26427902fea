"""What another rule would have earned: by hand, and against seeded logs whose truth is known."""

from dataclasses import dataclass

import numpy as np
import pytest

from models.learning.off_policy import (
    INVERSE,
    MODEL,
    NORMALISED,
    NOTHING,
    PRODUCTS,
    ROBUST,
    TOO_FEW,
    Log,
    because,
    estimates,
)

COST = 0.1


def log_of(p, made, earned, expected, acceptance=0.0) -> Log:
    """The log of trials × customers with one contact each, all possible."""
    p, made = np.broadcast_to(p, made.shape), made.astype(float)
    each = {"n": np.ones(made.shape), "w": made / p, "a": made * earned / p}
    each["z"] = expected + made * (earned - expected) / p
    products = {name: (each[a] * each[b]).sum(-1) for name, (a, b) in PRODUCTS.items()}
    by_lot = p < 0.5
    return Log(
        made.shape[-1],
        **{name: value.sum(-1) for name, value in each.items()},
        **products,
        contacts=made.shape[-1],
        expected=np.broadcast_to(expected, made.shape).sum(-1),
        lot_contacts=by_lot.sum(-1),
        lot_orders=(by_lot * p * acceptance).sum(-1),
    )


def test_four_contacts_by_hand():
    """Two of four were made: one always (it earns 3), one by a lot of 1 in 4 (it earns 1)."""
    p = np.array([1.0, 0.25, 0.25, 0.25])
    made = np.array([True, True, False, False])
    earned, expected = np.array([3.0, 1.0, 0.0, 0.0]), np.array([2.0, 0.5, 0.5, 1.0])
    found = estimates(log_of(p, made, earned, expected))
    assert found[INVERSE].estimate == (3 + 4) / 4
    assert found[NORMALISED].estimate == (3 + 4) / 5
    assert found[ROBUST].estimate == (2 + 1 + 0.5 + 0.5 * 4 + 0.5 + 1) / 4
    assert found[MODEL].estimate == 1.0
    assert np.isnan(found[MODEL].low)
    spread = np.std([3, 4, 0, 0], ddof=1) / 2
    assert found[INVERSE].error == pytest.approx(spread)


@dataclass(frozen=True)
class World:
    """Rule and night differ for 40 customers in 100; 50 in 100 are drawn among two channels.

    An order earns the customer's worth. `truth`: what a contact of the rule earns on average.
    """

    acceptance: float = 0.08
    drawn: float = 0.5
    worth: float = 30.0

    @property
    def truth(self) -> float:
        return self.acceptance * self.worth - COST

    def logged(self, seed, trials, customers, model=1.0, spread=0.9):
        """Trials of the log, with a model that expects `model` times the true acceptance."""
        parts = [
            vars(self._some((seed, part), 250, customers, model, spread))
            for part in range(trials // 250)
        ]
        fixed = ("customers", "contacts")
        return Log(
            **{
                name: parts[0][name] if name in fixed else np.concatenate([p[name] for p in parts])
                for name in parts[0]
            }
        )

    def _some(self, seed, trials, customers, model, spread):
        draw = np.random.default_rng(seed)
        shape = (trials, customers)
        scale = draw.uniform(1 - spread, 1 + spread, shape)
        apart = draw.random(shape) < 0.4
        p = np.where(apart, self.drawn / 2, 1 - self.drawn / 2)
        made = draw.random(shape) < p
        ordered = draw.random(shape) < self.acceptance
        worth, expected = self.worth * scale, model * self.acceptance
        return log_of(p, made, ordered * worth - COST, expected * worth - COST, self.acceptance)


@pytest.fixture(scope="module")
def logs():
    return World(), World().logged(29, 4000, 4000)  # 32 orders by lot are expected


@pytest.mark.parametrize("estimator", [INVERSE, NORMALISED, ROBUST])
def test_estimates_are_right_on_average(logs, estimator):
    world, log = logs
    found = estimates(log)[estimator].estimate
    off = found.std(ddof=1) / np.sqrt(len(found))
    assert abs(found.mean() - world.truth) < 4 * off


@pytest.mark.parametrize("estimator", [INVERSE, NORMALISED, ROBUST])
def test_intervals_hold_the_truth_95_times_in_100(logs, estimator):
    """Even where only just enough orders are expected of the lot."""
    world, log = logs
    assert (log.lot_orders < 35).all()
    found = estimates(log)[estimator]
    covered = ((found.low <= world.truth) & (world.truth <= found.high)).mean()
    assert 0.94 <= covered <= 0.96


@pytest.mark.parametrize("model", [0.0, 5.0])
def test_a_wrong_model_leaves_the_doubly_robust_estimate_right(model):
    world = World()
    log = world.logged(30, 4000, 1000, model=model)
    found = estimates(log)
    robust = found[ROBUST].estimate
    assert abs(robust.mean() - world.truth) < 4 * robust.std(ddof=1) / np.sqrt(len(robust))
    assert abs(found[MODEL].estimate.mean() - world.truth) > 1  # the model alone is far off


def test_a_good_model_makes_the_doubly_robust_interval_narrower():
    world = World(acceptance=0.5)
    found = {of: estimates(world.logged(31, 500, 1000, model=of)) for of in (1.0, 0.0)}
    good, wrong = found[1.0][ROBUST].error, found[0.0][ROBUST].error
    assert (good < 0.9 * found[1.0][INVERSE].error).mean() > 0.99
    assert good.mean() < wrong.mean()


def test_without_support_or_with_few_orders_by_lot_nothing_is_said():
    whole = dict.fromkeys(Log.__dataclass_fields__, 100.0) | {"customers": 100}
    assert because(Log(**whole)) is None
    assert because(Log(**whole | {"lot_orders": 29})) == TOO_FEW
    assert because(Log(**whole | {"lot_orders": 0, "lot_contacts": 0})) is None
    assert because(Log(**whole | {"customers": 29})) == TOO_FEW
    assert because(Log(**whole | {"n": 0})) == NOTHING
