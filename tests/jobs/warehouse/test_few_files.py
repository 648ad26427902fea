"""Tables of few files are read without Delta; fresh slices are added. Both leave equal rows."""

from datetime import timedelta

import pytest

from jobs.warehouse import tables
from jobs.warehouse.judge import Judge
from jobs.warehouse.ledger import Ledger
from jobs.warehouse.warehouse import Warehouse
from schemas.window import Window
from tests.given.warehouse_steps import (
    CONTACT,
    CUSTOMER,
    FIRST,
    MONTH,
    SUBSCRIPTION,
    event,
    rows_of,
    snapshot,
    step,
    write,
)
from tests.readers.warehouse_reader import table as delta_table

DAYS = [FIRST + timedelta(days=number) for number in range(6)]


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return tmp_path_factory.mktemp("few_files")


@pytest.fixture(scope="module")
def opened(spark, root, conf, contracts):
    """A new run over a warehouse of these tests alone."""

    def make(run_id, folder=root):
        ledger, judge = Ledger(run_id, conf.fingerprint), Judge(None, run_id)
        of_run = tables.Tables(spark, str(folder), contracts, run_id)
        made = Warehouse(of_run, contracts, conf, ledger, judge)
        made.open([CONTACT, SUBSCRIPTION, MONTH])
        return made

    return make


@pytest.fixture(scope="module")
def wh(opened):
    return opened("first")


def operations(root, table, since):
    """What the commits after a version did, the oldest first."""
    opened = delta_table(root, table)
    commits = [one for one in opened.history() if one["version"] > since]
    return [(one["operation"], one["operationParameters"].get("mode")) for one in commits[::-1]]


@pytest.fixture
def by_delta(monkeypatch):
    """Switch to reading by Delta, whatever the number of files."""
    return lambda: monkeypatch.setattr(tables, "FEW_FILES", -1)


def test_every_part_of_a_table_is_the_same_read_from_its_files_and_by_delta(wh, frame, by_delta):
    for day in DAYS[:4]:
        write(wh, CONTACT, frame(CONTACT, event(day, 1), event(day, 2)), day)
        write(wh, SUBSCRIPTION, frame(SUBSCRIPTION, *snapshot(day, 7, 8)), day)
    window, asked = Window(DAYS[1], DAYS[2]), step(reads=[CONTACT, SUBSCRIPTION])

    def parts():
        with wh.step(asked, Window(DAYS[3], DAYS[3])):
            return [
                (frame.schema.names, [kind for _, kind in frame.dtypes], sorted(frame.collect()))
                for frame in (
                    wh.read(CONTACT, window=window),
                    wh.read(CONTACT, upto=DAYS[1], allow_missing=True),
                    wh.read(SUBSCRIPTION, on=DAYS[2]),
                )
            ]

    of_files = parts()
    assert [len(rows) for _, _, rows in of_files][::2] == [4, 2]
    by_delta()
    assert parts() == of_files


def test_a_part_without_files_has_no_rows_and_the_columns_of_its_contract(wh, contracts):
    with wh.step(step(reads=[CONTACT]), Window(FIRST, FIRST)):
        none = wh.read(CONTACT, window=Window(DAYS[5], DAYS[5]), allow_missing=True)
        assert none.collect() == []
        assert tuple(none.columns) == contracts[CONTACT].column_names


def test_a_slice_that_no_run_has_touched_is_added_and_a_touched_one_is_replaced(wh, frame, root):
    before, day = delta_table(root, CONTACT).version(), DAYS[4]
    write(wh, CONTACT, frame(CONTACT, event(day, 1), event(day, 2)), day)
    write(wh, CONTACT, frame(CONTACT, event(day, 2), event(day, 3)), day)
    assert operations(root, CONTACT, before) == [("WRITE", "Append"), ("WRITE", "Overwrite")]
    found = rows_of(root, CONTACT, "batch_date", "contact_id")
    assert [number for of, number in found if of == day] == [2, 3]


def test_a_slice_that_a_killed_run_had_begun_is_replaced(opened, frame, root):
    """Its rows may be there although nothing says that they are committed."""
    day = DAYS[5]
    killed = opened("cut_short")

    def cut_short():
        with killed.step(step(writes=[CONTACT]), Window(day, day)):
            killed.tables.save(CONTACT, frame(CONTACT, event(day, 1)))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cut_short()
    assert (day, 1) in rows_of(root, CONTACT, "batch_date", "contact_id")
    write(opened("run_after"), CONTACT, frame(CONTACT, event(day, 2)), day)
    found = rows_of(root, CONTACT, "batch_date", "contact_id")
    assert [number for of, number in found if of == day] == [2]


def test_without_its_ledger_every_slice_of_a_table_may_hold_rows(wh, monkeypatch):
    """The ledger's table was moved away: nobody knows which slices hold rows."""
    assert not wh.ledger.may_hold_rows(MONTH, "", ["2031-01-01"])
    monkeypatch.setattr(wh.ledger, "untold", {MONTH})
    assert wh.ledger.may_hold_rows(MONTH, "", ["2031-01-01"])
    assert not wh.ledger.may_hold_rows(CUSTOMER, "crm", ["2031-01-01"])


def test_without_its_ledger_a_run_that_replaces_no_month_writes_nothing(
    wh, frame, root, monkeypatch
):
    monkeypatch.setattr(wh.ledger, "untold", {MONTH})
    before = delta_table(root, MONTH).version()
    with wh.step(step(writes=[MONTH]), Window(DAYS[0], DAYS[0])):
        assert wh.replace(MONTH, frame(MONTH), months=()) == 0
    assert delta_table(root, MONTH).version() == before


def test_moving_the_ledger_away_is_noticed_when_the_run_opens(opened, tmp_path):
    assert opened("first", tmp_path).ledger.untold == set()
    (tmp_path / "ops" / "run_ledger").rename(tmp_path / "aside")
    assert MONTH in opened("second", tmp_path).ledger.untold
