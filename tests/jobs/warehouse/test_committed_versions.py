"""Which version of a table a reader beside a run may read, from its history and the ledger."""

import pytest

from jobs.warehouse import delta_log
from jobs.warehouse.delta_log import Commit, newest_recorded
from tests.given.rows import CONTRACTS
from tests.given.stored_tables import appended, made


def commits(*notes):
    """Commits from version 0, the table's creation, the newest first."""
    operations = {"tidy": "OPTIMIZE", "undo of b": "RESTORE"}
    made = [Commit(0, "CREATE TABLE", "")]
    for version, note in enumerate(notes, start=1):
        made.append(Commit(version, operations.get(note, "WRITE"), "" if note == "tidy" else note))
    return made[::-1]


@pytest.mark.parametrize(
    ("case", "notes", "recorded", "version"),
    [
        ("nothing but its creation", [], 0, 0),
        ("all that runs wrote is recorded", ["a", "b"], 2, 2),
        ("the run under way has written and not recorded it", ["a", "b"], 1, 1),
        ("it has written more than once", ["a", "b", "b", "b"], 1, 1),
        ("it has recorded the first of two", ["a", "b", "b"], 2, 2),
        ("its first night is under way", ["a"], 0, 0),
        ("files were merged since", ["a", "tidy"], 1, 2),
        ("a run was undone since", ["a", "b", "undo of b"], 1, 3),
        ("old rows went since", ["a", "expiry by m"], 1, 2),
        ("a customer was erased since: what was before is gone", ["a", "b", "erasure by e"], 1, 3),
        ("erased, and the run after it is under way", ["a", "erasure by e", "b"], 1, 2),
    ],
)
def test_writes_that_no_row_of_the_ledger_names_are_not_read(case, notes, recorded, version):
    assert newest_recorded(commits(*notes), recorded) == version, case


def test_a_history_that_begins_late_ends_at_its_oldest_version():
    assert newest_recorded([Commit(9, "WRITE", "b"), Commit(8, "WRITE", "b")], 3) == 8


def test_of_an_ops_table_the_newest_version_is_read(tmp_path):
    """A command has recalled a file since the last night; the ledger names no such write."""
    table = CONTRACTS["ops.delivery"]
    made(tmp_path, table)
    appended(tmp_path, table, [], "20090504T061500.000000Z-4711")
    read = delta_log.committed_versions(str(tmp_path), [table.table, "mart.decision"], [])
    assert read == {table.table: 1}
