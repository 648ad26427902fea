"""Customers without bills, such as prepaid ones: the re-rated present holding stands for the bill.

Used if `rating.without_bill` is `rerated`, for subscribers who have no bill in any of the compared
months. Each kept kind then costs what the present package makes of it, so that it is equal on both
sides of a comparison, as the items of a bill are.
"""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from models.frames.money import AMOUNT_TYPE, yuan
from models.quote.bill_item import KINDS

RERATED = "rerated"


def without_bill(months: DataFrame, actual: DataFrame) -> DataFrame:
    """(subscriber_id) of `months` that have no bill in any month; `actual`: bill_item.actual."""
    billed = actual.select("subscriber_id").distinct()
    return months.select("subscriber_id").distinct().join(billed, "subscriber_id", "left_anti")


def stand_ins(present: DataFrame, holdings: DataFrame) -> DataFrame:
    """In the place of bills: subscriber_id, month, actual, and `rerated_<kind>`, in yuan.

    `present` (evaluator.evaluate) holds the packages of `holdings` (holding.holdings), both of
    subscribers without bills. A month has a row if each present package is comparable and none
    changed in it.
    """
    own = F.when(F.col("counted"), F.col("rated") + F.col("unrated_fees")).otherwise(0)
    common = F.max("d12593") + F.max("other_fees") + F.max("direct_toll")
    rows = holdings.join(present.drop("kind"), ["subscriber_id", "month", "package_id"], "left")
    return (
        rows.groupBy("subscriber_id", "month")
        .agg(
            F.every(F.coalesce("comparable", F.lit(False)) & ~F.col("changed")).alias("priced"),
            yuan(F.sum(own) + common).alias("actual"),
            *(
                yuan(F.sum(F.when(F.col("kind") == kind, own))).alias(f"rerated_{kind}")
                for kind in KINDS
            ),
        )
        .where("priced")
        .drop("priced")
    )


def with_stand_ins(
    actual: DataFrame, passing: DataFrame, months: DataFrame, standing: DataFrame
) -> tuple[DataFrame, DataFrame]:
    """`actual` and `passing` of bill_item, with the rows of `stand_ins` for who has no bill.

    What a bill's items say of a subscriber without bills is left out.
    """
    instead = standing.select("subscriber_id", "month", "actual", F.lit(RERATED).alias("basis"))
    nothing = F.lit(0).cast(AMOUNT_TYPE)
    passed = standing.select(
        "subscriber_id",
        "month",
        *(nothing.alias(name) for name in ("itemised", "passed", "vpmn")),
        *(f"rerated_{kind}" for kind in KINDS),
    )
    theirs = passing.join(without_bill(months, actual), "subscriber_id", "left_anti")
    return actual.unionByName(instead), theirs.unionByName(passed)
