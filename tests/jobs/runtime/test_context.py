"""What a step is given: the parts of the run, its own window, and its source."""

from datetime import date

import pytest

from jobs.plan.step import Step
from jobs.runtime.context import Run
from schemas.errors import ChudianError
from schemas.window import Window

WINDOW = Window(date(2009, 5, 1), date(2009, 5, 3))


@pytest.fixture
def run(conf):
    return Run(conf, *["catalogue", "warehouse", "landing", "outbox", "ledger", "judge"])


def step(name, source=None):
    return Step(name, "ingest", "a step", (), (), source=source)


def test_steps_share_the_run_and_have_windows_of_their_own(run):
    first, second = step("first"), step("second")
    night = run.context(first, WINDOW)
    again = run.context(second, Window(WINDOW.first, WINDOW.first), rebuild=True)
    assert (night.step, night.window, night.day, night.rebuild) == (
        first,
        WINDOW,
        date(2009, 5, 3),
        False,
    )
    assert (again.step, again.day, again.rebuild) == (second, date(2009, 5, 1), True)
    for part in ("conf", "catalogue", "warehouse", "landing", "outbox", "ledger", "judge"):
        assert getattr(night, part) is getattr(again, part) is getattr(run, part)


def test_a_step_that_ingests_has_the_source_of_the_configuration(run, conf):
    assert run.context(step("ingest.voice", "voice"), WINDOW).source is conf.sources["voice"]
    with pytest.raises(ChudianError, match="^identity ingests no source$"):
        _ = run.context(step("identity"), WINDOW).source
