"""Maintenance: what is deleted and when, what the ledger says of it, and what is cleared away."""

import os
import time
from datetime import date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest

from jobs import maintenance
from jobs.warehouse import delta_log, retention
from jobs.warehouse.delta_log import DataFile
from jobs.warehouse.ledger import (
    COMMITTED,
    EXPIRED,
    FAILED,
    STARTED,
    SUPERSEDED,
    THINNED,
    Entry,
    Ledger,
    current_entries,
)
from jobs.warehouse.tables import Tables
from schemas import contract
from schemas.render.spark import example_row, struct_type
from tests.given.one_night import OPTIONS
from tests.readers.warehouse_reader import all_rows, table

CONTRACTS = contract.load()
DAY, ZONE = date(2009, 5, 3), ZoneInfo("Asia/Shanghai")
SUBSCRIPTION, MONTH, LEDGER, RESULT = (
    "dw.subscription",
    "dw.usage_month",
    "ops.run_ledger",
    "ops.quality_result",
)
DECISION = "mart.decision"
GONE, FIRST = date(2009, 3, 28), date(2009, 3, 29)  # 35 days are kept
FATES = ("pushed", "held_out", "dropped", "spilled")
OLDEST, BEFORE = date(2008, 3, 29), date(2008, 3, 28)  # 400 days are kept of some rows


def entry(of, slice_, state=COMMITTED, run="a", on=date(2009, 4, 1)):
    at = datetime(on.year, on.month, on.day, tzinfo=ZONE)
    return Entry(run, "step", "", of, str(slice_), state, "print", committed_at=at, rows_out=1)


@pytest.mark.parametrize(
    ("of", "first"),
    [
        (SUBSCRIPTION, FIRST),
        (MONTH, date(2007, 2, 1)),  # 800 days back is the 23rd: the month of that day stays
        (LEDGER, date(2006, 4, 29)),
        ("ods.customer", None),
        (DECISION, OLDEST),
    ],
)
def test_the_first_day_that_is_kept(of, first):
    assert retention.first_kept_day(CONTRACTS[of], DAY) == first


def test_the_first_day_of_which_all_rows_are_kept():
    assert retention.first_whole_day(CONTRACTS[DECISION], DAY) == FIRST
    for of in (SUBSCRIPTION, "ods.customer", "mart.decision_funnel"):
        assert retention.first_whole_day(CONTRACTS[of], DAY) is None


def test_small_files_are_merged_where_one_slice_has_many():
    few = [DataFile(FIRST, 1, 1, "a")] * 8
    assert not maintenance.needs_merging(few + [DataFile(DAY, 1, 1, "a")] * 8)
    assert maintenance.needs_merging([*few, DataFile(FIRST, 1, 1, "a")])
    assert maintenance.needs_merging([DataFile(None, 1, 1, "a")] * 9)


def test_logs_are_old_by_the_day_in_their_name():
    names = [
        "20090202T061500.000000Z-7.log",
        "20090203T000000.000000Z-7.log",
        "notes.log",
        "20090101T061500.000000Z-7.log.gz",
    ]
    assert retention.old_logs(names, date(2009, 2, 3)) == names[:1]


def test_a_slice_that_was_deleted_stands_no_more_until_it_is_committed_again():
    rows = [
        entry(SUBSCRIPTION, GONE),
        entry(SUBSCRIPTION, GONE, run="b"),
        entry(SUBSCRIPTION, FIRST),
    ]
    ledger = Ledger("tidying", "print")
    ledger.expire(rows[1])
    gone = Entry(**ledger.entries()[0] | {"source": ""})
    assert (gone.run_id, gone.step, gone.state) == ("tidying", "maintenance", EXPIRED)
    assert set(current_entries([*rows, gone])) == {(SUBSCRIPTION, "", str(FIRST))}
    undone = entry(SUBSCRIPTION, GONE, SUPERSEDED, run="b")
    assert set(current_entries([*rows, gone, undone])) == {(SUBSCRIPTION, "", str(FIRST))}
    assert len(current_entries([*rows, gone, entry(SUBSCRIPTION, GONE, run="c")])) == 2


def test_the_ledger_keeps_of_its_old_rows_those_that_say_what_stands():
    old, older, limit = date(2006, 4, 28), date(2006, 4, 1), datetime(2006, 4, 29, tzinfo=ZONE)
    stands = [
        entry("ods.customer", older, on=old, run="b"),
        entry("ods.customer", older, SUPERSEDED, on=old, run="c"),
    ]
    rows = [
        entry("ods.customer", older, STARTED, on=older),
        entry("ods.customer", older, on=older),
        *stands,
        entry("ods.customer", old, FAILED, on=old),
        entry(SUBSCRIPTION, older, on=old),  # it is deleted itself
        entry("ods.customer", DAY, on=date(2006, 4, 29)),
    ]  # not old
    assert retention.retained_entries(rows, limit, DAY, CONTRACTS) == stands


@pytest.fixture(scope="module")
def kept(spark, tmp_path_factory):
    """A warehouse of three tables, old and young rows in each, and what lies beside them."""
    root = tmp_path_factory.mktemp("kept")
    tables = Tables(spark, str(root / "warehouse"), CONTRACTS, "a")

    def put(of, rows, files=1):
        tables.prepare([of])
        made = [{**example_row(CONTRACTS[of]), **row} for row in rows]
        frame = spark.createDataFrame(made, struct_type(CONTRACTS[of]))
        tables.save(of, frame.repartition(files))

    put(SUBSCRIPTION, [{"data_date": day} for day in (GONE, FIRST, DAY)])
    put(RESULT, [{"judged_at": datetime(2008, 3, day, tzinfo=ZONE)} for day in range(20, 32)], 12)
    noted = [
        *[entry(SUBSCRIPTION, day) for day in (GONE, FIRST, DAY)],
        entry("ods.customer", date(2006, 1, 1), on=date(2006, 1, 2)),
        entry("ods.customer", date(2006, 1, 1), STARTED, on=date(2006, 1, 1)),
    ]
    put(LEDGER, Ledger("", "", pending=noted).entries())
    for place in ("_logs/20090201T061500.000000Z-7.log", "_logs/20090203T061500.000000Z-7.log"):
        (root / "warehouse" / place).parent.mkdir(exist_ok=True)
        (root / "warehouse" / place).write_text("said", encoding="utf-8")
    for receiver in ("sms", "crm"):
        for day in ("2009-02-01", "2009-02-02"):
            (root / "push" / receiver / day).mkdir(parents=True)
            (root / "push" / receiver / day / "file.txt").write_text("line", encoding="utf-8")
    for name, hours in (("left-over.parquet", 169), ("just-written.parquet", 1)):
        path = root / "warehouse" / "dw" / "subscription" / name
        path.write_bytes(b"x" * 1234)
        os.utime(path, (time.time() - hours * 3600,) * 2)
    return SimpleNamespace(
        root=root,
        warehouse=root / "warehouse",
        options=[
            "--data-date",
            str(DAY),
            *OPTIONS,
            "--warehouse",
            str(root / "warehouse"),
            "--push",
            str(root / "push"),
        ],
    )


def content(root: Path):
    """Every file but the lock and the run's own log."""
    return {
        path: path.read_bytes()
        for path in root.rglob("*")
        if path.is_file() and path.name != "_run.lock" and not path.name.startswith("2026")
    }


def test_what_is_too_old_goes_and_the_rest_stays(kept, capsys):
    before = content(kept.root)
    assert maintenance.main([*kept.options, "--dry-run"]) == 0
    said = capsys.readouterr().out
    assert content(kept.root) == before
    assert (
        said
        == f"""maintenance for {DAY}, dry run: nothing is changed
  dw.subscription            1 rows in 1 slices before 2009-03-29 deleted; 1 replaced files removed
  ops.quality_result         9 rows from before 2008-03-29 deleted; small files merged
  ops.run_ledger             1 rows from before 2006-04-29 deleted
  sms: the files of 2009-02-01 are older than the rows that their table keeps
  crm: the files of 2009-02-01 are older than the rows that their table keeps
  1 logs of runs, 20090201T061500.000000Z-7 … 20090201T061500.000000Z-7
  0 of 3 tables have nothing to do
"""
    )
    assert maintenance.main(kept.options) == 0
    said = capsys.readouterr().out
    assert "1 replaced files removed, 1 KB freed" in said
    assert {row["data_date"] for row in all_rows(kept.warehouse, SUBSCRIPTION).to_pylist()} == {
        FIRST,
        DAY,
    }
    assert sorted(
        row["judged_at"].astimezone(ZONE).day
        for row in all_rows(kept.warehouse, RESULT).to_pylist()
    ) == [29, 30, 31]
    assert len(table(kept.warehouse, RESULT).file_uris()) == 1
    noted = delta_log.entries(str(kept.warehouse))
    ledger = Ledger("", "")
    ledger.learn(noted)
    assert {of: set(slices) for (of, _), slices in ledger.committed.items() if slices} == {
        SUBSCRIPTION: {str(FIRST), str(DAY)},
        "ods.customer": {"2006-01-01"},
    }
    assert [(row.table, row.slice) for row in noted if row.state == EXPIRED] == [
        (SUBSCRIPTION, str(GONE))
    ]
    assert STARTED not in {row.state for row in noted}
    assert not (kept.warehouse / "dw" / "subscription" / "left-over.parquet").exists()
    assert (kept.warehouse / "dw" / "subscription" / "just-written.parquet").exists()
    for receiver in ("sms", "crm"):
        assert [one.name for one in (kept.root / "push" / receiver).iterdir()] == ["2009-02-02"]
    assert not (kept.warehouse / "_logs" / "20090201T061500.000000Z-7.log").exists()
    assert (kept.warehouse / "_logs" / "20090203T061500.000000Z-7.log").exists()
    assert maintenance.main(kept.options) == 0
    assert capsys.readouterr().out == (
        f"maintenance for {DAY}\n  3 of 3 tables have nothing to do\n"
    )


@pytest.fixture
def decided(spark, tmp_path):
    """(warehouse, options): decisions of each fate on the days where something changes."""
    tables = Tables(spark, str(tmp_path), CONTRACTS, "a")
    tables.prepare([DECISION, LEDGER])
    days = (BEFORE, OLDEST, GONE, FIRST, DAY)
    example = example_row(CONTRACTS[DECISION])
    rows = [{**example, "data_date": day, "fate": fate} for day in days for fate in FATES]
    tables.save(DECISION, spark.createDataFrame(rows, struct_type(CONTRACTS[DECISION])))
    tables.append(LEDGER, Ledger("", "", pending=[entry(DECISION, day) for day in days]).entries())
    return tmp_path, ["--data-date", str(DAY), *OPTIONS, "--warehouse", str(tmp_path)]


def fates(warehouse):
    found = {}
    for row in all_rows(warehouse, DECISION).to_pylist():
        found.setdefault(row["data_date"], set()).add(row["fate"])
    return found


def test_pushed_and_held_out_rows_outlive_the_others(decided, capsys):
    warehouse, options = decided
    said = (
        "  mart.decision              4 rows in 1 slices before 2008-03-29 deleted; "
        "4 rows in 2 slices before 2009-03-29 deleted, others of them are kept longer\n"
    )
    whole = fates(warehouse)
    assert maintenance.main([*options, "--dry-run"]) == 0
    assert said in capsys.readouterr().out
    assert fates(warehouse) == whole
    assert maintenance.main(options) == 0
    assert said in capsys.readouterr().out
    longer, every = {"pushed", "held_out"}, set(FATES)
    assert fates(warehouse) == {OLDEST: longer, GONE: longer, FIRST: every, DAY: every}
    noted = delta_log.entries(str(warehouse))
    assert [(row.slice, row.message) for row in noted if row.state == THINNED] == [
        (str(day), "2 rows deleted; it was of run a") for day in (OLDEST, GONE)
    ]
    assert [row.slice for row in noted if row.state == EXPIRED] == [str(BEFORE)]
    ledger = Ledger("", "")
    ledger.learn(noted)
    assert set(ledger.committed[DECISION, ""]) == set(map(str, (OLDEST, GONE, FIRST, DAY)))
    assert maintenance.main(options) == 0
    assert "2 of 2 tables have nothing to do" in capsys.readouterr().out


def test_what_was_interrupted_before_rows_went_is_done_again(decided, monkeypatch):
    warehouse, options = decided

    def stop(*_):
        raise OSError("stopped")

    with monkeypatch.context() as patch:
        patch.setattr(Tables, "delete", stop)
        assert maintenance.main(options) == 1
    assert set(fates(warehouse)) == {BEFORE, OLDEST, GONE, FIRST, DAY}
    assert maintenance.main(options) == 0
    assert {day for day, found in fates(warehouse).items() if found != set(FATES)} == {OLDEST, GONE}


def test_a_day_is_needed(capsys):
    assert maintenance.main([]) == 2
    assert "--data-date" in capsys.readouterr().err


def test_days_count_from_the_data_date_alone():
    """The same night ten years later or earlier: no clock decides what is old."""
    later = retention.first_kept_day(CONTRACTS[SUBSCRIPTION], DAY + timedelta(days=3650))
    assert later - FIRST == timedelta(days=3650)
