"""Commands on what is not there and with the largest values: one line, and nothing is written."""

import importlib

import pytest

from tests.given.paths import TARIFFS

DAY = ["--data-date", "2009-05-03"]
QUOTE = ["quote", "--subscriber", "1", "--package", "gotone_80"]
WHAT_IF = ["what_if", "--tariff", str(TARIFFS / "gprs_5.yml")]
NO_DATE = "not a date: '2009/05/03'; write YYYY-MM-DD, for example 2009-05-03"
TOO_LATE = "no day of data: 9999-12-31; write a day from 1970-01-01 to 2999-12-31"


@pytest.fixture
def said(tmp_path, capsys):
    """The message of a command that must end with a code; the warehouse does not exist."""

    def run(code, command, *asked):
        place = [] if command in ("synthesize", "dictionary", "import_tariffs") else ["--warehouse"]
        place += [str(tmp_path / "nowhere")] if place else []
        assert importlib.import_module(f"jobs.{command}").main([*asked, *place]) == code
        printed = capsys.readouterr().err
        assert printed.startswith("chudian: ")
        assert printed.count("\n") == 1, printed
        assert list(tmp_path.iterdir()) == []
        return printed.removeprefix("chudian: ").rstrip("\n")

    return run


@pytest.mark.parametrize(
    "asked",
    [
        ["status"],
        ["status", *DAY],
        ["repair"],
        ["repair", "--dry-run"],
        ["undo", "--run-id", "20090504T061500.000000Z-4711"],
        ["undo", "--run-id", "x", "--dry-run"],
        ["maintenance", *DAY],
        ["maintenance", *DAY, "--dry-run"],
        ["erase", "--customer-no", "C1", "--request", "R1"],
        ["erase", "--customer-no", "C1", "--request", "R1", "--dry-run"],
        [*QUOTE, "--month", "2009-03", *DAY],
        [*WHAT_IF, *DAY],
        ["handover", *DAY],
        ["analyst", "--query", "held_out"],
    ],
    ids=" ".join,
)
def test_without_a_night_there_is_nothing_to_read(said, asked):
    assert said(4, *asked).endswith(
        "holds no ledger: run a night into it first, or give another --warehouse"
    )


@pytest.mark.parametrize("date", [("2009/05/03", NO_DATE), ("9999-12-31", TOO_LATE)])
@pytest.mark.parametrize(
    "asked",
    [
        ["night", "--data-date"],
        ["night", "--to-date", "2009-05-03", "--from-date"],
        ["night", "--from-date", "2009-05-03", "--to-date"],
        ["status", "--data-date"],
        ["maintenance", "--data-date"],
        ["policy_check", "--data-date"],
        ["why", "--channel", "sms", "--data-date"],
        ["handover", "--data-date"],
        [*QUOTE, "--month", "2009-03", "--data-date"],
        [*WHAT_IF, "--data-date"],
        ["synthesize", "--data-date"],
        ["synthesize", "--from-date"],
    ],
    ids=" ".join,
)
def test_a_date_in_another_notation_or_far_from_any_data(said, asked, date):
    text, why = date
    assert said(2, *asked, text) == f"{asked[-1]}: {why}"


@pytest.mark.parametrize("text", ["2009/03", "200903", "2009-3", "March", "2009-13", "9999-12"])
def test_a_month_in_another_notation(said, text):
    assert said(2, *QUOTE, *DAY, "--month", text) == (
        f"--month: '{text}' is no month; write YYYY-MM, for example 2009-03"
    )


def test_a_month_after_the_data_date(said):
    assert said(2, *QUOTE, *DAY, "--month", "2009-06") == (
        "--month: 2009-06 begins after the data date 2009-05-03: give an earlier one"
    )


@pytest.mark.parametrize("text", ["-1", "x", "1.5", "1e3", "９", "9" * 30])
@pytest.mark.parametrize(
    ("asked", "limits"),
    [
        (["night", *DAY, "--history"], "0 to 120"),
        (["status", "--days"], "1 to 366"),
        (["synthesize", "--customers"], "1 to 50000000"),
        (["synthesize", "--seed"], "0 to 9223372036854775807"),
    ],
    ids=["history", "days", "customers", "seed"],
)
def test_a_number_that_is_none_or_out_of_its_range(said, asked, limits, text):
    assert f"argument {asked[-1]}: '{text}': write a whole number from {limits}" in said(
        2, *asked, text
    )


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (["night", *DAY, "--only", "nosuch"], "--only: no step 'nosuch'; the plan has: ingest."),
        (["night", *DAY, "--from", "nosuch"], "--from: no step 'nosuch'; the plan has: ingest."),
        (["repair", "--source", "nosuch"], "--source: no source 'nosuch'; the configuration has:"),
        (["night", *DAY, "--conf", "/nowhere"], "/nowhere: no such configuration folder"),
        (["what_if", *DAY, "--tariff", "nosuch.yml"], "nosuch.yml: cannot be read: No such file"),
        (["quote", *QUOTE[1:3], "--package", "x", "--month", "2009-03", *DAY], "no package 'x'"),
        (["import_tariffs", "nosuch.csv"], "nosuch.csv: cannot be read: No such file"),
        (["dictionary", "--out", f"{__file__}/x.md"], "cannot be written (File exists)"),
        (["dictionary", "--nosuch"], "unrecognized arguments: --nosuch"),
    ],
    ids=lambda value: value if isinstance(value, str) else " ".join(value),
)
def test_a_name_that_nothing_has(said, asked, message):
    assert message in said(2, *asked)
