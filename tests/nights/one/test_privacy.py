"""Numbers and names of a night stand where the contracts say, and nowhere else."""

import re

import duckdb
import pytest

from schemas import contract
from tests.readers.warehouse_reader import all_rows, query

ELEVEN_DIGITS = re.compile(rb"(?<![0-9])1[0-9]{10}(?![0-9])")


@pytest.fixture(scope="module")
def people(one_night) -> tuple[set[str], set[str]]:
    """Every number that was delivered as somebody's, and every name of a person."""
    numbers = query(one_night.warehouse, "SELECT DISTINCT msisdn FROM s", s="ods.subscriber")
    names = query(
        one_night.warehouse,
        "SELECT DISTINCT name FROM c WHERE customer_type = 'person' AND name IS NOT NULL",
        c="ods.customer",
    )
    return {number for (number,) in numbers}, {name for (name,) in names}


def test_logs_reports_and_the_logs_of_tables_name_nobody(one_night, people):
    numbers, names = ({word.encode() for word in words} for words in people)
    assert len(numbers) > 50
    assert len(names) > 30
    read = 0
    for path in one_night.warehouse.rglob("*"):
        if (
            path.suffix in (".log", ".html", ".json", ".crc", ".yml")
            and "_archive" not in path.parts
        ):
            text, read = path.read_bytes(), read + 1
            assert not numbers & set(ELEVEN_DIGITS.findall(text)), path
            assert path.suffix == ".crc" or not any(name in text for name in names), path
    assert read > 100


def test_tables_hold_numbers_and_names_in_the_columns_that_say_so(one_night, people):
    """All text of all tables, `ops` among them; a number may stand within a longer text."""
    numbers, names = people
    allowed, found = set(), set()
    with duckdb.connect() as db:
        db.execute("CREATE TABLE numbers (word VARCHAR); CREATE TABLE names (word VARCHAR)")
        db.executemany("INSERT INTO numbers VALUES (?)", [[one] for one in numbers])
        db.executemany("INSERT INTO names VALUES (?)", [[one] for one in names])
        for table, one in contract.load().items():
            if not (one_night.warehouse / one.layer / one.name).is_dir():
                continue
            db.register("t", all_rows(one_night.warehouse, table))
            for column in one.columns:
                if "string" not in column.type:
                    continue
                place = f"{table}.{column.name}"
                allowed |= {(place, kind) for kind in ("number", "name") if column.personal == kind}
                text = f'CAST("{column.name}" AS VARCHAR)'
                for kind, sql in (
                    (
                        "number",
                        f"SELECT 1 FROM (SELECT unnest(regexp_extract_all({text}, "
                        "'1[0-9]{10}')) AS word FROM t) JOIN numbers USING (word)",
                    ),
                    ("name", f"SELECT 1 FROM t JOIN names ON {text} = word"),
                ):
                    if db.sql(sql + " LIMIT 1").fetchall():
                        found.add((place, kind))
    raw = {("ops.rejected_record.raw_line", "name")}
    assert found - raw <= allowed
    assert {
        ("ods.voice_call.msisdn", "number"),
        ("dw.subscriber_identity.msisdn", "number"),
        ("push.sms.msisdn", "number"),
        ("ods.customer.name", "name"),
    } <= found
