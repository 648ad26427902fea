"""`make quote` prints a bill whose lines add up, and which the engine's quote agrees with."""

import fcntl
import json
import os
import subprocess
import sys
from decimal import Decimal
from xml.etree import ElementTree

import pytest

from jobs import quote
from tests.given.paths import ROOT
from tests.given.small_province import LAST
from tests.readers.warehouse_reader import query


@pytest.fixture(scope="module")
def dearest(one_night):
    """(subscriber_no, package, month, total, passed through): most kinds of calls, then dearest."""
    return query(
        one_night.warehouse,
        """
        SELECT subscriber_no, package_id, month, total, passed_through
        FROM q JOIN s USING (subscriber_id)
        WHERE comparable AND local_airtime > 0
        ORDER BY (roaming_airtime > 0)::INT + (toll > 0)::INT DESC, total DESC, subscriber_no,
                 package_id LIMIT 1""",
        q="mart.package_quote",
        s="dw.subscriber",
    )[0]


def printed(one_night, capsys, *asked: str) -> tuple[int, str, str]:
    code = quote.main([*asked, "--data-date", LAST, *one_night.options()])
    said = capsys.readouterr()
    return code, said.out, said.err


def test_the_lines_of_the_bill_add_up_to_the_engines_quote(one_night, dearest, capsys):
    number, package, month, total, passed = dearest
    code, bill, _ = printed(
        one_night, capsys, "--subscriber", number, "--package", package, "--month", f"{month:%Y-%m}"
    )
    assert code == 0
    lines = bill.splitlines()
    title, end = lines[0], next(n for n, line in enumerate(lines) if "own prices" in line)
    assert f"({package}), {month:%Y-%m}" in title
    amounts = [Decimal(line.split()[-1]) for line in lines[3:end]]
    assert len(amounts) >= 3
    assert sum(amounts) == Decimal(lines[end].split()[-1]) == total - passed
    assert next(line for line in lines if line.startswith("by the engine")).endswith("the same")
    assert Decimal(lines[-1].split()[-1]) == total


def test_the_bill_for_a_program_says_the_same(one_night, dearest, capsys):
    number, package, month, total, passed = dearest
    code, said, _ = printed(
        one_night,
        capsys,
        "--subscriber",
        number,
        "--package",
        package,
        "--month",
        f"{month:%Y-%m}",
        "--json",
    )
    bill = json.loads(said)
    assert (code, bill["package"], bill["month"]) == (0, package, f"{month:%Y-%m}")
    amounts = [
        bill["monthly_fee"],
        *(line["yuan"] for line in bill["lines"]),
        *bill["cap_cuts"].values(),
        bill["commitment"],
        bill["rounding"],
    ]
    assert sum(map(Decimal, amounts)) == Decimal(bill["own_prices"]) == total - passed
    assert bill["engine"]["same"]
    assert Decimal(bill["engine"]["total"]) == total
    for pool in bill["pools"]:
        free = sum(line["free_by_pool"].get(pool["pool"], 0) for line in bill["lines"])
        assert free == pool["used"] <= pool["size"]


def test_a_better_tariff_costs_what_its_quotes_say(one_night, capsys):
    """One new package, all else as on the bill: the quotes of the months are the whole cost."""
    better = query(
        one_night.warehouse,
        """
        SELECT subscriber_no, new_packages[1], a.months, rated_on, a.mean_cost, a.saving,
               a.mean_present_cost
        FROM a JOIN s USING (subscriber_id)
        JOIN m ON m.subscriber_id = a.subscriber_id AND m.package_id = a.package_id
               AND m.kind = 'whole' AND m.data_date = a.rated_on
        WHERE answer = 'better' AND len(new_packages) = 1
        ORDER BY subscriber_no LIMIT 3""",
        a="mart.best_tariff",
        s="dw.subscriber",
        m="mart.package_match",
    )
    assert len(better) == 3
    for number, package, months, rated_on, cost, saving, paid in better:
        totals = []
        for month in months:
            asked = ["--subscriber", number, "--package", package, "--month", f"{month:%Y-%m}"]
            options = ["--data-date", str(rated_on), "--json", *one_night.options()]
            assert quote.main([*asked, *options]) == 0
            engine = json.loads(capsys.readouterr().out)["engine"]
            assert engine["same"]
            totals.append(Decimal(engine["total"]))
        assert abs(sum(totals) / len(totals) - cost) <= Decimal("0.000001")
        assert paid - cost == saving


@pytest.mark.parametrize(
    ("asked", "code", "message"),
    [
        (["--package", "gotone_8O"], 2, "--package: no package 'gotone_8O' in conf/tariffs"),
        (["--month", "April"], 2, "--month: 'April' is no month; write YYYY-MM"),
        (["--month", "1999-01"], 4, "--month: "),
        (["--subscriber", "1"], 4, "--subscriber: no such subscriber on 2009-05-03"),
    ],
)
def test_what_there_is_no_bill_of(one_night, dearest, capsys, asked, code, message):
    number, package, month, *_ = dearest
    right = ["--subscriber", number, "--package", package, "--month", f"{month:%Y-%m}"]
    ended, bill, said = printed(one_night, capsys, *right, *asked)
    assert (ended, bill) == (code, "")
    assert message in said
    assert len(said.splitlines()) == 1


def test_a_month_without_deliveries_or_before_the_subscriber_joined(one_night, dearest, capsys):
    """Customers of the province joined before its first delivery; a later join is looked for."""
    number, package, *_ = dearest
    (joined,) = query(
        one_night.warehouse,
        f"SELECT max(join_date) FROM s WHERE subscriber_no = '{number}'",
        s="dw.subscriber",
    )[0]
    code, bill, said = printed(
        one_night, capsys, "--subscriber", number, "--package", package, "--month", "2008-11"
    )
    assert (code, bill, said.count("\n")) == (4, "", 1)
    before = f"{joined:%Y-%m}" > "2008-11"
    expected = "joined after 2008-11" if before else "is committed for 2008-11; there are 20"
    assert expected in said


def test_while_a_night_goes_on_a_bill_is_printed_and_nothing_is_written(one_night, dearest, capsys):
    number, package, month, *_ = dearest
    before = tables_of(one_night.warehouse)
    with open(one_night.warehouse / "_run.lock", "r+", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        code, bill, _ = printed(
            one_night,
            capsys,
            *("--subscriber", number, "--package", package, "--month", f"{month:%Y-%m}"),
        )
    assert code == 0
    assert "the same" in bill
    assert tables_of(one_night.warehouse) == before


@pytest.mark.parametrize("kind", ["gprs", "sms", "mms", "wlan"])
def test_the_bill_of_another_service_is_the_engines_quote(one_night, capsys, kind):
    """Data sessions are merged from their parts before they are priced."""
    number, package, month = query(
        one_night.warehouse,
        f"""
        SELECT subscriber_no, package_id, month FROM q JOIN s USING (subscriber_id)
        WHERE comparable AND kind = '{kind}'
        ORDER BY {kind} DESC, subscriber_no, package_id LIMIT 1""",
        q="mart.package_quote",
        s="dw.subscriber",
    )[0]
    asked = ("--subscriber", number, "--package", package, "--month", f"{month:%Y-%m}", "--json")
    code, said, _ = printed(one_night, capsys, *asked)
    bill = json.loads(said)
    assert (code, bill["engine"]["same"]) == (0, True)
    assert sum(Decimal(line["yuan"]) for line in bill["lines"]) > 0


def test_the_bill_of_a_bundle_has_the_lines_of_all_its_services(one_night, capsys):
    number, package, month = query(
        one_night.warehouse,
        """
        SELECT subscriber_no, package_id, month FROM q JOIN s USING (subscriber_id)
        WHERE comparable AND kind = 'bundle' AND package_id = 'gotone_all_68'
        ORDER BY (local_airtime > 0)::INT + (sms > 0)::INT + (gprs > 0)::INT DESC, subscriber_no
        LIMIT 1""",
        q="mart.package_quote",
        s="dw.subscriber",
    )[0]
    asked = ("--subscriber", number, "--package", package, "--month", f"{month:%Y-%m}")
    code, said, _ = printed(one_night, capsys, *asked, "--json")
    bill = json.loads(said)
    assert (code, bill["engine"]["same"]) == (0, True)
    services = {line["service"] for line in bill["lines"]}
    assert len(services) >= 2
    _, text, _ = printed(one_night, capsys, *asked)
    for service in services:
        assert any(line.startswith(f"{service} ") for line in text.splitlines())


WITHOUT_SPARK = """
import sys
sys.modules |= dict.fromkeys(["pyspark", "py4j", "delta", "great_expectations"])  # no import works
from jobs import quote
sys.exit(quote.main(sys.argv[1:]))
"""


def test_a_bill_and_its_picture_need_no_spark_and_no_java(one_night, changing, capsys, tmp_path):
    number, month, _, _, package, _ = changing
    asked = ("--subscriber", number, "--package", package, "--month", f"{month:%Y-%m}", "--json")
    picture = tmp_path / "month.svg"
    run = subprocess.run(
        [
            *(sys.executable, "-c", WITHOUT_SPARK, *asked, "--picture", str(picture)),
            *("--data-date", LAST, *one_night.options()),
        ],
        cwd=ROOT,
        env={**os.environ, "PATH": str(tmp_path), "JAVA_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (run.returncode, run.stderr) == (0, "")
    assert printed(one_night, capsys, *asked) == (0, run.stdout, "")
    assert picture.exists()


def test_a_subscriber_is_named_by_number_or_by_the_id_of_the_tables(one_night, dearest, capsys):
    number, package, month, *_ = dearest
    (subscriber,) = query(
        one_night.warehouse,
        f"SELECT DISTINCT subscriber_id FROM s WHERE subscriber_no = '{number}'",
        s="dw.subscriber",
    )[0]
    asked = ("--package", package, "--month", f"{month:%Y-%m}", "--subscriber")
    bills = [
        printed(one_night, capsys, *asked, name)
        for name in (number, str(subscriber), f" {number}\u3000")
    ]
    assert bills[0] == bills[1] == bills[2]
    assert bills[0][0] == 0
    for nobody in (f"0{subscriber}", "9" * 30, "9" * 5000, f"-{subscriber}"):
        code, bill, said = printed(one_night, capsys, *asked, nobody)
        assert (code, bill, said.count("\n")) == (4, "", 1)
        assert "no such subscriber" in said


def tables_of(warehouse):
    """The files of every table: what a writer would add to."""
    return {path for path in warehouse.rglob("*") if "_logs" not in path.parts}


@pytest.fixture(scope="module")
def changing(one_night):
    """(subscriber_no, month, present package, its total, another package, its total): a customer
    whose month is priced under both."""
    return query(
        one_night.warehouse,
        """
        SELECT subscriber_no, b.month, b.package_id, b.total, a.package_id, a.total
        FROM q b JOIN q a USING (subscriber_id, month, kind) JOIN s USING (subscriber_id)
        WHERE b.is_present AND NOT a.is_present AND b.comparable AND a.comparable
          AND kind = 'voice' AND b.total <> a.total
        ORDER BY b.local_airtime DESC, subscriber_no, a.total LIMIT 1""",
        q="mart.package_quote",
        s="dw.subscriber",
    )[0]


def test_the_month_before_and_after_is_drawn(one_night, changing, capsys, tmp_path):
    number, month, _, before, package, after = changing
    path = tmp_path / "pictures" / "month.svg"
    code, bill, _ = printed(
        one_night,
        capsys,
        "--subscriber",
        number,
        "--package",
        package,
        "--month",
        f"{month:%Y-%m}",
        "--picture",
        str(path),
    )
    assert code == 0
    assert "by the engine" in bill
    words = list(ElementTree.fromstring(path.read_text(encoding="utf-8")).itertext())
    assert words[0].startswith(f"{month.year}年{month.month}月费用：")
    assert {f"{before:.2f} 元", f"{after:.2f} 元"} <= set(words)
    change = f"节省 {before - after:.2f}" if after < before else f"多付 {after - before:.2f}"
    assert f"当月{change} 元" in words


@pytest.mark.parametrize(
    ("package", "month", "message"),
    [
        (
            "present",
            "2009-04",
            "is the customer's own package for 2009-04: there is nothing to compare it with",
        ),
        (
            "other",
            "2009-02",
            "the engine kept no quote of the present voice package for 2009-02; its "
            "voice quotes: none",
        ),
    ],
)
def test_what_there_is_no_picture_of(
    one_night, changing, capsys, tmp_path, package, month, message
):
    number, _, present, _, other, _ = changing
    path = tmp_path / "month.svg"
    code, bill, said = printed(
        one_night,
        capsys,
        "--subscriber",
        number,
        "--month",
        month,
        "--picture",
        str(path),
        "--package",
        {"present": present, "other": other}[package],
    )
    assert (code, bill, path.exists()) == (4, "", False)
    assert message in said
    assert len(said.splitlines()) == 1
