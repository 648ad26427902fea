"""Ctrl-C and TERM: what is said, the exit code, and how the steps under way end."""

import signal
import threading
from types import SimpleNamespace

import pytest

from jobs.plan.step import Step
from jobs.runtime import parallel, stopping, walk
from jobs.runtime.lock import guarded, logged
from jobs.runtime.stopping import Stopped
from jobs.warehouse.ledger import COMMITTED, FAILED, STARTED, Ledger
from schemas.errors import ChudianError

ENDS = [(signal.SIGINT, 130, "Ctrl-C"), (signal.SIGTERM, 143, "TERM")]


@pytest.mark.parametrize(("number", "code", "name"), ENDS)
def test_a_command_that_is_stopped_says_so_and_how_to_go_on(capsys, number, code, name):
    before = signal.getsignal(number)
    assert guarded(lambda: signal.raise_signal(number)) == code
    assert capsys.readouterr().err == (
        f"chudian: stopped by {name}; what was committed stays valid; run the same command again, "
        "it goes on with the rest\n"
    )
    assert signal.getsignal(number) == before


@pytest.mark.parametrize("error", [ChudianError("no table"), ValueError("Java is gone")])
def test_an_error_that_follows_from_the_signal_is_not_the_message(capsys, error):
    def stopped():
        try:
            signal.raise_signal(signal.SIGTERM)
        finally:
            raise error

    assert guarded(stopped) == 143
    said = capsys.readouterr().err
    assert said.startswith("chudian: stopped by TERM; ")
    assert said.count("\n") == 1


def test_the_same_signal_twice_leaves_the_end_of_the_run_alone(capsys):
    ended = []

    def stopped():
        try:
            signal.raise_signal(signal.SIGINT)
        finally:
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGTERM)
            ended.append(True)

    assert guarded(stopped) == 130
    assert ended == [True]


def test_a_later_signal_ends_the_process_at_once(monkeypatch):
    watch, raised = stopping.Watch(), []
    monkeypatch.setattr(signal, "raise_signal", raised.append)
    with pytest.raises(Stopped):
        watch.handle(signal.SIGTERM, None)
    monkeypatch.setattr(stopping, "SAME_S", -1)
    before = signal.getsignal(signal.SIGTERM)
    try:
        watch.handle(signal.SIGTERM, None)
        assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    finally:
        signal.signal(signal.SIGTERM, before)
    assert raised == [signal.SIGTERM]


def test_beside_the_main_thread_signals_stay_with_whoever_handles_them():
    before, codes = signal.getsignal(signal.SIGTERM), []
    handlers = []
    aside = threading.Thread(
        target=lambda: codes.append(
            guarded(lambda: handlers.append(signal.getsignal(signal.SIGTERM)))
        )
    )
    aside.start()
    aside.join()
    assert (codes, handlers) == ([0], [before])


def test_after_a_signal_the_steps_under_way_are_cut_short_until_they_end(monkeypatch):
    """A step begins one job after the other: each is cut short, and no further step begins."""
    jobs, begun, cut = [threading.Event() for _ in range(3)], [], []

    def work(step):
        begun.append(step.name)
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
        for job in jobs:
            assert job.wait(10)

    def cut_short():
        jobs[min(len(cut), 2)].set()
        cut.append(True)

    steps = [Step(name, "group", name, (), (name,)) for name in "ab"]
    monkeypatch.setattr(parallel, "CUT_SHORT_S", 0.05)
    assert guarded(lambda: parallel.run(steps, work, 1, cut_short)) == 130
    assert begun == ["a"]
    assert len(cut) >= 3


def test_what_a_run_has_committed_is_counted_without_that_of_earlier_runs():
    earlier, ledger = Ledger("r0", "print"), Ledger("r1", "print")
    earlier.write("ingest.bill", "ods.bill", "2009-05-02", COMMITTED, source="bill")
    ledger.learn(earlier.pending)
    assert walk.committed(ledger) == "nothing of this run is committed"
    for day in ("2009-05-02", "2009-05-03"):
        ledger.write("ingest.bill", "ods.bill", day, STARTED, source="bill")
        ledger.write("ingest.bill", "ods.bill", day, COMMITTED, source="bill")
    assert walk.committed(ledger) == "committed until then: 2 slices of 1 tables"


def test_what_was_not_written_has_failed_for_the_signal():
    ledger = Ledger("r1", "print")
    ledger.write("identity", "dw.subscriber", "2009-05-03", STARTED)
    run = SimpleNamespace(ledger=ledger, warehouse=None)  # Java is gone: no session either
    walk.cut_short(run)
    ledger.fail("not reached", list(ledger.unsettled))
    assert (ledger.pending[-1].state, ledger.pending[-1].message) == (
        FAILED,
        "stopped by a signal",
    )


def test_the_log_of_a_run_holds_that_it_was_stopped(tmp_path):
    with pytest.raises(Stopped), logged(str(tmp_path)):
        raise Stopped
    (log,) = (tmp_path / "_logs").glob("*.log")
    assert "stopped by a signal" in log.read_text(encoding="utf-8")
