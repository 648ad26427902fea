"""`jobs.compare` says what differs between two versions of a table, and shows no personal value."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from jobs import compare
from jobs.inquiry.database import Part
from jobs.inquiry.difference import HIDDEN, difference
from schemas.render.spark import example_row
from tests.given.paths import CONF
from tests.given.rows import CONTRACTS, named
from tests.given.stored_tables import appended, committed, made

DAY, NEXT = date(2009, 5, 3), date(2009, 5, 4)
MATCH, IDENTITY, CALL = "mart.package_match", "dw.subscriber_identity", "ods.voice_call"
EMPTY = CONTRACTS["mart.hold_out"]


def rows_of(table, columns, *values):
    example = example_row(CONTRACTS[table])
    return [{**example, **row} for row in named(columns, *values)]


def matches(*values):
    return rows_of(MATCH, "data_date subscriber_id package_id saving reasons rank", *values)


def identities(*values):
    since = datetime(2009, 1, 1, tzinfo=UTC)
    return rows_of(
        IDENTITY,
        "data_date msisdn customer_id valid_from",
        *((*one, since) for one in values),
    )


@pytest.fixture(scope="module")
def warehouses(tmp_path_factory):
    """Two warehouses: A of one night, B of another run, with a second version and a second day."""
    a, b = (tmp_path_factory.mktemp(name) for name in "ab")
    one, two = Decimal("1.000000"), Decimal("2.000000")
    made(
        a,
        CONTRACTS[MATCH],
        matches(
            (DAY, 1, "gprs_5", one, [], 1),
            (DAY, 2, "gprs_5", one, [], 2),
            (DAY, 3, "gprs_5", one, [], 3),
            (DAY, 4, "gprs_5", one, ["IDLE_MONTHS"], None),
        ),
    )
    made(
        b,
        CONTRACTS[MATCH],
        matches(
            (DAY, 1, "gprs_5", one, [], 1),
            (DAY, 2, "gprs_5", two, [], 2),
            (DAY, 4, "gprs_5", two, ["IDLE_MONTHS", "NOT_BEST"], 4),
            (DAY, 5, "gprs_5", one, [], 5),
        ),
    )
    appended(b, CONTRACTS[MATCH], matches((NEXT, 1, "gprs_5", two, [], 1)), "R1")
    made(a, CONTRACTS[IDENTITY], identities((DAY, "13900000001", 1), (DAY, "13900000002", 2)))
    made(b, CONTRACTS[IDENTITY], identities((DAY, "13900000001", 9), (DAY, "13900000003", 2)))
    parts = "batch_date call_no duration_s"
    made(a, CONTRACTS[CALL], rows_of(CALL, parts, (DAY, "V1", 60), (DAY, "V1", 30)))
    made(b, CONTRACTS[CALL], rows_of(CALL, parts, (DAY, "V1", 30), (DAY, "V1", 61)))
    for folder, days in ((a, [DAY]), (b, [DAY, NEXT])):
        made(folder, EMPTY)
        slices = [(table, None, str(day)) for table in (MATCH, IDENTITY) for day in days]
        committed(folder, *slices, version=len(days) - 1)
    return a, b


def part(folder, table, version=0, day=None):
    return Part(str(folder), CONTRACTS[table], version, day)


def test_rows_are_paired_by_the_key_and_counted_by_column(warehouses):
    a, b = (part(folder, MATCH) for folder in warehouses)
    found = difference(a, b, examples=5)
    assert (found.rows, found.added, found.removed, found.changed) == ({"A": 4, "B": 4}, 1, 1, 2)
    assert found.key == ("data_date", "subscriber_id", "package_id", "kind")
    assert {one.column: one.rows for one in found.columns} == {"saving": 2, "reasons": 1, "rank": 1}
    (rank,) = (one.examples for one in found.columns if one.column == "rank")
    assert [(key["subscriber_id"], *values) for key, *values in rank] == [("4", None, "4")]
    (saving,) = (one.examples for one in found.columns if one.column == "saving")
    assert saving[0][1:] == ("1.000000", "2.000000")
    assert [one["subscriber_id"] for one in found.examples["added"]] == ["5"]
    assert [one["subscriber_id"] for one in found.examples["removed"]] == ["3"]
    assert not found.is_equal
    back = difference(b, a, examples=0)
    assert (back.added, back.removed, back.changed, back.examples["added"]) == (1, 1, 2, ())


def test_a_table_equals_itself(warehouses):
    for table in (MATCH, IDENTITY, CALL, EMPTY.table):
        one = part(warehouses[0], table)
        found = difference(one, one, examples=5)
        assert found.is_equal
        assert (found.columns, found.examples) == ((), {"added": (), "removed": ()})


def test_days_are_compared_without_the_column_of_the_slice(warehouses):
    _, b = warehouses
    found = difference(part(b, MATCH, 1, DAY), part(b, MATCH, 1, NEXT), examples=1)
    assert "data_date" not in found.key
    assert (found.removed, found.added, found.changed) == (3, 0, 1)
    assert found.rows == {"A": 4, "B": 1}


def test_personal_values_are_hidden_also_in_keys(warehouses):
    a, b = (part(folder, IDENTITY) for folder in warehouses)
    found = difference(a, b, examples=5)
    assert (found.added, found.removed, found.changed) == (1, 1, 1)
    assert "1390000" not in repr(found)
    assert found.examples["added"][0]["msisdn"] == HIDDEN
    assert found.columns[0].examples[0][1:] == ("1", "9")


def test_rows_that_share_a_key_are_paired_in_order(warehouses):
    """Records that arrive in parts: 30 and 60 seconds, then 30 and 61."""
    a, b = (part(folder, CALL) for folder in warehouses)
    found = difference(a, b, examples=5)
    assert (found.added, found.removed, found.changed) == (0, 0, 1)
    assert [one.column for one in found.columns] == ["duration_s"]


def test_a_column_that_one_side_lacks_is_a_difference(warehouses, tmp_path):
    contract = CONTRACTS[MATCH]
    fewer = {**vars(contract), "columns": contract.columns[:-1]}
    rows = matches((DAY, 1, "gprs_5", None, [], 1))
    made(tmp_path, type(contract)(**fewer), [{**row, "reasons": None} for row in rows])
    found = difference(part(warehouses[0], MATCH), part(tmp_path, MATCH), examples=0)
    assert found.only_in == {"A": ("reasons",), "B": ()}


@pytest.fixture
def said(capsys):
    def ask(*options):
        code = compare.main([*map(str, options), "--conf", str(CONF)])
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return ask


def test_the_command_compares_warehouses_versions_and_days(said, warehouses):
    a, b = warehouses
    code, out, _ = said("--table", MATCH, a, b, "--data-date", DAY, "--json")
    assert code == 1
    assert json.loads(out)["B"] == f"{b}, version 1, slice {DAY}"
    assert json.loads(out)["changed"] == 2
    code, out, _ = said("--table", MATCH, "v0", "v1", "--warehouse", b)
    assert code == 1
    assert "1 added, 0 removed, 0 changed, 4 equal" in out
    assert said("--table", MATCH, DAY, DAY, "--warehouse", b)[0] == 0
    code, out, _ = said("--table", IDENTITY, a, b)
    assert code == 1
    assert "1390000" not in out
    assert f"msisdn={HIDDEN}" in out


@pytest.mark.parametrize(
    ("asked", "code", "message"),
    [
        (["mart.package_mach", "v0", "v1"], 2, "did you mean 'mart.package_match'"),
        ([MATCH, "v0", "nowhere"], 2, "nowhere: no such folder"),
        ([MATCH, "v0", "v7"], 4, "has no version 7 of it: its newest one is 1"),
        ([MATCH, "2009-05-03", "2009-05-09"], 4, "is not committed for 2009-05-09"),
        (["ops.run_ledger", "v0", "2009-05-03"], 2, "only appended to"),
        (["mart.backtest", "v0", "v0"], 4, "holds no such table"),
        ([MATCH, "v0"], 2, "arguments are required: B"),
    ],
)
def test_what_cannot_be_compared_is_one_line(said, warehouses, asked, code, message):
    ended, out, err = said("--table", *asked, "--warehouse", warehouses[1])
    assert (ended, out, err.count("\n")) == (code, "", 1)
    assert message in err


def test_files_that_were_deleted_are_said(warehouses, tmp_path):
    made(tmp_path, CONTRACTS[MATCH], matches((DAY, 1, "gprs_5", None, [], 1)))
    (file,) = tmp_path.rglob("*.parquet")
    file.unlink()
    with pytest.raises(Exception, match="are deleted"):
        difference(part(tmp_path, MATCH), part(tmp_path, MATCH), examples=0)
