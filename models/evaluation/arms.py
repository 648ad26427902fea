"""What Spark adds up of both arms of campaigns: the sums of `models.evaluation.sums`, and counts.

Values of all metrics are added up in one aggregation over the assignments, whatever table they come
from. What comes back has a few rows for each campaign, wave and metric.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from models.campaign.read_out import SETTLE_DAYS
from schemas.config.metric import Metric, Part

AMOUNT = "decimal(18,4)"
Y, X = "y", "x"
# Rows of these tables belong to one wave of one campaign.
OWN = ("dw.campaign_response", "ods.campaign_assignment")
MOMENTS = ("n", "y", "yy", "x", "xx", "xy", "c", "cc", "cy")


@dataclass(frozen=True)
class Asked:
    """A metric that a campaign is judged by, with the days of its window; `daily`: looks."""

    campaign_id: str
    metric: Metric
    days: int
    daily: bool


def values(metric: Metric, part: Part, side: str, rows: DataFrame, key: Column) -> DataFrame:
    """The values of a part of a metric: metric, side, unit_id, campaign_id, wave, day and value.

    `rows`: of the part's table. `key`: the column with the id of the unit. Rows of
    OWN count only in their campaign and wave.
    """
    kept = rows.where(_fits(part))
    own = part.table in OWN
    value = F.col(part.column) if part.take == "sum" and part.column else F.lit(1)
    return kept.select(
        F.lit(metric.id).alias("metric"),
        F.lit(side).alias("side"),
        key.alias("unit_id"),
        (F.col("campaign_id") if own else F.lit(None).cast("string")).alias("of_campaign"),
        (F.col("wave") if own else F.lit(None).cast("int")).alias("of_wave"),
        F.to_date(part.at).alias("day"),
        value.cast(AMOUNT).alias("value"),
    ).where("unit_id IS NOT NULL")


def _fits(part: Part) -> Column:
    found = F.lit(True)
    for column, wanted in sorted(part.where.items()):
        found = found & F.col(column).eqNullSafe(F.lit(wanted))
    return found


def known(responses: DataFrame, subscribers: DataFrame) -> DataFrame:
    """`responses` with the `brand` of the subscriber and whether he is `known` on the day.

    Of a customer who is not known any more (erased) nothing can be read out.
    """
    there = subscribers.select("subscriber_id", "brand", F.lit(True).alias("known"))
    return responses.join(there, "subscriber_id", "left").withColumn(
        "known", F.coalesce("known", F.lit(False))
    )


def counts(cohort: DataFrame) -> DataFrame:
    """By campaign, wave, arm, channel and night: assigned, known, and what came of the treated."""
    return cohort.groupBy("campaign_id", "wave", "arm", "channel", "assigned_on").agg(
        F.count(F.lit(1)).alias("assigned"),
        F.count_if("known").alias("known"),
        F.count_if(F.col("other_campaigns") > 0).alias("overlapping"),
        *(F.count_if(name).alias(name) for name in ("contacted", "viewed", "refused", "ordered")),
        F.count_if(F.col("contacted") & F.col("ordered")).alias("contacted_ordered"),
    )


def sums(
    cohort: DataFrame,
    all_values: DataFrame,
    asked: Sequence[Asked],
    costs: Column,
    data_date: date,
) -> DataFrame:
    """The moments by campaign, wave, metric, arm, brand, and whether the window has `closed`.

    `cohort`: of `known`. `all_values`: the union of `values`. `costs`: of a contact of the row.
    `look`: of daily looks the day on which the window closed, else NULL. x is the denominator of a
    ratio, or the same value before the assignment; c is the cost of the contacts that were made.
    """
    rows = _units(cohort, asked)
    day, in_window = F.col("day"), F.col("day").between(F.col("opens"), F.col("closes"))
    own = F.coalesce(
        (F.col("of_campaign") == F.col("campaign_id")) & (F.col("of_wave") == F.col("wave")),
        F.lit(True),
    )
    before = (day < F.col("opens")) & (day > F.date_sub("assigned_on", F.col("before_days")))
    ours = (F.col("side") == Y) & own
    x = F.when(F.col("side") == X, in_window & own).otherwise(before & ours)
    added = [*rows.columns]
    joined = (
        rows.join(all_values, ["metric", "unit_id"], "left")
        .groupBy(*added)
        .agg(_sum_if(ours & in_window).alias("_y"), _sum_if(x).alias("_x"))
        .withColumn("y", _limited("_y"))
        .withColumn("x", _limited("_x"))
        .withColumn("c", (costs * F.col("touches")).cast(AMOUNT))
    )
    products = {"yy": ("y", "y"), "xx": ("x", "x"), "xy": ("x", "y")}
    products |= {"cc": ("c", "c"), "cy": ("c", "y")}
    closed = F.date_add("closes", SETTLE_DAYS) <= F.lit(data_date)
    return (
        joined.withColumn("closed", closed)
        .withColumn("look", F.when(F.col("daily") & closed, F.col("closes")))
        .groupBy("campaign_id", "wave", "metric", "arm", "brand", "closed", "look")
        .agg(
            F.count(F.lit(1)).alias("n"),
            *(F.sum(name).alias(name) for name in ("y", "x", "c")),
            *(F.sum(F.col(a) * F.col(b)).alias(name) for name, (a, b) in products.items()),
        )
    )


def _asked(asked: Sequence[Asked]) -> Column:
    """The metrics of the row's campaign, as an array; NULL: it is judged by none."""
    of_campaign: dict[str, list[Column]] = {}
    for one in asked:
        metric = one.metric
        most = Decimal(1) if metric.numerator.take == "any" else metric.winsor_limit
        of_campaign.setdefault(one.campaign_id, []).append(
            F.struct(
                F.lit(metric.id).alias("metric"),
                F.lit(metric.unit == "customer").alias("of_customer"),
                F.lit(one.days).alias("days"),
                F.lit(metric.before_days or 0).alias("before_days"),
                F.lit(one.daily).alias("daily"),
                F.lit(most).cast(AMOUNT).alias("most"),
                F.lit(metric.denominator is None).alias("alone"),
            )
        )
    cases = [F.when(F.col("campaign_id") == name, F.array(*of)) for name, of in of_campaign.items()]
    return F.coalesce(*cases)


def _units(cohort: DataFrame, asked: Sequence[Asked]) -> DataFrame:
    """One row per assignment and metric, with the days of its window."""
    unit = F.when(F.col("of_customer"), F.col("customer_id")).otherwise(F.col("subscriber_id"))
    place = ("campaign_id", "wave", "arm", "brand", "assigned_on", "touches", "channel")
    return (
        cohort.where("known")
        .select(*place, "customer_id", "subscriber_id", F.inline(_asked(asked)))
        .select(
            *place,
            "metric",
            "daily",
            "most",
            "alone",
            "before_days",
            unit.alias("unit_id"),
            F.date_add("assigned_on", 1).alias("opens"),
            F.date_add("assigned_on", F.col("days")).alias("closes"),
        )
    )


def _sum_if(condition: Column) -> Column:
    return F.coalesce(
        F.sum(F.when(condition, F.col("value"))), F.lit(Decimal(0)).cast(AMOUNT)
    ).cast(AMOUNT)


def _limited(name: str) -> Column:
    """The value, at most the winsor limit; a denominator of rows is not limited."""
    limit = F.col("most") if name == "_y" else F.when(F.col("alone"), F.col("most"))
    return F.least(F.col(name), limit).cast(AMOUNT)
