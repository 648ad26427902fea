"""`jobs.policy_check` answers from the tables what the policy says of one customer, and why."""

import io
import json
import os
import subprocess
import sys
from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from jobs import policy_check
from jobs.pages.decision_words import REASONS
from models.decision.policy import STAGES
from schemas.render.spark import example_row
from tests.given.paths import CONF, ROOT
from tests.given.rows import CONTRACTS, named
from tests.given.stored_tables import committed, made

DAY = date(2009, 5, 3)
ASKED, OTHER = 2001, 2002
SLICED = ("dw.subscriber", "dw.subscriber_identity", "dw.consent", "mart.decision")
HISTORY, OUTCOME = "dw.contact_history", "dw.contact_outcome"
LISTS = ("ods.do_not_contact", "ods.sensitive_number")


def instant(text):
    """An instant of May 2009 on the operator's clock, like "03 10:00"."""
    moment = datetime.fromisoformat(f"2009-05-{text}").replace(tzinfo=ZoneInfo("Asia/Shanghai"))
    return moment.astimezone(UTC)


def rows_of(table, columns, *values):
    example = example_row(CONTRACTS[table])
    return [{**example, **row} for row in named(columns, *values)]


def contacts():
    """A message, a query, a page that is reserved, a call that was freed, and another's message."""
    columns = (
        "batch_date contact_id customer_id class way channel campaign_id happened_at until state"
    )
    return rows_of(
        HISTORY,
        columns,
        *(
            (date(2009, 5, int(when[:2])), no, who, *rest, instant(when), until, state)
            for no, who, *rest, when, until, state in (
                (1, ASKED, "marketing", "intrusive", "sms", None, "02 10:00", None, "made"),
                (2, ASKED, "service", "pull", "ivr", None, "02 12:00", None, "made"),
                (3, ASKED, "marketing", "pull", "web", None, "03 00:00",
                 instant("10 00:00"), "reserved"),
                (4, ASKED, "marketing", "intrusive", "hotline_outbound", "tariff_saving",
                 "03 09:00", instant("06 09:00"), "reserved"),
                (4, ASKED, "marketing", "intrusive", "hotline_outbound", "tariff_saving",
                 "03 10:00", None, "freed"),
                (5, OTHER, "marketing", "intrusive", "sms", None, "02 10:00", None, "made"),
            )
        ),
    )  # fmt: skip


def decisions():
    columns = "data_date customer_id offer channel value fate first_reason reasons winner"
    winner = "tariff_saving|1|gotone_58|hall"
    return rows_of(
        "mart.decision",
        columns,
        (DAY, ASKED, "gotone_58", "sms", Decimal("9.5"), "dropped", "CAP_ALL", ["CAP_ALL"], None),
        (DAY, ASKED, "gotone_58", "hall", Decimal("7.25"), "pushed", None, [], None),
        (DAY, ASKED, "gotone_88", "hall", Decimal("8"), "dropped", "LOST_PRIORITY",
         ["LOST_PRIORITY"], winner),
        (DAY, ASKED, "gotone_58", "web", None, "dropped", "NO_SAVING", ["NO_SAVING"], None),
        (DAY, ASKED, "gotone_98", "hall", Decimal("0.5"), "dropped", "CAP_CHANNEL",
         ["CAP_CHANNEL"], winner),
        (DAY, OTHER, "gotone_58", "hall", Decimal("1"), "pushed", None, [], None),
    )  # fmt: skip


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory):
    folder = tmp_path_factory.mktemp("warehouse")
    tables = {
        "dw.subscriber": rows_of(
            "dw.subscriber",
            "data_date customer_id customer_no",
            (DAY, ASKED, "C0000001"),
            (DAY, OTHER, "13900000009"),
        ),
        "dw.subscriber_identity": rows_of(
            "dw.subscriber_identity",
            "data_date msisdn customer_id valid_from valid_to",
            (DAY, "13900000001", ASKED, instant("01 00:00"), None),
            (DAY, "13900000002", ASKED, instant("01 00:00"), instant("03 12:00")),
            (DAY, "13900000002", OTHER, instant("03 12:00"), None),
            (DAY, "13900000009", ASKED, instant("01 00:00"), None),
        ),
        "dw.consent": rows_of(
            "dw.consent",
            "data_date customer_id class granted valid_from",
            (DAY, ASKED, "marketing", True, instant("01 00:00")),
        ),
        HISTORY: contacts(),
        OUTCOME: rows_of(
            OUTCOME,
            "batch_date customer_id outcome happened_at",
            (date(2009, 5, 2), ASKED, "refused", instant("02 10:01")),
        ),
        "ods.do_not_contact": rows_of(
            "ods.do_not_contact",
            "msisdn channel campaign_type listed_at changed_at delisted_at",
            ("13900000002", "hall", "care", instant("02 00:00"), instant("02 00:00"), None),
            ("13900000002", "web", None, instant("03 13:00"), instant("03 13:00"), None),
        ),
        "ods.sensitive_number": rows_of(
            "ods.sensitive_number",
            "month msisdn",
            (date(2009, 4, 1), "13900000001"),
            (date(2009, 5, 1), "13900000002"),
        ),
        "mart.decision": decisions(),
    }
    for table, rows in tables.items():
        made(folder, CONTRACTS[table], rows)
    committed(
        folder,
        *((table, None, str(DAY)) for table in (*SLICED, HISTORY, OUTCOME)),
        *((table, "crm", str(DAY)) for table in LISTS),
    )
    return folder


@pytest.fixture
def said(warehouse, tmp_path, capsys):
    """(code, output, message) for a customer named in a file."""

    def ask(name, *options, day=str(DAY), where=warehouse):
        file = tmp_path / "asked.txt"
        file.write_text(f"{name}\n", encoding="utf-8")
        asked = ["--customer", str(file), "--data-date", day, "--warehouse", str(where)]
        code = policy_check.main([*asked, "--conf", str(CONF), *options])
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return ask


@pytest.fixture
def answer(said):
    def ask(name="C0000001"):
        code, out, err = said(name, "--json")
        assert (code, err) == (0, "")
        return json.loads(out)

    return ask


def test_each_contact_that_counts_and_until_when_it_uses_which_cap(answer):
    found = answer()
    assert found["contacts_without_slot"] == 1
    assert [
        (one["channel"], one["state"], {use["cap"]: use["to"][:16] for use in one["uses"]})
        for one in found["contacts"]
    ] == [
        (
            "sms",
            "made",
            {
                "message": "2009-05-09T10:00",
                "interruption": "2009-05-05T10:00",
                "offer": "2009-06-01T10:00",
                "day": "2009-05-03T00:00",
            },
        ),
        ("web", "reserved", {"day": "2009-05-10T00:00", "prompt": "2009-06-09T00:00"}),
    ]


def test_the_windows_and_when_the_next_slot_opens(answer):
    """The message of 2 May at 10:00 fills the 72 hours of the cap `interruption`."""
    slots = {(one["class"], one["channel"]): one for one in answer()["slots"]}
    sms = slots["marketing", "sms"]
    assert (sms["way"], sms["from"][:16], sms["until"][:16]) == (
        "intrusive",
        "2009-05-04T10:00",
        "2009-05-04T20:00",
    )
    assert (sms["slots"], sms["reasons"]) == (0, ["CAP_ALL"])
    assert sms["next_slot"] == "2009-05-05T10:00:00+08:00"
    caps = {one["cap"]: one for one in sms["caps"]}
    assert (caps["interruption"]["used"], caps["interruption"]["left"]) == (1, 0)
    assert caps["interruption"]["window_from"] == "2009-05-01T10:00:00+08:00"
    assert caps["interruption"]["window_to"] == "2009-05-04T10:00:00+08:00"
    assert caps["day"]["window_from"] == "2009-05-04T00:00:00+08:00"
    assert (caps["day"]["used"], caps["day"]["left"]) == (1, 1)  # the reserved prompt of the page
    assert (caps["message"]["used"], caps["offer"]["used"]) == (1, 1)
    assert slots["marketing", "hotline_outbound"]["next_slot"] == "2009-05-05T10:00:00+08:00"
    assert slots["marketing", "hall"]["slots"] == 1
    assert slots["service", "sms"]["reasons"] == []
    assert slots["service", "sms"]["caps"] == []


def test_what_the_customer_said_is_about_the_person_and_the_day(answer):
    """The number that changed hands was his when it was listed; the page was closed by the next."""
    known = answer()["known"]
    assert [(one["channel"], one["class"]) for one in known["do_not_contact"]] == [("hall", "care")]
    assert [(one["class"], one["granted"]) for one in known["consent"]] == [("marketing", True)]
    assert known["outcomes"] == [{"outcome": "refused", "at": "2009-05-02T10:01:00+08:00"}]
    assert known["sensitive_number"] is False  # only in the list of April, or of a number he left


def test_what_could_be_offered_and_why_not_the_rest(answer):
    found = answer()["candidates"]
    assert [(one["offer"], one["channel"], one["fate"]) for one in found] == [
        ("gotone_58", "hall", "pushed"),
        ("gotone_58", "sms", "dropped"),
        ("gotone_88", "hall", "dropped"),
        ("gotone_98", "hall", "dropped"),
        ("gotone_58", "web", "dropped"),
    ]
    assert found[2]["winner"] == "tariff_saving|1|gotone_58|hall"
    assert [one["value"] for one in found] == [
        "7.250000",
        "9.500000",
        "8.000000",
        "0.500000",
        None,
    ]
    assert [one["policy_now"] for one in found] == [None] * 5


def test_what_another_policy_would_say_of_the_candidates(said, tmp_path):
    (tmp_path / "policy.yml").write_text(
        "contacts: {caps: {interruption: {limit: 2}, prompt: {limit: 0}}}\n", encoding="utf-8"
    )
    code, out, _ = said("C0000001", "--json", "--conf", str(tmp_path))
    assert code == 0
    assert [one["policy_now"] for one in json.loads(out)["candidates"]] == [
        ["CAP_ALL"],
        [],
        ["CAP_ALL"],
        ["CAP_ALL"],
        ["CAP_ALL"],
    ]


def test_the_text_says_the_same_in_tables(said):
    code, out, err = said("C0000001")
    assert (code, err) == (0, "")
    parts = {part.splitlines()[0]: part.splitlines()[1:] for part in out.split("\n\n")}
    assert list(parts) == [
        f"customer {ASKED} at the end of 2009-05-03; times of Asia/Shanghai",
        "Contacts that count",
        "Known of the customer",
        "Caps",
        "When the next contact may be made",
        "Fullest window of each cap",
        "Candidates of 2009-05-03",
    ]
    assert parts["Contacts that count"][-1] == "1 more that use no slot"
    (sms,) = (
        line
        for line in parts["When the next contact may be made"]
        if line.split()[:3] == ["marketing", "intrusive", "sms"]
    )
    assert sms.split()[-4:] == ["0", "CAP_ALL", "2009-05-05", "10:00"]
    for part in parts.values():
        heads = [line for line in part if line.startswith("  ")]
        assert all(len(line) <= 200 for line in heads)
    assert any(
        "CAP_ALL" in line and "no slot" in line for line in parts["Candidates of 2009-05-03"]
    )
    for secret in ("C0000001", "1390000"):
        assert secret not in out


def test_a_customer_is_named_by_either_number_in_any_writing(said, monkeypatch, warehouse, capsys):
    outs = {
        said(name)[1]
        for name in ("C0000001", " 139 0000 0001 ", "+86 13900000001", "\ufeffC0000001")
    }
    assert len(outs) == 1
    monkeypatch.setattr(sys, "stdin", io.StringIO("\n13900000001\n"))
    options = ["--data-date", str(DAY), "--warehouse", str(warehouse), "--conf", str(CONF)]
    assert policy_check.main(options) == 0
    assert capsys.readouterr().out in outs


@pytest.mark.parametrize(
    ("name", "code", "message"),
    [
        ("C0000077", 2, "--customer: at the end of 2009-05-03 no customer has this number"),
        ("13900000003", 2, "--customer: at the end of 2009-05-03 no customer has this number"),
        ("", 2, "--customer: 0 lines that name a customer; write one"),
        ("C0000001\n13900000002", 2, "--customer: 2 lines that name a customer; write one"),
        ("13900000009", 2, "--customer: this is the number of one customer at the CRM and"),
    ],
)
def test_a_name_that_names_nobody_or_two(said, name, code, message):
    ended, out, err = said(name)
    assert (ended, out, err.count("\n")) == (code, "", 1)
    assert message in err
    assert not name or name not in err


def test_a_number_on_the_command_line_is_refused_and_not_repeated(capsys, warehouse):
    options = ["--data-date", str(DAY), "--warehouse", str(warehouse), "--conf", str(CONF)]
    assert policy_check.main(["--customer", "13900000001", *options]) == 2
    err = capsys.readouterr().err
    assert "give the name of a file that holds the number, not the number" in err
    assert "1390000" not in err


def test_a_night_that_nothing_knows(said, tmp_path):
    code, out, err = said("C0000001", day="2009-05-04")
    assert (code, out) == (4, "")
    assert "policy_check: dw.contact_history is not committed for 2009-05-04" in err
    code, _, err = said("C0000001", where=tmp_path / "nowhere")
    assert code == 4
    assert "holds no ledger" in err


def test_a_night_without_decisions_is_said(said, warehouse, tmp_path):
    folder = tmp_path / "warehouse"
    folder.mkdir()
    for layer in ("dw", "ods"):
        (folder / layer).symlink_to(warehouse / layer)
    committed(folder, *((table, None, str(DAY)) for table in (*SLICED[:3], HISTORY, OUTCOME)))
    code, out, _ = said("C0000001", where=folder)
    assert code == 0
    assert "nothing is decided for this night" in out


WITHOUT_SPARK = """
import sys
sys.modules |= dict.fromkeys(["pyspark", "py4j", "delta", "great_expectations"])  # no import works
from jobs import policy_check
sys.exit(policy_check.main(sys.argv[1:]))
"""


def test_it_needs_no_spark_and_no_java(warehouse, tmp_path, said):
    run = subprocess.run(
        [
            *(sys.executable, "-c", WITHOUT_SPARK, "--data-date", str(DAY)),
            *("--warehouse", str(warehouse), "--conf", str(CONF)),
        ],
        cwd=ROOT,
        env={**os.environ, "PATH": str(tmp_path), "JAVA_HOME": str(tmp_path)},
        input="C0000001\n",
        capture_output=True,
        text=True,
        check=False,
    )
    assert (run.returncode, run.stderr) == (0, "")
    assert said("C0000001") == (0, run.stdout, "")


def test_every_reason_has_its_words():
    assert tuple(REASONS) == STAGES
