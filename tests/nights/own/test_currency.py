"""A night of an operator whose money is another: yen, without decimals.

What people and channels get is in yen and whole; exact amounts stay exact.
"""

import json
import re
from datetime import date

import pytest

from jobs import dictionary, quote, what_if
from schemas import config
from tests.given.paths import CONF, TARIFFS, TESTS
from tests.given.tiny_nights import TinyNights
from tests.given.tiny_province import DAYS, PEOPLE, call, deliveries, overlay
from tests.readers.warehouse_reader import query, table

FIRST, DAY = date(2009, 4, 30), DAYS[1]
SOURCES = ("customer", "subscriber", "package_subscription", "voice", "bill")
STEPS = (
    "ingest,identity,consent,contact_event,contact_view,contact_history,campaign_response,usage_day,"
    "usage_month,free_units,backtest,rerate,bill_forecast,best_tariff,preference,acceptance,target,"
    "decide,receipt_check,push,campaign_money,report"
)
YEN = """
currency: JPY
currencies:
  JPY: {unit: yen, name: 円, minor_unit: 0, signs: ["¥"]}
"""
WEB_ONLY = """channels: [web]
acceptance: {sms: null, hotline_outbound: null, hall: null}
"""
SCRIPT = "{package_name}: {cost_after} {currency}, {saving} {currency} 節約"


@pytest.fixture(scope="module")
def yen(spark, tmp_path_factory):
    """Six customers with a package of 168 yen a month, who made one call each in April."""
    folder, sources = tmp_path_factory.mktemp("yen"), config.load([CONF]).sources
    local = overlay(folder / "conf", sources, SOURCES)
    (local / "runtime.yml").write_text(YEN, encoding="utf-8")
    (local / "campaigns").mkdir()
    (local / "campaigns" / "tariff_saving.yml").write_text(
        f'{WEB_ONLY}script: "{SCRIPT}"\ncontrol_share: "0"\n', encoding="utf-8"
    )
    made = TinyNights(folder, sources, TESTS / "conf", local)
    held = "GOTONE_168|20090101|20991231|营业厅|20081228103000|20090101000000"
    first = {name: deliveries()[name, DAYS[0]] for name in ("customer", "subscriber")}
    first["package_subscription"] = [[f"S{n}|{held}" for n in PEOPLE]]
    first["voice"] = [
        [call(n, FIRST, msisdn=f"1380000000{n}", duration="61") for n in PEOPLE],
        [],
    ]
    for name, parts in first.items():
        made.landing.write(name, FIRST, parts)
        for day in (date(2009, 5, 1), *DAYS):
            made.landing.write(name, day, [[] for _ in parts])
    made.landing.write("bill", DAY, [[f"200904|S{n}|168000|0|168000|168000" for n in PEOPLE]])
    assert made.run(STEPS, FIRST, DAY) == 0
    return made


def printed(yen, capsys, command, *asked: str) -> str:
    where = ["--landing", str(yen.landing.folder), *yen.where()]
    assert command.main([*asked, "--data-date", str(DAY), *where]) == 0
    return capsys.readouterr().out


def test_a_channel_gets_whole_yen_and_texts_that_say_so(yen):
    rows = query(
        yen.warehouse,
        """
        SELECT cost_before, cost_after, p.saving, mean_present_cost, mean_cost, script, reason,
               package_name, before_lines, after_lines, picture
        FROM p JOIN m USING (data_date, subscriber_id, package_id)""",
        p="push.web",
        m="mart.package_match",
    )
    assert len(rows) == len(PEOPLE)
    for before, after, saving, now, then, script, reason, name, *drawn in rows:
        assert (before, after) == (round(now), round(then))
        assert saving == before - after
        assert script == f"{name}: {after} 円, {saving} 円 節約"
        assert reason.endswith(f"平均每月节省{saving}円")
        for lines, total in zip(drawn[:2], (before, after), strict=True):
            amounts = {line: int(amount) for line, amount in json.loads(lines).items()}
            assert amounts.pop("total") == total == sum(amounts.values())
        assert f"平均每月节省 {saving} 円" in drawn[2]
        assert "元" not in reason + script + drawn[2]


def test_the_file_has_whole_amounts_and_its_manifest_the_currency(yen):
    folder = yen.folder / "push" / "web" / str(DAY)
    head, *lines = (folder / "web_20090503.tsv").read_text(encoding="utf-8").splitlines()
    columns = head.split("\t")
    for line in lines:
        cells = dict(zip(columns, line.split("\t"), strict=True))
        assert cells["cost_before"] == "168"
        assert cells["saving"].isdigit()
    manifests = sorted((yen.folder / "push").rglob("*.manifest.json"))
    channels = config.load([CONF]).channels.values()
    pushed = {one.id for one in channels if one.push is not None}
    assert {one.parents[1].name for one in manifests} == pushed
    for one in manifests:
        assert json.loads(one.read_text(encoding="utf-8"))["currency"] == "JPY"


def test_tables_say_their_currency_and_keep_exact_amounts(yen):
    for name in ("ods.bill", "mart.package_match", "push.web", "ops.run_ledger"):
        noted = table(yen.warehouse, name).metadata().configuration
        assert noted["chudian.currency"] == "JPY"
    fields = {one.name: one.type.type for one in table(yen.warehouse, "push.web").schema().fields}
    assert fields["saving"] == "decimal(18,0)"
    ((exact,),) = query(yen.warehouse, "SELECT DISTINCT actual FROM t", t="mart.backtest")
    assert str(exact) == "168.000000"


def test_the_report_is_in_yen(yen):
    page = (yen.warehouse / "_docs" / f"report_{DAY}.html").read_text(encoding="utf-8")
    assert "within 0.01 yen" in page
    assert "<b>0</b>median difference, yen" in page
    assert "<b>0</b>99 of 100 differ by at most, yen" in page
    assert {"differences, yen", "largest, yen"} <= set(re.findall("<th.*?>(.*?)</th>", page))
    assert "yuan" not in page


def test_a_bill_is_in_yen_as_text_as_values_and_as_a_picture(yen, tmp_path, capsys):
    asked = ("--subscriber", "S1", "--package", "gotone_58", "--month", "2009-04")
    head, fee = printed(yen, capsys, quote, *asked).splitlines()[2:4]
    assert head.split()[-1] == "yen"
    assert fee.split() == ["monthly", "fee", "58"]
    file = tmp_path / "bill.svg"
    bill = json.loads(printed(yen, capsys, quote, *asked, "--json", "--picture", str(file)))
    assert (bill["monthly_fee"], bill["own_prices"]) == ("58", "58")
    assert bill["lines"]
    assert {line["yen"] for line in bill["lines"]} == {"0"}
    picture = file.read_text(encoding="utf-8")
    assert "当月节省 110 円" in picture
    assert "元" not in picture


def test_a_package_tried_on_all_customers_is_in_yen(yen, tmp_path, capsys):
    tariff = TARIFFS / "gotone_58.yml"
    said = printed(yen, capsys, what_if, "--tariff", str(tariff), "--out", str(tmp_path))
    page = (tmp_path / "gotone_58.html").read_text(encoding="utf-8")
    for text in (said, page):
        assert "they save, yen a month" in text
        assert "By saving, yen a month" in text
        assert "yuan" not in text
    customers, compared, takers, saved, income = said.splitlines()[4].split()
    assert (customers, compared) == ("6", "6")
    assert int(saved) == -int(income) == 110 * int(takers)


def test_the_data_dictionary_is_in_yen(yen, tmp_path, capsys):
    out = tmp_path / "tables.md"
    assert dictionary.main(["--out", str(out), *yen.conf()]) == 0
    text = out.read_text(encoding="utf-8")
    assert "| `saving` | 优惠额度 | `decimal(18,0)` | yen |" in text
    assert "yuan" not in text
