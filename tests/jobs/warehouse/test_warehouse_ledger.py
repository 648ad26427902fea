"""What the ledger says of the attempts of a run, and what a later run reads in it."""

from dataclasses import replace

import pytest

from schemas.errors import ChudianError, QualityError
from schemas.window import Window
from tests.given.warehouse_steps import (
    APRIL,
    CONTACT,
    FIRST,
    MEASURE,
    MONTH,
    SECOND,
    SUBSCRIPTION,
    THIRD,
    event,
    ledger_of,
    snapshot,
    step,
    version,
    write,
)

# -- ledger --------------------------------------------------------------------------------------


def test_the_ledger_tells_of_every_attempt_and_a_later_run_reads_it(opened, frame, root, conf):
    wh = opened(run_id="told")
    write(wh, SUBSCRIPTION, frame(SUBSCRIPTION, *snapshot(SECOND, 1, 2)), SECOND)
    with wh.step(step(reads=[SUBSCRIPTION], writes=[CONTACT, MONTH]), Window(SECOND, THIRD)):
        assert wh.read(SUBSCRIPTION, on=SECOND).count() == 2
        wh.replace(CONTACT, frame(CONTACT, event(THIRD, 1)))
        wh.replace(MONTH, frame(MONTH, {"month": APRIL}))
    wh.close()
    rows = ledger_of(
        root,
        "told",
        "table",
        "slice",
        "state",
        "rows_out",
        "output_version",
        "input_versions",
        "config_fingerprint",
        "message",
    )
    seen = {
        (table, slice_, state): (rows_out, at, inputs)
        for table, slice_, state, rows_out, at, inputs, _, _ in rows
    }
    assert len(seen) == len(rows) == 12
    assert {state for _, _, state in seen} == {"started", "committed"}
    inputs = f'{{"dw.subscription": {version(root, SUBSCRIPTION)}}}'
    at = version(root, CONTACT)
    assert seen[CONTACT, "2009-05-02", "committed"] == (0, at, inputs)
    assert seen[CONTACT, "2009-05-03", "committed"] == (1, at, inputs)
    assert seen[MONTH, "2009-04-01", "committed"] == (1, version(root, MONTH), inputs)
    assert seen[MONTH, "2009-02-01", "committed"] == (0, version(root, MONTH), inputs)
    assert {(row[6], row[7]) for row in rows} == {(conf.fingerprint, None)}

    later = opened(run_id="later")
    entry = later.ledger.entry(SUBSCRIPTION, SECOND)
    assert (entry.run_id, entry.rows_out) == ("told", 2)  # the last committed row counts
    assert later.ledger.slice_at_or_before(SUBSCRIPTION, THIRD) == SECOND


@pytest.mark.parametrize(
    ("run_id", "error", "message"),
    [
        ("stopped", QualityError("one line\nand another"), "one line"),
        ("crashed", ValueError("13800000001 is no number"), "ValueError"),
        ("killed", KeyboardInterrupt(), "KeyboardInterrupt"),
    ],
    ids=["on purpose", "unexpected: its text may hold a value", "interrupted"],
)
def test_a_step_that_stops_leaves_failed_rows_for_what_it_had_not_committed(
    wh, frame, root, run_id, error, message
):
    wh.ledger.run_id = run_id

    def stopped():
        with wh.step(step(writes=[MEASURE, CONTACT]), Window(FIRST, FIRST)):
            wh.append(MEASURE, wh.empty(MEASURE))
            raise error

    with pytest.raises(type(error)):
        stopped()
    assert ledger_of(root, run_id, "table", "state", "message") == [
        (MEASURE, "started", None),
        (CONTACT, "started", None),
        (MEASURE, "committed", None),
        (CONTACT, "failed", message),
    ]
    with pytest.raises(ChudianError, match="inside a step"):
        wh.read(MEASURE)


def test_nothing_is_committed_before_what_was_announced_is_noted(opened, frame, root):
    wh = opened(run_id="announced_first")
    first, second = step(writes=[SUBSCRIPTION]), replace(step(writes=[MONTH]), name="after it")
    day = Window(THIRD, THIRD)
    wh.announce([first, second], day)
    with wh.step(first, day):
        wh.replace(SUBSCRIPTION, frame(SUBSCRIPTION, {}))
        noted = ledger_of(root, "announced_first", "table", "state")
    wh.close()
    assert {table for table, _ in noted} == {SUBSCRIPTION, MONTH}
    assert {state for _, state in noted} == {"started"}


def test_what_could_not_be_noted_is_noted_with_what_follows(opened, frame, root, monkeypatch):
    """The ledger fails once, when two announcements were made: nothing of the first is lost."""
    wh = opened(run_id="noted_later")
    append, failures = wh.tables.append, [OSError("no room")]

    def failing_once(table, rows):
        if failures:
            raise failures.pop()
        append(table, rows)

    monkeypatch.setattr(wh.tables, "append", failing_once)
    first, second = step(writes=[SUBSCRIPTION]), replace(step(writes=[MONTH]), name="after it")
    day = Window(THIRD, THIRD)
    wh.announce([first], day)
    wh.announce([second], day)
    with wh.step(first, day):
        wh.replace(SUBSCRIPTION, frame(SUBSCRIPTION, {}))
    wh.close()
    states = ledger_of(root, "noted_later", "table", "state")
    assert states.count((SUBSCRIPTION, "started")) == 1
    assert states.count((SUBSCRIPTION, "committed")) == 1
    assert {state for table, state in states if table == MONTH} == {"started", "failed"}


def test_what_a_run_announced_and_did_not_reach_failed(opened, frame, root):
    """A step that stops takes the steps after it with it; nothing stays `started`."""
    wh = opened(run_id="halted")
    first, second = step(writes=[SUBSCRIPTION]), replace(step(writes=[MONTH]), name="after it")
    day = Window(THIRD, THIRD)
    wh.announce([first, second], day)
    with pytest.raises(QualityError), wh.step(first, day):
        raise QualityError("too bad")
    wh.close()
    last = {
        (table, slice_): (state, message)
        for table, slice_, state, message in ledger_of(
            root, "halted", "table", "slice", "state", "message"
        )
    }
    assert last.pop((SUBSCRIPTION, str(THIRD))) == ("failed", "too bad")
    assert {table for table, _ in last} == {MONTH}
    assert set(last.values()) == {("failed", "not reached")}
