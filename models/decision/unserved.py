"""Who never gets anything, and at which stage he falls out."""

from collections.abc import Sequence

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from models.frames.lookup import looked_up

NO_CANDIDATE = "NO_CANDIDATE"


def unserved(decisions: DataFrame, subscribers: DataFrame, stages: Sequence[str]) -> DataFrame:
    """(reason, brand, customers): customers none of whose candidates was pushed.

    `decisions`: mart.decision of some nights. `subscribers`: dw.subscriber of the last one.
    `reason`: the furthest of the `stages` that one of the customer's candidates reached, or
    NO_CANDIDATE.
    `brand`: of the subscriber of that candidate, else of the customer's first; NULL: not known.
    """
    place = looked_up(F.col("first_reason"), {code: no for no, code in enumerate(stages)}, "int")
    reached = (
        decisions.withColumn("_place", place)
        .groupBy("customer_id")
        .agg(
            F.bool_or(F.col("fate") == "pushed").alias("served"),
            F.max(F.struct("_place", "subscriber_id")).alias("_best"),
        )
    )
    brands = subscribers.select("subscriber_id", "brand")
    fell = (
        reached.where(~F.col("served"))
        .select(
            F.get(F.array(*map(F.lit, stages)), F.col("_best._place")).alias("reason"),
            F.col("_best.subscriber_id").alias("subscriber_id"),
        )
        .join(brands, "subscriber_id", "left")
        .select("reason", "brand")
    )
    without = (
        subscribers.join(reached, "customer_id", "left_anti")
        .groupBy("customer_id")
        .agg(F.min_by("brand", "subscriber_id").alias("brand"))
        .select(F.lit(NO_CANDIDATE).alias("reason"), "brand")
    )
    return (
        fell.unionByName(without)
        .groupBy("reason", "brand")
        .agg(F.count(F.lit(1)).alias("customers"))
    )
