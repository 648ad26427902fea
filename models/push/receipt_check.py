"""mart.receipt_check: what was pushed against what the channels say they loaded."""

from datetime import date, timedelta

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

DAYS = 7  # how far back a night looks at files and receipts
KNOWN_DAYS = 31  # how long a file is known to a late receipt
TOO_LATE = ("held", "dropped")  # states of ops.delivery of a file that did not leave
OVERDUE_DAYS = 2  # nights after which a file without a receipt is an alarm


def receipt_check(
    files: DataFrame, resent: DataFrame, receipts: DataFrame, data_date: date
) -> DataFrame:
    """One row a file of the DAYS days before, and one for others that a receipt names.

    `files`: mart.push_file of the KNOWN_DAYS before. `resent`: rows of ops.delivery; those that
    were delivered under a later sequence have files of their own, and a file that was too late for
    its channel, held or dropped, is not expected there. `receipts`: ods.receipt of the
    last DAYS days; of several for one file the last received counts.
    pushed = loaded + failed + missing.
    """
    too_late = (
        resent.groupBy("channel", "file_name", "data_date")
        .agg(F.max_by("state", "told_at").alias("state"))
        .where(F.col("state").isin(*TOO_LATE))
    )
    pushed = files.select("channel", "file_name", "data_date", F.col("rows").alias("pushed")).join(
        too_late, ["channel", "file_name", "data_date"], "left_anti"
    )
    again = resent.where(
        (F.col("state") == "delivered")
        & (F.col("sequence") > 1)
        & (F.col("data_date") >= F.lit(data_date - timedelta(days=KNOWN_DAYS)))
        & (F.col("data_date") < F.lit(data_date))
    ).select("channel", "file_name", "data_date", F.col("rows").alias("pushed"))
    sent = pushed.unionByName(again).dropDuplicates(["channel", "file_name"])
    told = sent.withColumnRenamed("data_date", "pushed_on").join(
        _last(receipts), ["channel", "file_name"], "full"
    )
    known, answered = F.col("pushed").isNotNull(), F.col("loaded").isNotNull()
    recent = F.col("pushed_on") >= F.lit(data_date - timedelta(days=DAYS))
    counted = (
        told.where(recent | answered)
        .select(
            F.lit(data_date).alias("data_date"),
            "channel",
            "file_name",
            F.coalesce("pushed", F.lit(0)).alias("pushed"),
            F.coalesce("loaded", F.lit(0)).alias("loaded"),
            F.coalesce("failed", F.lit(0)).alias("failed"),
            known.alias("known"),
            answered.alias("answered"),
            (F.col("pushed_on") <= F.lit(data_date - timedelta(days=OVERDUE_DAYS))).alias(
                "overdue"
            ),
        )
        .withColumn("missing", F.expr("pushed - loaded - failed"))
    )
    alarm = (
        F.when(~F.col("known"), "unknown_file")
        .when(~F.col("answered"), F.when(F.col("overdue"), "no_receipt"))
        .when(F.col("missing") < 0, "more_than_sent")
        .when(F.col("missing") > 0, "rows_missing")
    )
    return counted.withColumn("alarm", alarm).drop("known", "answered", "overdue")


def _last(receipts: DataFrame) -> DataFrame:
    order = Window.partitionBy("channel", "pushed_file").orderBy(
        F.col("received_at").desc(), F.col("batch_date").desc(), F.col("row_no").desc()
    )
    return (
        receipts.withColumn("place", F.row_number().over(order))
        .where("place = 1")
        .select(
            "channel",
            F.col("pushed_file").alias("file_name"),
            F.col("rows_loaded").alias("loaded"),
            F.col("rows_failed").alias("failed"),
        )
    )
