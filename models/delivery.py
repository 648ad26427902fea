"""From the lines of a delivery to rows with a verdict: accepted, rejected with reasons, duplicate.

Every line keeps its file and its ordinal, and ends in exactly one of the three. Rules are column
functions; a row carries all its errors as bits of integers, turned into words only for rejected
rows. Reasons name the column and what was expected, never the value.
"""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce

from pyspark.errors import AnalysisException
from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F
from pyspark.sql import types as T

from models import delivered_line
from schemas.config import Source
from schemas.contract import Contract
from schemas.errors import ConfigError
from schemas.spark import key_hash, row_rules, struct_type

BITS = 62
PLACES = ("source", "file_name", "row_no", "batch_date")
ADDED = PLACES + ("record_key", "local_date", "local_second")


@dataclass(frozen=True)
class Check:
    """One way in which a row can be wrong. `severity` critical rejects, warning is only counted."""

    reason: str
    violated: Column
    severity: str = "critical"


@dataclass(frozen=True)
class Tagged:
    """The rows of a delivery with their verdict, at the grain of the delivered line.

    `frame` holds the contract's columns, `_errors` (bits by the order of `checks`), `_raw` (the
    line, of rejected rows only), `_rejected`, `_duplicate` and `_late`.
    """

    frame: DataFrame
    checks: tuple[Check, ...]

    def accepted(self) -> DataFrame:
        """Rows of the contract, one per business key."""
        return self.frame.where("not _rejected and not _duplicate").drop(
            "_errors", "_raw", "_rejected", "_duplicate", "_late")

    def rejected(self) -> DataFrame:
        """Rows of `ops.rejected_record`: the raw line and every reason."""
        reasons = [F.when(_bit(F.col("_errors"), place), F.lit(check.reason))
                   for place, check in enumerate(self.checks) if check.severity == "critical"]
        return self.frame.where("_rejected").select(
            "source", F.col("batch_date").alias("data_date"), "file_name", "row_no",
            F.coalesce("_raw", F.lit("")).alias("raw_line"),
            F.array_compact(F.array(*reasons)).alias("reasons"))

    def counts(self) -> DataFrame:
        """Delivered, accepted, rejected, duplicate and late rows per batch_date."""
        def rows(condition: str) -> Column:
            return F.count_if(F.expr(condition))

        return self.frame.groupBy("batch_date").agg(
            F.count(F.lit(1)).alias("delivered"),
            rows("not _rejected and not _duplicate").alias("accepted"),
            rows("_rejected").alias("rejected"),
            rows("not _rejected and _duplicate").alias("duplicate"),
            rows("not _rejected and not _duplicate and _late").alias("late"),
            *[F.count_if(_bit(F.col("_errors"), place)).alias(f"check_{place}")
              for place in range(len(self.checks))])


def tag(lines: DataFrame, name: str, source: Source, contract: Contract,
        sets: Mapping[str, Sequence[str]], session_zone: str,
        known: Mapping[str, DataFrame] | None = None, earlier: DataFrame | None = None) -> Tagged:
    """Judge every line of a delivery.

    `lines`: as delivered_line.fields takes them, with `row_no` (ordinal within the file, the header
    not counted); blank lines and headers are already gone. `known`: for each
    referencing column the frame of values that exist. `earlier`: accepted rows of the source from
    the look-back, with the key's columns, `record_key` and `batch_date`.
    """
    fields = delivered_line.fields(lines, source)
    checks = [Check(f"line: not readable as {source.format.encoding}", F.col("_undecoded")),
              Check(f"line: {delivered_line.expected(source)}", F.col("_broken"))]
    typed, more = _typed(fields, source, contract, session_zone)
    whole = ~F.col("_undecoded") & ~F.col("_broken")
    excluded = [Check(reason, F.col(f"_excluded_{place}") & whole)
                for place, reason in enumerate(source.exclude)]
    checks += excluded
    alone = len(checks)  # a row that breaks one of these is judged no further
    checks += more + _event_checks(source, contract)
    flags = set(typed.columns)
    for rule in row_rules(contract, sets):
        if rule.column in ADDED:
            continue
        violated, unread = rule.violated, f"_unread_{rule.column}"
        if rule.code == "required" and unread in flags:  # it has a value: one fault, one reason
            violated = violated & ~F.col(unread)
        checks.append(Check(rule.reason, violated, rule.severity))
    typed = typed.withColumn("source", F.lit(name))
    for column, frame in (known or {}).items():
        flag = f"_known_{column}"
        keys = frame.select(F.col(frame.columns[0]).alias(column), F.lit(True).alias(flag))
        typed = typed.join(F.broadcast(keys.dropDuplicates([column])), column, "left")
        checks.append(Check(f"{column}: no such record in {contract.column(column).references}",
                            F.col(flag).isNull() & F.col(column).isNotNull()))
    tagged = _verdicts(typed, checks, alone, contract)
    return Tagged(_duplicates(tagged, source, contract, earlier), tuple(checks))


def digests(accepted: DataFrame, contract: Contract) -> DataFrame:
    """By batch_date figures that are equal for equal rows, whatever file and line they had."""
    content = [name for name in contract.column_names if name not in ("file_name", "row_no")]
    hashed = F.xxhash64(*content)
    low, high = hashed.bitwiseAND(F.lit((1 << 32) - 1)), F.shiftright(hashed, 32)
    return accepted.groupBy("batch_date").agg(F.count(F.lit(1)).alias("rows"),
                                              F.sum(low).alias("low"), F.sum(high).alias("high"))


def _typed(fields: DataFrame, source: Source, contract: Contract, session_zone: str
           ) -> tuple[DataFrame, list[Check]]:
    """The contract's columns by the mapping; text is cast, and a cast that fails is an error."""
    mapped = _mapped(fields, source)
    kinds = dict(mapped.dtypes)
    schema = {field.name: field.dataType for field in struct_type(contract).fields}
    columns, checks = [], []
    for name, kind in schema.items():
        if name in ADDED:
            continue
        if name not in source.mapping:
            columns.append(F.lit(None).cast(kind).alias(name))
            continue
        value, given = F.col(f"_m_{name}"), kinds[f"_m_{name}"]
        cast = value.try_cast(kind)
        if isinstance(kind, T.BooleanType) and name in source.codes:  # `1` is a code, not true
            cast = F.when(value.isin("true", "false"), cast)
        columns.append(cast.alias(name))
        if given != kind.simpleString():
            columns.append((value.isNotNull() & cast.isNull()).alias(f"_unread_{name}"))
            checks.append(Check(f"{name}: not readable as {kind.simpleString()}",
                                F.col(f"_unread_{name}")))
    places = [F.col("_file").alias("file_name"), F.col("_row").alias("row_no"),
              F.col("_day").alias("batch_date")]
    flags = [name for name in mapped.columns if name.startswith("_excluded_")]
    typed = mapped.select("_line", "_undecoded", "_broken", *flags, *places, *columns)
    return _local_times(typed, source, schema, session_zone), checks


def _mapped(fields: DataFrame, source: Source) -> DataFrame:
    """The expressions of mapping and exclude; ConfigError names the one that is no SQL."""
    excluded = [F.coalesce(F.expr(predicate), F.lit(False)).alias(f"_excluded_{place}")
                for place, predicate in enumerate(source.exclude.values())]
    try:
        return fields.select(
            "_line", "_file", "_row", "_day", "_undecoded", "_broken", *excluded,
            *[_coded(F.expr(sql), source.codes.get(column)).alias(f"_m_{column}")
              for column, sql in source.mapping.items()])
    except AnalysisException:
        for part, expressions in (("mapping", source.mapping), ("exclude", source.exclude)):
            for name, sql in expressions.items():
                try:
                    fields.select(F.expr(sql))
                except AnalysisException as error:
                    raise ConfigError(f"sources.yml: {source.id}.{part}.{name}: {sql}: "
                                      f"{str(error).splitlines()[0]}") from None
        raise


def _coded(value: Column, codes: Mapping[str, str] | None) -> Column:
    """The operator's code as ours; one that is not listed stays, for the contract to reject."""
    if not codes:
        return value
    text = value.cast("string")
    ours = [(code, str(mine).lower() if isinstance(mine, bool) else mine)
            for code, mine in codes.items()]
    chosen = reduce(lambda case, pair: case.when(text == pair[0], F.lit(pair[1])), ours[1:],
                    F.when(text == ours[0][0], F.lit(ours[0][1])))
    return chosen.otherwise(text)


def _local_times(frame: DataFrame, source: Source, schema: Mapping, session_zone: str
                 ) -> DataFrame:
    """`occurred_at` as an instant, and its date and second in the source's own zone."""
    if "occurred_at" not in schema:
        return frame
    zone, seen = F.lit(source.timezone), F.col("occurred_at")
    epoch = F.lit("1970-01-01").cast("timestamp_ntz")
    if source.timezone == session_zone:
        instant = wall = seen
    elif source.time == "local":
        wall = seen.cast("timestamp_ntz")
        instant = F.timestamp_micros(F.timestamp_diff(
            "MICROSECOND", epoch, F.convert_timezone(zone, F.lit("UTC"), wall)))
    else:
        instant = seen
        wall = F.convert_timezone(F.lit("UTC"), zone,
                                  F.timestamp_add("MICROSECOND", F.unix_micros(seen), epoch))
    second = F.hour("_wall") * 3600 + F.minute("_wall") * 60 + F.second("_wall")
    return (frame.withColumn("_wall", wall).withColumn("occurred_at", instant)
            .withColumn("local_date", F.to_date("_wall")).withColumn("local_second", second)
            .drop("_wall"))


def _event_checks(source: Source, contract: Contract) -> list[Check]:
    """The clock: an event far from its delivery has a wrong date (reset phones, wrong years)."""
    if "local_date" not in contract.column_names:
        return []
    age = F.datediff("batch_date", "local_date")
    return [Check(f"occurred_at: implausible clock, expected at most {source.max_age_days} days "
                  "before the delivery and one after it",
                  F.coalesce((age > source.max_age_days) | (age < -1), F.lit(False)))]


def _bit(errors: Column, place: int) -> Column:
    word = F.element_at(errors, place // BITS + 1)
    return F.coalesce(word.bitwiseAND(F.lit(1 << place % BITS)) != 0, F.lit(False))


def _verdicts(frame: DataFrame, checks: Sequence[Check], alone: int, contract: Contract
              ) -> DataFrame:
    """The errors of a row as bits; a row that breaks one of the first `alone` has no other."""
    unread = reduce(lambda a, b: a | b, [check.violated for check in checks[:alone]])
    words = []
    for start in range(0, len(checks), BITS):
        bits = [F.when(F.coalesce(check.violated, F.lit(False)) if start + n < alone else
                       F.coalesce(check.violated, F.lit(False)) & ~unread,
                       F.lit(1 << n).cast("bigint")).otherwise(F.lit(0).cast("bigint"))
                for n, check in enumerate(checks[start:start + BITS])]
        words.append(reduce(lambda a, b: a + b, bits))
    critical = [sum(1 << n for n, check in enumerate(checks[start:start + BITS])
                    if check.severity == "critical") for start in range(0, len(checks), BITS)]
    rejected = reduce(lambda a, b: a | b, [
        F.element_at("_errors", place + 1).bitwiseAND(F.lit(mask)) != 0
        for place, mask in enumerate(critical)])
    return (frame.withColumn("_errors", F.array(*words)).withColumn("_rejected", rejected)
            .withColumn("_raw", F.when(F.col("_rejected"), F.col("_line")))
            .withColumn("record_key", key_hash(contract, frame)))


def _duplicates(frame: DataFrame, source: Source, contract: Contract,
                earlier: DataFrame | None) -> DataFrame:
    """Of the rows of one business key the lowest (batch_date, file, row) stays.

    A row repeats one that stays, on its own day or in the look-back before it: of the window, or
    accepted before it. Night by night or in one pass, the same rows stay.
    """
    key = [F.col(name) for name in contract.key]
    order = Window.partitionBy("_rejected", *key).orderBy("batch_date", "file_name", "row_no")
    before = order.rowsBetween(Window.unboundedPreceding, -1)
    frame = _with_last_accepted(frame, contract, earlier)
    frame = (frame.withColumn("_same_day", F.lag("batch_date").over(order) == F.col("batch_date"))
             .withColumn("_days", F.array_sort(F.collect_set("batch_date").over(before))))

    def staying(last: Column, day: Column) -> Column:
        new = last.isNull() | (F.datediff(day, last) > source.lookback_days)
        return F.when(new, day).otherwise(last)

    last = F.aggregate("_days", F.col("_last_accepted"), staying)
    again = F.col("_same_day") | (F.datediff("batch_date", last) <= source.lookback_days)
    late = F.lit(False)
    if "local_date" in contract.column_names:
        late = F.datediff("batch_date", "local_date") > source.late_after_days
    return (frame.withColumn("_duplicate", ~F.col("_rejected") & F.coalesce(again, F.lit(False)))
            .withColumn("_late", F.coalesce(late, F.lit(False)))
            .select(*contract.column_names, "_errors", "_raw", "_rejected", "_duplicate", "_late"))


def _with_last_accepted(frame: DataFrame, contract: Contract, earlier: DataFrame | None
                        ) -> DataFrame:
    """`_last_accepted`: the last day of the look-back on which the row's key was accepted."""
    if earlier is None:
        return frame.withColumn("_last_accepted", F.lit(None).cast("date"))
    names = [name for name in contract.key if name != "source"]
    seen = earlier.groupBy("record_key", *names).agg(F.max("batch_date").alias("_last_accepted"))
    same = [frame[name].eqNullSafe(seen[name]) for name in names]
    return frame.join(seen, [frame["record_key"] == seen["record_key"], *same], "left").select(
        *[frame[name] for name in frame.columns], "_last_accepted")
