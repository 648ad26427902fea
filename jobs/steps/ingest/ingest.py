"""Ingest the deliveries of one source: every line ends accepted, rejected or as a duplicate.

Grain of the result: one accepted record in the source's `ods` table, one rejected line in
`ops.rejected_record`, one row of counts per delivery in the ledger. When this step fails, the
table stays as it was, and every step that reads it stops and names the source.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
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
from jobs.intake.redelivery import Deliveries
from jobs.plan.step import due_days
from jobs.runtime.context import Context
from jobs.warehouse.tables import cached, held
from models.intake import delivered_line, delivery_metrics, duplicates, outcome, verdict
from models.usage.local_time import LocalTime
from schemas.config.source import PARTS
from schemas.config.source_fingerprint import value_sets
from schemas.contract import Contract
from schemas.errors import ConfigError, QualityError
from schemas.render import expectations
from schemas.window import Window

Figures = dict[str, dict[str, Any]]  # by slice, as the ledger keeps them
CONDITION = re.compile(r"\[((?:CAST|DIVIDE|ARITHMETIC|CANNOT_PARSE|INVALID)[A-Z_.]*)\]")
CELL_ERRORS = (ArithmeticException, DateTimeException, NumberFormatException, SparkRuntimeException)


def run(context: Context) -> None:
    """Ingest the source of the step for every day of the window in one pass."""
    conf, ledger = context.conf, context.ledger
    source, days = context.source, due_days(conf, context.source.id, context.window)
    contract = context.warehouse.contracts[source.record]
    deliveries = Deliveries(conf, context.warehouse.contracts, ledger, context.landing)
    entries = {day: deliveries.entry(source.id, day) for day in days}
    files = context.landing.files(source.id, source, days, deliveries.ingested(source.id, days))
    contents = context.landing.contents(source.id, days)
    delivered = _delivered(days, files)
    before = ledger.delivered(contract.table, source.id)
    if ledger.accepting is None:
        completeness.require_usual_rows(source, delivered, before)
    drifts = completeness.drifts(source, delivered, before)
    reading = deliveries.fingerprint(source.id)

    def figures(counts: delivery_metrics.CountsByDay, checks: Sequence[verdict.Check]) -> Figures:
        """The ledger's figures of each day, once the delivery has passed its checks."""
        metrics = delivery_metrics.metrics(delivered, counts, checks, drifts)
        reasons = delivery_metrics.reasons(counts, checks)
        passed = _passed(context, contract, metrics, reasons)
        slices = delivery_metrics.by_slice(delivered, counts)
        for day in days:
            content = contents.get(day)
            slices[str(day)] |= {"message": passed, "content": content, "reading": reading}
        return slices

    is_fresh = not ledger.may_hold_rows(contract.table, source.id, map(str, days))
    if is_fresh and not any(delivered.values()):
        context.warehouse.ingest_nothing(contract.table, source.id, figures({}, ()), days)
        return
    rows = read_rows(context.warehouse.tables, files, source)
    judged = verdict.validate(
        rows,
        source.id,
        source,
        contract,
        value_sets(conf),
        conf.runtime.timezone,
        _known(context, contract),
        conf.runtime.open_ends,
    )
    with (
        _read(source.id, judged, _constant_columns(source.id, files)) as judged,
        _tagged(context, judged, rows, contract) as tagged,
    ):
        slices = figures(tagged.counts(), judged.checks)
        # Usage is read again where a record may have become a part or a part a record.
        same_content = [
            day
            for day, entry in entries.items()
            if entry is not None
            and entry.content == contents.get(day)
            and (source.record not in PARTS or entry.reading == reading)
        ]
        unchanged = _with_equal_rows(context, contract, same_content, tagged)
        context.warehouse.ingest(
            contract.table,
            source.id,
            tagged.accepted(),
            tagged.rejected(),
            slices,
            [day for day in days if day not in unchanged],
            conf.runtime.parallel.files_per_day,
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
def _read(
    name: str, judged: verdict.Validated, constant: dict[str, Column]
) -> Iterator[verdict.Validated]:
    """The judged rows, read once; ConfigError where an expression of the mapping fails."""
    with ExitStack() as stack:
        try:
            frame = stack.enter_context(held(judged.frame.drop(*constant)))
        except (*CELL_ERRORS, Py4JJavaError) as error:  # its text holds the cell
            condition = _condition(error)
            if condition is None:
                raise
            raise ConfigError(
                f"sources.yml: {name}: an expression of the mapping stops at a cell "
                f"({condition}): use its try_… form"
            ) from None
        yield replace(judged, frame=frame.withColumns(constant).select(judged.frame.columns))


@contextmanager
def _tagged(
    context: Context, judged: verdict.Validated, rows: DataFrame, contract: Contract
) -> Iterator[outcome.Outcome]:
    """The judged rows with those among them that share their key. `rows`: as they were delivered.

    What is joined to them is counted before: then Spark knows its size and need not move all rows.
    """
    source, earlier = context.source, _earlier(context, contract)
    with cached(duplicates.candidate_keys(judged, earlier)) as keys:
        shared_keys = keys.count() > 0
        with cached(duplicates.candidates(judged, keys if shared_keys else None)) as candidates:
            if not shared_keys:
                yield outcome.Outcome(judged, candidates)
                return
            shared = duplicates.find(
                candidates, source, contract, earlier, _repeated_hours(context, contract)
            )
            with cached(shared) as found:
                refused = found.where(F.col("_role").isin(*verdict.SHARED_KEY)).select(*verdict.ROW)
                yield outcome.Outcome(
                    judged,
                    candidates,
                    found if found.count() else None,
                    delivered_line.lines(rows, source, refused) if refused.count() else None,
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


def _known(context: Context, contract: Contract) -> dict[str, DataFrame]:
    """For each column that refers to another table: the values that exist there."""
    found = {}
    for column in contract.columns:
        if column.references:
            table, name = column.references.rsplit(".", 1)
            found[column.name] = (
                context.warehouse.read(table, upto=context.day).select(name).distinct()
            )
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
        raise QualityError(f"{error}{f'; most often: {named}' if named else ''}") from None
    if any(one.severity == "critical" for one in failed):
        return f"accepted: {accepting}"
    return None
