"""Whatever is wrong with the input: one clear message, the right exit code, tables untouched."""

import gzip
import re
import shutil
from collections import Counter
from dataclasses import replace

import pytest

from jobs import night
from jobs.intake import landing
from tests.given.tiny_province import (
    HEADER,
    MARK,
    call,
    calls,
    deliveries,
    visits,
)
from tests.given.two_days import DAY, FIRST, NEXT, ledger
from tests.readers.plain_reader import judged
from tests.readers.warehouse_reader import query

# -- the province as it is -----------------------------------------------------------------------


def test_rows_are_conserved_by_source_and_day_as_plain_python_counts_them(two_days):
    counted = {}
    subscribers = {f"S{n}" for n in range(1, 7)}
    for name in {name for name, _ in deliveries()}:
        source = two_days.landing.sources[name]
        found = {day: Counter() for one, day in deliveries() if one == name}
        for verdict, line in judged(two_days.landing.folder, source, {"gotone_58"}, subscribers):
            if line.text.strip().strip(MARK):
                found[line.day][verdict] += 1
        for day, verdicts in found.items():
            late, duplicate = (
                verdicts["late"],
                sum(verdicts[kind] for kind in ("duplicate_within", "duplicate_across")),
            )
            accepted = verdicts["plain"] + late
            counted[name, str(day)] = (
                verdicts.total(),
                accepted,
                verdicts.total() - accepted - duplicate,
                duplicate,
                late,
            )
    told = {
        (source, day): tuple(rows)
        for source, day, *rows in ledger(
            two_days.warehouse,
            "source",
            "slice",
            "rows_delivered",
            "rows_accepted",
            "rows_rejected",
            "rows_duplicate",
            "rows_late",
        )
    }
    assert told == counted
    assert told["voice", "2009-05-03"] == (60, 56, 2, 2, 1)
    for delivered, accepted, rejected, duplicate, late in told.values():
        assert delivered == accepted + rejected + duplicate
        assert late <= accepted


def test_rejected_rows_keep_their_place_line_and_reason(two_days):
    rows = query(
        two_days.warehouse,
        "SELECT file_name, row_no, raw_line, reasons FROM rejected ORDER BY row_no",
        rejected="ops.rejected_record",
    )
    assert rows == [
        (
            "voice_20090503_1.txt.gz",
            8,
            call(7, DAY, call_type="XX"),
            ["direction: expected one of mo, mt, fwd"],
        ),
        (
            "voice_20090503_1.txt.gz",
            9,
            call(8, DAY, "19800106000000"),
            [
                "occurred_at: implausible clock, expected at most 62 days before the delivery and "
                "one after it"
            ],
        ),
    ]


def test_each_accepted_row_names_its_line(two_days):
    rows = query(
        two_days.warehouse,
        "SELECT file_name, row_no, call_no FROM calls WHERE batch_date = '2009-05-02'",
        calls="ods.voice_call",
    )
    first, second = calls(FIRST)
    expected = {
        (f"voice_20090502_{part}.txt.gz", number, line.split("|")[0])
        for part, lines in ((1, first), (2, second))
        for number, line in enumerate(lines, start=1)
        if line.strip()
    }
    assert set(rows) == expected
    assert len(rows) == 60
    visits = query(
        two_days.warehouse,
        "SELECT row_no, session_no, page FROM seen WHERE batch_date = '2009-05-02' ORDER BY row_no",
        seen="ods.web_view",
    )
    assert visits == [(n, f"W02{n}", "套餐, 余额") for n in range(1, 7)]


# -- configuration and arguments: exit code 2, before anything is touched ------------------------


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        (
            "runtime.yml",
            "timezon: Asia/Shanghai",
            "1: timezon: unknown key, did you mean 'timezone'?",
        ),
        ("sources.yml", "voice: {cadense: daily}", "1: voice.cadense: unknown key"),
        ("channels.yml", "hall: {unit_costs: '1'}", "1: hall.unit_costs: unknown key"),
        ("services.yml", "payment: {standart: true}", "1: payment.standart: unknown key"),
        (
            "policy.yml",
            "rating:\n  month: 3",
            "2: rating.month: unknown key, did you mean 'months'?",
        ),
        ("campaigns/tariff_saving.yml", "wafe: 1", "1: wafe: unknown key, did you mean 'wave'?"),
        ("tariffs/gotone_58.yml", "monthly_fees: '58'", "1: monthly_fees: unknown key"),
    ],
)
def test_an_unknown_key_in_any_file(refused, tmp_path, file, text, said):
    path = tmp_path / "local" / file
    path.parent.mkdir(parents=True)
    path.write_text(text + "\n", encoding="utf-8")
    message = refused(2, conf=[tmp_path / "local"], logged=False)
    assert re.search(rf"{re.escape(file)}:{re.escape(said)}", message)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (
            ["--data-date", "2009-02-30"],
            "no such date: 2009-02-30; write an existing day as YYYY-MM-DD, for example 2009-05-03",
        ),
        (
            ["--data-date", "yesterday"],
            "not a date: 'yesterday'; write YYYY-MM-DD, for example 2009-05-03",
        ),
        (["--data-date", "20090503"], "not a date: '20090503'"),
        ([], "--data-date is missing: give the day, for example --data-date 2009-05-03"),
        (
            ["--from-date", "2009-05-04", "--to-date", "2009-05-03"],
            "the window ends before it begins: 2009-05-04..2009-05-03",
        ),
        (
            ["--from-date", "2009-05-03"],
            "give --data-date (with --history if wanted), or --from-date",
        ),
        (
            ["--data-date", "2009-05-03", "--history", "-1"],
            "--history: '-1': write a whole number from 0 to 120",
        ),
        (
            ["--data-date", "2009-05-03", "--history", "x"],
            "argument --history: 'x': write a whole number from 0 to 120",
        ),
        (
            ["--data-date", "2009-05-03", "--only", "ingest.nosuch"],
            "--only: no step 'ingest.nosuch'; the plan has: ingest.",
        ),
        (
            ["--data-date", "2009-05-03", "--only", " , "],
            "--only names no step; the plan has: ingest.",
        ),
        (["--data-date", "2009-05-03", "--from", "nosuch"], "--from: no step 'nosuch'"),
        (["--data-date", "2009-05-03", "--only", "push", "--from", "push"], "--only or --from"),
        (
            ["--data-date", "2009-05-03", "--accept-rejects", "  "],
            "--accept-rejects: say why in 1 to ",
        ),
        (
            ["--data-date", "2009-05-03", "--dato", "x"],
            "unrecognized arguments: --dato x; python -m jobs.night --help shows every option",
        ),
        (["--data-date", "2009-05-03", "--conf", "nowhere"], "no such configuration folder"),
    ],
)
def test_impossible_arguments(capfd, tmp_path, asked, said):
    folders = ["--landing", str(tmp_path), "--warehouse", str(tmp_path / "warehouse")]
    assert night.main(asked + folders) == 2
    message = capfd.readouterr().err
    assert message.startswith("chudian: ")
    assert said in message
    assert message.count("\n") == 1
    assert not (tmp_path / "warehouse").exists()


# -- deliveries that are not there or not whole: exit code 4, before Spark -----------------------


def test_a_missing_landing_file(refused, bad):
    message = refused(4, only="ingest.web_log", landing=bad.folder, days=(NEXT, NEXT))
    assert message == (
        f"web_log 2009-05-04: no delivery: expected {bad.path('web_log', NEXT)} "
        "since 2009-05-05 00:00; wait for it, or mark the source optional"
    )


def test_a_missing_landing_folder(refused, tmp_path):
    assert "no delivery: expected " in refused(4, landing=tmp_path / "nowhere", days=(NEXT, NEXT))


def test_a_control_file_that_disagrees(refused, bad):
    path = bad.control("voice", DAY)
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace('"rows": 30', '"rows": 31', 1), encoding="utf-8")
    assert refused(4, landing=bad.folder) == (
        "voice 2009-05-03: voice_20090503_1.txt.gz: voice_20090503.ctl promises rows 31, the file "
        "has 30: ask for the delivery again"
    )
    path.write_text(re.sub('"sha256": "....', '"sha256": "0000', text), encoding="utf-8")
    assert "promises sha256 0000" in refused(4, landing=bad.folder)


def test_a_truncated_gzip_file(refused, bad):
    path = bad.path("voice", DAY, part=1)
    path.write_bytes(path.read_bytes()[:-9])
    assert "voice_20090503_2.txt.gz: the gzip file is cut off" in refused(4, landing=bad.folder)


def test_a_truncated_second_member_is_not_taken_for_the_end(refused, bad):
    path = bad.path("voice", DAY)
    path.write_bytes(gzip.compress(b"") + path.read_bytes()[:-20])
    assert "the gzip file is cut off" in refused(4, landing=bad.folder)


# -- deliveries that are whole but bad: exit code 3 ----------------------------------------------


@pytest.mark.parametrize(
    ("header", "said"),
    [
        (HEADER.removesuffix(",push_id"), "missing column push_id"),
        (HEADER.replace("session_id,view_no", "view_no,session_id"), "columns in another order"),
    ],
)
def test_a_header_with_a_column_missing_or_in_another_order(refused, bad, header, said):
    bad.write("web_log", DAY, [[header]])
    assert refused(3, landing=bad.folder).startswith(
        f"web_log 2009-05-03: web_20090503.csv:1: {said}; expected session_id,view_no,"
    )


SPOILT = {
    "a column missing, without a header": (
        "package_subscription",
        [["S1|GOTONE_58|20090101|20991231|营业厅|20081228103000"]],
        "",
        1,
        "line: expected 7 fields separated by '|' (1 rows)",
    ),
    "columns in another order, without a header": (
        "bill",
        [["S1|200904|60000|2000|58000|58000"]],
        "",
        1,
        "month: present but not readable as date (1 rows); "
        "subscriber_no: no such record in ods.subscriber.subscriber_no (1 rows)",
    ),
    "GB18030 in a UTF-8 file": (
        "web_log",
        [[line.strip(MARK) for line in visits(DAY)]],
        "gb18030",
        6,
        "line: not readable as utf-8 (6 rows)",
    ),
    "UTF-8 in a GB18030 file": (
        "customer",
        deliveries()["customer", FIRST],
        "utf-8",
        6,
        "line: not readable as gb18030 (6 rows)",
    ),
    "an unknown package code": (
        "package_subscription",
        [["S1|NOSUCH_99|20090101|20991231|营业厅|20081228103000|20090101000000"]],
        "",
        1,
        "package_id: expected one of the configured tariff packages (1 rows)",
    ),
    "a bill without a subscriber": (
        "bill",
        [[*deliveries()["bill", DAY][0], "200904|S7|60000|2000|58000|58000"]],
        "",
        7,
        "subscriber_no: no such record in ods.subscriber.subscriber_no (1 rows)",
    ),
}


@pytest.mark.parametrize("case", SPOILT)
def test_too_many_bad_rows_stop_the_source_and_say_why(refused, bad, case):
    name, lines, encoding, rows, why = SPOILT[case]
    bad.write(name, DAY, lines, encoding)
    message = refused(3, landing=bad.folder, only=f"ingest.{name}")
    share, stop = 1 / 7 if rows == 7 else 1, bad.sources[name].rejects.stop_share.normalize()
    stopped = f"reject_share: {share:.4f}, expected at most {stop}"
    if "no such record" in why:
        stopped += f"; missing_reference_share: {share:.4f}, expected at most {stop}"
    assert message == f"{name} 2009-05-03: {stopped}; most often: {why}"


def zones(count: int) -> list[list[str]]:
    """Sixty good calls in two parts, the first so many from a zone of a new code."""
    lines = [call(n, DAY, roam_type="9" if n < count else "0") for n in range(60)]
    return [lines[:30], lines[30:]]


def test_calls_from_zones_of_a_new_code_are_kept_counted_and_judged(two_days, bad, tmp_path):
    bad.write("voice", DAY, zones(3))
    warehouse = shutil.copytree(two_days.warehouse, tmp_path / "warehouse")
    runs = set(query(warehouse, "SELECT run_id FROM l", l="ops.run_ledger"))
    assert two_days.night("--only", "ingest.voice", landing=bad.folder, warehouse=warehouse) == 0
    ((run,),) = set(query(warehouse, "SELECT run_id FROM l", l="ops.run_ledger")) - runs
    assert query(
        warehouse,
        f"""
        SELECT rows_accepted, rows_rejected, rows_warned FROM l
        WHERE run_id = '{run}' AND state = 'committed'""",
        l="ops.run_ledger",
    ) == [(60, 0, 3)]
    assert query(
        warehouse,
        f"""
        SELECT "check", severity, observed, expected FROM q
        WHERE run_id = '{run}' AND NOT success""",
        q="ops.quality_result",
    ) == [("warning: roaming: a code that is not listed, kept as unknown", "warning", "3", "0")]
    assert query(
        warehouse,
        f"""
        SELECT roaming, count(*) FROM v WHERE batch_date = '{DAY}' GROUP BY ALL ORDER BY ALL""",
        v="ods.voice_call",
    ) == [("home", 57), ("unknown", 3)]


def test_too_many_zones_of_a_new_code_stop_the_source_for_its_list_is_wrong(refused, bad):
    bad.write("voice", DAY, zones(4))
    assert refused(3, landing=bad.folder, only="ingest.voice") == (
        "voice 2009-05-03: unlisted_code_share: 0.0667, expected at most 0.05; most often: "
        "roaming: a code that is not listed, kept as unknown (4 rows)"
    )


def test_a_source_that_was_stopped_is_failed_in_the_ledger_with_the_reason(two_days):
    told = query(
        two_days.warehouse,
        """
        SELECT DISTINCT slice, message FROM ledger WHERE state = 'failed' AND source = 'bill'""",
        ledger="ops.run_ledger",
    )
    assert any(
        slice_ == "2009-05-03" and "no such record in ods.subscriber" in message
        for slice_, message in told
    )


def test_an_operator_lets_a_delivery_pass_once(two_days, bad, tmp_path):
    """It is taken in with its reason, the judgement stays failed; a row with a warning is kept."""
    _, lines, encoding, *_ = SPOILT["a bill without a subscriber"]
    bad.write("bill", DAY, lines, encoding)
    (tmp_path / "local").mkdir()
    (tmp_path / "local" / "sources.yml").write_text(
        "web_log: {warn: {'stay: an odd second': \"enter_time like '%3'\"}}\n", encoding="utf-8"
    )
    warehouse = shutil.copytree(two_days.warehouse, tmp_path / "warehouse")
    runs = set(query(warehouse, "SELECT run_id FROM l", l="ops.run_ledger"))
    assert (
        two_days.night(
            "--only",
            "ingest.bill,ingest.web_log",
            "--accept-rejects",
            " S7 is a test\n subscriber ",
            landing=bad.folder,
            warehouse=warehouse,
            conf=[tmp_path / "local"],
        )
        == 0
    )
    ((run,),) = set(query(warehouse, "SELECT run_id FROM l", l="ops.run_ledger")) - runs
    told = query(
        warehouse,
        f"""
        SELECT source, rows_accepted, rows_rejected, rows_warned, message FROM l
        WHERE run_id = '{run}' AND state = 'committed' ORDER BY source""",
        l="ops.run_ledger",
    )
    assert told == [
        ("bill", 6, 1, 0, "accepted: S7 is a test subscriber"),
        ("web_log", 6, 0, 1, None),
    ]
    failed = query(
        warehouse,
        f"""
        SELECT source, "check", severity, observed, expected FROM q
        WHERE run_id = '{run}' AND NOT success ORDER BY ALL""",
        q="ops.quality_result",
    )
    assert failed == [
        *[
            ("bill", f"{share}_share", severity, "0.1429", f"at most {limit}")
            for share in ("missing_reference", "reject")
            for severity, limit in (("critical", 0.05), ("warning", 0.01))
        ],
        ("web_log", "warning: stay: an odd second", "warning", "1", "0"),
    ]


def test_an_expression_that_stops_at_a_cell_is_a_fault_of_the_configuration(refused, tmp_path):
    (tmp_path / "local").mkdir()
    (tmp_path / "local" / "sources.yml").write_text(
        "voice: {mapping: {duration_s: 'cast(opp_oper as bigint)'}}\n", encoding="utf-8"
    )
    assert refused(2, only="ingest.voice", conf=[tmp_path / "local"]) == (
        "sources.yml: voice: an expression of the mapping stops at a cell (CAST_INVALID_INPUT): "
        "use its try_… form"
    )


def test_files_that_change_after_they_were_counted(refused, bad, monkeypatch):
    """What Spark reads must be what was delivered, line for line."""
    bad.write("web_log", DAY, [visits(DAY)[:-1]])
    files = landing.Landing.files
    monkeypatch.setattr(
        landing.Landing,
        "files",
        lambda *asked: [replace(file, rows=file.rows + 1) for file in files(*asked)],
    )
    assert refused(3, only="ingest.web_log", landing=bad.folder) == (
        "web_log 2009-05-03: rows_against_control: 1, expected 0"
    )


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            ValueError("13800000001 is no number"),
            "stopped by an unexpected ValueError; details are in ",
        ),
        (KeyboardInterrupt(), "stopped by Ctrl-C; "),
    ],
    ids=["a fault of the program", "Ctrl-C"],
)
def test_what_nobody_foresaw(refused, two_days, bad, monkeypatch, error, said):
    def stop(*_):
        raise error

    monkeypatch.setattr("jobs.steps.ingest.ingest.run", stop)
    bad.write("web_log", DAY, [visits(DAY)[:-1]])
    before = two_days.logs()
    code = 130 if isinstance(error, KeyboardInterrupt) else 1
    message = refused(code, only="ingest.web_log", logged=False, landing=bad.folder)
    assert message.startswith(said)
    assert "13800000001" not in message
    (log,) = two_days.logs() - before
    if isinstance(error, ValueError):
        assert message.endswith(log.name)
        assert "Traceback" in log.read_text(encoding="utf-8")
    assert log.stat().st_mode & 0o077 == 0  # what it holds is for the operator alone
