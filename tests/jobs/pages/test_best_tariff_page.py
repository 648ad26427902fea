"""The part of the report on best tariffs, from counted answers."""

from datetime import date
from decimal import Decimal

from jobs.pages import best_tariff_page
from models.forecast.best_tariff import UNKNOWN
from models.quote.package_match import REASONS
from schemas.currency import YUAN
from tests.given.rows import named

COUNTED = named(
    "answer because subscribers saving risk present_risk",
    ("better", "", 60, Decimal("12.345678"), Decimal("0.0312"), Decimal("0.1049")),
    ("best_already", "", 20, Decimal(0), None, None),
    ("best_already", "NO_SAVING, MONTHS_WON", 5, Decimal(0), Decimal("0.1"), Decimal("0.1")),
    ("not_comparable", "CHANGED", 15, None, None, None),
)


def test_the_answers_are_counted_with_their_reasons_saving_and_risk():
    drawn = best_tariff_page.part(COUNTED, YUAN)
    for words in (
        "a better tariff 有更优组合",
        "60 (60.0%)",
        "25 (25.0%)",
        "15 (15.0%)",
        "nothing is cheaper",
        "the cheapest saves too little, the cheapest wins too few months",
        "12.35",
        "3.1%",
        "10.5%",
    ):
        assert words in drawn, words


def test_without_subscribers_there_is_one_line():
    assert best_tariff_page.part([], YUAN).endswith("<p>no active subscribers</p>")


def test_each_reason_that_an_answer_can_have_has_words():
    beside = {"OWNED", "SEPARATE"}  # of the present holding, and no reason against an alternative
    assert {*UNKNOWN, *REASONS, "CLOSED"} - beside == set(best_tariff_page.BECAUSE)


def test_forecasts_and_real_bills_are_counted():
    columns = "month changed customers inside above rose"
    judged = named(columns, (date(2009, 4, 1), False, 200, 158, 21, 90))
    drawn = best_tariff_page.kept(judged)
    for words in ("of 2009-04", "stayed", "158 (79.0%)", "21 (10.5%)", "90 (45.0%)"):
        assert words in drawn, words
    assert best_tariff_page.kept([]) == ""
