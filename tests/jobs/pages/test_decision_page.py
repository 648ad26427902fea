"""The decision part of the report, from rows of the funnel and of the prices."""

import re
from dataclasses import replace
from decimal import Decimal
from html import unescape

import pytest

from jobs.pages import decision_page
from jobs.pages.decision_page import Decisions
from models.decision.policy import STAGES
from models.drawing import page
from schemas.currency import YUAN
from schemas.render.spark import example_row
from tests.given.rows import CONTRACTS, named

PLACES = {code: place for place, code in enumerate((*STAGES, "PUSHED"), start=1)}


def funnel():
    columns = "campaign_id channel reason rows customers value"
    rows = named(
        columns,
        ("tariff_saving", "sms", "CONSENT", 600, 600, None),
        ("tariff_saving", "sms", "PUSHED", 400, 400, Decimal("812.40")),
        ("tariff_saving", "hall", "LOST_CAPACITY", 150, 140, Decimal("90.5")),
        ("tariff_saving", "hall", "CONSENT", 700, 690, None),
        ("tariff_saving", "hall", "PUSHED", 150, 150, Decimal("400")),
        ("mail_2009", "web", "CONSENT", 5, 5, Decimal("0.1")),
    )
    example = example_row(CONTRACTS["mart.decision_funnel"])
    return [{**example, **row, "stage": PLACES[row["reason"]]} for row in rows]


def prices():
    example = dict.fromkeys(CONTRACTS["mart.capacity_price"].column_names)
    resources = named(
        "resource unit capacity used price value_plus_one value_minus_one",
        ("channel:sms", "contacts", 400, 400, Decimal("0.35"), Decimal("0.41"), Decimal("0.33")),
        ("channel:hall", "contacts", 200, 150, Decimal(0), None, None),
        ("budget:contacts", "yuan", 0, 0, Decimal("1.5"), None, None),
    )
    total = example_row(CONTRACTS["mart.capacity_price"]) | {
        "resource": "TOTAL",
        "used": 550,
        "price": None,
        "value": Decimal("1212.40"),
        "value_greedy": Decimal("1200"),
        "value_naive": Decimal("606.20"),
        "value_margin_order": Decimal("1212.40"),
        "gap": Decimal("0.25"),
        "bound": Decimal("1250"),
        "kept": 96,
        "moved": 3,
        "gone": 1,
        "new": 450,
        "churn": Decimal("0.04"),
    }
    return [*({**example, **row} for row in resources), total]


MADE = Decisions(
    funnel(),
    prices(),
    [
        ("CONSENT", "gotone", 30),
        ("CONSENT", "mzone", 20),
        ("NO_CANDIDATE", "gotone", 7),
        ("LOST_CAPACITY", None, 2),
    ],
    35,
)


def tables(made=MADE, money=YUAN):
    """By title the rows of each table, each as the texts of its cells."""
    text = page.page("Night", decision_page.parts(made, money))
    found = {}
    for title, rest in re.findall(r"<h2>(.*?)</h2>(.*?)(?=<h2>|</body>)", text, re.DOTALL):
        rows = re.findall(r"<tr>(.*?)</tr>", rest)
        cells = [re.findall(r"<td[^>]*>(.*?)</td>", row) for row in rows[1:]]
        found[unescape(title)] = [
            [unescape(re.sub(r"<svg.*</svg>", "", cell)) for cell in row] for row in cells
        ] or rest
    return found


def test_the_parts_of_the_page():
    assert list(tables()) == [
        "Decisions",
        "Value beside simpler ways",
        "What is scarce",
        "Funnel by campaign and channel",
        "Funnel in figures",
        "Top reasons",
        "Customers who got nothing in the last 35 nights, by the furthest stage they reached",
    ]


def test_the_figures_of_the_night():
    said = re.findall(r"<b>(.*?)</b>(.*?)</div>", tables()["Decisions"])
    assert said == [
        ("2,005", "candidates"),
        ("550", "contacts pushed"),
        ("1,212.40", "value, yuan"),
        ("0.25 (0.020%)", "at most missing to the optimum, yuan"),
        ("4.00% (3 + 1)", "of 100 customers of the night before changed or dropped out"),
        ("450", "customers who had none on the night before"),
    ]


def test_the_value_stands_beside_the_rivals():
    assert [row[1:4] for row in tables()["Value beside simpler ways"]] == [
        ["1,212.40", "0.00", "+0.00%"],
        ["1,212.40", "0.00", "+0.00%"],
        ["1,200.00", "-12.40", "-1.02%"],
        ["606.20", "-606.20", "-50.00%"],
    ]


def test_the_dearest_resource_comes_first():
    assert tables()["What is scarce"] == [
        ["budget:contacts", "yuan", "0", "0", "", "1.5000", "", ""],
        ["channel:sms", "contacts", "400", "400", "", "0.3500", "0.4100", "0.3300"],
        ["channel:hall", "contacts", "200", "150", "", "0.0000", "", ""],
    ]


def test_the_funnel_of_each_campaign_and_channel_adds_up():
    found = tables()
    rows = found["Funnel in figures"]
    assert [row[:8] for row in rows] == [
        ["mail_2009", "1", "web", "CONSENT", "5", "100.0%", "5", "0.10"],
        ["tariff_saving", "1", "hall", "CONSENT", "700", "70.0%", "690", ""],
        ["tariff_saving", "1", "hall", "LOST_CAPACITY", "150", "15.0%", "140", "90.50"],
        ["tariff_saving", "1", "hall", "PUSHED", "150", "15.0%", "150", "400.00"],
        ["tariff_saving", "1", "sms", "CONSENT", "600", "60.0%", "600", ""],
        ["tariff_saving", "1", "sms", "PUSHED", "400", "40.0%", "400", "812.40"],
    ]
    pictures = found["Funnel by campaign and channel"]
    assert pictures.count("<svg") == 3
    assert "LOST_CAPACITY: 150 of 300, 150 lost" in pictures
    assert "tariff_saving, wave 1, hall" in pictures


def test_top_reasons_are_those_of_all_campaigns():
    assert [row[:4] for row in tables()["Top reasons"]] == [
        ["CONSENT", decision_page.REASONS["CONSENT"], "1,305", "0.10"],
        ["LOST_CAPACITY", decision_page.REASONS["LOST_CAPACITY"], "150", "90.50"],
    ]


def test_who_got_nothing_by_stage_and_brand():
    found = tables()
    rows = next(rows for title, rows in found.items() if title.startswith("Customers who got"))
    assert [[row[0], *row[2:6]] for row in rows] == [
        ["NO_CANDIDATE", "0", "7", "0", "7"],
        ["CONSENT", "0", "30", "20", "50"],
        ["LOST_CAPACITY", "2", "0", "0", "2"],
    ]


@pytest.mark.parametrize("part", ["Funnel in figures", "Top reasons", "What is scarce"])
def test_a_night_without_candidates(part):
    found = tables(Decisions([], [], [], 1))
    assert "<p>" in found[part]
    assert "every customer got something" in found[list(found)[-1]]
    assert "Funnel by campaign and channel" not in found
    assert "Value beside simpler ways" not in found


def test_amounts_have_the_decimals_and_the_unit_of_the_currency():
    yen = replace(YUAN, code="JPY", unit="yen", minor_unit=0)
    rows = tables(money=yen)["Value beside simpler ways"]
    assert rows[2][1:3] == ["1,200", "-12"]
