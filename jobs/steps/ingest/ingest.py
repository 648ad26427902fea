"""Take in the deliveries of one source: every line ends accepted, rejected or as a duplicate.

Grain of the result: one accepted record in the source's `ods` table, one rejected line in
`ops.rejected_record`, one row of counts per delivery in the ledger. When this step fails, the
table stays as it was and everything that reads it stops with the source's name.
"""

import re
from contextlib import ExitStack, contextmanager
from datetime import date, timedelta

from py4j.protocol import Py4JJavaError
from pyspark.errors import (
    ArithmeticException,
    DateTimeException,
    NumberFormatException,
    SparkRuntimeException,
)
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from jobs.intake import completeness
from jobs.intake.delivered_file import DeliveredFile
from jobs.intake.delivered_rows import read_rows
from jobs.intake.redelivery import Deliveries
from jobs.plan.night import due_days
from jobs.warehouse.tables import cached, held
from jobs.warehouse.warehouse import Warehouse
from models.intake import delivery_metrics, duplicates, outcome, verdict
from schemas.config import Config, Source
from schemas.config.source_fingerprint import value_sets
from schemas.contract import Contract
from schemas.errors import ConfigError, QualityError
from schemas.render import expectations
from schemas.window import Window

CONDITION = re.compile(r"\[((?:CAST|DIVIDE|ARITHMETIC|CANNOT_PARSE|INVALID)[A-Z_.]*)\]")
CELL_ERRORS = (ArithmeticException, DateTimeException, NumberFormatException, SparkRuntimeException)


def run(window: Window, wh: Warehouse, conf: Config) -> None:
    """Load the source of the running step for every day of the window in one pass."""
    name = wh.running.source
    source, days = conf.sources[name], due_days(conf, name, window)
    contract = wh.contracts[source.record]
    deliveries = Deliveries(conf, wh.contracts, wh.ledger, wh.landing)
    entries = {day: deliveries.entry(name, day) for day in days}
    files = wh.landing.files(name, source, days, deliveries.ingested(name, days))
    contents = wh.landing.contents(name, days)
    delivered = _delivered(days, files)
    before = wh.ledger.delivered(contract.table, name)
    if wh.ledger.accepting is None:
        completeness.require_usual_rows(source, delivered, before)
    known = _known(wh, contract, window)
    judged = verdict.validate(
        read_rows(wh.tables, files, source),
        name,
        source,
        contract,
        value_sets(conf),
        conf.runtime.timezone,
        known,
    )
    with (
        _read(name, judged, _alike(name, files)) as judged,
        _tagged(judged, source, contract, _earlier(wh, name, contract, window)) as tagged,
    ):
        counts = tagged.counts()
        metrics = delivery_metrics.metrics(
            delivered, counts, judged.checks, completeness.drifts(source, delivered, before)
        )
        passed = _passed(
            wh, source, contract, window, metrics, delivery_metrics.reasons(counts, judged.checks)
        )
        slices = {
            slice_: {**figures, "message": passed}
            for slice_, figures in delivery_metrics.by_slice(delivered, counts).items()
        }
        reading = deliveries.fingerprint(name)
        for day in days:
            slices[str(day)] |= {"content": contents.get(day), "reading": reading}
        same = [
            day
            for day, entry in entries.items()
            if entry is not None and entry.content == contents.get(day)
        ]
        same = _with_equal_rows(wh, name, contract, same, tagged)
        wh.take_in(
            contract.table,
            name,
            tagged.accepted(),
            tagged.rejected(),
            slices,
            [day for day in days if day not in same],
            conf.runtime.parallel.files_per_day,
        )


def _with_equal_rows(
    wh: Warehouse, name: str, contract: Contract, days: list[date], tagged: outcome.Outcome
) -> set[date]:
    """The days on which a delivery that was taken in before gives the same rows once more."""
    if not days:
        return set()
    window = Window(min(days), max(days))
    stood = wh.read(contract.table, window=window, whatever_is_there=True)
    there, here = [
        {row["batch_date"]: row for row in outcome.digests(rows, contract).collect()}
        for rows in (stood.where(F.col("source") == name), tagged.accepted())
    ]
    return {day for day in days if there.get(day) == here.get(day)}


def _alike(name: str, files: list[DeliveredFile]) -> dict[str, Column]:
    """The columns that hold the same in every row of the delivery: they need not be kept."""
    days, names = {file.day for file in files}, {file.path.name for file in files}
    return {
        "source": F.lit(name),
        **({"batch_date": F.lit(*days)} if len(days) == 1 else {}),
        **({"file_name": F.lit(*names)} if len(names) == 1 else {}),
    }


@contextmanager
def _read(name: str, judged: verdict.Validated, alike: dict[str, Column]):
    """The judged rows, read once. What stops at a cell is a fault of the mapping."""
    with ExitStack() as stack:
        try:
            frame = stack.enter_context(held(judged.frame.drop(*alike)))
        except (*CELL_ERRORS, Py4JJavaError) as error:  # its text holds the cell
            condition = _condition(error)
            if condition is None:
                raise
            raise ConfigError(
                f"sources.yml: {name}: an expression of the mapping stops at a cell "
                f"({condition}): use its try_… form"
            ) from None
        yield verdict.Validated(
            frame.withColumns(alike).select(judged.frame.columns), judged.checks
        )


@contextmanager
def _tagged(
    judged: verdict.Validated, source: Source, contract: Contract, earlier: DataFrame | None
):
    """The judged rows with those that repeat another.

    What is joined to them is counted before: then Spark knows its size and need not move all rows.
    """
    with cached(duplicates.candidate_keys(judged, earlier)) as suspects:
        doubted = suspects.count() > 0
        with cached(duplicates.candidates(judged, suspects if doubted else None)) as unusual:
            if not doubted:
                yield outcome.Outcome(judged, unusual, None)
                return
            with cached(duplicates.find(unusual, source, contract, earlier)) as repeated:
                yield outcome.Outcome(judged, unusual, repeated if repeated.count() else None)


def _condition(error: Exception) -> str | None:
    """What the engine names the error; of one that comes as Java's words only that of a cell."""
    if not isinstance(error, Py4JJavaError):
        return error.getCondition()
    found = CONDITION.search(str(error))
    return found and found[1]


def _known(wh: Warehouse, contract: Contract, window: Window) -> dict[str, DataFrame]:
    """For each column that refers to another table: the values that exist there."""
    found = {}
    for column in contract.columns:
        if column.references:
            table, name = column.references.rsplit(".", 1)
            found[column.name] = wh.read(table, upto=window.last).select(name).distinct()
    return found


def _earlier(wh: Warehouse, name: str, contract: Contract, window: Window) -> DataFrame | None:
    """What was accepted from the source in the look-back before the window, if anything was."""
    back = wh.conf.sources[name].lookback_days
    if not back:
        return None
    days = Window(window.first - timedelta(days=back), window.first - timedelta(days=1))
    if not any(wh.ledger.is_committed(contract.table, day, name) for day in days.days()):
        return None
    accepted = wh.read(contract.table, window=days, whatever_is_there=True)
    return accepted.where(F.col("source") == name)


def _delivered(days: list[date], files: list[DeliveredFile]) -> dict[date, int]:
    """Rows by the day of delivery, as they were counted in the files before Spark reads them."""
    rows = dict.fromkeys(days, 0)
    for file in files:
        rows[file.day] += file.rows
    return rows


def _passed(
    wh: Warehouse,
    source: Source,
    contract: Contract,
    window: Window,
    metrics: dict,
    reasons: dict[str, int],
) -> str | None:
    """Let the gate judge the delivery; what the ledger says where an operator let it pass.

    QualityError names the commonest of `reasons`, which nobody could look up later.
    """
    accepting = wh.ledger.accepting
    try:
        failed = wh.gate.check(
            contract,
            metrics,
            expectations.delivery_suite(source, metrics),
            source.id,
            str(window),
            expectations.PASSABLE if accepting else (),
        )
    except QualityError as error:
        named = "; ".join(f"{reason} ({rows:,} rows)" for reason, rows in list(reasons.items())[:3])
        raise QualityError(f"{error}{f'; most often: {named}' if named else ''}") from None
    if any(one.severity == "critical" for one in failed):
        return f"accepted: {accepting}"
    return None
