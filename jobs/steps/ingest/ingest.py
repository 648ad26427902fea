"""Ingest the deliveries of one source: every line ends accepted, rejected or as a duplicate.

Grain of the result: one accepted record in each `ods` table of the source, one rejected line in
`ops.rejected_record`, one row of counts per delivery and table in the ledger. When this step fails,
the tables stay as they were, and every step that reads them stops and names the source.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from py4j.protocol import Py4JJavaError
from pyspark.errors import (
    ArithmeticException,
    DateTimeException,
    NumberFormatException,
    PySparkException,
    SparkRuntimeException,
)
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from jobs.intake import completeness
from jobs.intake.delivered_file import DeliveredFile
from jobs.intake.delivered_rows import read_rows
from jobs.intake.redelivery import Deliveries, current_fingerprint
from jobs.plan.ingest import in_order
from jobs.plan.slices import between
from jobs.plan.step import due_days
from jobs.runtime.context import Context
from jobs.warehouse.tables import cached, held
from jobs.warehouse.warehouse import Ingested
from models.intake import delivered_line, delivery_metrics, duplicates, outcome, verdict
from models.usage.local_time import LocalTime
from schemas.config import Source
from schemas.config.mapping.source_fingerprint import value_sets
from schemas.config.source import PARTS
from schemas.contract import Contract
from schemas.errors import ConfigError, QualityError
from schemas.render import expectations
from schemas.window import Window

Figures = dict[str, dict[str, Any]]  # by slice, as the ledger keeps them
Skipped = dict[date, dict[str, int]]  # of `verdict.skipped`
CONDITION = re.compile(r"\[((?:CAST|DIVIDE|ARITHMETIC|CANNOT_PARSE|INVALID)[A-Z_.]*)\]")
CELL_ERRORS = (ArithmeticException, DateTimeException, NumberFormatException, SparkRuntimeException)


def run(context: Context) -> None:
    """Ingest the source of the step for every day of the window in one pass."""
    conf, ledger, source = context.conf, context.ledger, context.source
    days, records = due_days(conf, source.id, context.window), in_order(source)
    deliveries = Deliveries(conf, context.warehouse.contracts, ledger, context.landing)
    files = context.landing.files(source.id, source, days, deliveries.ingested(source.id, days))
    delivered = _delivered(days, files)
    before = ledger.delivered(source.record, source.id)
    if ledger.accepting is None:
        completeness.require_usual_rows(source, delivered, before)
    drifts = completeness.drifts(source, delivered, before)
    intakes = [
        Intake(context, one, days, delivered, drifts if one.record == source.record else {})
        for one in records
    ]
    is_fresh = not any(
        ledger.may_hold_rows(table, source.id, map(str, days)) for table in source.tables
    )
    if is_fresh and not any(delivered.values()):
        context.warehouse.ingest_nothing(source.id, [one.nothing() for one in intakes])
        return
    rows = read_rows(context.warehouse.tables, files, source)
    fields = delivered_line.fields(rows, source)
    constant = _constant_columns(source.id, files)
    with ExitStack() as stack:
        skipped: Skipped = {}
        if source.also:  # the file is read once, for all of its tables
            with _told(source.id):
                fields = stack.enter_context(held(fields))
                skipped = verdict.skipped(fields, records)
            _require_place(context, skipped)
        outcomes: dict[str, outcome.Outcome] = {}
        ingested = []
        for one in intakes:
            judged = stack.enter_context(_read(source.id, one.judged(fields, outcomes), constant))
            tagged = stack.enter_context(_tagged(one, judged, fields))
            outcomes[one.source.record] = tagged
            ingested.append(one.ingested(tagged, skipped))
        context.warehouse.ingest(
            source.id,
            ingested,
            outcome.rejected_of_several(outcomes) if source.also else tagged.rejected(),
            conf.runtime.parallel.files_per_day,
        )


@dataclass(frozen=True)
class Intake:
    """The taking in of a delivery into one table. `source`: as it is read into that table.

    `delivered`: rows of the files by day. `drifts`: of the files, judged with one table only.
    """

    context: Context
    source: Source
    days: list[date]
    delivered: Mapping[date, int]
    drifts: Mapping[str, Mapping[date, float]]

    @property
    def contract(self) -> Contract:
        return self.context.warehouse.contracts[self.source.record]

    @property
    def reading(self) -> str:
        """The fingerprint of how the source is read into the table."""
        return current_fingerprint(
            self.context.conf, self.context.warehouse.contracts, self.source.id, self.source.record
        )

    def nothing(self) -> Ingested:
        """What a delivery without rows gives the table."""
        table = self.contract.table
        return Ingested(
            table, self.context.warehouse.empty(table), self._figures({}, (), {}), self.days
        )

    def judged(self, fields: DataFrame, others: Mapping[str, outcome.Outcome]) -> verdict.Validated:
        """The rows of the table. `others`: what the same delivery gives tables before this one."""
        conf = self.context.conf
        return verdict.validate(
            verdict.chosen(fields, self.source),
            self.source.id,
            self.source,
            self.contract,
            value_sets(conf),
            conf.runtime.timezone,
            _known(self.context, self.contract, others),
            conf.runtime.open_ends,
        )

    def ingested(self, tagged: outcome.Outcome, skipped: Skipped) -> Ingested:
        """What the delivery gives the table, once it has passed its checks."""
        slices = self._figures(tagged.counts(), tagged.validated.checks, skipped)
        contents = self.context.landing.contents(self.source.id, self.days)
        table, reading = self.contract.table, self.reading
        # Usage is read again where a record may have become a part or a part a record.
        same_content = [
            day
            for day in self.days
            if (entry := self.context.ledger.entry(table, day, self.source.id)) is not None
            and entry.content == contents.get(day)
            and (table not in PARTS or entry.reading == reading)
        ]
        unchanged = _with_equal_rows(self.context, self.contract, same_content, tagged)
        changed = [day for day in self.days if day not in unchanged]
        return Ingested(table, tagged.accepted(), slices, changed)

    def _figures(
        self,
        counts: delivery_metrics.CountsByDay,
        checks: Sequence[verdict.Check],
        skipped: Skipped,
    ) -> Figures:
        """The ledger's figures of each day; QualityError for a delivery that does not pass."""
        several = bool(self.context.source.also)
        left_out = {day: skipped.get(day, {}).get(self.source.record, 0) for day in self.days}
        for_table = {day: rows - left_out[day] for day, rows in self.delivered.items()}
        metrics = delivery_metrics.metrics(for_table, counts, checks, self.drifts)
        reasons = delivery_metrics.reasons(counts, checks)
        passed = _passed(self.context, self.contract, metrics, reasons)
        slices = delivery_metrics.by_slice(for_table, counts)
        contents = self.context.landing.contents(self.source.id, self.days)
        for day in self.days:
            slices[str(day)] |= {
                "message": passed,
                "content": contents.get(day),
                "reading": self.reading,
                "rows_skipped": left_out[day] if several else None,
            }
        return slices


def _require_place(context: Context, skipped: Skipped) -> None:
    """Warn of rows that become a record of none of the source's tables."""
    context.warehouse.gate.check(
        context.warehouse.contracts[context.source.record],
        {"rows_of_no_table": sum(rows[verdict.NOWHERE] for rows in skipped.values())},
        expectations.taken_suite(),
        context.source.id,
        str(context.window),
    )


def _with_equal_rows(
    context: Context, contract: Contract, days: list[date], tagged: outcome.Outcome
) -> set[date]:
    """The days whose delivery was ingested before and gives the same rows again."""
    if not days:
        return set()
    window = Window(min(days), max(days))
    stored = context.warehouse.read(contract.table, window=window, allow_missing=True)
    there, here = [
        {row["batch_date"]: row for row in outcome.digests(rows, contract).collect()}
        for rows in (stored.where(F.col("source") == context.source.id), tagged.accepted())
    ]
    return {day for day in days if there.get(day) == here.get(day)}


def _constant_columns(name: str, files: list[DeliveredFile]) -> dict[str, Column]:
    """The columns with one value in every row of the delivery: they need not be stored."""
    days, names = {file.day for file in files}, {file.path.name for file in files}
    return {
        "source": F.lit(name),
        **({"batch_date": F.lit(*days)} if len(days) == 1 else {}),
        **({"file_name": F.lit(*names)} if len(names) == 1 else {}),
    }


@contextmanager
def _told(name: str) -> Iterator[None]:
    """ConfigError where an expression of the source fails in the block."""
    try:
        yield
    except (*CELL_ERRORS, Py4JJavaError) as error:  # its text holds the cell
        condition = _condition(error)
        if condition is None:
            raise
        raise ConfigError(
            f"sources.yml: {name}: an expression of the mapping stops at a cell "
            f"({condition}): use its try_… form"
        ) from None


@contextmanager
def _read(
    name: str, judged: verdict.Validated, constant: dict[str, Column]
) -> Iterator[verdict.Validated]:
    """The judged rows, read once; ConfigError where an expression of the mapping fails."""
    with ExitStack() as stack:
        with _told(name):
            frame = stack.enter_context(held(judged.frame.drop(*constant)))
        yield replace(judged, frame=frame.withColumns(constant).select(judged.frame.columns))


@contextmanager
def _tagged(
    intake: Intake, judged: verdict.Validated, fields: DataFrame
) -> Iterator[outcome.Outcome]:
    """The judged rows with those among them that share their key. `fields`: as delivered.

    What is joined to them is counted before: then Spark knows its size and need not move all rows.
    """
    source, contract = intake.source, intake.contract
    earlier = _earlier(intake.context, contract)
    with cached(duplicates.candidate_keys(judged, earlier)) as keys:
        shared_keys = keys.count() > 0
        with cached(duplicates.candidates(judged, keys if shared_keys else None)) as candidates:
            if not shared_keys:
                yield outcome.Outcome(judged, candidates)
                return
            hours = _repeated_hours(intake.context, contract)
            shared = duplicates.find(candidates, source, contract, earlier, hours)
            with cached(shared) as found:
                refused = found.where(F.col("_role").isin(*verdict.SHARED_KEY)).select(*verdict.ROW)
                yield outcome.Outcome(
                    judged,
                    candidates,
                    found if found.count() else None,
                    delivered_line.lines(fields, refused) if refused.count() else None,
                    source.parts,
                )


def _repeated_hours(context: Context, contract: Contract) -> list[tuple[int, int]]:
    """[from, to) in epoch seconds: instants whose local time comes once more on the same day.

    The delivered time of such an instant does not tell which of the two it was.
    """
    source, window = context.source, context.window
    if source.time != "local" or "occurred_at" not in contract.column_names:
        return []
    first = window.first - timedelta(days=source.max_age_days + 1)
    ends = [
        int(datetime.combine(day, time(), UTC).timestamp())
        for day in (first, window.last + timedelta(days=2))
    ]
    instants, shifts = LocalTime(zone=source.timezone).changes(*ends)
    return [
        (int(instant + shift), int(instant))
        for instant, shift in zip(instants, shifts, strict=True)
        if shift < 0
    ]


def _condition(error: PySparkException | Py4JJavaError) -> str | None:
    """Spark's name of the error; for an error of Java only the name of a cell error, else None."""
    if not isinstance(error, Py4JJavaError):
        return error.getCondition()
    found = CONDITION.search(str(error))
    return found and found[1]


def _known(
    context: Context, contract: Contract, others: Mapping[str, outcome.Outcome]
) -> dict[str, DataFrame]:
    """For each column that refers to another table: the values that exist there.

    `others`: what the delivery itself gives tables. It is not there yet, or not as it will be.
    """
    found = {}
    for column in contract.columns:
        if column.references:
            table, name = column.references.rsplit(".", 1)
            rows = context.warehouse.read(table, upto=context.day)
            if table in others:
                theirs = (F.col("source") == context.source.id) & F.expr(
                    between("batch_date", context.window)
                )
                rows = rows.where(~theirs).unionByName(others[table].accepted())
            found[column.name] = rows.select(name).distinct()
    return found


def _earlier(context: Context, contract: Contract) -> DataFrame | None:
    """The rows accepted in the look-back before the window; None where nothing is committed."""
    name, back, window = context.source.id, context.source.lookback_days, context.window
    if not back:
        return None
    days = Window(window.first - timedelta(days=back), window.first - timedelta(days=1))
    if not any(context.ledger.is_committed(contract.table, day, name) for day in days.days()):
        return None
    accepted = context.warehouse.read(contract.table, window=days, allow_missing=True)
    return accepted.where(F.col("source") == name)


def _delivered(days: list[date], files: list[DeliveredFile]) -> dict[date, int]:
    """Rows by the day of delivery, as counted in the files before Spark reads them."""
    rows = dict.fromkeys(days, 0)
    for file in files:
        rows[file.day] += file.rows
    return rows


def _passed(
    context: Context, contract: Contract, metrics: dict, reasons: dict[str, int]
) -> str | None:
    """Check the delivery; the ledger's message where an operator lets it pass, else None.

    QualityError names the three commonest `reasons`: a refused delivery leaves no rows to look up.
    """
    accepting, source = context.ledger.accepting, context.source
    try:
        failed = context.warehouse.gate.check(
            contract,
            metrics,
            expectations.delivery_suite(source, metrics),
            source.id,
            str(context.window),
            expectations.PASSABLE if accepting else (),
        )
    except QualityError as error:
        named = "; ".join(f"{reason} ({rows:,} rows)" for reason, rows in list(reasons.items())[:3])
        into = f" (into {contract.table})" if source.also else ""
        raise QualityError(f"{error}{into}{f'; most often: {named}' if named else ''}") from None
    if any(one.severity == "critical" for one in failed):
        return f"accepted: {accepting}"
    return None
