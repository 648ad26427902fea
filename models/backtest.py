"""The back-test: each customer's own packages re-rated against the bill that he really had.

No public rating engine does this; it is what makes a saving credible. A month is priced by the one
package of each kind that was in force last in it, with the tariff of that month, plus what passes.
"""
from __future__ import annotations

from decimal import Decimal
from typing import Collection

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from models import rating
from models.bill_item import AMOUNT_TYPE, KINDS, not_rerated

EQUAL = "equal"
PACKAGE_CHANGED = "package_changed"
ORDER_OF_EVENTS = "order_of_events"
NO_BILL = "no_bill"
NO_PACKAGE = "no_package"
UNKNOWN_CELL = "unknown_cell"
NOT_PRICED = "not_priced"
UNEXPLAINED = "unexplained"

BACKTEST = ("subscriber_id", "month", "actual", "rated", "difference", "within_tolerance", "cause")


def backtest(
    months: DataFrame,
    evaluated: DataFrame,
    holdings: DataFrame,
    passing: DataFrame,
    actual: DataFrame,
    tolerance: Decimal,
    kinds: Collection[str],
) -> DataFrame:
    """mart.backtest without data_date: one row per (subscriber_id, month) of `months`.

    `evaluated` (rating.evaluate) holds at least the packages of `holdings` (holding.holdings),
    `passing` and `actual` are bill_item's. `kinds` are those the catalogue prices: a bill with
    items of such a kind and no package for it cannot be reproduced (no_package); other kinds pass
    through. The VPMN fee is what was paid, whatever the reading of S2-R8 for candidates.
    """
    rows = (
        months.select("subscriber_id", "month")
        .join(_present(evaluated, holdings), ["subscriber_id", "month"], "left")
        .join(passing, ["subscriber_id", "month"], "left")
        .join(actual, ["subscriber_id", "month"], "left")
    )
    held = {kind: F.coalesce(f"has_{kind}", F.lit(False)) for kind in KINDS}
    unheld = [~held[kind] & (F.coalesce(f"rerated_{kind}", F.lit(0)) != 0) for kind in KINDS
              if kind in kinds]
    passed = not_rerated(held) + F.coalesce("vpmn", F.lit(0))
    difference = F.col("rated") - F.col("actual")
    return (
        rows.withColumn("no_package", _any(unheld) | F.col("priced").isNull())
        .withColumn("rated", F.when(~F.col("no_package") & F.col("priced"),
                                    F.col("own") + passed).cast(AMOUNT_TYPE))
        .withColumn("difference", difference.cast(AMOUNT_TYPE))
        .withColumn("within_tolerance", F.abs("difference") <= F.lit(tolerance))
        .withColumn("cause", _cause())
        .select(*BACKTEST)
    )


def _present(evaluated: DataFrame, holdings: DataFrame) -> DataFrame:
    """Per month the present packages together: own cost, whether all are priced, the kinds held."""
    rows = holdings.join(
        evaluated.drop("kind"), ["subscriber_id", "month", "package_id"], "left"
    )
    # Fees of all services stand on the row of each package: they count once.
    own = (
        F.sum("rated") + F.max("d12593") + F.max("other_fees") + F.max("direct_toll")
        + F.sum("unrated_fees")
    )
    return rows.groupBy("subscriber_id", "month").agg(
        rating.yuan(own).alias("own"),
        F.every(F.coalesce("comparable", F.lit(False))).alias("priced"),
        F.bool_or("changed").alias("changed"),
        F.bool_or(F.col("comparable").isNull()).alias("not_evaluated"),
        F.coalesce(
            F.max(F.when(F.col("reason") != rating.ORDER_OF_EVENTS, F.col("reason"))),
            F.max("reason"),
        ).alias("reason"),
        *(F.bool_or(F.col("kind") == kind).alias(f"has_{kind}") for kind in KINDS),
    )


def _cause() -> Column:
    """The first that applies, from what cannot be compared to what differs."""
    return (
        F.when(F.col("actual").isNull(), NO_BILL)
        .when(F.col("no_package") | F.col("not_evaluated"), NO_PACKAGE)
        .when(F.col("reason") == rating.ORDER_OF_EVENTS, ORDER_OF_EVENTS)
        .when(F.col("reason").startswith(rating.UNKNOWN_CELL), UNKNOWN_CELL)
        .when(~F.col("priced"), NOT_PRICED)
        .when(F.col("within_tolerance"), EQUAL)
        .when(F.col("changed"), PACKAGE_CHANGED)
        .otherwise(UNEXPLAINED)
    )


def _any(conditions: list[Column]) -> Column:
    found = F.lit(False)
    for condition in conditions:
        found |= condition
    return found
