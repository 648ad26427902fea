"""Two decisions of one night side by side: who gets something else, and what that is worth."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

SIDES = ("before", "after")


def changes(before: DataFrame, after: DataFrame) -> DataFrame:
    """One row per customer and campaign that is pushed something else, or something no more.

    Columns of each side: offer and channel as text (`offers_before`, …; empty: nothing), and the
    value of what is pushed (0: nothing). `why`: first reasons of the campaign on the side after,
    where nothing is pushed any more.
    """
    sides = [_pushed(frame, side) for frame, side in zip((before, after), SIDES, strict=True)]
    why = (
        after.where("first_reason IS NOT NULL")
        .groupBy("customer_id", "campaign_id")
        .agg(F.array_sort(F.collect_set("first_reason")).alias("_why"))
    )
    moved = sides[0].join(sides[1], ["customer_id", "campaign_id"], "full")
    for side in SIDES:
        moved = moved.withColumns(
            {
                f"offers_{side}": F.coalesce(f"offers_{side}", F.lit("")),
                f"value_{side}": F.coalesce(f"value_{side}", F.lit(0)).cast("decimal(24,6)"),
            }
        )
    gone = F.when(F.col("offers_after") == "", F.array_join("_why", " "))
    return (
        moved.where("offers_before != offers_after")
        .join(why, ["customer_id", "campaign_id"], "left")
        .withColumn("why", gone)
        .drop("_why")
    )


def _pushed(decisions: DataFrame, side: str) -> DataFrame:
    offer = F.concat_ws(" ", "offer", F.lit("over"), "channel")
    return (
        decisions.where("fate = 'pushed'")
        .groupBy("customer_id", "campaign_id")
        .agg(
            F.array_join(F.array_sort(F.collect_list(offer)), ", ").alias(f"offers_{side}"),
            F.sum("value").alias(f"value_{side}"),
        )
    )


def reasons(before: DataFrame, after: DataFrame) -> DataFrame:
    """(reason, before, after): candidates by first reason, PUSHED for what is pushed."""
    reason = F.coalesce("first_reason", F.lit("PUSHED")).alias("reason")
    sides = [
        frame.groupBy(reason).agg(F.count(F.lit(1)).alias(side))
        for frame, side in zip((before, after), SIDES, strict=True)
    ]
    return sides[0].join(sides[1], "reason", "full").fillna(0, list(SIDES)).orderBy("reason")
