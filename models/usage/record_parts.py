"""Events, merged from the records in which a switch or gateway delivers them.

A system may cut a long session into parts, or write one record for each leg of a call. Only the
whole event is rounded and priced (rating.md, trap 10). A source says what its records hold
(Source.parts):
- add: each holds a part of the quantity and of the fees;
- cumulative: each holds what was used and charged so far, so that the last one counts;
- last: a later one corrects the earlier ones, so that the last one counts.

The last record is the one with the highest part number. Without part numbers it is the one that
began last; of several that began together it is the longest (cumulative) or the one delivered last.

Numbers of events repeat over time, so a record continues an event only if it begins soon after the
end of the records before it. If a record arrives some nights after the others, the slice of its
night holds the difference: the event as known before is taken back, and the event with the new
record is added.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from models.frames.lookup import looked_up
from models.tariff.measure import FEES
from models.usage.recorded import ADDED, FACTS, PART, TAKEN_BACK, TIME, recorded

KEY = ("source", "gateway", "number", "msisdn", "direction")
PLACE = ("occurred_at", "batch_date", "file_name", "row_no")
OTHER_FACTS = tuple(name for name in FACTS if name not in KEY)
MICROSECONDS = 1_000_000
LAST_COUNTS = ("cumulative", "last")
EVENT = (*TIME, "source", "batch_date", "event_key", *FACTS, "sign", "quantity", *FEES, "missing")

Records = Mapping[str, DataFrame]
"""The usage records of some deliveries: table (`recorded.TABLES`) → rows."""


@dataclass(frozen=True)
class Joining:
    """Which sources deliver events in parts.

    `modes`: source → add, cumulative or last; sources that are not named deliver whole events.
    `gap_hours`: a record continues an event if it begins at most so long after the others end.
    `lookback_days`: source → how many days before a night the other records are searched for.
    """

    modes: Mapping[str, str]
    gap_hours: int
    lookback_days: Mapping[str, int]


def merged(records: Records, joining: Joining) -> DataFrame:
    """One row per event, merged from all its records on whichever night they were delivered.

    `batch_date` and time are those of the first record; the facts too, or those of the last record
    if it corrects the others. `sign` is 1. `missing`: how many part numbers lack between the first
    and the last.
    """
    rows = recorded(records)
    events = _events(rows.where(_is_part(joining)), (), joining)
    return _whole(rows, joining).unionByName(
        events.withColumn("batch_date", F.col("first.batch_date"))
        .withColumn("sign", F.lit(ADDED))
        .select(*EVENT)
    )


def contributions(records: Records, earlier: Records | None, joining: Joining) -> DataFrame:
    """What each night contributes: rows like those of `merged`, some of them with `sign` −1.

    `records` are those of the nights, `earlier` those of the days before them, or None. An event is
    added (sign 1) with the records of the night and of the look-back. If the event was known
    before, it is also taken back (sign −1) as it was known. `batch_date` is the night. Summed over
    the nights, records delivered within the look-back count as if they had come together.
    """
    tonight = recorded(records)
    parts = tonight.where(_is_part(joining)).select(*_PART_ROW, F.col("batch_date").alias("night"))
    known = parts
    if earlier is not None:
        # Equal keys have equal hashes. A part of another key with the same hash has no night, so it
        # adds nothing.
        wanted = parts.select(_hashed()).distinct()
        before = recorded(earlier).where(_is_part(joining)).select(*_PART_ROW, _hashed())
        before = before.join(wanted, "hashed", "left_semi").drop("hashed")
        known = known.unionByName(before.withColumn("night", F.lit(None).cast("date")))
    nights = F.collect_set("night").over(Window.partitionBy(*KEY))
    back = looked_up(F.col("source"), joining.lookback_days, "int")
    was_there = F.when(F.col("sign") == ADDED, F.col("batch_date") <= F.col("night")).otherwise(
        F.col("batch_date") < F.col("night")
    )
    seen = (
        known.withColumn("nights", nights)
        .withColumn("night", F.explode("nights"))
        .withColumn("sign", F.explode(F.array(F.lit(ADDED), F.lit(TAKEN_BACK))))
        .where((F.datediff("night", "batch_date") <= back) & was_there)
        .drop("nights")
    )
    events = _events(seen, ("night", "sign"), joining)
    return _whole(tonight, joining).unionByName(
        events.withColumnRenamed("night", "batch_date").select(*EVENT)
    )


def _is_part(joining: Joining) -> Column:
    """Whether the record may be a part of an event; a record without a number never is."""
    return F.col("source").isin(*joining.modes) & F.col("number").isNotNull()


def _whole(rows: DataFrame, joining: Joining) -> DataFrame:
    """The records that are events by themselves."""
    whole = rows.where(~_is_part(joining))
    return whole.withColumns({"sign": F.lit(ADDED), "missing": F.lit(None).cast("bigint")}).select(
        *EVENT
    )


_PART_ROW = tuple(
    dict.fromkeys((*KEY, *PLACE, *TIME, *FACTS, *PART, "quantity", *FEES))
)  # what `_events` needs of a record


def _hashed() -> Column:
    return F.xxhash64(*KEY).alias("hashed")


def _events(parts: DataFrame, apart: Sequence[str], joining: Joining) -> DataFrame:
    """One row per event; records with different values in the columns `apart` are not merged."""
    key = [*KEY, *apart]
    in_order = Window.partitionBy(*key).orderBy(*PLACE)
    start = F.unix_micros("occurred_at")
    end = start + F.coalesce("length_s", F.lit(0)) * MICROSECONDS
    ended = F.max(end).over(in_order.rowsBetween(Window.unboundedPreceding, -1))
    begins = ended.isNull() | (start > ended + joining.gap_hours * 3600 * MICROSECONDS)
    numbered = parts.withColumn("begins", begins.cast("int")).withColumn(
        "event", F.sum("begins").over(in_order.rowsBetween(Window.unboundedPreceding, 0))
    )
    mode = looked_up(F.col("source"), joining.modes, "string")
    first = F.struct(*PLACE, "local_date", "local_second", *OTHER_FACTS)
    last = F.max_by(F.struct("quantity", *FEES, *OTHER_FACTS), _in_order_of_use(mode))
    number = F.col("part_no")
    merged = numbered.groupBy(*key, "event").agg(
        F.min(first).alias("first"),
        last.alias("last"),
        F.struct(
            F.sum("quantity").alias("quantity"), *(F.sum(fee).alias(fee) for fee in FEES)
        ).alias("sum"),
        (F.max(number) - F.min(number) + 1 - F.count_distinct(number)).alias("missing"),
    )
    last_counts, corrected = mode.isin(*LAST_COUNTS), mode == "last"
    return (
        merged.withColumns(
            {
                name: F.when(last_counts, F.col(f"last.{name}")).otherwise(F.col(f"sum.{name}"))
                for name in ("quantity", *FEES)
            }
        )
        .withColumns(
            {
                name: F.when(corrected, F.col(f"last.{name}")).otherwise(F.col(f"first.{name}"))
                for name in OTHER_FACTS
            }
        )
        .withColumns(
            {name: F.col(f"first.{name}") for name in ("occurred_at", "local_date", "local_second")}
        )
        # An event of several records has no record key, so what decides its price is its key.
        .withColumn("event_key", F.xxhash64("direction", *OTHER_FACTS[1:], "quantity"))
        .drop("event", "last", "sum")
    )


def _in_order_of_use(mode: Column) -> Column:
    """What the last record of an event is the greatest by. A missing value is the least."""
    longest = F.when(mode == "cumulative", F.struct("length_s", "quantity"))
    return F.struct("part_no", "occurred_at", longest, "batch_date", "file_name", "row_no")
