"""The page of campaigns, from rows of the funnel and of the money, and from their files."""

import re
from dataclasses import replace
from datetime import date
from decimal import Decimal
from html import unescape
from html.parser import HTMLParser

from jobs.pages import campaign_page
from jobs.pages.campaign_page import Campaigns
from models.drawing import page
from schemas.config.campaign import LaterWave
from schemas.config.campaign_plan import Material, Medium, Question
from schemas.currency import YUAN
from schemas.render.spark import example_row
from tests.given.campaigns import campaign
from tests.given.rows import CONTRACTS, named

DAY = date(2009, 5, 3)
PILOT = replace(
    campaign("pilot", channels=("hall",), target="branch"),
    name_cn="厅台试点 <b>",
    later_waves=(LaterWave(2, "not_reached", ("sms",), date(2009, 5, 10), date(2009, 5, 20)),),
    media=(Medium("tv", "广告", "本地台", DAY, date(2009, 5, 8), Decimal("4000")),),
    materials=(Material("poster", "海报", "厅", 40, date(2009, 4, 20), DAY, Decimal("10")),),
    questionnaires={"hall": (Question("是否愿意", ("愿意", "不愿意")),)},
)
FUNNEL = [
    {**example_row(CONTRACTS["mart.decision_funnel"]), **row}
    for row in named(
        "campaign_id wave channel stage reason rows",
        ("pilot", 1, "hall", 3, "CONSENT", 6),
        ("pilot", 1, "hall", 15, "HOLD_ACTIVITY", 2),
        ("pilot", 1, "hall", 18, "PUSHED", 4),
        ("other", 1, "sms", 18, "PUSHED", 10),
    )
]
NO_MONEY = dict.fromkeys(CONTRACTS["mart.campaign_money"].column_names)
MONEY = [
    {**NO_MONEY, "campaign_id": name, "cost_kind": kind, "overspent": over, **row}
    for name, kind, over, row in (
        ("pilot", "goods", True, {"budget": Decimal(50), "actual": Decimal("60.5")}),
        (
            "pilot",
            "commission",
            False,
            {"budget": Decimal(80), "actual": Decimal(20), "contact_cost": Decimal("21.24")},
        ),
        (
            "pilot",
            "per_head",
            False,
            {"budget": Decimal(5), "actual": Decimal("3.2"), "customers": 4},
        ),
        (
            "spring_2009",
            "gift_deposit",
            False,
            {"actual": Decimal(86), "applied": Decimal(276), "approved": Decimal(174)},
        ),
    )
]
MADE = Campaigns(
    campaigns=[PILOT, campaign("other", channels=("sms",), salt="o")],
    day=DAY,
    states={"pilot": "running", "other": "ended"},
    running=frozenset({"pilot"}),
    reach={("pilot", 1): 9, ("pilot", 2): 3},
    funnel=FUNNEL,
    money=MONEY,
    unit_costs={"hall": Decimal("5.31"), "sms": Decimal("0.10")},
    nights={"pilot": {date(2009, 5, 2): 7, DAY: 4}},
    answers=named("campaign_id treated contacted viewed ordered", ("pilot", 7, 5, 3, 2)),
)


def shown(made=MADE):
    return page.page("Campaigns", campaign_page.parts(made, YUAN))


def tables(text):
    """By title the rows of each table, each as the texts of its cells."""
    found = {}
    for title, rest in re.findall(r"<h2>(.*?)</h2>(.*?)(?=<h2>|</body>)", text, re.DOTALL):
        rows = re.findall(r"<tr><td.*?</tr>", rest, re.DOTALL)
        found[unescape(title)] = [
            [
                unescape(re.sub(r"<[^>]+>", "", re.sub(r"<title>.*?</title>", "", cell))).strip()
                for cell in re.findall(r"<td[^>]*>(.*?)</td>", row, re.DOTALL)
            ]
            for row in rows
        ]
    return found


TEXT = shown()
TABLES = tables(TEXT)
TITLE = "厅台试点 <b> (pilot)"


def test_every_element_is_closed_and_nothing_is_fetched():
    class Closed(HTMLParser):
        def __init__(self):
            super().__init__()
            self.open, self.tags = [], set()

        def handle_starttag(self, tag, attrs):
            self.tags.add(tag)
            if tag != "meta":
                self.open.append(tag)

        def handle_endtag(self, tag):
            assert self.open.pop() == tag

    parser = Closed()
    parser.feed(TEXT)
    assert not parser.open
    assert not parser.tags & {"script", "img", "link", "b>"}
    assert "厅台试点 &lt;b&gt;" in TEXT


def test_each_campaign_shows_state_reach_funnel_and_what_it_pushed():
    assert [[one[0], one[2], *one[4:10]] for one in TABLES["Campaigns"]] == [
        ["pilot", "running", "12", "12", "2", "4", "21.24", "11"],
        ["other", "ended", "", "10", "0", "10", "1.00", "0"],
    ]


def test_what_came_of_it_is_counted_of_the_treated():
    (row,) = TABLES["What came of it so far"]
    assert [cell for cell in row if cell] == ["pilot", "厅台试点 <b>", "7", "5", "3", "2"]


def test_the_plan_has_its_waves():
    plan = TABLES[f"{TITLE}: plan"]
    assert [[*one[:5], *one[6:]] for one in plan] == [
        ["1", "branch", "hall", "2009-05-01", "2009-05-31", "9", "4"],
        ["2", "whom no contact reached", "sms", "2009-05-10", "2009-05-19", "3", "0"],
    ]


def test_cost_stands_against_target_and_what_is_overspent_is_marked():
    costs = TABLES[f"{TITLE}: cost against target"]
    assert [[*one[:4], *one[5:]] for one in costs] == [
        ["goods 营销物品成本", "50.00", "60.50", "121.0%", "overspent", ""],
        ["commission 渠道佣金成本", "80.00", "20.00", "25.0%", "", "of it contacts 21.24"],
        ["per head 人均营销成本", "5.00", "3.20", "64.0%", "", "customers contacted: 4"],
    ]
    assert [one[:2] for one in TABLES["Overspent"]] == [["pilot", "goods 营销物品成本"]]
    (unknown,) = TABLES["Campaigns that only the ledgers know"]
    assert unknown[0] == "spring_2009"
    assert unknown[-1] == "applied 276.00, approved 174.00"


def test_publicity_and_questions_are_listed():
    assert [
        [one[0], one[3], one[4], one[5], one[7]] for one in TABLES[f"{TITLE}: media and materials"]
    ] == [
        ["poster", "40", "2009-04-20", "2009-05-02", "10.00"],
        ["tv", "", "2009-05-03", "2009-05-07", "4,000.00"],
    ]
    assert TABLES[f"{TITLE}: questionnaire"] == [["hall", "是否愿意", "愿意 / 不愿意"]]


def test_a_province_without_campaigns_says_so():
    nothing = Campaigns([], DAY, {}, frozenset(), {}, [], [], {})
    assert "no campaign is configured" in shown(nothing)
