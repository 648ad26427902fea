"""The same records in every form in which a file may come give the same rows."""
import gzip
import json
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow
import pytest
import yaml
from pyarrow import parquet

from jobs import night
from schemas import config
from tests.warehouse_reader import query

ROOT = Path(__file__).resolve().parents[2]
DAY = date(2009, 5, 3)
COLUMNS = ("no", "caller", "called", "start", "seconds", "city", "fee")
WIDTHS = (4, 11, 11, 14, 5, 8, 8)
FORMS = {
    "cut_by_mark": {"delimiter": ";", "quote": '"', "header": True, "encoding": "gb18030"},
    "cut_by_width": {"kind": "fixed_width", "widths": list(WIDTHS), "encoding": "gb18030",
                     "compression": "gzip"},
    "objects": {"kind": "json_lines"},
    "table": {"kind": "parquet"},
}
ENDS = {"cut_by_mark": "csv", "cut_by_width": "txt.gz", "objects": "jsonl", "table": "parquet"}


def records():
    """Six calls; the fourth has no caller, the fifth says something of its length, the last no
    city."""
    made = [{"no": f"V{n}", "caller": f"1380000000{n}", "called": f"1390000000{n}",
             "start": f"2009050310000{n}", "seconds": str(60 + n), "city": "北京",
             "fee": f"0.{n}00"} for n in range(1, 7)]
    made[3]["caller"], made[4]["seconds"], made[5]["city"] = "", "long", ""
    return made


def delivered() -> dict[str, bytes]:
    """The records as a file of each form."""
    rows = records()
    by_mark = [";".join(f'"{row[name]}"' for name in COLUMNS) for row in rows]
    by_width = [b"".join(row[name].encode("gb18030").ljust(width)
                         for name, width in zip(COLUMNS, WIDTHS)) for row in rows]
    objects = [json.dumps({name: value or None for name, value in row.items()},
                          ensure_ascii=False) for row in rows]
    # Numbers and money as numbers: a file may write them so.
    objects = [text.replace(f'"seconds": "{row["seconds"]}"', f'"seconds": {row["seconds"]}')
               .replace(f'"fee": "{row["fee"]}"', f'"fee": {row["fee"]}')
               if row["seconds"].isdigit() else text for text, row in zip(objects, rows)]
    sink = pyarrow.BufferOutputStream()
    table = pyarrow.table({name: [row[name] or None for row in rows] for name in reversed(COLUMNS)})
    fees = pyarrow.array([Decimal(row["fee"]) for row in rows], pyarrow.decimal128(9, 3))
    table = table.set_column(table.column_names.index("fee"), "fee", fees)
    parquet.write_table(table, sink)
    return {"cut_by_mark": "\r\n".join([";".join(COLUMNS), *by_mark, ""]).encode("gb18030"),
            "cut_by_width": gzip.compress(b"\r\n".join([*by_width, b""])),
            "objects": "\n".join(["", *objects]).encode(),
            "table": sink.getvalue().to_pybytes()}


def sources() -> dict:
    """A source of each form, and none of the shipped ones."""
    entry = {"record": "ods.voice_call", "name_cn": "通话", "system": "boss", "cadence": "daily",
             "columns": list(COLUMNS), "rejects": {"warn_share": "0.5", "stop_share": "0.9"},
             "mapping": {
                 "call_no": "no", "msisdn": "caller", "other_party": "called",
                 "direction": "'mo'", "duration_s": "seconds", "outcome": "'answered'",
                 "occurred_at": "try_to_timestamp(start, 'yyyyMMddHHmmss')", "dial": "'direct'",
                 "toll": "'local'", "roaming": "'home'", "in_group": "false", "home_city": "city",
                 "airtime_fee": "fee", "toll_fee": "0", "info_fee": "0"}}
    shipped = config.load([ROOT / "conf"]).sources
    return {**dict.fromkeys(shipped), **{
        name: {**entry, "format": form,
               "files": {"folder": "{source}/{data_date}", "pattern": f"calls.{ENDS[name]}"}}
        for name, form in FORMS.items()}}


@pytest.fixture(scope="module")
def warehouse(spark, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("formats")
    (folder / "conf").mkdir()
    (folder / "conf" / "sources.yml").write_text(
        yaml.safe_dump(sources(), allow_unicode=True), encoding="utf-8")
    for name, content in delivered().items():
        path = folder / "landing" / name / str(DAY)
        path.mkdir(parents=True)
        (path / f"calls.{ENDS[name]}").write_bytes(content)
    assert night.main(["--data-date", str(DAY), "--only", "ingest", "--conf", str(ROOT / "conf"),
                       "--conf", str(folder / "conf"), "--landing", str(folder / "landing"),
                       "--warehouse", str(folder / "warehouse"), "--push", str(folder)]) == 0
    return folder / "warehouse"


@pytest.mark.parametrize("name", FORMS)
def test_each_form_gives_the_same_accepted_rows(warehouse, name):
    rows = query(warehouse, f"""
        SELECT row_no, call_no, msisdn, other_party, occurred_at AT TIME ZONE 'Asia/Shanghai',
               duration_s, home_city, airtime_fee
        FROM c WHERE source = '{name}' ORDER BY row_no""", c="ods.voice_call")
    blank = name == "objects"  # its first line is blank, and still has a number
    assert [row[0] for row in rows] == [n + blank for n in (1, 2, 3, 6)]
    assert [row[1:] for row in rows] == [
        (f"V{n}", f"1380000000{n}", f"1390000000{n}", datetime(2009, 5, 3, 10, 0, n), 60 + n,
         None if n == 6 else "北京", Decimal(f"0.{n}00")) for n in (1, 2, 3, 6)]


@pytest.mark.parametrize("name", FORMS)
def test_each_form_keeps_what_it_rejects_as_readable_text(warehouse, name):
    rows = query(warehouse, f"SELECT raw_line, reasons FROM r WHERE source = '{name}' "
                            "ORDER BY row_no", r="ops.rejected_record")
    assert [reasons for _, reasons in rows] == [
        ["msisdn: expected a value"], ["duration_s: not readable as bigint"]]
    assert "V4" in rows[0][0] and "北京" in rows[0][0]
    assert "V5" in rows[1][0] and "long" in rows[1][0]


def test_the_ledger_counts_each_form_alike(warehouse):
    assert query(warehouse, """
        SELECT source, rows_delivered, rows_accepted, rows_rejected, rows_duplicate FROM l
        WHERE state = 'committed' ORDER BY source""", l="ops.run_ledger") == [
        (name, 6, 4, 2, 0) for name in sorted(FORMS)]
