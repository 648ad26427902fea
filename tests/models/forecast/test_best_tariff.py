"""One answer for every active subscriber: a better tariff, the present one, or why unknown."""

from datetime import date
from decimal import Decimal

import pytest
from pyspark.sql import functions as F

from models.forecast.best_tariff import best_tariff, summary
from tests.given.frames import local_frame
from tests.given.rows import fits, frame

DAY, RATED, APRIL = date(2009, 5, 7), date(2009, 5, 3), date(2009, 4, 1)
MONTHS = [date(2009, 2, 1), date(2009, 3, 1), APRIL]
OPEN = ["chat", "small", "texts"]


def row(packages, cost, reasons=(), rank=1, *, paid=100, new=None, months=3, risk="0.05"):
    """A whole row of the match; `rank` is None for the present holding."""
    saving = None if paid is None else Decimal(paid - cost)
    return {
        "kind": "whole",
        "package_id": packages,
        "packages": packages.split("+"),
        "new_packages": [] if rank is None else (new or packages).split("+"),
        "months": months,
        "mean_present_cost": None if paid is None else Decimal(paid),
        "mean_cost": Decimal(cost),
        "saving": saving,
        "rank": rank,
        "recommended": not reasons,
        "reasons": list(reasons),
        "dear_month_risk": Decimal(risk),
    }


def mine(reasons=("OWNED", "NO_SAVING", "MONTHS_WON"), cost=100, **more):
    return row("talk+texts", cost, reasons, None, risk="0.20", **more)


HELD = ("talk", "texts")
# Subscriber → rows of the match, packages held on the day, status, day of joining.
CASES = {
    "better": [mine(), row("small", 80, rank=2), row("chat", 70, ["SEPARATE"], rank=3)],
    "the best is closed": [mine(), row("gone", 60), row("small", 80, rank=2)],
    "only a closed one": [mine(), row("gone", 60)],
    "not worth it": [mine(), row("small", 97, ["NO_SAVING"]), row("chat", 99, ["BRAND"], 2)],
    "dear month": [mine(), row("small", 60, ["BILL_SHOCK"])],
    "cheapest already": [mine(), row("small", 130, ["NO_SAVING", "MONTHS_WON"])],
    "unproven": [mine(["BACKTEST", "OWNED"]), row("small", 60, ["BACKTEST"])],
    "without bills": [
        mine(["NO_BILL", "NOT_COMPARABLE"], paid=None, months=0),
        row("small", 60, ["NO_BILL", "NOT_COMPARABLE"], paid=None),
    ],
    "changed since": [mine(), row("small", 60)],
    "changed before": [mine(cost=115), row("small", 60)],
    "holds nothing": [row("small", 60)],
    "not rated": [],
    "new": [],
    "two months": [mine(months=2), row("small", 80, months=2)],
    "churned": [mine(), row("small", 60)],
}
NUMBERS = {words: number for number, words in enumerate(CASES, start=1)}
OTHER_HOLDINGS = {"changed since": ["small"], "holds nothing": []}


@pytest.fixture(scope="module")
def answers(spark):
    people = [
        {
            "subscriber_id": number,
            "status": "churned" if words == "churned" else "active",
            "join_date": date(2009, 5, 2) if words == "new" else date(2005, 1, 1),
        }
        for words, number in NUMBERS.items()
    ]
    held = [
        (NUMBERS[words], package) for words in CASES for package in OTHER_HOLDINGS.get(words, HELD)
    ]
    matched = [
        {"subscriber_id": NUMBERS[words], **one} for words, rows in CASES.items() for one in rows
    ]
    matched += [{"subscriber_id": 1, "kind": "voice", "package_id": "cheapest", "rank": 1}]
    made = best_tariff(
        frame(spark, "dw.subscriber", *people),
        local_frame(spark, held, "subscriber_id long, package_id string"),
        frame(spark, "mart.package_match", *matched),
        OPEN,
        RATED,
        APRIL,
        Decimal("0.01"),
    ).select(F.lit(DAY).alias("data_date"), "*")
    return fits(made, "mart.best_tariff").cache()


@pytest.fixture(scope="module")
def found(answers):
    words = {number: words for words, number in NUMBERS.items()}
    return {words[one.subscriber_id]: one for one in answers.collect()}


def test_every_active_subscriber_has_one_answer_and_nobody_else(found, answers):
    assert set(found) == set(CASES) - {"churned"}
    assert answers.count() == len(found)


@pytest.mark.parametrize(
    ("words", "answer", "because", "package"),
    [
        ("better", "better", [], "chat"),
        ("the best is closed", "better", [], "small"),
        ("only a closed one", "best_already", ["CLOSED"], "talk+texts"),
        ("not worth it", "best_already", ["NO_SAVING"], "talk+texts"),
        ("dear month", "best_already", ["BILL_SHOCK"], "talk+texts"),
        ("cheapest already", "best_already", [], "talk+texts"),
        ("unproven", "not_comparable", ["BACKTEST"], None),
        ("without bills", "not_comparable", ["NO_BILL", "NOT_COMPARABLE"], None),
        ("changed since", "not_comparable", ["CHANGED"], None),
        ("changed before", "not_comparable", ["CHANGED"], None),
        ("holds nothing", "not_comparable", ["NO_HOLDING"], None),
        ("not rated", "not_comparable", ["NOT_RATED"], None),
        ("new", "not_comparable", ["NEW"], None),
        ("two months", "better", [], "small"),
    ],
)
def test_what_is_said_and_why(found, words, answer, because, package):
    one = found[words]
    assert (one.answer, one.because, one.package_id) == (answer, because, package)


def test_a_better_tariff_has_what_is_needed_to_check_it(found):
    one = found["better"]
    assert (one.packages, one.present_packages) == (["chat"], ["talk", "texts"])
    assert (one.rated_on, one.months) == (RATED, MONTHS)
    assert (one.mean_present_cost, one.mean_cost, one.saving) == (100, 70, 30)
    risks = (one.dear_month_risk, one.present_dear_month_risk)
    assert risks == (Decimal("0.05"), Decimal("0.20"))
    assert found["two months"].months == MONTHS[1:]


def test_who_has_the_best_saves_nothing_and_an_unknown_answer_has_no_amounts(found):
    assert found["dear month"].saving == 0
    assert found["dear month"].dear_month_risk == Decimal("0.20")
    one = found["changed since"]
    assert [one.saving, one.mean_cost, one.next_bill, one.months] == [None] * 4
    assert one.present_packages == ["small"]
    assert (found["holds nothing"].present_packages, found["new"].rated_on) == ([], None)


def test_the_summary_counts_answers_by_reason(answers):
    counted = {(one.answer, one.because): one for one in summary(answers).collect()}
    assert counted["better", ""].subscribers == 3
    assert counted["better", ""].saving == Decimal("23.333333")
    assert counted["not_comparable", "CHANGED"].subscribers == 2
    assert sum(one.subscribers for one in counted.values()) == len(CASES) - 1


def test_before_the_first_re_rating_nobody_can_be_told(spark):
    made = best_tariff(
        frame(spark, "dw.subscriber", {"subscriber_id": 1, "status": "active"}),
        local_frame(spark, [], "subscriber_id long, package_id string"),
        frame(spark, "mart.package_match"),
        OPEN,
        None,
        None,
        Decimal("0.01"),
    ).collect()
    assert [(one.answer, one.because, one.months) for one in made] == [
        ("not_comparable", ["NOT_RATED"], None)
    ]
