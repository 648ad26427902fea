"""The options of a night as one row per customer and way, with fixed arrays."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from models.frames.money import micro_yuan

USES = "array<struct<resource: string, units: bigint>>"


def choices(options: DataFrame) -> DataFrame:
    """One row per customer and way. Whoever calls keeps the rows: an assignment reads them thrice.

    `options`: one row per option, in any order, with the columns
    - `customer_id` BIGINT and `way` STRING: who chooses, and the way of contact (intrusive, pull);
    - `option_id` STRING: unique within both; it breaks ties;
    - `value` DECIMAL yuan: an option without a value, or with one of 0 or less, is never assigned;
    - `uses`: what the option takes of each resource (USES);
    - `slots` INT: how many options this customer may get this way; of several numbers the least;
    - `preference` SMALLINT: the place in the customer's own ranking, for the naive rival;
    - `sticky` BOOLEAN: whether the customer had this option yesterday.

    `lot` is the fixed hash of customer and way: it decides who gets what between equals.
    """
    uses = F.array_sort(
        F.coalesce(F.col("uses").cast(USES), F.array().cast(USES)),
    )
    option = F.struct(
        "option_id",
        micro_yuan(F.col("value")).alias("value"),
        F.xxhash64(uses).alias("kind"),
        uses.alias("uses"),
        F.col("preference").cast("smallint").alias("preference"),
        F.coalesce("sticky", F.lit(False)).alias("sticky"),
    )
    return (
        options.groupBy("customer_id", "way")
        .agg(
            F.min("slots").cast("int").alias("slots"),
            F.sort_array(F.collect_list(option)).alias("options"),
        )
        .withColumn("lot", F.xxhash64("customer_id", "way"))
    )
