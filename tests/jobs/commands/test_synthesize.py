"""The files of a small synthetic province, read back with plain Python, and the truth about it."""

import hashlib
from collections import Counter, defaultdict
from datetime import date
from pathlib import Path

import pytest

from jobs import synthesize
from models.synthetic.chunk import SOURCES
from tests.given.paths import CONF
from tests.given.small_province import LAST, synthesized
from tests.readers.plain_reader import (
    accepted,
    content,
    control_entries,
    delivery_files,
    judged,
    truth_table,
)


def all_files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_the_same_seed_gives_the_same_bytes(delivered, tmp_path):
    landing, truth = synthesized(tmp_path)
    assert all_files(landing) == all_files(delivered[0])
    assert all_files(truth) == all_files(delivered[1])


def test_another_seed_gives_another_province(delivered, tmp_path):
    landing, _ = synthesized(tmp_path, seed=8)
    others, ours = all_files(landing), all_files(delivered[0])
    assert others.keys() == ours.keys()
    same = [name for name in ours if ours[name] == others[name] and "voice" in name]
    assert same == []


def test_a_second_call_reuses_what_is_there_and_repairs_what_is_not(tmp_path, capsys):
    landing, _truth = synthesized(tmp_path, customers=5)
    capsys.readouterr()
    synthesized(tmp_path, customers=5)
    assert "already in" in capsys.readouterr().out
    damaged = landing / "message" / LAST / "message_20090503.txt"
    whole = damaged.read_bytes()
    damaged.write_bytes(whole[:-10])
    synthesized(tmp_path, customers=5)
    assert damaged.read_bytes() == whole


def test_both_folders_say_that_the_data_is_synthetic(delivered):
    for folder in delivered:
        assert "SYNTHETIC DATA" in (folder / "README.txt").read_text(encoding="utf-8")


def test_control_files_agree_with_what_was_delivered(delivered, conf):
    for name in SOURCES:
        source = conf.sources[name]
        files = delivery_files(delivered[0], source)
        promised = control_entries(delivered[0], source)
        if source.files.control is None:
            assert promised == {}
            continue
        assert set(files) == set(promised)
        for path in files:
            data = path.read_bytes()
            assert promised[path]["rows"] == content(path).count(b"\n")
            assert promised[path]["bytes"] == len(data)
            assert promised[path]["sha256"] == hashlib.sha256(data).hexdigest()


def test_every_due_day_has_a_delivery_and_voice_has_two_parts(delivered, conf):
    days = [date(2009, 4, 1), date(2009, 4, 30), date(2009, 5, 3)]
    for name in SOURCES:
        source = conf.sources[name]
        for day in days:
            found = [
                path
                for path in delivery_files(delivered[0], source)
                if path.parent.name == str(day)
            ]
            parts = 2 if name == "voice" else 1
            assert len(found) == (parts if source.cadence.due(day) else 0)


def test_a_plain_recount_of_the_files_finds_the_planted_defects(delivered, conf):
    landing, truth = delivered
    subscribers = {cells["user_id"] for cells in accepted(landing, conf.sources["subscriber"])}
    found, rows = Counter(), Counter()
    for name in SOURCES:
        for verdict, line in judged(landing, conf.sources[name], conf.tariffs, subscribers):
            rows[name, str(line.day)] += 1
            if verdict != "plain":
                found[name, str(line.day), verdict] += 1
            missed = name == "voice" and line.cells and line.cells["end_cause"] in ("A", "B")
            if missed and verdict in ("plain", "late"):
                found[name, str(line.day), "missed_call"] += 1
    planted = {
        (row["source"], row["data_date"], row["defect"]): int(row["rows"])
        for row in truth_table(truth, "defects")
    }
    assert found == planted
    kinds = {defect for _, _, defect in planted}
    assert kinds == {
        "broken",
        "unknown_code",
        "clock_1980",
        "duplicate_within",
        "duplicate_across",
        "late",
        "unknown_package",
        "unknown_subscriber",
        "placeholder_number",
        "missed_call",
    }
    promised = Counter()
    for row in truth_table(truth, "deliveries"):
        promised[row["source"], row["data_date"]] += int(row["rows"])
    assert +promised == rows


def test_customer_names_are_gb18030_and_not_utf_8(delivered, conf):
    path = delivery_files(delivered[0], conf.sources["customer"])[0]
    with pytest.raises(UnicodeDecodeError):
        path.read_bytes().decode("utf-8")
    first = path.read_bytes().decode("gb18030").splitlines()[0].split("|")
    assert first[1] in ("个人", "集团")
    assert len(first[2]) >= 2


def test_a_recycled_number_never_has_two_owners_and_rests_ninety_days(delivered):
    owners = defaultdict(list)
    for row in truth_table(delivered[1], "numbers"):
        owners[row["msisdn"]].append(row)
    recycled = [rows for rows in owners.values() if len(rows) > 1]
    assert recycled
    for rows in recycled:
        before, after = sorted(rows, key=lambda row: row["valid_from"])
        rest = date.fromisoformat(after["valid_from"]) - date.fromisoformat(before["valid_to"])
        assert rest.days >= 90
        assert after["taken_over_from"] == before["subscriber_no"]


def test_the_planted_preference_shows_in_the_logs(delivered, conf):
    """A customer with more than ten contacts nearly always uses his true favourite most."""
    landing, truth = delivered
    owner = {}
    for row in truth_table(truth, "numbers"):
        owner.setdefault(row["msisdn"], []).append(row)
    counted = defaultdict(Counter)
    shows = {"enquiry", "complaint", "transaction"}
    outlets = {"1": "designated_shop", "2": "agent"}
    for name, channel in (
        ("hall_log", "hall"),
        ("hotline_log", "hotline"),
        ("sms_log", "sms"),
        ("web_log", "web"),
        ("wap_log", "wap"),
        ("terminal_log", "terminal"),
        ("manager_log", "customer_manager"),
        ("outlet_log", None),
    ):
        source = conf.sources[name]
        for cells in accepted(landing, source):
            number = cells["login_no" if name == "web_log" else "msisdn"]
            if source.codes["kind"].get(cells[source.mapping["kind"]]) not in shows:
                continue
            now = [row for row in owner.get(number, []) if not row["valid_to"]]
            if now:
                used = channel or outlets[cells["outlet_type"]]
                counted[now[0]["customer_no"]][used] += 1
    favourite = {row["customer_no"]: row["favourite"] for row in truth_table(truth, "preferences")}
    frequent = [customer for customer, counts in counted.items() if counts.total() > 10]
    right = sum(
        counted[customer].most_common(1)[0][0] == favourite[customer] for customer in frequent
    )
    assert len(frequent) >= 10
    assert right / len(frequent) >= 0.85


def test_a_landing_with_other_files_is_left_alone(tmp_path):
    kept = tmp_path / "landing" / "voice" / "2009-05-03" / "real.txt"
    kept.parent.mkdir(parents=True)
    kept.write_text("x", encoding="utf-8")
    words = [
        "--conf",
        str(CONF),
        "--customers",
        "5",
        "--landing",
        str(tmp_path / "landing"),
        "--truth",
        str(tmp_path / "truth"),
    ]
    assert synthesize.main(words) == 4
    assert kept.read_text(encoding="utf-8") == "x"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--data-date", "2009-02-30"], "no such date"),
        (["--customers", "0"], "write a whole number from 1 to "),
        (["--customers", "many"], "write a whole number from 1 to "),
        (["--from-date", "2009-05-03"], "before the data date"),
        (["--from-date", "2004-01-01"], "no voice package"),
    ],
)
def test_impossible_arguments_are_refused_before_anything_is_written(words, said, tmp_path, capsys):
    folders = [
        "--conf",
        str(CONF),
        "--landing",
        str(tmp_path / "landing"),
        "--truth",
        str(tmp_path / "truth"),
    ]
    assert synthesize.main([*words, *folders]) == 2
    message = capsys.readouterr().err
    assert said in message
    assert len(message.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []
