"""The step that delivers files comes after all others: one that fails stops none of them."""

from jobs.plan.night import night
from jobs.runtime.parallel import waits_for
from schemas import config
from tests.given.paths import CONF
from tests.given.rows import CONTRACTS


def test_delivery_is_the_last_step_and_waits_for_all_others():
    steps = night(config.load([CONF], CONTRACTS))
    assert steps[-1].name == "deliver"
    assert waits_for(steps)["deliver"] == {step.name for step in steps[:-1]}
