"""Mistakes in cost targets, budgets, publicity and questionnaires: refused with file and line."""

from datetime import date
from decimal import Decimal

import pytest

from schemas import config
from schemas.config.campaign_plan import questionnaire_text
from tests.given.small_configuration import CONF, edit, refusal, write

PLAN = """
cost_targets: {goods: "5000", commission: "300", per_head: "12.50"}
gift_deposits: "2000"
daily_budget: {hall: "53.10"}
media:
  - {medium: tv, content: 广告, placement: 本地台, from: 2009-04-20, to: 2009-05-20, cost: "4000"}
materials:
  - {material: poster, content: 海报, placement: 厅, pieces: 40,
     from: 2009-05-01, to: 2009-06-01, cost: "1000"}
questionnaires:
  hall:
    - {question: 是否愿意, answers: [愿意, 不愿意]}
    - {question: 为什么, answers: [价格, 其他]}
"""
COSTS = "campaigns: {approval: required, costs: {goods: [publicity], commission: [contacts]}}\n"


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    """A configuration whose campaign has a plan; a test copies what it changes."""
    made = write(
        tmp_path_factory.mktemp("plan") / "conf",
        {
            **CONF,
            "campaigns/saving.yml": CONF["campaigns/saving.yml"] + PLAN,
            "policy.yml": CONF["policy.yml"] + COSTS,
        },
    )
    edit(made, "channels.yml", "[msisdn, script]", "[msisdn, script, questionnaire]")
    return made


@pytest.fixture
def folder(tmp_path, sound):
    return write(
        tmp_path / "conf",
        {
            path.relative_to(sound).as_posix(): path.read_text(encoding="utf-8")
            for path in sound.rglob("*.yml")
        },
    )


def test_a_plan_is_read(sound):
    read = config.load([sound]).campaigns["saving"]
    assert read.cost_targets["per_head"] == Decimal("12.50")
    assert read.gift_deposits == 2000
    assert read.daily_budget == {"hall": Decimal("53.10")}
    assert (read.media[0].valid_from, read.materials[0].pieces) == (date(2009, 4, 20), 40)
    text = questionnaire_text(read.questionnaires["hall"])
    assert text == "1.是否愿意（愿意/不愿意） 2.为什么（价格/其他）"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('per_head: "12', 'per_hed: "12', "cost_targets.per_hed: unknown key"),
        ('per_head: "12', 'per_head: "-1', "cost_targets.per_head: expected 0 or more; got -1.50"),
        ('"2000"', '"-2"', "gift_deposits: expected 0 or more; got -2"),
        ('"2000"', "2000", 'gift_deposits: prices are written as strings: "2000"'),
        (
            'commission: "300"',
            'discount: "300"',
            "cost_targets.discount: no cost counts towards it: list what does in policy.yml, "
            "campaigns.costs.discount",
        ),
        (
            'goods: "5000"',
            'goods: "4999.99"',
            "cost_targets.goods: media and materials are planned to cost 5000, more than this "
            "target of 4999.99",
        ),
        (
            'daily_budget: {hall: "53.10"}',
            'daily_budget: {hall: "5.30"}',
            "daily_budget.hall: expected 0 (never) or at least 5.31, the cost of one contact; "
            "got 5.30",
        ),
        (
            "daily_budget: {hall",
            "daily_budget: {hal",
            "daily_budget.hal: 'hal' is no channel of the campaign, did you mean 'hall'?",
        ),
        (
            "to: 2009-05-20",
            "to: 2009-08-02",
            "media[0]: expected a first day before the last one, and no day after the campaign, "
            "which ends before 2009-08-01; got 2009-04-20 to 2009-08-02",
        ),
        (
            "to: 2009-06-01",
            "to: 2009-05-01",
            "materials[0]: expected a first day before the last one",
        ),
        (
            "valid_days: 30\n",
            "valid_days: 30\nvalid_days_on: {sms: 7}\n",
            "valid_days_on.sms: 'sms' is no channel of the campaign; known: hall",
        ),
        ("medium: tv", "medium: television", "media[0].medium: "),
        ("pieces: 40", "pieces: 0", "materials[0].pieces: "),
        (
            "  hall:\n",
            "  web:\n",
            "questionnaires.web: 'web' is no channel of the campaign; known: hall",
        ),
        ("[愿意, 不愿意]", "[愿意]", "questionnaires.hall[0].answers: "),
        (
            "question: 为什么",
            "question: 是否愿意",
            "questionnaires.hall[1].question: '是否愿意' is asked twice, first on line 26",
        ),
    ],
)
def test_a_mistake_is_refused_with_file_line_and_what_to_do(folder, old, new, message):
    edit(folder, "campaigns/saving.yml", old, new)
    found = refusal(folder)
    assert message in found
    assert "campaigns/saving.yml:" in found


def test_questions_need_a_column_in_the_channels_file(folder):
    edit(folder, "channels.yml", ", questionnaire]", "]")
    assert (
        "questionnaires.hall: the file of 'hall' has no column 'questionnaire': add it to "
        "push.columns in channels.yml"
    ) in refusal(folder)


def test_a_cost_that_nobody_books_is_refused(folder):
    edit(folder, "policy.yml", "[publicity]", "[publicty]")
    assert "campaigns.costs.goods[0]: " in refusal(folder)
