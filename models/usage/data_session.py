"""Data sessions from the partial records in which a gateway delivers them.

A long session is cut into parts, each a record of ods.data_session with the session's gateway and
charging id; only the whole is rounded and priced (rating.md, trap 10). Charging ids repeat over
time, so a part belongs to the parts before it only when it begins soon after their end. A part may
come some nights after the others: the slice of its night then holds the difference, the session as
it was known before taken back and the session with the new part added.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from models.frames.lookup import looked_up

KEY = ("source", "gateway", "session_no", "msisdn")
PLACE = ("occurred_at", "batch_date", "file_name", "row_no")
PARTS = (
    *KEY,
    *PLACE,
    "local_date",
    "local_second",
    "duration_s",
    "bytes_up",
    "bytes_down",
    "roaming",
    "fee",
)
MICROSECONDS = 1_000_000
ADDED, TAKEN_BACK = 1, -1


def merged(parts: DataFrame, gap_hours: int) -> DataFrame:
    """The sessions of these parts, one row each, whenever the parts were delivered.

    A part that begins at most `gap_hours` after the end of those before it continues their session.
    Columns: source, msisdn, `batch_date` of the first part, when and where it began (`occurred_at`,
    `local_date`, `local_second`, `roaming`: those of the first part), `quantity` in bytes, `fee`,
    `sign` (1).
    """
    return (
        _sessions(parts, (), gap_hours)
        .select("*", F.col("first.batch_date").alias("batch_date"), F.lit(ADDED).alias("sign"))
        .drop("first")
    )


def contributions(
    parts: DataFrame, earlier: DataFrame | None, gap_hours: int, lookback_days: Mapping[str, int]
) -> DataFrame:
    """What each night adds to the sessions: rows as `merged` has them, some with `sign` −1.

    `parts`: ods.data_session of the nights; `earlier`: of the days before them, or None;
    `lookback_days`: of each source, how many days before a night it looks for the other parts. A
    session is added (sign 1) with the night's parts and those of the look-back, and, where it was
    known before, taken back (−1) as it was. `batch_date` is the night. Summed over nights, what was
    delivered within the look-back counts as if it had come at once.
    """
    known = parts.select(*PARTS, F.col("batch_date").alias("night"))
    if earlier is not None:
        # A hash of equal keys is equal; what else it finds has no night of its own.
        asked = parts.select(_hashed()).distinct()
        before = earlier.select(*PARTS, _hashed()).join(asked, "hashed", "left_semi")
        known = known.unionByName(before.select(*PARTS, F.lit(None).cast("date").alias("night")))
    nights = F.collect_set("night").over(Window.partitionBy(*KEY))
    back = looked_up(F.col("source"), lookback_days, "int")
    was_there = F.when(F.col("sign") == ADDED, F.col("batch_date") <= F.col("night")).otherwise(
        F.col("batch_date") < F.col("night")
    )
    seen = (
        known.withColumn("nights", nights)
        .withColumn("night", F.explode("nights"))
        .withColumn("sign", F.explode(F.array(F.lit(ADDED), F.lit(TAKEN_BACK))))
        .where((F.datediff("night", "batch_date") <= back) & was_there)
        .select(*PARTS, "night", "sign")
    )
    return (
        _sessions(seen, ("night", "sign"), gap_hours)
        .withColumnRenamed("night", "batch_date")
        .drop("first")
    )


def _hashed() -> Column:
    return F.xxhash64(*KEY).alias("hashed")


def _sessions(parts: DataFrame, apart: Sequence[str], gap_hours: int) -> DataFrame:
    """The sessions within each value of the columns `apart`."""
    key = [*KEY, *apart]
    in_order = Window.partitionBy(*key).orderBy(*PLACE)
    start = F.unix_micros("occurred_at")
    end = start + F.coalesce("duration_s", F.lit(0)) * MICROSECONDS
    ended = F.max(end).over(in_order.rowsBetween(Window.unboundedPreceding, -1))
    begins = ended.isNull() | (start > ended + gap_hours * 3600 * MICROSECONDS)
    numbered = parts.withColumn("begins", begins.cast("int")).withColumn(
        "session", F.sum("begins").over(in_order.rowsBetween(Window.unboundedPreceding, 0))
    )
    first = F.min(F.struct(*PLACE, "local_date", "local_second", "roaming")).alias("first")
    return (
        numbered.groupBy(*key, "session")
        .agg(
            first,
            F.sum(F.col("bytes_up") + F.col("bytes_down")).alias("quantity"),
            F.sum("fee").cast("decimal(12,3)").alias("fee"),
        )
        .select(
            "source",
            "msisdn",
            *apart,
            "first",
            "first.occurred_at",
            "first.local_date",
            "first.local_second",
            "first.roaming",
            "quantity",
            "fee",
        )
    )
