"""The sums of both arms, added up from a few rows by hand."""

from datetime import date, datetime
from decimal import Decimal
from functools import reduce
from zoneinfo import ZoneInfo

import pytest
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from models.evaluation import arms
from schemas.config.metric import metric_of
from tests.given.contact_policies import ZONE
from tests.given.rows import frame, named

NAMES = {"name_cn": "指标", "name_en": "It", "direction": "up", "role": "goal", "window_days": 30}
ORDERS = {
    "table": "dw.campaign_response",
    "at": "ordered_at",
    "take": "any",
    "where": {"ordered": True},
}
CALLS = {"table": "dw.contact_event", "at": "local_date", "take": "rows"}
BILLS = {"table": "ods.bill", "at": "month", "take": "sum", "column": "total"}
ENTRIES = {
    "order_rate": {"unit": "customer", "numerator": ORDERS, "denominator": "assigned"},
    "bill": {
        "unit": "subscriber",
        "numerator": BILLS,
        "denominator": "assigned",
        "before_days": 60,
        "winsor_limit": "100",
    },
    "calls_per_order": {"unit": "customer", "numerator": CALLS, "denominator": ORDERS},
}
METRICS = {name: metric_of(name, {**NAMES, **entry}) for name, entry in ENTRIES.items()}


def instant(month, day):
    return datetime(2008, month, day, 12, tzinfo=ZoneInfo(ZONE))


@pytest.fixture(scope="module")
def sums(spark):
    """(metric, arm, closed) → the row of sums; customers 1 to 3 treated, 4 and 5 control."""
    night = date(2008, 5, 3)
    responses = frame(
        spark,
        "dw.campaign_response",
        *(
            {"campaign_id": "spring", "wave": 1, "assigned_on": night, "touches": 2, **row}
            for row in named(
                "customer_id subscriber_id arm ordered ordered_at",
                (1, 11, "treated", True, instant(5, 20)),
                (2, 12, "treated", False, None),
                (3, 13, "treated", True, instant(6, 10)),
                (4, 14, "control", False, None),
                (5, 15, "control", True, instant(5, 4)),
                (99, 99, "control", True, instant(5, 4)),
            )
        ),
        {  # another wave, whose window is still open
            "campaign_id": "spring",
            "wave": 2,
            "customer_id": 1,
            "subscriber_id": 11,
            "arm": "treated",
            "assigned_on": date(2008, 6, 20),
            "ordered": False,
            "ordered_at": None,
        },
    )
    people = [{"subscriber_id": number, "brand": "gotone"} for number in range(11, 16)]
    cohort = arms.known(responses, frame(spark, "dw.subscriber", *people))
    bills = frame(
        spark,
        "ods.bill",
        *named(
            "subscriber_no month total",
            ("11", date(2008, 6, 1), Decimal("150.000")),  # cut at 100
            ("11", date(2008, 5, 1), Decimal("80.000")),  # before the assignment
            ("11", date(2008, 3, 1), Decimal("70.000")),  # more than 60 days before
            ("12", date(2008, 6, 1), Decimal("20.500")),
            ("15", date(2008, 7, 1), Decimal("33.000")),  # after the window
        ),
    )
    events = frame(
        spark,
        "dw.contact_event",
        *named(
            "customer_id local_date",
            (1, date(2008, 5, 5)),
            (1, date(2008, 6, 2)),
            (1, date(2008, 6, 3)),
            (4, date(2008, 5, 4)),
        ),
    )
    rows = {
        "dw.campaign_response": (responses, F.col("customer_id")),
        "ods.bill": (bills, F.col("subscriber_no").cast("bigint")),
        "dw.contact_event": (events, F.col("customer_id")),
    }
    values = reduce(
        DataFrame.unionByName,
        [
            arms.values(one, part, side, *rows[part.table])
            for one in METRICS.values()
            for part, side in zip(one.parts, (arms.Y, arms.X), strict=False)
        ],
    )
    asked = [arms.Asked("spring", one, 30, daily=False) for one in METRICS.values()]
    found = arms.sums(cohort, values, asked, F.lit(Decimal("0.5")), date(2008, 6, 30))
    return {(row["metric"], row["arm"], row["wave"], row["closed"]): row for row in found.collect()}


def shown(row, *names):
    return tuple(row[name] for name in names)


def test_a_rate_counts_orders_of_the_window_in_its_own_wave(sums):
    """Customer 3 ordered after the window; customer 99 is not known any more."""
    assert shown(sums["order_rate", "treated", 1, True], "n", "y", "yy") == (3, 1, 1)
    assert shown(sums["order_rate", "control", 1, True], "n", "y", "yy") == (2, 1, 1)
    assert shown(sums["order_rate", "treated", 2, False], "n", "y") == (1, 0)


def test_money_is_cut_at_the_limit_and_has_the_days_before_beside_it(sums):
    treated = sums["bill", "treated", 1, True]
    assert shown(treated, "n", "y", "yy", "x", "xx", "xy") == (
        3,
        Decimal("120.5"),
        Decimal("10420.25"),
        80,
        6400,
        8000,
    )
    assert shown(sums["bill", "control", 1, True], "n", "y", "x") == (2, 0, 0)


def test_the_cost_of_contacts_stands_beside_the_money(sums):
    """Two touches of half a yuan each."""
    assert shown(sums["bill", "treated", 1, True], "c", "cc", "cy") == (3, 3, Decimal("120.5"))


def test_a_ratio_has_its_denominator_as_x(sums):
    treated = sums["calls_per_order", "treated", 1, True]
    assert shown(treated, "n", "y", "yy", "x", "xy") == (3, 2, 4, 1, 2)
    assert shown(sums["calls_per_order", "control", 1, True], "n", "y", "x") == (2, 1, 1)
