"""A source whose rows become records of several tables: read once, counted for each table."""

import os
import signal
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from jobs import erase, repair, status, undo
from jobs.intake import delivered_rows
from jobs.warehouse import delta_log
from schemas import config
from tests.given import interpreted
from tests.given.manual import write_local_files
from tests.given.paths import CONF, ROOT
from tests.given.tiny_nights import TinyNights
from tests.readers.warehouse_reader import differing_rows, query

FIRST, DAY = date(2009, 5, 2), date(2009, 5, 3)
USAGE = ("ods.voice_call", "ods.message")
HEADER = "account,line,number,since,plan"
USAGE_SOURCE = """
usage:
  name_cn: Usage
  system: boss
  cadence: daily
  files: {folder: "{source}/{data_date}", pattern: "usage_{yyyymmdd}.csv"}
  format: {delimiter: ","}
  columns: [no, number, at, seconds, message, fee]
  records:
    - record: ods.voice_call
      when: "seconds is not null"
      mapping: &event
        msisdn: number
        occurred_at: "try_to_timestamp(at, 'yyyyMMddHHmmss')"
        roaming: "'home'"
        direction: "'mo'"
        info_fee: "'0'"
        call_no: "no"
        duration_s: seconds
        outcome: "'answered'"
        dial: "'direct'"
        toll: "'local'"
        in_group: "'false'"
        airtime_fee: fee
        toll_fee: "'0'"
    - record: ods.message
      when: "message is not null"
      mapping:
        msisdn: number
        occurred_at: "try_to_timestamp(at, 'yyyyMMddHHmmss')"
        roaming: "'home'"
        direction: "'mo'"
        info_fee: "'0'"
        message_no: "no"
        service: "'sms'"
        kind: message
        fee: fee
      codes: {kind: {"1": p2p, "2": sp}}
  rejects: {warn_share: "0.05", stop_share: "0.60"}
""".replace(" &event", "")
LINES = [
    "U1,13800000001,20090503100000,60,1,0.40",  # a call that also sent a message
    "U2,13800000001,20090503110000,61,,0.40",
    "U3,13800000002,20090503120000,,2,0.10",
    "U4,13800000002,20090503130000,6x,1,0.10",  # no call, but a message
    "U5,13800000003,20090503140000,62,9,0.40",  # a call, but no message
    "U6,13800000003,20090503150000,,,0",  # neither
    "U7,13800000003",  # broken
    "U2,13800000001,20090503110000,61,,0.40",  # again
]


class Abroad(TinyNights):
    """Nights of the operator of the manual's example, who also has a file of usage."""

    def __init__(self, folder: Path) -> None:
        conf = folder / "conf"
        write_local_files(conf, of="abroad")
        text = (conf / "overlay.yml").read_text(encoding="utf-8")
        assert text.count("sources:") == 1
        (conf / "overlay.yml").write_text(
            text.split("sources:")[0] + "sources: {keep: none}\n", encoding="utf-8"
        )
        with (conf / "sources.yml").open("a", encoding="utf-8") as sources:
            sources.write(USAGE_SOURCE)
        super().__init__(folder, config.load([CONF, conf]).sources, conf)

    def accounts(self, day: date, *rows: str) -> None:
        path = self.landing.folder / "accounts" / f"accounts_{day:%Y%m%d}.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join((HEADER, *rows)) + "\n", encoding="utf-8")

    def usage(self, day: date, lines: list[str]) -> None:
        self.landing.write("usage", day, [lines])

    def counts(self, source: str, day: date = DAY) -> dict[str, tuple]:
        """By table: delivered, accepted, rejected, duplicate, skipped of the current entry."""
        rows = query(
            self.warehouse,
            'SELECT "table", arg_max(struct_pack(d := rows_delivered, a := rows_accepted, '
            "r := rows_rejected, p := rows_duplicate, s := rows_skipped), committed_at) FROM l "
            f"WHERE source = '{source}' AND slice = '{day}' AND state = 'committed' GROUP BY 1",
            l="ops.run_ledger",
        )
        return {table: tuple(of.values()) for table, of in rows}

    def rejected(self) -> list[tuple]:
        return query(
            self.warehouse,
            "SELECT source, row_no, list_sort(reasons) FROM r ORDER BY ALL",
            r="ops.rejected_record",
        )

    def column(self, table: str, column: str) -> list:
        return [
            value
            for (value,) in query(self.warehouse, f"SELECT {column} FROM t ORDER BY 1", t=table)
        ]

    def runs(self) -> list[str]:
        return list(dict.fromkeys(one.run_id for one in delta_log.entries(str(self.warehouse))))


@pytest.fixture
def abroad(spark, tmp_path):
    return Abroad(tmp_path)


def test_one_row_of_usage_feeds_two_tables(abroad, capsys, monkeypatch):
    reads = []
    text_rows = delivered_rows._text_rows
    monkeypatch.setattr(
        delivered_rows, "_text_rows", lambda *args: reads.append(1) or text_rows(*args)
    )
    abroad.usage(DAY, LINES)
    assert abroad.run("ingest.usage", DAY) == 0
    assert len(reads) == 1
    assert abroad.counts("usage") == {
        "ods.voice_call": (6, 3, 2, 1, 2),
        "ods.message": (5, 3, 2, 0, 3),
    }
    assert abroad.column("ods.voice_call", "call_no") == ["U1", "U2", "U5"]
    assert abroad.column("ods.message", "message_no") == ["U1", "U3", "U4"]
    assert abroad.rejected() == [
        ("usage", 4, ["ods.voice_call: duration_s: present but not readable as bigint"]),
        ("usage", 5, ["ods.message: kind: expected one of p2p, sp"]),
        ("usage", 7, ["line: expected 6 fields separated by ','"]),
    ]
    assert query(
        abroad.warehouse,
        "SELECT observed, severity, success FROM q WHERE \"check\" = 'rows_of_no_table'",
        q="ops.quality_result",
    ) == [("1", "warning", False)]
    capsys.readouterr()
    assert status.main([*abroad.where(), "--data-date", str(DAY)]) == 4  # accounts is missing
    said = capsys.readouterr().out
    assert "usage ods.voice_call" in said
    assert "3 more rows hold nothing of this" in said


def test_the_example_of_the_manual_is_ingested_as_it_is_written(abroad):
    """A subscriber may name the customer of its own row, and of a row of an earlier night."""
    abroad.accounts(
        FIRST, "C1,S1,13800000001,2009-01-01,talk_20", "C2,S2,13800000002,2009-01-02,none"
    )
    abroad.accounts(
        DAY,
        "C1,S3,13800000003,2009-05-03,talk_20",
        ",S4,13800000004,2009-05-03,none",
        "C2,S5,13800000005,2009-05-03,none",
    )
    assert abroad.run("ingest.accounts,identity", FIRST) == 0
    assert abroad.run("ingest.accounts,identity", DAY) == 0
    assert abroad.column("ods.subscriber", "subscriber_no") == ["S1", "S2", "S3", "S5"]
    assert abroad.column("ods.package_subscription", "subscriber_no") == ["S1", "S3"]
    assert abroad.counts("accounts") == {
        "ods.customer": (3, 2, 1, 0, 0),
        "ods.subscriber": (3, 2, 1, 0, 0),
        "ods.package_subscription": (1, 1, 0, 0, 2),
    }
    assert [(row, len(reasons)) for _, row, reasons in abroad.rejected()] == [(2, 2)]
    owned = query(
        abroad.warehouse,
        f"SELECT DISTINCT msisdn FROM i WHERE data_date = '{DAY}' ORDER BY 1",
        i="dw.subscriber_identity",
    )
    assert owned == [(f"1380000000{number}",) for number in (1, 2, 3, 5)]


def test_a_reference_to_a_record_of_no_row_is_a_reject_of_its_table_only(abroad):
    abroad.accounts(DAY, *(f"C{n},S{n},1380000000{n},2009-01-01,none" for n in range(1, 6)))
    path = abroad.landing.folder / "accounts" / f"accounts_{DAY:%Y%m%d}.csv"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("2009-01-01", "2009-31-01", 1), encoding="utf-8")
    assert abroad.run("ingest.accounts", DAY) == 0
    assert abroad.column("ods.customer", "customer_no") == ["C2", "C3", "C4", "C5"]
    assert abroad.column("ods.subscriber", "customer_no") == ["C2", "C3", "C4", "C5"]
    ((_, _, reasons),) = abroad.rejected()
    assert "ods.subscriber: customer_no: no such record in ods.customer.customer_no" in reasons


def test_a_run_that_is_killed_between_the_tables_is_made_good_by_the_next(spark, tmp_path):
    """No row is there twice, and the ledger tells of both tables or of none."""
    undisturbed, killed = Abroad(tmp_path / "whole"), Abroad(tmp_path / "killed")
    for nights in (undisturbed, killed):
        nights.usage(DAY, LINES)
    assert undisturbed.run("ingest.usage", DAY) == 0
    profile = (ROOT / "conf" / "spark" / "local.conf").read_text(encoding="utf-8")
    interpreted.write_profile(
        killed.overlays[0], profile.replace("6g", "1g"), interpreted.SHORT_LIVED
    )
    days = ["--from-date", str(DAY), "--to-date", str(DAY), "--only", "ingest.usage"]
    push = ["--push", str(killed.folder / "push"), "--landing", str(killed.landing.folder)]
    for moment in (("ods.voice_call", "after"), ("ods.message", "after")):
        run = [sys.executable, "-m", "tests.given.killed_run", "KILL", *moment]
        ended = subprocess.run(
            [*run, *days, *push, *killed.where()],
            cwd=ROOT,
            env={**os.environ, "PYSPARK_PYTHON": sys.executable},
            capture_output=True,
        )
        assert ended.returncode == -signal.SIGKILL
        assert killed.counts("usage") == {}
    assert killed.column("ods.voice_call", "call_no") == ["U1", "U2", "U5"]
    assert killed.run("ingest.usage", DAY) == 0
    assert killed.counts("usage") == undisturbed.counts("usage")
    for name in (*USAGE, "ops.rejected_record"):
        assert not differing_rows(killed.warehouse, undisturbed.warehouse, name)


def test_a_delivery_again_or_corrected_is_settled_for_each_table(abroad, capsys):
    abroad.usage(DAY, LINES)
    assert abroad.run("ingest.usage", DAY) == 0
    capsys.readouterr()
    assert abroad.run("ingest.usage", DAY) == 0
    assert "unchanged" in capsys.readouterr().out
    corrected = [LINES[0], LINES[3].replace("6x", "63"), *LINES[4:6]]
    abroad.usage(DAY, corrected)
    assert abroad.run("ingest.usage", DAY) == 0
    assert abroad.counts("usage") == {
        "ods.voice_call": (3, 3, 0, 0, 1),
        "ods.message": (3, 2, 1, 0, 1),
    }
    assert [row for _, row, _ in abroad.rejected()] == [3]
    assert (
        undo.main(
            ["--run-id", abroad.runs()[-1], "--push", str(abroad.folder / "push"), *abroad.where()]
        )
        == 0
    )
    assert abroad.column("ods.voice_call", "call_no") == ["U1", "U2", "U5"]
    assert [row for _, row, _ in abroad.rejected()] == [4, 5, 7]


def test_a_table_that_refuses_the_delivery_keeps_the_other_from_it(abroad, capsys):
    abroad.usage(
        DAY, [LINES[0], LINES[4], LINES[4].replace("U5", "U8"), LINES[4].replace("U5", "U9")]
    )
    assert abroad.run("ingest.usage", DAY) == 3
    assert "(into ods.message); most often: kind: expected one of p2p, sp (3 rows)" in (
        capsys.readouterr().err
    )
    assert abroad.column("ods.voice_call", "call_no") == []


def test_a_mended_mapping_of_one_table_is_read_again(abroad, capsys):
    abroad.usage(DAY, LINES)
    assert abroad.run("ingest.usage", DAY) == 0
    path = abroad.overlays[0] / "sources.yml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace('"2": sp}', '"2": sp, "9": sp}'), encoding="utf-8")
    capsys.readouterr()
    status.main([*abroad.where(), "--data-date", str(DAY)])
    rebuilt = capsys.readouterr().out.split("to be rebuilt")[1]
    assert "usage ods.message" in rebuilt
    assert "voice" not in rebuilt
    where = ["--landing", str(abroad.landing.folder), "--push", str(abroad.folder / "push")]
    assert repair.main([*abroad.where(), *where]) == 0
    assert abroad.column("ods.message", "message_no") == ["U1", "U3", "U4", "U5"]
    assert abroad.column("ods.voice_call", "call_no") == ["U1", "U2", "U5"]


def test_a_customers_lines_are_erased_from_all_tables_and_the_archive(abroad):
    abroad.accounts(DAY, "C1,S1,13800000001,2009-01-01,none", "C2,S2,13800000002,2009-01-02,none")
    abroad.usage(DAY, LINES)
    assert abroad.run("ingest,identity", DAY) == 0
    asked = ["--customer-no", "C1", "--request", "R-1", "--push", str(abroad.folder / "push")]
    assert erase.main([*asked, *abroad.where(), "--landing", str(abroad.landing.folder)]) == 0
    assert abroad.column("ods.voice_call", "call_no") == ["U5"]
    assert abroad.column("ods.message", "message_no") == ["U3", "U4"]
    kept = "".join(
        path.read_text(encoding="utf-8")
        for path in sorted((abroad.warehouse / "_archive").rglob("*.csv"))
    )
    assert "13800000001" not in kept
    assert kept.count("13800000002") == 3
    assert kept.count("13800000003") == 3
