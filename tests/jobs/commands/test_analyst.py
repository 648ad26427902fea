"""`jobs.analyst` makes a DuckDB file over the tables, without personal columns, exports views."""

import csv
import re
from datetime import UTC, date, datetime
from decimal import Decimal

import duckdb
import openpyxl
import pytest

from jobs import analyst
from jobs.inquiry import views
from schemas.errors import ConfigError
from schemas.render.database import column_comment
from schemas.render.spark import example_row
from tests.given.paths import CONF, ROOT
from tests.given.rows import CONTRACTS, named
from tests.given.stored_tables import appended, committed, made

DAY = date(2009, 5, 3)
FUNNEL, CALL, EVENT = "mart.decision_funnel", "ods.voice_call", "dw.contact_event"
HEAD = "-- name_cn: 试\n-- name: Try\n-- answers: Does it work?\n"
SQL_BLOCK = re.compile(r"```sql\n(.*?)```", re.DOTALL)


def rows_of(table, columns, *values):
    example = example_row(CONTRACTS[table])
    return [{**example, **row} for row in named(columns, *values)]


def funnel(*values):
    return rows_of(FUNNEL, "data_date campaign_id channel stage reason rows value", *values)


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory):
    """The funnel of a night, a second version that no run has recorded, and one call."""
    folder = tmp_path_factory.mktemp("warehouse")
    made(
        folder,
        CONTRACTS[FUNNEL],
        funnel(
            (DAY, "=cmd|x", "sms", 6, "NO_SAVING", 3, None),
            (DAY, "=cmd|x", "sms", 18, "PUSHED", 1, Decimal("-1.5")),
        ),
    )
    appended(folder, CONTRACTS[FUNNEL], funnel((DAY, "late", "sms", 18, "PUSHED", 9, None)), "R2")
    made(folder, CONTRACTS[CALL], rows_of(CALL, "batch_date msisdn", (DAY, "13900000001")))
    made(folder, CONTRACTS["dw.subscriber_identity"])
    committed(folder, (FUNNEL, None, str(DAY)), (CALL, "voice", str(DAY)))
    return folder


@pytest.fixture(scope="module")
def database(warehouse, tmp_path_factory):
    file = tmp_path_factory.mktemp("made") / "deep" / "analyst.duckdb"
    options = ["--conf", str(CONF), "--warehouse", str(warehouse)]
    assert analyst.main(["--database", str(file), *options]) == 0
    assert [one.name for one in file.parent.iterdir()] == [file.name]
    with duckdb.connect(str(file), read_only=True) as db:
        yield db


def test_tables_hold_what_is_committed_and_views_read_them(database):
    found = database.execute("FROM campaign_funnel ORDER BY stage").fetchall()
    assert [(row[1], row[5], row[6], row[-1]) for row in found] == [
        ("=cmd|x", "NO_SAVING", 3, Decimal("0.75")),
        ("=cmd|x", "PUSHED", 1, Decimal("0.25")),
    ]
    assert database.execute(f"SELECT version FROM table_version WHERE \"table\" = '{FUNNEL}'"
                            ).fetchall() == [(0,)]  # fmt: skip
    assert database.execute("SELECT count(*), max(batch_date) FROM ods.voice_call").fetchall() == [
        (1, DAY)
    ]
    assert database.execute("SELECT count(*) FROM mart.backtest").fetchall() == [(0,)]


def test_no_column_is_personal_and_no_table_restricted(database):
    columns = database.execute(
        "SELECT schema_name || '.' || table_name, column_name, comment FROM duckdb_columns() "
        "WHERE schema_name <> 'main' AND NOT internal"
    ).fetchall()
    there = {(table, column) for table, column, _ in columns}
    expected = {
        (table, one.name)
        for table, contract in CONTRACTS.items()
        for one in contract.columns
        if not contract.restricted and not one.personal
    }
    assert there == expected
    assert ("ods.voice_call", "msisdn") not in there
    assert not {table for table, _ in there if table.startswith("push.")}
    for table, column, comment in columns:
        assert comment == column_comment(CONTRACTS[table].column(column)), (table, column)


def test_tables_and_views_say_what_they_are(database):
    said = dict(
        database.execute("SELECT view_name, comment FROM duckdb_views() WHERE NOT internal")
        .fetchall()
    )  # fmt: skip
    assert said["campaign_funnel"].startswith("营销活动漏斗 Campaign funnel: How many")
    assert said["decision_funnel"].startswith("决策漏斗: one reason of one campaign")
    assert all(said.values())


def test_a_view_is_exported_as_csv_and_as_a_workbook(warehouse, tmp_path, capsys):
    """Text that a spreadsheet would take for a formula is none; amounts are exact."""
    for folder in ("one", "two"):
        files = [tmp_path / folder / name for name in ("f.csv", "f.xlsx")]
        options = ["--csv", str(files[0]), "--xlsx", str(files[1]), "--conf", str(CONF)]
        query = ["--query", "campaign_funnel", "--warehouse", str(warehouse)]
        assert analyst.main([*query, *options]) == 0
        assert f"{files[0]}: 2 rows" in capsys.readouterr().out
    with files[0].open(encoding="utf-8", newline="") as lines:
        header, *rows = csv.reader(lines)
    assert header[:2] == ["data_date", "campaign_id"]
    assert [(row[1], row[header.index("value")]) for row in rows] == [
        ("'=cmd|x", ""),
        ("'=cmd|x", "-1.500000"),
    ]
    sheet = openpyxl.load_workbook(files[1]).active
    cells = [[cell.value for cell in row] for row in sheet.iter_rows()]
    assert cells[0] == header
    assert cells[2][1] == "=cmd|x"
    assert sheet.cell(3, 2).data_type == "s"
    for file in files:
        assert file.read_bytes() == (tmp_path / "one" / file.name).read_bytes()


def test_every_shipped_view_and_every_query_of_the_manual_fits_the_contracts():
    found = views.read([CONF])
    assert len(found) >= 10
    views.require_sound(found, CONTRACTS)
    queries = SQL_BLOCK.findall((ROOT / "docs" / "ask-why.md").read_text(encoding="utf-8"))
    assert len(queries) >= 3
    more = {f"q{place}": views.View(f"q{place}", "docs/ask-why.md", sql, "", "", "")
            for place, sql in enumerate(queries)}  # fmt: skip
    views.require_sound({**found, **more}, CONTRACTS)


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        (HEAD + "SELECT stage,\n campain_id\nFROM mart.decision_funnel", "tried.sql:5: Referenced"),
        (HEAD + "SELECT *\nFROM mart.decison", "tried.sql:5: Table with name decison does not"),
        (HEAD + "SELECT stage\nFRM mart.decision_funnel", "tried.sql:5: syntax error"),
        (HEAD + "SELECT msisdn FROM ods.voice_call", "msisdn is personal in ods.voice_call"),
        (HEAD + "SELECT * FROM push.sms", "push.sms is restricted: analysts do not get it"),
        (HEAD + "SELECT 1; SELECT 2", "tried.sql: a view is one query"),
        (HEAD + "DROP TABLE x", "tried.sql: a view is one query"),
        ("-- name_cn: 试\nSELECT 1", "tried.sql:2: expected '-- name: …'"),
        ("SELECT 1", "tried.sql:1: expected '-- name_cn: …'"),
        (" \n", "tried.sql: an empty file takes 'tried' away, and no folder before has it"),
    ],
)  # fmt: skip
def test_a_view_that_is_wrong_is_refused_with_file_and_line(tmp_path, sql, message):
    (tmp_path / "views").mkdir()
    (tmp_path / "views" / "tried.sql").write_text(sql, encoding="utf-8")
    with pytest.raises(ConfigError) as refused:
        views.require_sound(views.read([tmp_path]), CONTRACTS)
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_later_folder_replaces_takes_away_and_adds(tmp_path):
    (tmp_path / "views").mkdir()
    for name, sql in (
        ("campaign_funnel", ""),
        ("held_out", HEAD + "SELECT 2 AS two"),
        ("a_first", HEAD + "SELECT two FROM held_out"),
    ):
        (tmp_path / "views" / f"{name}.sql").write_text(sql, encoding="utf-8")
    found = views.read([CONF, tmp_path])
    assert "campaign_funnel" not in found
    assert found["held_out"].name_en == "Try"
    views.require_sound(found, CONTRACTS)  # a view may read another one
    (tmp_path / "views" / "x.yml").write_text("", encoding="utf-8")
    with pytest.raises(ConfigError, match="unknown file: a view is <name>.sql"):
        views.read([CONF, tmp_path])


@pytest.mark.parametrize(
    ("asked", "code", "message"),
    [
        ([], 2, "say what to do"),
        (["--csv", "x.csv"], 2, "need --query VIEW"),
        (["--query", "campaign_funel"], 2, "no such view in conf/views, did you mean"),
        (["--query", "held_out", "--warehouse", "nowhere"], 4, "holds no ledger"),
        (["--query", "held_out", "--warehouse", "s3://there"], 2, "no folder of this machine"),
    ],
)
def test_what_cannot_be_done_is_one_line(asked, code, message, capsys):
    assert analyst.main([*asked, "--conf", str(CONF)]) == code
    printed = capsys.readouterr()
    assert (printed.out, printed.err.count("\n")) == ("", 1)
    assert message in printed.err


def test_instants_and_lists_are_cells(tmp_path, capsys):
    """An event at noon in UTC, and the reasons of a match."""
    (tmp_path / "views").mkdir()
    sql = HEAD + "SELECT occurred_at, [1, 2] AS some FROM dw.contact_event"
    (tmp_path / "views" / "tried.sql").write_text(sql, encoding="utf-8")
    noon = datetime(2009, 5, 3, 12, tzinfo=UTC)
    made(tmp_path, CONTRACTS[EVENT], rows_of(EVENT, "batch_date occurred_at", (DAY, noon)))
    committed(tmp_path, (EVENT, None, str(DAY)))
    options = ["--conf", str(CONF), "--conf", str(tmp_path), "--warehouse", str(tmp_path)]
    assert analyst.main(["--query", "tried", *options]) == 0
    assert capsys.readouterr().out.splitlines()[-1].endswith("2009-05-03 12:00:00+00:00  [1, 2]")
