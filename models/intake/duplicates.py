"""Which rows of a delivery are duplicates: they have the business key of an accepted record."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from models.intake.verdict import ROW, VERDICT, Validated
from schemas.config import Source
from schemas.contract import Contract


def candidate_keys(validated: Validated, earlier: DataFrame | None) -> DataFrame:
    """(record_key): the key hashes that occur more than once, here or here and in `earlier`.

    Most keys occur once. `find` sorts only the rows of these keys. `earlier`: as in `find`.
    """
    hashes = validated.frame.where("not _rejected").select(
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


def candidates(validated: Validated, keys: DataFrame | None) -> DataFrame:
    """The rejected rows and the rows with one of the candidate `keys` (None: there is no key).

    These rows are few. `find` and the table of rejected rows need no others.
    """
    if keys is None:
        return validated.frame.where("_rejected")
    hashes = keys.select(F.col("record_key").alias("_candidate"))
    joined = validated.frame.join(hashes, F.col("record_key") == F.col("_candidate"), "left")
    return joined.where("_rejected or _candidate is not null").drop("_candidate")


def find(
    among: DataFrame, source: Source, contract: Contract, earlier: DataFrame | None
) -> DataFrame:
    """The duplicates: `ROW`, `VERDICT` and, for event records, `local_date`.

    `among`: the `candidates`. They contain every row of a key that occurs more than once.
    `earlier`: accepted rows of the source in the look-back before the window, with the key's
    columns, `record_key` and `batch_date`; None if there are none.

    Of the rows with one business key the lowest (batch_date, file_name, row_no) is kept. A row is
    a duplicate if a kept row with its key lies on the same day or in the look-back before it, in
    this window or accepted earlier. The result does not depend on how days are grouped into runs.
    """
    rows = _with_last_accepted(among.where("not _rejected"), contract, earlier)
    order = Window.partitionBy(*contract.key).orderBy("batch_date", "file_name", "row_no")
    before = order.rowsBetween(Window.unboundedPreceding, -1)
    rows = rows.withColumn(
        "_same_day", F.lag("batch_date").over(order) == F.col("batch_date")
    ).withColumn("_days", F.array_sort(F.collect_set("batch_date").over(before)))

    def last_kept(last: Column, day: Column) -> Column:
        kept = last.isNull() | (F.datediff(day, last) > source.lookback_days)
        return F.when(kept, day).otherwise(last)

    last = F.aggregate("_days", F.col("_last_accepted"), last_kept)
    duplicate = F.col("_same_day") | (F.datediff("batch_date", last) <= source.lookback_days)
    dated = ["local_date"] if "local_date" in contract.column_names else []
    return rows.where(duplicate).select(*ROW, *VERDICT, *dated)


def _with_last_accepted(
    frame: DataFrame, contract: Contract, earlier: DataFrame | None
) -> DataFrame:
    """`frame` with `_last_accepted`: the last day in `earlier` on which the key was accepted."""
    if earlier is None:
        return frame.withColumn("_last_accepted", F.lit(None).cast("date"))
    names = [name for name in contract.key if name != "source"]
    seen = earlier.groupBy("record_key", *names).agg(F.max("batch_date").alias("_last_accepted"))
    same = [frame[name].eqNullSafe(seen[name]) for name in names]
    return frame.join(seen, [frame["record_key"] == seen["record_key"], *same], "left").select(
        *[frame[name] for name in frame.columns], "_last_accepted"
    )
