"""From the lines of a delivery to rows with a verdict: accepted, rejected with reasons, duplicate.

Every line keeps its file and its ordinal, and ends in exactly one of the three. Rules are column
functions; a row carries all its errors as bits of integers, turned into words only for rejected
rows. Reasons name the column and what was expected, never the value.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import reduce

from pyspark.errors import AnalysisException
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

from models.intake import code_list, delivered_line
from schemas.config import Source
from schemas.config.source import OTHERWISE
from schemas.contract import Contract
from schemas.errors import ConfigError
from schemas.render.spark import key_hash, row_rules, struct_type

BITS = 62
PLACES = ("source", "file_name", "row_no", "batch_date")
ROW = ("batch_date", "file_name", "row_no")  # of one source
ADDED = (*PLACES, "record_key", "local_date", "local_second")
VERDICT = ("_errors", "_raw", "_rejected", "_late")


@dataclass(frozen=True)
class Check:
    """One way in which a row can be wrong. `severity` critical rejects, warning is only counted.

    `refers`: the row refers to what is nowhere. `unlisted`: it is kept with a code of no list.
    """

    reason: str
    violated: Column
    severity: str = "critical"
    refers: bool = False
    unlisted: bool = False


@dataclass(frozen=True)
class Judged:
    """The rows of a delivery with their verdict, at the grain of the delivered line.

    `frame` holds the contract's columns, `_errors` (bits by the order of `checks`), `_raw` (the
    line, of rejected rows only), `_rejected` and `_late`. No row knows of another yet.
    """

    frame: DataFrame
    checks: tuple[Check, ...]


@dataclass(frozen=True)
class Tagged:
    """The judged rows, the rejected ones among them, and those that repeat another (None: none).

    `unusual` may hold other rows besides the rejected ones.
    """

    judged: Judged
    unusual: DataFrame
    repeated: DataFrame | None

    def accepted(self) -> DataFrame:
        """Rows of the contract, one per business key."""
        good = self.judged.frame.where("not _rejected")
        if self.repeated is not None:
            good = good.join(self.repeated.select(*ROW), list(ROW), "left_anti")
        return good.select([name for name in self.judged.frame.columns if name not in VERDICT])

    def rejected(self) -> DataFrame:
        """Rows of `ops.rejected_record`: the raw line and every reason."""
        reasons = [
            F.when(_bit(F.col("_errors"), place), F.lit(check.reason))
            for place, check in enumerate(self.judged.checks)
            if check.severity == "critical"
        ]
        return self.unusual.where("_rejected").select(
            "source",
            F.col("batch_date").alias("data_date"),
            "file_name",
            "row_no",
            F.coalesce("_raw", F.lit("")).alias("raw_line"),
            F.array_compact(F.array(*reasons)).alias("reasons"),
        )

    def counts(self) -> dict[date, dict]:
        """Rows by batch_date: delivered, accepted, rejected, duplicate, late, and more.

        `warned`: accepted rows with a warning; `unreferenced`: rows that refer to what is nowhere;
        `unlisted`: accepted rows with a code of no list;
        `newest`: local date of the newest event that is not rejected, null for other records;
        `check_<n>`: rows that break the check, of a warning the accepted ones.
        """
        found = _figures(self.judged.frame, self.judged.checks)
        twice = {} if self.repeated is None else _figures(self.repeated, self.judged.checks)
        for day, figures in found.items():
            again = twice.get(day, {})
            kept = {
                name: rows - again.get(name, 0)
                for name, rows in figures.items()
                if name not in ("delivered", "newest")
            }
            figures.update(kept, duplicate=again.get("accepted", 0))
        return found


def _figures(frame: DataFrame, checks: Sequence[Check]) -> dict[date, dict]:
    """As `Tagged.counts`, where no row repeats another."""
    bits = [_bit(F.col("_errors"), place) for place in range(len(checks))]
    broken = [
        bit if check.severity == "critical" else bit & F.expr("not _rejected")
        for bit, check in zip(bits, checks)
    ]

    def any_of(chosen: Sequence[Column]) -> Column:
        return F.count_if(reduce(lambda a, b: a | b, chosen, F.lit(False)))

    rows = frame.groupBy(F.col("batch_date").alias("_day")).agg(
        F.count(F.lit(1)).alias("delivered"),
        F.count_if(~F.col("_rejected")).alias("accepted"),
        F.count_if("_rejected").alias("rejected"),
        F.count_if(F.expr("not _rejected and _late")).alias("late"),
        any_of([one for one, check in zip(broken, checks) if check.severity == "warning"]).alias(
            "warned"
        ),
        any_of([one for one, check in zip(broken, checks) if check.refers]).alias("unreferenced"),
        any_of([one for one, check in zip(broken, checks) if check.unlisted]).alias("unlisted"),
        F.max(
            F.when(~F.col("_rejected"), F.col("local_date"))
            if "local_date" in frame.columns
            else F.lit(None).cast("date")
        ).alias("newest"),
        *[F.count_if(one).alias(f"check_{place}") for place, one in enumerate(broken)],
    )
    collected = [row.asDict() for row in rows.collect()]
    return {figures.pop("_day"): figures for figures in collected}


def judge(
    lines: DataFrame,
    name: str,
    source: Source,
    contract: Contract,
    sets: Mapping[str, Sequence[str]],
    session_zone: str,
    known: Mapping[str, DataFrame] | None = None,
) -> Judged:
    """Judge every line of a delivery by itself.

    `lines`: as delivered_line.fields takes them, with `row_no` (ordinal within the file, the header
    not counted); blank lines and headers are already gone. `known`: for each referencing column the
    frame of values that exist.
    """
    fields = delivered_line.fields(lines, source)
    checks = [
        Check(f"line: not readable as {source.format.encoding}", F.col("_undecoded")),
        Check(f"line: {delivered_line.expected(source)}", F.col("_broken")),
    ]
    typed, more = _typed(fields, source, contract, session_zone)
    whole = ~F.col("_undecoded") & ~F.col("_broken")
    excluded = [
        Check(reason, F.col(f"_excluded_{place}") & whole)
        for place, reason in enumerate(source.exclude)
    ]
    checks += excluded
    alone = len(checks)  # a row that breaks one of these is judged no further
    checks += more + _event_checks(source, contract)
    checks += [
        Check(reason, F.col(f"_warned_{place}"), "warning")
        for place, reason in enumerate(source.warn)
    ]
    checks += [
        Check(
            f"{column}: a code that is not listed, kept as {codes[OTHERWISE]}",
            F.col(f"_unlisted_{column}"),
            "warning",
            unlisted=True,
        )
        for column, codes in source.codes.items()
        if OTHERWISE in codes
    ]
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
        checks.append(
            Check(
                f"{column}: no such record in {contract.column(column).references}",
                F.col(flag).isNull() & F.col(column).isNotNull(),
                refers=True,
            )
        )
    return Judged(_verdicts(typed, checks, alone, source, contract), tuple(checks))


def digests(accepted: DataFrame, contract: Contract) -> DataFrame:
    """By batch_date figures that are equal for equal rows, whatever file and line they had."""
    content = [name for name in contract.column_names if name not in ("file_name", "row_no")]
    hashed = F.xxhash64(*content)
    low, high = hashed.bitwiseAND(F.lit((1 << 32) - 1)), F.shiftright(hashed, 32)
    return accepted.groupBy("batch_date").agg(
        F.count(F.lit(1)).alias("rows"), F.sum(low).alias("low"), F.sum(high).alias("high")
    )


def _typed(
    fields: DataFrame, source: Source, contract: Contract, session_zone: str
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
            checks.append(
                Check(f"{name}: not readable as {kind.simpleString()}", F.col(f"_unread_{name}"))
            )
    places = [
        F.col("_file").alias("file_name"),
        F.col("_row").alias("row_no"),
        F.col("_day").alias("batch_date"),
    ]
    flags = [
        name for name in mapped.columns if name.startswith(("_excluded_", "_warned_", "_unlisted_"))
    ]
    typed = mapped.select("_line", "_undecoded", "_broken", *flags, *places, *columns)
    return _local_times(typed, source, schema, session_zone), checks


def _mapped(fields: DataFrame, source: Source) -> DataFrame:
    """The expressions of mapping, exclude, warn; ConfigError names the one that is no SQL.

    `_unlisted_<column>`: its code is not listed, and the source says what becomes of such.
    """
    flags = [
        F.coalesce(F.expr(predicate), F.lit(False)).alias(f"{flag}_{place}")
        for flag, predicates in (("_excluded", source.exclude), ("_warned", source.warn))
        for place, predicate in enumerate(predicates.values())
    ]
    try:
        return fields.select(
            "_line",
            "_file",
            "_row",
            "_day",
            "_undecoded",
            "_broken",
            *flags,
            *[
                code_list.coded(F.expr(sql), source.codes.get(column)).alias(f"_m_{column}")
                for column, sql in source.mapping.items()
            ],
            *[
                code_list.unlisted(F.expr(source.mapping[name]), codes).alias(f"_unlisted_{name}")
                for name, codes in source.codes.items()
                if OTHERWISE in codes
            ],
        )
    except AnalysisException:
        for part, expressions in (
            ("mapping", source.mapping),
            ("exclude", source.exclude),
            ("warn", source.warn),
        ):
            for name, sql in expressions.items():
                try:
                    fields.select(F.expr(sql))
                except AnalysisException as error:
                    raise ConfigError(
                        f"sources.yml: {source.id}.{part}.{name}: {sql}: "
                        f"{str(error).splitlines()[0]}"
                    ) from None
        raise


def _local_times(frame: DataFrame, source: Source, schema: Mapping, session_zone: str) -> DataFrame:
    """`occurred_at` as an instant, and its date and second in the source's own zone."""
    if "occurred_at" not in schema:
        return frame
    zone, seen = F.lit(source.timezone), F.col("occurred_at")
    epoch = F.lit("1970-01-01").cast("timestamp_ntz")
    if source.timezone == session_zone:
        instant = wall = seen
    elif source.time == "local":
        wall = seen.cast("timestamp_ntz")
        instant = F.timestamp_micros(
            F.timestamp_diff("MICROSECOND", epoch, F.convert_timezone(zone, F.lit("UTC"), wall))
        )
    else:
        instant = seen
        wall = F.convert_timezone(
            F.lit("UTC"), zone, F.timestamp_add("MICROSECOND", F.unix_micros(seen), epoch)
        )
    second = F.hour("_wall") * 3600 + F.minute("_wall") * 60 + F.second("_wall")
    return (
        frame.withColumn("_wall", wall)
        .withColumn("occurred_at", instant)
        .withColumn("local_date", F.to_date("_wall"))
        .withColumn("local_second", second)
        .drop("_wall")
    )


def _event_checks(source: Source, contract: Contract) -> list[Check]:
    """The clock: an event far from its delivery has a wrong date (reset phones, wrong years)."""
    if "local_date" not in contract.column_names:
        return []
    age = F.datediff("batch_date", "local_date")
    return [
        Check(
            f"occurred_at: implausible clock, expected at most {source.max_age_days} days "
            "before the delivery and one after it",
            F.coalesce((age > source.max_age_days) | (age < -1), F.lit(False)),
        )
    ]


def _bit(errors: Column, place: int) -> Column:
    word = F.element_at(errors, place // BITS + 1)
    return F.coalesce(word.bitwiseAND(F.lit(1 << place % BITS)) != 0, F.lit(False))


def _set(violated: Column, place: int) -> Column:
    return F.when(violated, F.lit(1 << place).cast("bigint")).otherwise(F.lit(0).cast("bigint"))


def _sum(bits: Sequence[Column]) -> Column:
    return reduce(lambda a, b: a + b, bits, F.lit(0).cast("bigint"))


def _verdicts(
    frame: DataFrame, checks: Sequence[Check], alone: int, source: Source, contract: Contract
) -> DataFrame:
    """The errors of a row as bits; a row that breaks one of the first `alone` has no other."""
    unread = reduce(lambda a, b: a | b, [check.violated for check in checks[:alone]])
    words = []
    for start in range(0, len(checks), BITS):
        first, others = [], []
        for n, check in enumerate(checks[start : start + BITS]):
            (first if start + n < alone else others).append(_set(check.violated, n))
        words.append(F.when(unread, _sum(first)).otherwise(_sum(others)))
    critical = [
        sum(
            1 << n
            for n, check in enumerate(checks[start : start + BITS])
            if check.severity == "critical"
        )
        for start in range(0, len(checks), BITS)
    ]
    rejected = reduce(
        lambda a, b: a | b,
        [
            F.element_at("_errors", place + 1).bitwiseAND(F.lit(mask)) != 0
            for place, mask in enumerate(critical)
        ],
    )
    late = F.lit(False)
    if "local_date" in contract.column_names:
        late = F.datediff("batch_date", "local_date") > source.late_after_days
    return (
        frame.withColumn("_errors", F.array(*words))
        .withColumn("_rejected", rejected)
        .withColumn("_raw", F.when(F.col("_rejected"), F.col("_line")))
        .withColumn("record_key", key_hash(contract, frame))
        .withColumn("_late", F.coalesce(late, F.lit(False)))
        .select(*contract.column_names, *VERDICT)
    )
