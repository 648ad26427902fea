"""Forecasts against bills: who is judged, and what is counted."""

from datetime import date
from decimal import Decimal

import pytest
from pyspark.sql import functions as F

from models.forecast.bill_forecast import bill_forecast, held_throughout, summary
from tests.given import match_rows
from tests.given.frames import local_frame
from tests.given.match_rows import APRIL, MARCH
from tests.given.rows import fits, frame

LONG_AGO, CHANGE = date(2008, 1, 1), date(2009, 4, 10)
# Subscriber → packages of voice and SMS: (package, from, to), and the bill of April.
CASES = {
    "stayed": ([("talk", LONG_AGO, None), ("texts", LONG_AGO, None)], 95),
    "changed in time": ([("small", APRIL, None), ("texts", LONG_AGO, None)], 75),
    "changed within the month": ([("small", CHANGE, None), ("texts", LONG_AGO, None)], 70),
    "holds something else": ([("chat", LONG_AGO, None), ("texts", LONG_AGO, None)], 90),
    "no bill": ([("talk", LONG_AGO, None), ("texts", LONG_AGO, None)], None),
    "below": ([("talk", LONG_AGO, None), ("texts", LONG_AGO, None)], 80),
}
NUMBERS = {words: number for number, words in enumerate(CASES, start=1)}


def forecast(number, packages, bounds, rank):
    low, middle, high = (None if one is None else Decimal(one) for one in bounds)
    return {
        "subscriber_id": number,
        "kind": "whole",
        "package_id": packages,
        "packages": packages.split("+"),
        "mean_present_cost": Decimal(90),
        "next_bill_low": low,
        "next_bill": middle,
        "next_bill_high": high,
        "rank": rank,
    }


@pytest.fixture(scope="module")
def judged(spark):
    months = match_rows.months(spark, *((number, APRIL, LONG_AGO) for number in NUMBERS.values()))
    held = [
        (NUMBERS[words], "sms" if name == "texts" else "voice", name, since, until)
        for words, (packages, _) in CASES.items()
        for name, since, until in packages
    ]
    matched = [
        one
        for number in NUMBERS.values()
        for one in (
            forecast(number, "talk+texts", (85, 94, 110), None),
            forecast(number, "small+texts", (60, 66, 72), 1),
            forecast(number, "chat+texts", (None, None, None), 2),
        )
    ]
    bills = [(NUMBERS[words], APRIL, Decimal(bill)) for words, (_, bill) in CASES.items() if bill]
    made = bill_forecast(
        frame(spark, "mart.package_match", *matched),
        held_throughout(match_rows.holdings(spark, months, held)),
        local_frame(spark, bills, "subscriber_id long, month date, actual decimal(18,6)"),
        APRIL,
    )
    return fits(
        made.select(F.lit(date(2009, 5, 3)).alias("data_date"), "*"), "mart.bill_forecast"
    ).cache()


def test_only_who_held_the_forecast_packages_all_month_is_judged(judged):
    words = {number: words for words, number in NUMBERS.items()}
    found = {words[row.subscriber_id]: row for row in judged.collect()}
    assert set(found) == {"stayed", "changed in time", "below"}
    row = found["changed in time"]
    assert (row.package_id, row.changed, row.month) == ("small+texts", True, APRIL)
    assert (row.low, row.expected, row.high, row.actual) == (60, 66, 72, 75)
    assert not found["stayed"].changed
    assert MARCH not in {row.month for row in found.values()}


def test_bills_inside_above_and_risen_are_counted(judged):
    counted = [tuple(row)[1:] for row in summary(judged).collect()]
    # Who stayed: 95 lies inside and is above 90 of before, 80 lies below. Who changed pays 75.
    assert counted == [(False, 2, 1, 0, 1), (True, 1, 0, 1, 0)]
