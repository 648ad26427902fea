"""The best tariff of each subscriber 最优资费告知: an answer for all, not for an offer alone (N1).

The answer compares whole alternatives: all packages that a customer can hold together. Best is what
saves the customer most, whatever the operator's own order of packages (`rating.priority`) is.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from decimal import Decimal

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from models.forecast.next_bill import FORECAST
from models.frames.money import AMOUNT_TYPE

BETTER, BEST_ALREADY, NOT_COMPARABLE = "better", "best_already", "not_comparable"
# Why it cannot be said, in order.
UNKNOWN = (
    "NOT_RATED",
    "NEW",
    "NO_HOLDING",
    "CHANGED",
    "NO_BILL",
    "NOT_COMPARABLE",
    "BACKTEST",
)
OF_MATCH = ("NO_BILL", "NOT_COMPARABLE", "BACKTEST")  # the same reasons of mart.package_match
CLOSED = "CLOSED"  # a package of the alternative may no longer be ordered
APART = "SEPARATE"  # each change has a row of its own; nothing speaks against the alternative
WHOLE = "whole"
ROW = (
    "package_id",
    "packages",
    "months",
    "mean_present_cost",
    "mean_cost",
    "saving",
    *FORECAST,
)
BEST_TARIFF = (
    "subscriber_id",
    "answer",
    "because",
    "package_id",
    "packages",
    "present_packages",
    "rated_on",
    "months",
    "mean_present_cost",
    "mean_cost",
    "saving",
    *FORECAST,
    "present_dear_month_risk",
)


def best_tariff(
    subscribers: DataFrame,
    held: DataFrame,
    match: DataFrame,
    open_offers: Collection[str],
    rated_on: date | None,
    last_month: date | None,
    tolerance: Decimal,
) -> DataFrame:
    """mart.best_tariff without data_date: one row per active subscriber, with columns BEST_TARIFF.

    `subscribers`: dw.subscriber of the day; `held`: holding.held_on of the day; `match`: the newest
    snapshot of mart.package_match, of the day `rated_on`; `last_month`: its last closed month. Both
    are None if nothing was re-rated yet. `open_offers`: packages that may be ordered on the day.
    `tolerance`: by how many yuan the present holding may cost more or less than the bills; beyond
    it the packages of the compared months were others.

    - `better`: the alternative of the greatest saving that nothing speaks against;
    - `best_already`: there is none; `because` says what speaks against the cheapest one, and is
      empty if none is cheaper than the present holding;
    - `not_comparable`: `because` holds the codes of UNKNOWN that apply.

    `months` are the months compared, in order. The quotes of these months are those of `rated_on`.
    """
    found = _found(match, open_offers)
    mine = held.groupBy("subscriber_id").agg(
        F.sort_array(F.collect_set("package_id")).alias("present_packages")
    )
    people = subscribers.where("status = 'active'").select("subscriber_id", "join_date")
    rows = people.join(mine, "subscriber_id", "left").join(found, "subscriber_id", "left")
    unknown = _unknown(last_month, tolerance)
    said = rows.withColumn("unknown", unknown).withColumns(
        {
            "answer": F.when(F.size("unknown") > 0, NOT_COMPARABLE)
            .when(F.col("best").isNotNull(), BETTER)
            .otherwise(BEST_ALREADY),
            "row": F.coalesce("best", "present"),
        }
    )
    known = F.col("answer") != NOT_COMPARABLE
    stated = {name: F.when(known, F.col(f"row.{name}")).alias(name) for name in ROW}
    stays = F.col("answer") == BEST_ALREADY
    return said.select(
        *(name for name in ("subscriber_id", "answer")),
        F.when(~known, F.col("unknown"))
        .when(stays, F.coalesce("against", F.array().cast("array<string>")))
        .otherwise(F.array().cast("array<string>"))
        .alias("because"),
        stated["package_id"],
        stated["packages"],
        F.coalesce("present_packages", F.array().cast("array<string>")).alias("present_packages"),
        F.when(F.col("rated").isNotNull(), F.lit(rated_on)).cast("date").alias("rated_on"),
        F.when(known, _months(last_month)).alias("months"),
        stated["mean_present_cost"],
        stated["mean_cost"],
        F.when(stays, F.lit(0).cast(AMOUNT_TYPE)).otherwise(stated["saving"]).alias("saving"),
        *(stated[name] for name in FORECAST),
        F.when(known, F.col("present.dear_month_risk")).alias("present_dear_month_risk"),
    )


def _found(match: DataFrame, open_offers: Collection[str]) -> DataFrame:
    """Per subscriber: rated, present, best, against."""
    row = F.struct(*ROW)
    is_present = F.col("rank").isNull()
    is_open = F.forall("new_packages", lambda one: one.isin(*open_offers))
    closed = F.when(is_open, F.array()).otherwise(F.array(F.lit(CLOSED)))
    against = F.concat(
        F.array_except("reasons", F.array(F.lit(APART))), closed.cast("array<string>")
    )
    whole = match.where(F.col("kind") == WHOLE).withColumn("against", against)
    fits = ~is_present & (F.size("against") == 0)
    cheaper = ~is_present & (F.col("saving") > 0) & (F.col("mean_cost") < F.col("own_cost"))
    order = F.struct(-F.col("saving"), F.col("rank"))
    customer = Window.partitionBy("subscriber_id")
    own_cost = F.max(F.when(is_present, F.col("mean_cost"))).over(customer)
    return (
        whole.withColumn("own_cost", own_cost)
        .groupBy("subscriber_id")
        .agg(
            F.count(F.lit(1)).alias("rated"),
            F.max(F.when(is_present, row)).alias("present"),
            F.max(F.when(is_present, F.col("reasons"))).alias("present_reasons"),
            F.min_by(F.when(fits, row), F.when(fits, order)).alias("best"),
            F.min_by("against", F.when(cheaper, order)).alias("against"),
        )
    )


def _unknown(last_month: date | None, tolerance: Decimal) -> Column:
    """The codes of UNKNOWN that apply, in order."""
    rated = F.col("rated").isNotNull()
    present = F.col("present").isNotNull()
    nothing_rated = F.lit(last_month is None)
    joined_later = F.coalesce(
        F.col("join_date") >= F.add_months(F.lit(last_month).cast("date"), 1), F.lit(False)
    )
    of_match = {
        code: present & F.array_contains(F.coalesce("present_reasons", F.array()), code)
        for code in OF_MATCH
    }
    held = F.coalesce("present_packages", F.array().cast("array<string>"))
    differs = F.coalesce(F.abs(F.col("present.saving")) > F.lit(tolerance), F.lit(False))
    tests = {
        "NOT_RATED": nothing_rated | (~rated & ~joined_later),
        "NEW": ~rated & joined_later,
        "NO_HOLDING": rated & ~present,
        "CHANGED": present & ((F.col("present.packages") != held) | differs),
        **of_match,
    }
    return F.array_compact(F.array(*(F.when(tests[code], code) for code in UNKNOWN)))


def _months(last_month: date | None) -> Column:
    """The compared months of an answer: without gaps, up to the last closed one."""
    last = F.lit(last_month).cast("date")
    first = F.add_months(last, 1 - F.col("row.months").cast("int"))
    return F.when(F.col("row.months") > 0, F.sequence(first, last, F.expr("INTERVAL 1 MONTH")))


def summary(answers: DataFrame) -> DataFrame:
    """(answer, because, subscribers, saving, risk, present_risk), the most frequent first.

    `because`: the reasons, joined; `saving`: mean yuan a month; the risks are means of those known.
    """
    return (
        answers.groupBy("answer", F.array_join("because", ", ").alias("because"))
        .agg(
            F.count(F.lit(1)).alias("subscribers"),
            F.avg("saving").cast(AMOUNT_TYPE).alias("saving"),
            F.avg("dear_month_risk").cast("decimal(5,4)").alias("risk"),
            F.avg("present_dear_month_risk").cast("decimal(5,4)").alias("present_risk"),
        )
        .orderBy("answer", F.desc("subscribers"), "because")
    )
