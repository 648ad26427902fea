"""What an undo puts back, from the histories of tables and the rows of the ledger."""

from datetime import UTC, datetime, timedelta

import pytest

from jobs.undo import attempts, versions_before
from jobs.warehouse.delta_log import Commit
from jobs.warehouse.ledger import (
    COMMITTED,
    FAILED,
    STARTED,
    SUPERSEDED,
    Entry,
    Ledger,
    current_entries,
)
from schemas.errors import ChudianError, ConfigError

START = datetime(2009, 5, 4, tzinfo=UTC)


def history(*notes, operations=()):
    """Commits from version 0, the table's creation, the newest first."""
    made = [Commit(0, "CREATE TABLE", "")]
    for version, note in enumerate(notes, start=1):
        operation = (
            "RESTORE" if note.startswith("undo of") else "OPTIMIZE" if note == "tidy" else "WRITE"
        )
        made.append(Commit(version, operation, "" if note == "tidy" else note))
    return made[::-1]


def entry(run, state, table="ods.bill", day="2009-05-03", minute=0):
    return Entry(
        run,
        "ingest.bill",
        "bill",
        table,
        day,
        state,
        "print",
        committed_at=START + timedelta(minutes=minute),
    )


@pytest.mark.parametrize(
    ("case", "notes", "version"),
    [
        ("its only commit", ["a", "b"], 1),
        ("the first of its commits", ["a", "b", "b", "b"], 1),
        ("the first write of all", ["b"], 0),
        ("what is only tidied afterwards", ["a", "b", "tidy"], 1),
        ("a later run that is undone itself", ["a", "b", "c", "c", "undo of c"], 1),
    ],
)
def test_a_table_goes_back_to_the_version_before_the_run(case, notes, version):
    assert versions_before({"ods.bill": history(*notes)}, "b") == {"ods.bill": version}, case


@pytest.mark.parametrize(
    ("case", "notes"),
    [
        ("the run did not touch it", ["a", "c"]),
        ("no commits at all", []),
        ("put back by an undo that was interrupted", ["a", "b", "undo of b"]),
        ("put back, and written since by the run after the undo", ["a", "b", "undo of b", "c"]),
    ],
)
def test_a_table_is_left_alone(case, notes):
    assert versions_before({"ods.bill": history(*notes)}, "b") == {}, case


@pytest.mark.parametrize(
    ("notes", "last"),
    [(["b", "c"], "c"), (["b", "c", "b"], "c"), (["b", "c", "undo of c", "d"], "d")],
)
def test_what_a_later_run_has_written_is_not_lost(notes, last):
    with pytest.raises(ChudianError) as raised:
        versions_before({"ods.bill": history(*notes)}, "b")
    assert str(raised.value) == (
        f"ods.bill was written again after run b, last by run {last}: undo that one first"
    )


def test_only_what_the_run_committed_is_undone_and_only_once():
    rows = [
        entry("a", COMMITTED),
        entry("b", STARTED),
        entry("b", COMMITTED),
        entry("b", FAILED, day="2009-05-04"),
    ]
    assert attempts(rows, "b") == [rows[2]]
    with pytest.raises(ConfigError, match="run b has been undone already"):
        attempts([*rows, entry("b", SUPERSEDED)], "b")
    with pytest.raises(
        ConfigError, match="no run x has committed anything; the newest runs are a, b"
    ):
        attempts(rows, "x")


def test_after_an_undo_the_commit_before_counts_again():
    rows = [entry("a", COMMITTED), entry("b", COMMITTED, minute=1)]
    key = ("ods.bill", "bill", "2009-05-03")
    assert current_entries(rows)[key][0].run_id == "b"
    ledger = Ledger("undoing", "print")
    ledger.supersede(rows[1])
    undone = Entry(**{**ledger.entries()[0]})
    assert (undone.run_id, undone.state, undone.message) == ("b", SUPERSEDED, "undone by undoing")
    assert current_entries([*rows, undone])[key][0].run_id == "a"
    assert current_entries([rows[1], undone]) == {}
    assert current_entries([*rows, undone, entry("c", COMMITTED, minute=9)])[key][0].run_id == "c"


def test_a_later_run_reads_what_stands():
    ledger = Ledger("later", "print")
    ledger.learn([entry("a", COMMITTED), entry("b", COMMITTED), entry("b", SUPERSEDED)])
    assert ledger.entry("ods.bill", "2009-05-03", "bill").run_id == "a"


@pytest.mark.parametrize(
    ("since", "why"),
    [
        ([], None),
        ([("b", STARTED)], "the run b was stopped midway"),
        ([("b", STARTED), ("b", FAILED)], None),
        ([("b", STARTED), ("c", STARTED), ("c", FAILED)], "the run b was stopped midway"),
        ([("b", STARTED), ("c", STARTED), ("c", COMMITTED)], None),
        ([("b", STARTED), ("b", SUPERSEDED)], None),
    ],
    ids=[
        "nothing",
        "killed",
        "refused",
        "killed, then refused",
        "killed, then done",
        "killed, then undone",
    ],
)
def test_a_delivery_that_a_killed_run_was_taking_in_again_is_stale(since, why):
    rows = [entry("a", STARTED), entry("a", COMMITTED), *(entry(*one) for one in since)]
    ledger = Ledger("later", "print")
    ledger.learn(rows)
    assert ledger.is_committed("ods.bill", "2009-05-03", "bill")
    assert ledger.stale.get(("ods.bill", "bill"), {}).get("2009-05-03") == why
