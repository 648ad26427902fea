"""Delivered lines become typed rows, and each row gets the list of checks that it violates.

Every line keeps its file and its row number in the file. Checks are column functions. A row carries
its errors as bits of integers; they become words only for rejected rows (models.intake.outcome).
Reasons name the column and what was expected, never the value.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce

from pyspark.errors import AnalysisException
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

from models.frames.conditions import any_of
from models.intake import code_list, delivered_line, number_form
from schemas.config import Source
from schemas.config.source import OTHERWISE
from schemas.contract import Contract
from schemas.errors import ConfigError
from schemas.render.spark import key_hash, row_rules, struct_type

BITS = 62  # errors in one BIGINT
PLACES = ("source", "file_name", "row_no", "batch_date")
ROW = ("batch_date", "file_name", "row_no")  # identifies a row of one source
ADDED = (*PLACES, "record_key", "local_date", "local_second")  # columns that no mapping gives
VERDICT = ("_errors", "_raw", "_rejected", "_late")
# Reasons that only the other rows of the key tell (models.intake.duplicates), by role of the row.
CONFLICT, TWICE = "conflict", "twice"
SHARED_KEY = {
    CONFLICT: "record: its key is that of an accepted record with other content",
    TWICE: "occurred_at: this local time occurs twice on its day, so the record may repeat another "
    "or be a second event; expected a record number or a time with its offset",
}


@dataclass(frozen=True)
class Check:
    """One way in which a row can be wrong. `severity` critical rejects, warning is only counted.

    `refers`: the row names a record that does not exist. `unlisted`: its code is not in the
    source's list; the row is kept and counted as a warning.
    """

    reason: str
    violated: Column
    severity: str = "critical"
    refers: bool = False
    unlisted: bool = False


@dataclass(frozen=True)
class Validated:
    """The rows of a delivery with their errors. Grain: the delivered line.

    `frame` holds the contract's columns and four more:
    - `_errors`: one bit per check, in the order of `checks`;
    - `_raw`: the delivered line, only for rejected rows;
    - `_rejected`: whether a critical check is violated;
    - `_late`: whether the event is older than the source's `late_after_days`.
    Rows are not compared with each other here; models.intake.duplicates does that. The checks of
    `SHARED_KEY` are therefore violated by no row yet.
    """

    frame: DataFrame
    checks: tuple[Check, ...]
    source: str


def validate(
    lines: DataFrame,
    name: str,
    source: Source,
    contract: Contract,
    sets: Mapping[str, Sequence[str]],
    session_zone: str,
    known: Mapping[str, DataFrame] | None = None,
) -> Validated:
    """Check every line of a delivery by itself. ConfigError for an expression that is not SQL.

    `lines`: as `delivered_line.fields` expects them. `row_no` counts the rows of a file without
    its header; blank lines and headers are already removed. `name`: value of the column `source`.
    `sets`: the configured values that the contract may name. `session_zone`: time zone of the
    Spark session. `known`: for each referencing column the frame of values that exist.
    """
    fields = delivered_line.fields(lines, source)
    form_checks = _form_checks(source)
    typed, cast_checks = _typed(fields, source, contract, session_zone)
    checks = [
        *form_checks,
        *cast_checks,
        *_event_checks(source, contract),
        *_warnings(source),
        *_rule_checks(contract, sets, typed.columns),
        *[Check(reason, F.lit(False)) for reason in SHARED_KEY.values()],
    ]
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
    frame = _with_errors(typed, checks, len(form_checks), source, contract)
    return Validated(frame, tuple(checks), name)


def has_error(errors: Column, place: int) -> Column:
    """Whether the bit of the check at `place` is set in the column `_errors`; never null."""
    word = F.element_at(errors, place // BITS + 1)
    return F.coalesce(word.bitwiseAND(F.lit(1 << place % BITS)) != 0, F.lit(False))


def _form_checks(source: Source) -> list[Check]:
    """The checks of the line itself. A row that violates one of them gets no other error."""
    whole = ~F.col("_undecoded") & ~F.col("_broken") & ~F.col("_open")
    unclosed = Check(f"line: {delivered_line.expected_end(source)}", F.col("_open"))
    return [
        Check(f"line: not readable as {source.format.encoding}", F.col("_undecoded")),
        Check(f"line: {delivered_line.expected(source)}", F.col("_broken")),
        *([unclosed] if source.format.multiline else []),
        *[
            Check(reason, F.col(f"_excluded_{place}") & whole)
            for place, reason in enumerate(source.exclude)
        ],
    ]


def _warnings(source: Source) -> list[Check]:
    """The configured warnings, and the codes that are kept although no list has them."""
    return [
        *[
            Check(reason, F.col(f"_warned_{place}"), "warning")
            for place, reason in enumerate(source.warn)
        ],
        *[
            Check(
                f"{column}: a code that is not listed, kept as {codes[OTHERWISE]}",
                F.col(f"_unlisted_{column}"),
                "warning",
                unlisted=True,
            )
            for column, codes in source.codes.items()
            if OTHERWISE in codes
        ],
    ]


def _rule_checks(
    contract: Contract, sets: Mapping[str, Sequence[str]], columns: Sequence[str]
) -> list[Check]:
    """The rules of the contract. A value that cannot be cast gets one reason, not two."""
    checks = []
    for rule in row_rules(contract, sets):
        if rule.column in ADDED:
            continue
        violated, unread = rule.violated, f"_unread_{rule.column}"
        if rule.code == "required" and unread in columns:
            violated = violated & ~F.col(unread)
        checks.append(Check(rule.reason, violated, rule.severity))
    return checks


def _typed(
    fields: DataFrame, source: Source, contract: Contract, session_zone: str
) -> tuple[DataFrame, list[Check]]:
    """The contract's columns by the mapping, and one check for each cast that may fail."""
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
        column = contract.column(name)
        columns.append(number_form.of(column, cast, source.numbers).alias(name))
        if column.personal in number_form.FORMED:
            lost = number_form.is_lost(F.col(name))
            checks.append(Check(f"{name}: {number_form.LOST}", lost))
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
    typed = mapped.select("_line", "_undecoded", "_broken", "_open", *flags, *places, *columns)
    return _local_times(typed, source, schema, session_zone), checks


def _mapped(fields: DataFrame, source: Source) -> DataFrame:
    """The expressions of `mapping`, `exclude` and `warn` as columns.

    `_m_<column>`: the mapped value. `_excluded_<n>`, `_warned_<n>`: the predicates in their order.
    `_unlisted_<column>`: the code is not listed and the source has a value for such codes.
    ConfigError names the expression that is not SQL.
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
            "_open",
            *flags,
            *[
                code_list.translated(F.expr(sql), source.codes.get(column)).alias(f"_m_{column}")
                for column, sql in source.mapping.items()
            ],
            *[
                code_list.is_unlisted(F.expr(source.mapping[name]), codes).alias(
                    f"_unlisted_{name}"
                )
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


def _local_times(
    frame: DataFrame, source: Source, schema: Mapping[str, T.DataType], session_zone: str
) -> DataFrame:
    """`occurred_at` as an instant; `local_date` and `local_second` in the source's time zone."""
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
    """An event far from its delivery day has a wrong date (a reset phone, a wrong year)."""
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


def _error_bit(violated: Column, place: int) -> Column:
    return F.when(violated, F.lit(1 << place).cast("bigint")).otherwise(F.lit(0).cast("bigint"))


def _sum(bits: Sequence[Column]) -> Column:
    return reduce(lambda a, b: a + b, bits, F.lit(0).cast("bigint"))


def _with_errors(
    frame: DataFrame, checks: Sequence[Check], first: int, source: Source, contract: Contract
) -> DataFrame:
    """The contract's columns with `VERDICT`.

    A row that violates one of the `first` checks gets no error of the other checks.
    """
    unread = any_of(check.violated for check in checks[:first])
    words = []
    for start in range(0, len(checks), BITS):
        form: list[Column] = []
        others: list[Column] = []
        for n, check in enumerate(checks[start : start + BITS]):
            (form if start + n < first else others).append(_error_bit(check.violated, n))
        words.append(F.when(unread, _sum(form)).otherwise(_sum(others)))
    critical = [
        sum(
            1 << n
            for n, check in enumerate(checks[start : start + BITS])
            if check.severity == "critical"
        )
        for start in range(0, len(checks), BITS)
    ]
    rejected = any_of(
        F.element_at("_errors", place + 1).bitwiseAND(F.lit(mask)) != 0
        for place, mask in enumerate(critical)
    )
    late = F.lit(False)
    if "local_date" in contract.column_names:
        late = F.datediff("batch_date", "local_date") > source.late_after_days
    return (
        frame.withColumn("_errors", F.array(*words))
        .withColumn("_rejected", rejected)
        .withColumn("_raw", F.when(F.col("_rejected"), F.col("_line")))
        .withColumn("record_key", key_hash(contract, frame, contract.key_of(source.mapping)))
        .withColumn("_late", F.coalesce(late, F.lit(False)))
        .select(*contract.column_names, *VERDICT)
    )
