"""Which rows of a delivery repeat a record that is taken in: the duplicates by business key."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from models.intake.verdict import ROW, VERDICT, Judged
from schemas.config import Source
from schemas.contract import Contract


def suspects(judged: Judged, earlier: DataFrame | None) -> DataFrame:
    """The hashes (`record_key`) that more than one row has, of this delivery or before it.

    Most keys occur once: `found` sorts the rows of these alone. `earlier`: as there.
    """
    hashes = judged.frame.where("not _rejected").select(
        "record_key", F.lit(1).alias("here"), F.lit(0).alias("before")
    )
    if earlier is not None:
        hashes = hashes.unionByName(
            earlier.select("record_key", F.lit(0).alias("here"), F.lit(1).alias("before"))
        )
    return (
        hashes.groupBy("record_key")
        .agg(F.sum("here").alias("here"), F.max("before").alias("before"))
        .where("here > 0 and here + before > 1")
        .select("record_key")
    )


def unusual(judged: Judged, suspects: DataFrame | None) -> DataFrame:
    """The rows that are rejected, and those whose key is one of the `suspects` (None: no key).

    They are few, and all that `found` and the rejected lines are made of.
    """
    if suspects is None:
        return judged.frame.where("_rejected")
    keys = suspects.select(F.col("record_key").alias("_suspect"))
    near = judged.frame.join(keys, F.col("record_key") == F.col("_suspect"), "left")
    return near.where("_rejected or _suspect is not null").drop("_suspect")


def found(
    among: DataFrame, source: Source, contract: Contract, earlier: DataFrame | None
) -> DataFrame:
    """The rows that repeat a record that is taken in, without the record's own columns.

    `among`: the `unusual` rows, which hold every row of a key that more than one row has.

    Of the rows of one business key the lowest (batch_date, file, row) stays. A row repeats one that
    stays, on its own day or in the look-back before it: of the window, or accepted before it. Night
    by night or in one pass, the same rows stay. `earlier`: accepted rows of the source from the
    look-back, with the key's columns, `record_key` and `batch_date`.
    """
    rows = _with_last_accepted(among.where("not _rejected"), contract, earlier)
    order = Window.partitionBy(*contract.key).orderBy("batch_date", "file_name", "row_no")
    before = order.rowsBetween(Window.unboundedPreceding, -1)
    rows = rows.withColumn(
        "_same_day", F.lag("batch_date").over(order) == F.col("batch_date")
    ).withColumn("_days", F.array_sort(F.collect_set("batch_date").over(before)))

    def staying(last: Column, day: Column) -> Column:
        new = last.isNull() | (F.datediff(day, last) > source.lookback_days)
        return F.when(new, day).otherwise(last)

    last = F.aggregate("_days", F.col("_last_accepted"), staying)
    again = F.col("_same_day") | (F.datediff("batch_date", last) <= source.lookback_days)
    dated = ["local_date"] if "local_date" in contract.column_names else []
    return rows.where(again).select(*ROW, *VERDICT, *dated)


def _with_last_accepted(
    frame: DataFrame, contract: Contract, earlier: DataFrame | None
) -> DataFrame:
    """`_last_accepted`: the last day of the look-back on which the row's key was accepted."""
    if earlier is None:
        return frame.withColumn("_last_accepted", F.lit(None).cast("date"))
    names = [name for name in contract.key if name != "source"]
    seen = earlier.groupBy("record_key", *names).agg(F.max("batch_date").alias("_last_accepted"))
    same = [frame[name].eqNullSafe(seen[name]) for name in names]
    return frame.join(seen, [frame["record_key"] == seen["record_key"], *same], "left").select(
        *[frame[name] for name in frame.columns], "_last_accepted"
    )
