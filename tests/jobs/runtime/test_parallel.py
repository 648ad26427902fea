"""Which steps go on at the same time, and what an error among them does."""

import threading

import pytest

from jobs.plan.night import night
from jobs.plan.step import Step
from jobs.runtime import parallel
from schemas import config
from tests.given.paths import ROOT


def step(name, reads=(), writes=()):
    return Step(name, "group", name, tuple(reads), tuple(writes))


def test_a_step_waits_for_what_it_shares_a_table_with():
    steps = (
        step("a", writes=["t"]),
        step("b", reads=["t"], writes=["u"]),
        step("c", writes=["v"]),
        step("d", reads=["u"], writes=["t"]),
        step("e", reads=["v"]),
        step("f", reads=["v"], writes=["w"]),
    )
    assert parallel.waits_for(steps) == {
        "a": set(),
        "b": {"a"},
        "c": set(),
        "d": {"a", "b"},  # it writes what a wrote and b read
        "e": {"a", "b", "c", "d"},  # a report waits for all before it
        "f": {"c"},
    }


def test_in_the_night_a_bill_waits_for_the_subscribers_and_usage_not_for_the_contacts():
    needed = parallel.waits_for(night(config.load([ROOT / "conf"])))
    assert "ingest.subscriber" in needed["ingest.bill"]
    assert "ingest.voice" not in needed["ingest.message"]
    assert needed["usage_day"] >= {"identity", "ingest.voice"}
    assert "contact_view" not in needed["usage_day"]
    assert needed["report"] == set(needed) - {"report", "effects", "deliver"}


def test_as_many_steps_as_may_be_are_under_way_at_once():
    together = threading.Barrier(2, timeout=10)
    parallel.run(
        [step("a", writes=["t"]), step("b", writes=["u"])], lambda _: together.wait(), at_once=2
    )


def test_one_at_once_is_the_order_of_the_plan():
    seen = []
    steps = [step(name, writes=[name]) for name in "abcd"]
    parallel.run(steps, lambda one: seen.append(one.name), at_once=1)
    assert seen == list("abcd")


@pytest.mark.parametrize("error", [ValueError("x"), KeyboardInterrupt()])
def test_after_an_error_nothing_begins_and_what_is_under_way_ends(error):
    other, seen = threading.Event(), []

    def work(one):
        if one.name == "b":
            other.set()
            raise error
        other.wait(10)
        seen.append(one.name)

    with pytest.raises(type(error)):
        parallel.run([step(name, writes=[name]) for name in "abcd"], work, at_once=2)
    assert seen in (["a"], ["a", "c"])
    assert "d" not in seen
