"""Calls whose quoted fields hold line breaks: from the delivery to the table, and erased."""

import gzip
import hashlib
import json
from datetime import date, datetime, timedelta, timezone

import pytest
import yaml

from jobs import night
from jobs.intake import archived_lines
from jobs.intake.archive import Archive
from jobs.warehouse.tables import Tables
from schemas import config, contract
from tests.given.call_source import COLUMNS, overlay
from tests.given.paths import ROOT
from tests.readers.warehouse_reader import query

DAY = date(2009, 5, 3)
FORM = {"delimiter": "|", "quote": '"', "header": True, "encoding": "gb18030", "multiline": True}
UNCLOSED = 'line: a quote stays open, expected another " in the same file within 1,048,576 bytes'


def call(number: int, city: str, caller: str | None = None) -> str:
    """A record."""
    who = f"1380000000{number}" if caller is None else caller
    return f"V{number}|{who}|1390000000{number}|2009050310000{number}|6{number}|{city}|0.400"


WHOLE = [
    call(1, '"北京\r\n\r\n海淀"'),
    call(2, '"19""|亅\r\n"'),
    call(3, '亅"x'),  # the last byte of this character is that of the delimiter
    call(4, '"北京\r\n海淀"', caller=""),
    call(5, "北京"),
]
OPEN = [call(6, '"北京'), call(7, "北京"), call(8, "13800000008 again")]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("multiline")
    (folder / "conf").mkdir()
    return folder


def ran(folder, lines, stop="0.9"):
    """The exit code of a night that takes in the lines as a file, with its control file."""
    sources = overlay(
        config.load([ROOT / "conf"]).sources,
        {"calls": {"pattern": "calls.csv.gz", "control": "calls.ctl"}},
        {"calls": {**FORM, "compression": "gzip"}},
        {"warn_share": "0.01", "stop_share": stop},
    )
    text = yaml.safe_dump(sources, allow_unicode=True)
    (folder / "conf" / "sources.yml").write_text(text, encoding="utf-8")
    content = gzip.compress("\r\n".join(["|".join(COLUMNS), *lines, ""]).encode("gb18030"), mtime=0)
    landing = folder / "landing" / "calls" / str(DAY)
    landing.mkdir(parents=True, exist_ok=True)
    (landing / "calls.csv.gz").write_bytes(content)
    promised = {
        "file": "calls.csv.gz",
        "rows": len(lines),
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    (landing / "calls.ctl").write_text(json.dumps(promised), encoding="utf-8")
    where = {
        "--data-date": DAY,
        "--only": "ingest",
        "--landing": folder / "landing",
        "--warehouse": folder / "warehouse",
        "--push": folder,
    }
    confs = [part for one in (ROOT, folder) for part in ("--conf", str(one / "conf"))]
    return night.main([*confs, *[str(part) for pair in where.items() for part in pair]])


def test_a_quote_that_stays_open_stops_the_run_where_many_lines_follow(spark, place, capsys):
    assert ran(place, [*WHOLE, *OPEN], stop="0.3") == 3
    assert f"most often: {UNCLOSED} (3 rows)" in capsys.readouterr().err


def test_each_record_is_accepted_or_rejected_once(spark, place):
    assert ran(place, [*WHOLE, *OPEN]) == 0
    warehouse = place / "warehouse"
    assert query(
        warehouse,
        "SELECT row_no, call_no, other_party, duration_s, home_city FROM c ORDER BY row_no",
        c="ods.voice_call",
    ) == [
        (1, "V1", "13900000001", 61, "北京\n\n海淀"),
        (4, "V2", "13900000002", 62, '19"|亅'),
        (6, "V3", "13900000003", 63, '亅"x'),
        (9, "V5", "13900000005", 65, "北京"),
    ]
    assert query(
        warehouse,
        "SELECT row_no, raw_line, reasons FROM r ORDER BY row_no",
        r="ops.rejected_record",
    ) == [
        (7, f"{WHOLE[3]}\r", ["msisdn: expected a value"]),
        *[(10 + n, f"{line}\r", [UNCLOSED]) for n, line in enumerate(OPEN)],
    ]
    assert query(
        warehouse,
        "SELECT rows_delivered, rows_accepted, rows_rejected FROM l WHERE state = 'committed'",
        l="ops.run_ledger",
    ) == [(8, 4, 4)]


def test_an_erasure_takes_whole_records_out_of_the_archive(spark, place):
    """Of lines that stand alone only theirs; what they open or close stays."""
    warehouse = place / "warehouse"
    held = ["13800000001", "13800000006", "13800000008"]
    since = datetime(2009, 5, 1, tzinfo=timezone(timedelta(hours=8)))
    found = spark.createDataFrame(
        [(None, None, number, since, None) for number in held],
        "customer_no string, subscriber_no string, msisdn string, since timestamp, until timestamp",
    )
    conf = config.load([ROOT / "conf", place / "conf"])
    archive, contracts = Archive(warehouse / "_archive"), contract.load()
    tables = Tables(spark, str(warehouse), contracts)
    gone = archived_lines.erase(tables, archive, found, set(held), conf, contracts)
    assert gone == {"calls": 3}
    (content,) = archive.kept("calls", DAY)
    (path,) = archive.folder("calls", DAY, content).glob("*.gz")
    left = ["|".join(COLUMNS) + "\r", *[line + "\r" for line in WHOLE[1:]], '"', f"{OPEN[1]}\r", ""]
    assert gzip.decompress(path.read_bytes()).decode("gb18030") == "\n".join(left)
