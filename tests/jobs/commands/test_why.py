"""`jobs.why` explains, without Spark, one customer's decision, and says clearly what it cannot."""

import json
import os
import subprocess
import sys
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from jobs import why
from jobs.inquiry import asked, provenance
from jobs.pages import why_text
from jobs.runtime import walk
from jobs.warehouse.committed import CommittedRows
from schemas.render.spark import example_row
from tests.given.paths import CONF, ROOT
from tests.given.rows import CONTRACTS, named
from tests.given.stored_tables import committed, made

DAY, APRIL = date(2009, 5, 3), date(2009, 4, 1)
ASKED, OTHER, NOBODYS = 2001, 2002, 2003
NOON = datetime(2009, 5, 4, 4, tzinfo=UTC)
SENT = "sms_20090503.txt"


def rows_of(table, columns, *values):
    example = example_row(CONTRACTS[table])
    return [{**example, **row} for row in named(columns, *values)]


def given():
    """A customer who got one offer by message and lost another; one who was held out; a third."""
    prices = [
        {"resource": "channel:sms", "price": Decimal("0.250000"), "units": 1},
        {"resource": "budget:contacts", "price": Decimal(0), "units": 10},
    ]
    decisions = (
        (ASKED, 1001, "gprs_5", "sms", "pushed", [], None, prices, Decimal("1.5")),
        (ASKED, 1001, "gprs_20", "sms", "dropped", ["NO_SAVING", "CAP_ALL"], None, None, None),
        (ASKED, 1001, "gprs_5", "hall", "dropped", ["LOST_PRIORITY"],
         "tariff_saving|1|gprs_5|sms", None, Decimal("1.1")),
        (OTHER, 1002, "gprs_5", "sms", "held_out", ["HOLD_ACTIVITY"], None, None, Decimal("1")),
    )  # fmt: skip
    return {
        "dw.subscriber": rows_of(
            "dw.subscriber",
            "data_date customer_id customer_no subscriber_id subscriber_no",
            *((DAY, who, f"C000000{who - 2000}", who - 1000, f"S{who}")
              for who in (ASKED, OTHER, NOBODYS)),
        ),
        "dw.subscriber_identity": rows_of(
            "dw.subscriber_identity",
            "data_date msisdn customer_id valid_from valid_to",
            (DAY, "13900000001", ASKED, datetime(2009, 1, 1, tzinfo=UTC), None),
        ),
        "dw.contact_history": rows_of(
            "dw.contact_history",
            "batch_date contact_id customer_id class way channel happened_at state",
            (date(2009, 5, 2), 1, ASKED, "marketing", "intrusive", "sms",
             datetime(2009, 5, 2, 2, tzinfo=UTC), "made"),
        ),
        "mart.decision": rows_of(
            "mart.decision",
            "data_date customer_id subscriber_id offer channel fate reasons winner prices value",
            *((DAY, *one) for one in decisions),
        ),
        "mart.decision_funnel": rows_of(
            "mart.decision_funnel",
            "data_date channel stage reason rows",
            (DAY, "sms", 18, "PUSHED", 1),
            (DAY, "sms", 7, "NO_SAVING", 1),
            (DAY, "hall", 16, "LOST_PRIORITY", 1),
        ),
        "mart.capacity_price": rows_of(
            "mart.capacity_price",
            "data_date resource capacity used price",
            (DAY, "channel:sms", 1, 1, Decimal("0.25")), (DAY, "channel:hall", 9, 0, Decimal(0)),
        ),
        "mart.target": [],
        "mart.package_match": rows_of(
            "mart.package_match",
            "data_date subscriber_id package_id kind packages new_packages",
            (DAY, 1001, "gprs_5", "gprs", ["gprs_5"], ["gprs_5"]),
        ),
        "mart.package_quote": rows_of(
            "mart.package_quote",
            "data_date subscriber_id month package_id kind is_present total",
            (DAY, 1001, APRIL, "gprs_standard", "gprs", True, Decimal("88.5")),
            (DAY, 1001, APRIL, "gprs_5", "gprs", False, Decimal("80")),
            (DAY, 1001, APRIL, "gprs_20", "gprs", False, Decimal("91")),
            (DAY, 1002, APRIL, "gprs_5", "gprs", False, Decimal("70")),
        ),
        "mart.backtest": rows_of(
            "mart.backtest", "data_date subscriber_id month", (DAY, 1001, APRIL)
        ),
        "ods.bill": rows_of(
            "ods.bill",
            "batch_date subscriber_no month total",
            (DAY, "S2001", APRIL, Decimal("88.5")),
            (date(2009, 5, 5), "S2001", APRIL, Decimal("99")),
            (DAY, "S2002", APRIL, Decimal("70")),
        ),
        "ods.bill_item": rows_of(
            "ods.bill_item",
            "batch_date subscriber_no month item_code package_id amount",
            (DAY, "S2001", APRIL, "gprs", None, Decimal("88.5")),
        ),
        "dw.usage_month": rows_of("dw.usage_month", "month subscriber_id", (APRIL, 1001)),
        "dw.rating_cell": rows_of("dw.rating_cell", "cell_id service", (5001, "voice")),
        "push.sms": rows_of(
            "push.sms",
            "data_date customer_id subscriber_id msisdn package_id",
            (DAY, ASKED, 1001, "13900000001", "gprs_5"),
        ),
        "mart.push_file": rows_of(
            "mart.push_file", "data_date channel file_name rows", (DAY, "sms", SENT, 1)
        ),
        "mart.receipt_check": rows_of(
            "mart.receipt_check",
            "data_date channel file_name pushed loaded failed missing alarm",
            (date(2009, 5, 4), "sms", SENT, 1, 0, 0, 1, "no_receipt"),
            (date(2009, 5, 5), "sms", SENT, 1, 1, 0, 0, None),
        ),
        "ods.receipt": rows_of(
            "ods.receipt",
            "batch_date channel pushed_file rows_loaded rows_failed received_at",
            (date(2009, 5, 4), "sms", SENT, 1, 0, NOON),
        ),
        "ops.delivery": rows_of(
            "ops.delivery",
            "channel data_date sequence file_name state told_at",
            ("sms", DAY, 1, SENT, "delivered", NOON),
        ),
        **{table: [] for table in ("dw.consent", "dw.contact_outcome", "ods.do_not_contact",
                                   "ods.sensitive_number", "push.hall")},
    }  # fmt: skip


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory):
    folder = tmp_path_factory.mktemp("warehouse")
    slices = [("dw.contact_history", None, str(DAY))]
    for table, rows in given().items():
        made(folder, CONTRACTS[table], rows)
        if CONTRACTS[table].slice == "data_date":
            slices.append((table, None, str(DAY)))
    committed(folder, *slices)
    return folder


@pytest.fixture(scope="module")
def configured():
    return walk.without_prices((CONF,))


@pytest.fixture(scope="module")
def answer(warehouse, configured):
    """The answer to a customer's name and a channel."""

    def ask(name="C0000001", channel="sms"):
        conf, contracts = configured
        read = provenance.tables_of(channel)
        tables = CommittedRows("why", str(warehouse), conf, contracts, read)
        about = asked.asked("why", tables, conf, name, DAY)
        return provenance.provenance(about, contracts, channel)

    return ask


@pytest.fixture
def said(warehouse, tmp_path, capsys):
    """(code, output, message) of the command for a customer named in a file."""

    def ask(name, channel="sms", *options, day=str(DAY)):
        file = tmp_path / "asked.txt"
        file.write_text(f"{name}\n", encoding="utf-8")
        given = ["--customer", str(file), "--channel", channel, "--data-date", day]
        code = why.main([*given, "--warehouse", str(warehouse), "--conf", str(CONF), *options])
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return ask


def test_a_pushed_offer_from_its_value_to_the_bill(answer):
    found = answer()
    assert found["answer"]["fate"] == "pushed"
    assert [(one["offer"], one["fate"]) for one in found["candidates"]] == [
        ("gprs_5", "pushed"),
        ("gprs_20", "dropped"),
    ]
    assert found["candidates"][0]["gain"] == "1.600000"  # 1.5 less 0 for preference, with cost 0.1
    assert [(one["resource"], one["capacity"], one["price"]) for one in found["capacity"]] == [
        ("channel:sms", 1, "0.250000")
    ]
    assert [(one["reason"], one["rows"]) for one in found["funnel"]] == [
        ("NO_SAVING", 1),
        ("PUSHED", 1),
    ]
    (evidence,) = found["evidence"]
    assert [(one["package_id"], one["total"]) for one in evidence["quotes"]] == [
        ("gprs_standard", "88.500000"),
        ("gprs_5", "80.000000"),
    ]
    (month,) = evidence["months"]
    assert month["bill"] == {"total": "88.500", "discount": "0.000", "batch_date": "2009-05-03"}
    assert month["items"] == [{"item_code": "gprs", "package_id": None, "amount": "88.500"}]
    assert month["usage"] == [{"service": "voice", "events": 2, "quantity": 122, "fees": "1.6"}]
    assert [one["uses"][0]["cap"] for one in found["contacts"]] == ["message"]


def test_the_pushed_row_its_file_and_what_the_channel_loaded(answer):
    found = answer()
    (row,) = found["pushed"]
    assert row["package_id"] == "gprs_5"
    assert not {"msisdn", "customer_id", "subscriber_id"} & set(row)
    file = found["file"]
    assert [one["state"] for one in file["deliveries"]] == ["delivered"]
    assert file["receipts"][0]["received_at"] == "2009-05-04T12:00:00+08:00"
    assert [(one["data_date"], one["loaded"], one["alarm"]) for one in file["checks"]] == [
        ("2009-05-05", 1, None)
    ]


def test_each_table_with_its_version_and_the_run_that_wrote_the_slice(answer):
    found = answer()["tables"]
    assert set(found) == set(provenance.tables_of("sms"))
    assert {one["version"] for one in found.values()} == {0}
    assert found["mart.decision"] == {
        "version": 0,
        "slice": "2009-05-03",
        "run_id": "R1",
        "written_in_version": 0,
        "config_fingerprint": "f",
    }


def test_who_was_not_pushed_is_told_why(answer):
    text = why_text.printed(answer(channel="hall"), "yuan")
    assert "gprs_5 of tariff_saving, wave 1, was dropped." in text
    assert "LOST_PRIORITY  another candidate of the customer was better" in text
    assert "the slot went to tariff_saving 1 gprs_5 sms" in text
    assert "pushed over sms: gprs_5 of tariff_saving" in text
    text = why_text.printed(answer("C0000002"), "yuan")
    assert "was held out as control, and not sent" in text


def test_who_was_no_candidate_is_told_so(answer):
    nothing = answer("C0000003")
    assert nothing["answer"] == {"fate": "no_candidate", "reasons": []}
    assert (nothing["candidates"], nothing["evidence"], nothing["pushed"]) == ([], [], [])
    assert "no running campaign made the customer a candidate" in why_text.printed(nothing, "yuan")


def test_the_text_names_nobody(said, answer):
    code, out, err = said("13900000001")
    assert (code, err) == (0, "")
    assert out == why_text.printed(answer(), "yuan") + "\n"
    for secret in ("S2001", "1390000", "C0000001"):
        assert secret not in out
    assert "checked 2009-05-05: pushed 1 = loaded 1 + failed 0 + missing 0; no alarm" in out
    assert "2009-04  2 voice  88.500  2009-05-03" in out


@pytest.mark.parametrize(
    ("name", "channel", "day", "code", "message"),
    [
        ("C0000077", "sms", "2009-05-03", 2, "--customer: at the end of 2009-05-03 no customer"),
        ("C0000001", "smss", "2009-05-03", 2, "--channel: no such channel in channels.yml"),
        ("C0000001", "ivr", "2009-05-03", 2, "--channel: ivr gets no files"),
        ("C0000001", "sms", "2009-05-04", 4, "why: mart.decision is not committed for 2009-05-04"),
        ("C0000001", "sms", "2009/05/04", 2, "--data-date: not a date"),
    ],
)
def test_what_cannot_be_answered_is_one_line(said, name, channel, day, code, message):
    ended, out, err = said(name, channel, day=day)
    assert (ended, out, err.count("\n")) == (code, "", 1)
    assert message in err
    assert name not in err


def test_a_number_on_the_command_line_is_refused_and_not_repeated(capsys, warehouse):
    options = ["--data-date", str(DAY), "--channel", "sms", "--warehouse", str(warehouse)]
    assert why.main(["--customer", "13900000001", *options, "--conf", str(CONF)]) == 2
    err = capsys.readouterr().err
    assert "give the name of a file that holds the number, not the number" in err
    assert "1390000" not in err


WITHOUT_SPARK = """
import sys
sys.modules |= dict.fromkeys(["pyspark", "py4j", "delta", "great_expectations"])  # no import works
from jobs import why
sys.exit(why.main(sys.argv[1:]))
"""


def test_it_needs_no_spark_and_no_java(warehouse, tmp_path, answer):
    run = subprocess.run(
        [
            *(sys.executable, "-c", WITHOUT_SPARK, "--json", "--data-date", str(DAY)),
            *("--channel", "sms"),
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
    assert json.loads(run.stdout) == answer()
