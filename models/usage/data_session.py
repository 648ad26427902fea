"""Data sessions, merged from the partial records in which a gateway delivers them.

A gateway cuts a long session into parts. Each part is a record of ods.data_session with the
gateway and the charging id of the session; only the whole session is rounded and priced (rating.md,
trap 10). Charging ids repeat over time, so a part continues a session only if it begins soon after
the end of the parts before it. If a part arrives some nights after the others, the slice of its
night holds the difference: the session as known before is taken back, and the session with the new
part is added.
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
    """One row per session, merged from all its parts on whichever night they were delivered.

    A part continues a session if it begins at most `gap_hours` after the end of the parts before
    it. Columns:
    - `source`, `msisdn`;
    - `batch_date`, `occurred_at`, `local_date`, `local_second`, `roaming` of the first part;
    - `quantity` in bytes, `fee` in yuan, `sign` (1).
    """
    return (
        _sessions(parts, (), gap_hours)
        .select("*", F.col("first.batch_date").alias("batch_date"), F.lit(ADDED).alias("sign"))
        .drop("first")
    )


def contributions(
    parts: DataFrame, earlier: DataFrame | None, gap_hours: int, lookback_days: Mapping[str, int]
) -> DataFrame:
    """What each night contributes: rows like those of `merged`, some of them with `sign` −1.

    `parts` is ods.data_session of the nights, `earlier` that of the days before them, or None.
    `lookback_days` holds by source how many days before a night the other parts are searched for.
    A session is added (sign 1) with the parts of the night and of the look-back. If the session was
    known before, it is also taken back (sign −1) as it was known. `batch_date` is the night. Summed
    over the nights, parts delivered within the look-back count as if they had come together.
    """
    known = parts.select(*PARTS, F.col("batch_date").alias("night"))
    if earlier is not None:
        # Equal keys have equal hashes. A part of another key with the same hash has no night, so it
        # adds nothing.
        wanted = parts.select(_hashed()).distinct()
        before = earlier.select(*PARTS, _hashed()).join(wanted, "hashed", "left_semi")
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
    """One row per session; parts with different values in the columns `apart` are not merged."""
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
            F.sum("fee").cast("decimal(21,6)").alias("fee"),
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
