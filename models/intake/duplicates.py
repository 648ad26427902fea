"""Rows that share the key of an accepted record: duplicates, parts, corrections and conflicts.

A duplicate has the same key and the same content. A row with the same key and other content is
news. The source says what it is: a further part of the record, a correction of it, or neither. A
row that is neither conflicts with the accepted record and is rejected.
"""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from models.frames.conditions import any_of
from models.intake.verdict import CONFLICT, ROW, TWICE, VERDICT, Validated
from schemas.config import Source
from schemas.config.source import PARTS, PartRule
from schemas.contract import Contract

DUPLICATE, FOLLOWS = "duplicate", "follows"
DELIVERED = ("source", "file_name", "row_no", "batch_date", "record_key")  # no content of a record


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
    among: DataFrame,
    source: Source,
    contract: Contract,
    earlier: DataFrame | None,
    repeated_hours: Sequence[tuple[int, int]] = (),
) -> DataFrame:
    """The rows that share their key: `ROW`, `VERDICT`, `_role` and, for events, `local_date`.

    `among`: the `candidates`. They contain every row of a key that occurs more than once.
    `earlier`: accepted rows of the source in the look-back before the window; None if there are
    none. `repeated_hours`: [from, to) in epoch seconds; the local time of these instants occurs
    once more on the same day, because the clock is put back.

    Of the rows with one business key the lowest (batch_date, file_name, row_no) is kept. A later
    row refers to it if it lies on the same day or in the look-back after it. Its `_role`:
    - DUPLICATE: it has the same content;
    - TWICE: it has the same content and no number, and its local time occurs twice: it may be a
      second event;
    - CONFLICT: it has other content;
    - FOLLOWS: it has other content and the source delivers records in parts; it is accepted.
    In a source with parts, rows of one key and different contents are all kept. The result does not
    depend on how days are grouped into runs.
    """
    key = contract.key_of(source.mapping)
    content = _content(contract, key)
    rows = among.where("not _rejected").withColumn("_content", content)
    apart = [*key, "_content"] if source.joins_parts else list(key)
    before = None if earlier is None else _accepted_before(earlier, rows, content, key)
    judged = _compared(_with_last(rows, before, apart, "_last"), apart, source)
    repeated = F.col("_first").isNotNull()
    same = F.col("_content") == F.col("_first.content")
    again = F.when(_may_be_another(source, repeated_hours), TWICE).otherwise(DUPLICATE)
    judged = judged.withColumn("_role", F.when(repeated, F.when(same, again).otherwise(CONFLICT)))
    if source.joins_parts:
        judged = _with_followers(judged, before, key, source)
    dated = ["local_date"] if "local_date" in contract.column_names else []
    return judged.where("_role is not null").select(*ROW, *VERDICT, "_role", *dated)


def _content(contract: Contract, key: Sequence[str]) -> Column:
    """The content of a row beside its key, as one number; whether a value is missing counts."""
    names = [name for name in contract.column_names if name not in key and name not in DELIVERED]
    parts = [part for name in names for part in (F.col(name), F.col(name).isNull())]
    return F.xxhash64(*parts) if parts else F.lit(0).cast("bigint")


def _accepted_before(
    earlier: DataFrame, rows: DataFrame, content: Column, key: Sequence[str]
) -> DataFrame:
    """The accepted rows of the look-back that share a key hash with `rows`: key, day, content."""
    wanted = rows.select("record_key").distinct()
    return earlier.join(wanted, "record_key", "left_semi").select(
        *key, "batch_date", content.alias("_content")
    )


def _with_last(
    rows: DataFrame, before: DataFrame | None, apart: Sequence[str], name: str
) -> DataFrame:
    """`rows` with the last row that was accepted before: the struct (day, content), or NULL."""
    if before is None:
        return rows.withColumn(name, F.lit(None).cast("struct<day:date,content:bigint>"))
    last = F.max(F.struct(F.col("batch_date").alias("day"), F.col("_content").alias("content")))
    seen = before.groupBy(*apart).agg(last.alias(name))
    same = [rows[column].eqNullSafe(seen[column]) for column in apart]
    return rows.join(seen, same, "left").select(*[rows[column] for column in rows.columns], name)


def _compared(rows: DataFrame, apart: Sequence[str], source: Source) -> DataFrame:
    """`rows` with `_first`: the kept row (day, content) that a row repeats; NULL: it is kept."""
    order = Window.partitionBy(*apart).orderBy("batch_date", "file_name", "row_no")
    day = Window.partitionBy(*apart, "batch_date").orderBy("file_name", "row_no")
    here = F.struct(
        F.col("batch_date").alias("day"), F.first("_content").over(day).alias("content")
    )
    before = order.rowsBetween(Window.unboundedPreceding, -1)
    rows = rows.withColumn("_here", here)
    rows = rows.withColumn("_days", F.array_sort(F.collect_set("_here").over(before)))

    def last_kept(last: Column, one: Column) -> Column:
        kept = last.isNull() | (F.datediff(one["day"], last["day"]) > source.lookback_days)
        return F.when(kept, one).otherwise(last)

    last = F.aggregate("_days", F.col("_last"), last_kept)
    near = F.datediff("batch_date", F.col("_kept")["day"]) <= source.lookback_days
    return rows.withColumn("_kept", last).withColumn("_first", F.when(near, F.col("_kept")))


def _with_followers(
    judged: DataFrame, before: DataFrame | None, key: Sequence[str], source: Source
) -> DataFrame:
    """The role FOLLOWS for kept rows of a key that another kept row has, not long before."""
    kept = F.col("_role").isNull()
    order = Window.partitionBy(*key).orderBy("batch_date", "file_name", "row_no")
    earlier = order.rowsBetween(Window.unboundedPreceding, -1)
    rows = _with_last(judged, before, key, "_known")
    here = F.max(F.when(kept, F.col("batch_date"))).over(earlier)
    last = F.greatest(here, F.col("_known.day"))
    follows = kept & (F.datediff("batch_date", last) <= source.lookback_days)
    return rows.withColumn("_role", F.when(follows, FOLLOWS).otherwise(F.col("_role")))


def _may_be_another(source: Source, hours: Sequence[tuple[int, int]]) -> Column:
    """Whether a repeat may be a second event: it has no number and its hour occurs twice."""
    number = PARTS.get(source.record, PartRule()).number
    if not hours or not number:
        return F.lit(False)
    second = F.unix_seconds("occurred_at")
    twice = any_of((second >= first) & (second < end) for first, end in hours)
    return F.col(number).isNull() & twice
