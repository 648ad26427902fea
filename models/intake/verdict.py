"""Delivered lines become typed rows, and each row gets the list of checks that it violates.

Every line keeps its file and its row number in the file. Checks are column functions. A row carries
its errors as bits of integers; they become words only for rejected rows (models.intake.outcome).
Reasons name the column and what was expected, never the value.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import reduce

from pyspark.errors import AnalysisException
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from models.frames.conditions import any_of
from models.intake import delivered_line, mapped_row
from models.intake.mapped_row import ADDED, Fault
from schemas.config import Source
from schemas.config.settings import OPEN_ENDS
from schemas.config.source import OTHERWISE
from schemas.contract import Contract
from schemas.errors import ConfigError
from schemas.render.spark import key_hash, row_rules

BITS = 62  # errors in one BIGINT
ROW = ("batch_date", "file_name", "row_no")  # identifies a row of one source
VERDICT = ("_errors", "_raw", "_rejected", "_late", "_rounding")
LINE = "line: "  # before the reasons of lines that cannot be read at all
NOWHERE = "nowhere"
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
    source's list; the row is kept and counted as a warning. `unread`: the row is kept without the
    value, which is not readable or does not fit.
    """

    reason: str
    violated: Column
    severity: str = "critical"
    refers: bool = False
    unlisted: bool = False
    unread: bool = False


@dataclass(frozen=True)
class Validated:
    """The rows of a delivery with their errors. Grain: the delivered line.

    `frame` holds the contract's columns and five more:
    - `_errors`: one bit per check, in the order of `checks`;
    - `_raw`: the delivered line, only for rejected rows;
    - `_rejected`: whether a critical check is violated;
    - `_late`: whether the event is older than the source's `late_after_days`;
    - `_rounding`: what rounding added to each column that the source rounds; null: it rounds none.
    Rows are not compared with each other here; models.intake.duplicates does that. The checks of
    `SHARED_KEY` are therefore violated by no row yet.
    """

    frame: DataFrame
    checks: tuple[Check, ...]
    source: str


def validate(
    fields: DataFrame,
    name: str,
    source: Source,
    contract: Contract,
    sets: Mapping[str, Sequence[str]],
    session_zone: str,
    known: Mapping[str, DataFrame] | None = None,
    open_ends: Sequence[date] = OPEN_ENDS,
) -> Validated:
    """Check every line of a delivery by itself. ConfigError for an expression that is not SQL.

    `fields`: of `delivered_line.fields`, those that become records of the contract's table.
    `name`: value of the column `source`. `sets`: the configured values that the contract may name.
    `session_zone`: time zone of the Spark session. `known`: for each referencing column the frame
    of values that exist. `open_ends`: an end of validity at or after the first of these days is
    null.
    """
    form_checks = _form_checks(source)
    typed, faults = mapped_row.typed(fields, source, contract, session_zone, open_ends)
    checks = [
        *form_checks,
        *_value_checks(faults),
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


def chosen(fields: DataFrame, source: Source) -> DataFrame:
    """The rows of `delivered_line.fields` that become records of the source's table (Source.when).

    A line that cannot be read is chosen too: it is a reject of every table.
    """
    return fields if source.when is None else fields.where(_is_chosen(fields, source))


def skipped(fields: DataFrame, records: Sequence[Source]) -> dict[date, dict[str, int]]:
    """By day the rows that are not `chosen` for each table; `nowhere`: those for none of them."""
    taken = [_is_chosen(fields, one) for one in records]
    rows = fields.groupBy(F.col("_day")).agg(
        *[F.count_if(~one).alias(of.record) for one, of in zip(taken, records, strict=True)],
        F.count_if(~any_of(taken)).alias(NOWHERE),
    )
    return {
        row["_day"]: {name: row[name] for name in row.asDict() if name != "_day"}
        for row in rows.collect()
    }


def _is_chosen(fields: DataFrame, source: Source) -> Column:
    """Whether a row becomes a record; never null. ConfigError for a predicate that is not SQL."""
    if source.when is None:
        return F.lit(True)
    try:
        fields.select(F.expr(source.when).cast("boolean"))
    except AnalysisException as error:
        raise ConfigError(
            f"sources.yml: {source.id}: when of {source.record}: {source.when}: "
            f"{str(error).splitlines()[0]}"
        ) from None
    predicate = F.coalesce(F.expr(source.when), F.lit(False))
    return F.expr("_undecoded or _broken or _open") | predicate


def has_error(errors: Column, place: int) -> Column:
    """Whether the bit of the check at `place` is set in the column `_errors`; never null."""
    word = F.element_at(errors, place // BITS + 1)
    return F.coalesce(word.bitwiseAND(F.lit(1 << place % BITS)) != 0, F.lit(False))


def _form_checks(source: Source) -> list[Check]:
    """The checks of the line itself. A row that violates one of them gets no other error."""
    whole = ~F.col("_undecoded") & ~F.col("_broken") & ~F.col("_open")
    unclosed = Check(f"{LINE}{delivered_line.expected_end(source)}", F.col("_open"))
    return [
        Check(f"{LINE}not readable as {source.format.encoding}", F.col("_undecoded")),
        Check(f"{LINE}{delivered_line.expected(source)}", F.col("_broken")),
        *([unclosed] if source.format.multiline else []),
        *[
            Check(reason, F.col(f"_excluded_{place}") & whole)
            for place, reason in enumerate(source.exclude)
        ],
    ]


def _value_checks(faults: Sequence[Fault]) -> list[Check]:
    """The checks of values that their columns do not hold."""
    return [
        Check(
            fault.reason,
            F.col(fault.flag),
            "warning" if fault.kept else "critical",
            unread=fault.kept,
        )
        for fault in faults
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
    """The rules of the contract. A value that is not readable gets one reason, not two."""
    checks = []
    for rule in row_rules(contract, sets):
        if rule.column in ADDED:
            continue
        violated = rule.violated
        if rule.code == "required":
            for kind in mapped_row.FAULTS:
                flag = f"{kind}_{rule.column}"
                violated = violated & ~F.col(flag) if flag in columns else violated
        checks.append(Check(rule.reason, violated, rule.severity))
    return checks


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
        .withColumn("_rounding", _rounding(frame))
        .select(*contract.column_names, *VERDICT)
    )


def _rounding(frame: DataFrame) -> Column:
    """What rounding added, by column; null if the source rounds nothing."""
    added = [name for name in frame.columns if name.startswith(mapped_row.ROUNDING)]
    if not added:
        return F.lit(None).cast("string")
    return F.struct(*[F.col(name).alias(name.removeprefix(mapped_row.ROUNDING)) for name in added])
