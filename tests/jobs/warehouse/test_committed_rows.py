"""Committed rows, read without Spark: what a contract says of a table as the ledger knows it."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from jobs.warehouse.committed import CommittedRows
from schemas.errors import ConfigError, InputError
from schemas.render.spark import example_row
from schemas.window import Window
from tests.given.rows import CONTRACTS, named
from tests.given.stored_tables import appended, committed, made

PEOPLE, CALLS, MONTHS, MATCH = (
    "dw.subscriber",
    "ods.voice_call",
    "dw.usage_month",
    "mart.package_match",
)
SATURDAY, SUNDAY = date(2009, 5, 2), date(2009, 5, 3)


def examples(table, columns="", *values):
    """The example row of a table for each tuple, with these columns changed."""
    return [example_row(CONTRACTS[table]) | row for row in named(columns, *values)]


@pytest.fixture
def read(tmp_path, conf):
    """What is committed in the folder, for a command that reads these tables."""

    def rows_of(*tables, configured=conf):
        return CommittedRows("bill", str(tmp_path), configured, CONTRACTS, tables)

    return rows_of


@pytest.fixture
def people(tmp_path):
    """Two snapshots of subscribers; the first of them holds three."""
    made(
        tmp_path,
        CONTRACTS[PEOPLE],
        examples(
            PEOPLE,
            "data_date subscriber_id subscriber_no",
            (SATURDAY, 1, "S1"),
            (SATURDAY, 2, "S2"),
            (SATURDAY, 3, None),
            (SUNDAY, 1, "S1"),
        ),
    )
    committed(tmp_path, (PEOPLE, None, str(SATURDAY)), (PEOPLE, None, str(SUNDAY)))


def test_a_snapshot_its_columns_and_some_rows(people, read):
    tables = read(PEOPLE)
    assert tables.last_snapshot(PEOPLE, date(2009, 6, 1)) == SUNDAY
    assert tables.last_snapshot(PEOPLE, SATURDAY) == SATURDAY
    assert tables.last_snapshot(PEOPLE, date(2009, 5, 1)) is None
    assert tables.rows(PEOPLE, ["subscriber_id"], on=SUNDAY) == [{"subscriber_id": 1}]

    def ids(**where):
        rows = tables.rows(PEOPLE, ["subscriber_id"], on=SATURDAY, where=where)
        return sorted(row["subscriber_id"] for row in rows)

    assert ids() == [1, 2, 3]
    assert ids(subscriber_no=["S2", "S1", "S9"]) == [1, 2]
    assert ids(subscriber_no=["S2", "S1"], subscriber_id={2, 3}) == [2]
    assert ids(subscriber_no=[]) == []
    assert sorted(tables.rows(PEOPLE)[0]) == sorted(CONTRACTS[PEOPLE].column_names)


def test_equal_rows_once(people, read):
    days = read(PEOPLE).rows(PEOPLE, ["data_date"], distinct=True)
    assert sorted(row["data_date"] for row in days) == [SATURDAY, SUNDAY]


def test_a_slice_that_is_not_committed_is_an_error_that_helps(people, read):
    with pytest.raises(InputError) as raised:
        read(PEOPLE).rows(PEOPLE, on=date(2009, 5, 4))
    assert str(raised.value) == (
        "bill: dw.subscriber is not committed for 2009-05-04: run the step that writes it first "
        "(python -m jobs.night --list shows which)"
    )


def test_a_warehouse_without_a_ledger(tmp_path, read):
    with pytest.raises(InputError, match="holds no ledger: run a night into it first"):
        read(PEOPLE)


@pytest.mark.parametrize("asked", [{"columns": ["subscriber"]}, {"where": {"subscriber": [1]}}])
def test_a_column_that_the_contract_lacks_is_refused(people, read, asked):
    with pytest.raises(ConfigError, match="dw.subscriber has no column 'subscriber'"):
        read(PEOPLE).rows(PEOPLE, **asked)


def test_values_have_the_types_of_the_contract(tmp_path, read):
    month = example_row(CONTRACTS[MONTHS])
    for table in (CALLS, MATCH, MONTHS):
        made(tmp_path, CONTRACTS[table], [example_row(CONTRACTS[table])])
    committed(tmp_path)
    tables = read(CALLS, MATCH, MONTHS)
    (call,) = tables.rows(CALLS)
    assert call == example_row(CONTRACTS[CALLS])
    assert type(call["batch_date"]) is date
    assert (type(call["airtime_fee"]), call["in_group"]) == (Decimal, False)
    assert call["occurred_at"] == datetime(2009, 5, 2, 0, 15, 30, tzinfo=UTC)
    assert call["occurred_at"].utcoffset() is not None
    assert tables.rows(MATCH, ["reasons"]) == [{"reasons": []}]
    assert tables.rows(MONTHS) == [month]
    (cells,) = (value for value in month.values() if isinstance(value, list))
    assert isinstance(cells[0], dict)


def test_deliveries_of_a_window_and_of_a_number(tmp_path, read):
    days = [date(2009, 5, day) for day in (1, 2, 3, 4)]
    rows = [(day, number) for day in days for number in ("n1", "n2")]
    made(tmp_path, CONTRACTS[CALLS], examples(CALLS, "batch_date msisdn", *rows))
    committed(tmp_path, (CALLS, "voice", "2009-05-02"))
    tables = read(CALLS)
    found = tables.rows(
        CALLS, ["batch_date"], window=Window(days[1], days[2]), where={"msisdn": ["n1"]}
    )
    assert sorted(row["batch_date"] for row in found) == days[1:3]
    assert tables.ledger.is_committed(CALLS, days[1], "voice")


def test_a_table_that_no_source_feeds_or_that_is_not_there_has_no_rows(tmp_path, conf, read):
    made(tmp_path, CONTRACTS[CALLS], examples(CALLS, "", ()))
    committed(tmp_path)
    assert len(read(CALLS).rows(CALLS)) == 1
    unfed = replace(conf, sources={"bill": conf.sources["bill"]})
    assert read(CALLS, configured=unfed).rows(CALLS) == []
    assert read(PEOPLE).rows(PEOPLE) == []


def test_what_an_older_file_or_the_whole_table_lacks_is_none(tmp_path, read):
    contract = CONTRACTS[PEOPLE]
    before = replace(
        contract, columns=tuple(one for one in contract.columns if one.name != "branch")
    )
    made(tmp_path, before, examples(PEOPLE, "data_date", (SATURDAY,)))
    committed(tmp_path, (PEOPLE, None, str(SATURDAY)), version=1)
    assert read(PEOPLE).rows(PEOPLE, ["subscriber_no", "branch"]) == [
        {"subscriber_no": "S0000001", "branch": None}
    ]
    assert read(PEOPLE).rows(PEOPLE, where={"branch": ["海淀分公司"]}) == []
    appended(tmp_path, contract, examples(PEOPLE, "data_date", (SUNDAY,)), "R1")
    rows = read(PEOPLE).rows(PEOPLE, ["data_date", "branch"])
    assert {row["data_date"]: row["branch"] for row in rows} == {
        SATURDAY: None,
        SUNDAY: "海淀分公司",
    }


def test_what_a_run_has_not_recorded_yet_is_not_read(tmp_path, people, read):
    appended(tmp_path, CONTRACTS[PEOPLE], examples(PEOPLE, "data_date", (SUNDAY,)), "R2")
    assert len(read(PEOPLE).rows(PEOPLE, on=SUNDAY)) == 1
