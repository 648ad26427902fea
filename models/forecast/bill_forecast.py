"""Forecast bills against real ones: whether the forecast of a month held, and whose bill rose.

A forecast is judged where the customer held the forecast packages for the whole month: those who
stayed with what they had, and those who changed to an alternative.
"""

from __future__ import annotations

from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

WHOLE = "whole"


def held_throughout(holdings: DataFrame) -> DataFrame:
    """(subscriber_id, packages): who held the same packages for the whole month, ids in order.

    `holdings`: holding.holdings of one month, of the packages of the catalogue.
    """
    return (
        holdings.groupBy("subscriber_id")
        .agg(
            F.sort_array(F.collect_set("package_id")).alias("packages"),
            F.bool_or("changed").alias("any_changed"),
        )
        .where("NOT any_changed")
        .drop("any_changed")
    )


def bill_forecast(match: DataFrame, held: DataFrame, actual: DataFrame, month: date) -> DataFrame:
    """mart.bill_forecast without data_date: one row per subscriber whose forecast can be judged.

    `match`: the snapshot of mart.package_match of the close before `month` ended; `held`: of
    `held_throughout`; `actual`: (subscriber_id, actual) of the month.
    """
    forecast = match.where((F.col("kind") == WHOLE) & F.col("next_bill").isNotNull())
    return (
        forecast.join(held, ["subscriber_id", "packages"])
        .join(actual.select("subscriber_id", "actual"), "subscriber_id")
        .select(
            "subscriber_id",
            F.lit(month).alias("month"),
            "package_id",
            F.col("rank").isNotNull().alias("changed"),
            F.col("next_bill").alias("expected"),
            F.col("next_bill_low").alias("low"),
            F.col("next_bill_high").alias("high"),
            "actual",
            F.col("mean_present_cost").alias("before"),
        )
    )


def summary(judged: DataFrame) -> DataFrame:
    """(month, changed, customers, inside, above, rose): counts of the rows of mart.bill_forecast.

    `inside`: the bill lies between the bounds, `above`: over them. `rose`: it is above the mean of
    the months before the forecast.
    """
    return (
        judged.groupBy("month", "changed")
        .agg(
            F.count(F.lit(1)).alias("customers"),
            F.count_if(F.col("actual").between(F.col("low"), F.col("high"))).alias("inside"),
            F.count_if(F.col("actual") > F.col("high")).alias("above"),
            F.count_if(F.col("actual") > F.col("before")).alias("rose"),
        )
        .orderBy("month", "changed")
    )
