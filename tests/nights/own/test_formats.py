"""The same records in every form in which a file may come give the same rows."""

import gzip
import json
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import pyarrow
import pytest
import yaml
from pyarrow import parquet

from jobs import night
from jobs.intake import archived_lines
from jobs.intake.archive import Archive
from jobs.warehouse.tables import Tables
from schemas import config, contract
from tests.given.call_source import COLUMNS, overlay
from tests.given.paths import ROOT
from tests.readers.warehouse_reader import query

DAY = date(2009, 5, 3)
WIDTHS = (4, 11, 11, 14, 5, 8, 8)
FORMS = {
    "cut_by_mark": {"delimiter": ";", "quote": '"', "header": True, "encoding": "gb18030"},
    "cut_by_width": {
        "kind": "fixed_width",
        "widths": list(WIDTHS),
        "encoding": "gb18030",
        "compression": "gzip",
    },
    "objects": {"kind": "json_lines"},
    "table": {"kind": "parquet"},
}
ENDS = {"cut_by_mark": "csv", "cut_by_width": "txt.gz", "objects": "jsonl", "table": "parquet"}


def records():
    """Six calls; the fourth has no caller, the fifth says something of its length, the last no
    city."""
    made = [
        {
            "no": f"V{n}",
            "caller": f"1380000000{n}",
            "called": f"1390000000{n}",
            "start": f"2009050310000{n}",
            "seconds": str(60 + n),
            "city": "北京",
            "fee": f"0.{n}00",
        }
        for n in range(1, 7)
    ]
    made[3]["caller"], made[4]["seconds"], made[5]["city"] = "", "long", ""
    return made


def delivered() -> dict[str, bytes]:
    """The records as a file of each form."""
    rows = records()
    by_mark = [";".join(f'"{row[name]}"' for name in COLUMNS) for row in rows]
    by_width = [
        b"".join(
            row[name].encode("gb18030").ljust(width)
            for name, width in zip(COLUMNS, WIDTHS, strict=True)
        )
        for row in rows
    ]
    objects = [
        json.dumps({name: value or None for name, value in row.items()}, ensure_ascii=False)
        for row in rows
    ]
    # Numbers and money as numbers: a file may write them so.
    objects = [
        text.replace(f'"seconds": "{row["seconds"]}"', f'"seconds": {row["seconds"]}').replace(
            f'"fee": "{row["fee"]}"', f'"fee": {row["fee"]}'
        )
        if row["seconds"].isdigit()
        else text
        for text, row in zip(objects, rows, strict=True)
    ]
    sink = pyarrow.BufferOutputStream()
    table = pyarrow.table({name: [row[name] or None for row in rows] for name in reversed(COLUMNS)})
    fees = pyarrow.array([Decimal(row["fee"]) for row in rows], pyarrow.decimal128(9, 3))
    table = table.set_column(table.column_names.index("fee"), "fee", fees)
    parquet.write_table(table, sink)
    return {
        "cut_by_mark": "\r\n".join([";".join(COLUMNS), *by_mark, ""]).encode("gb18030"),
        "cut_by_width": gzip.compress(b"\r\n".join([*by_width, b""])),
        "objects": "\n".join(["", *objects]).encode(),
        "table": sink.getvalue().to_pybytes(),
    }


def sources() -> dict:
    """A source of each form, and none of the shipped ones."""
    files = {name: {"pattern": f"calls.{ENDS[name]}"} for name in FORMS}
    return overlay(
        config.load([ROOT / "conf"]).sources,
        files,
        FORMS,
        {"warn_share": "0.5", "stop_share": "0.9"},
    )


@pytest.fixture(scope="module")
def four_forms(spark, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("formats")
    (folder / "conf").mkdir()
    (folder / "conf" / "sources.yml").write_text(
        yaml.safe_dump(sources(), allow_unicode=True), encoding="utf-8"
    )
    for name, content in delivered().items():
        path = folder / "landing" / name / str(DAY)
        path.mkdir(parents=True)
        (path / f"calls.{ENDS[name]}").write_bytes(content)
    assert (
        night.main(
            [
                "--data-date",
                str(DAY),
                "--only",
                "ingest",
                "--conf",
                str(ROOT / "conf"),
                "--conf",
                str(folder / "conf"),
                "--landing",
                str(folder / "landing"),
                "--warehouse",
                str(folder / "warehouse"),
                "--push",
                str(folder),
            ]
        )
        == 0
    )
    return folder / "warehouse"


@pytest.mark.parametrize("name", FORMS)
def test_each_form_gives_the_same_accepted_rows(four_forms, name):
    rows = query(
        four_forms,
        f"""
        SELECT row_no, call_no, msisdn, other_party, occurred_at AT TIME ZONE 'Asia/Shanghai',
               duration_s, home_city, airtime_fee
        FROM c WHERE source = '{name}' ORDER BY row_no""",
        c="ods.voice_call",
    )
    blank = name == "objects"  # its first line is blank, and still has a number
    assert [row[0] for row in rows] == [n + blank for n in (1, 2, 3, 6)]
    assert [row[1:] for row in rows] == [
        (
            f"V{n}",
            f"1380000000{n}",
            f"1390000000{n}",
            datetime(2009, 5, 3, 10, 0, n),  # noqa: DTZ001 – as the query gives it
            60 + n,
            None if n == 6 else "北京",
            Decimal(f"0.{n}00"),
        )
        for n in (1, 2, 3, 6)
    ]


@pytest.mark.parametrize("name", FORMS)
def test_each_form_keeps_what_it_rejects_as_readable_text(four_forms, name):
    rows = query(
        four_forms,
        f"SELECT raw_line, reasons FROM r WHERE source = '{name}' ORDER BY row_no",
        r="ops.rejected_record",
    )
    assert [reasons for _, reasons in rows] == [
        ["msisdn: expected a value"],
        ["duration_s: present but not readable as bigint"],
    ]
    assert "V4" in rows[0][0]
    assert "北京" in rows[0][0]
    assert "V5" in rows[1][0]
    assert "long" in rows[1][0]


def test_the_ledger_counts_each_form_alike(four_forms):
    assert query(
        four_forms,
        """
        SELECT source, rows_delivered, rows_accepted, rows_rejected, rows_duplicate FROM l
        WHERE state = 'committed' ORDER BY source""",
        l="ops.run_ledger",
    ) == [(name, 6, 4, 2, 0) for name in sorted(FORMS)]


def test_lines_of_one_customer_are_taken_out_of_each_form(spark, four_forms):
    """His accepted call and his rejected one; a number that was his only before stays."""
    zone = timezone(timedelta(hours=8))
    held = [
        ("13800000002", datetime(2009, 5, 1, tzinfo=zone), None),
        ("13800000005", datetime(2009, 5, 1, tzinfo=zone), None),
        ("13800000003", datetime(2001, 1, 1, tzinfo=zone), datetime(2009, 5, 3, tzinfo=zone)),
    ]
    found = spark.createDataFrame(
        [(None, None, *one) for one in held],
        "customer_no string, subscriber_no string, msisdn string, since timestamp, until timestamp",
    )
    conf = config.load([ROOT / "conf", four_forms.parent / "conf"])
    archive, contracts = Archive(four_forms / "_archive"), contract.load()
    gone = archived_lines.erase(
        Tables(spark, str(four_forms), contracts),
        archive,
        found,
        {number for number, *_ in held},
        conf,
        contracts,
    )
    assert gone == dict.fromkeys(FORMS, 2)
    for name, before in delivered().items():
        (content,) = archive.kept(name, DAY)
        (path,) = archive.folder(name, DAY, content).iterdir()
        assert path.stat().st_mode & 0o777 == 0o600
        if name == "table":
            rows = parquet.read_table(path).column("caller").to_pylist()
            assert rows == ["13800000001", "13800000003", None, "13800000006"]
            continue
        after = path.read_bytes()
        if name == "cut_by_width":
            after, before = gzip.decompress(after), gzip.decompress(before)
        assert after == b"".join(
            line
            for line in before.splitlines(keepends=True)
            if b"13800000002" not in line and b"13800000005" not in line
        )


def test_lines_that_nobody_can_read_any_more_go_by_the_words_in_them(tmp_path):
    """Of a source that the configuration knows no longer."""
    archive = Archive(tmp_path)
    path = archive.folder("gone", DAY, "abc") / "a.txt.gz"
    path.parent.mkdir(parents=True)
    path.write_bytes(gzip.compress(b"1|13800000001\n2|13800000002\n"))
    conf = config.load([ROOT / "conf"])
    assert archived_lines.erase(None, archive, None, {"13800000001"}, conf, {}) == {"gone": 1}
    assert gzip.decompress(path.read_bytes()) == b"2|13800000002\n"
