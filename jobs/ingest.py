"""Take in the deliveries of one source: every line ends accepted, rejected or as a duplicate.

Grain of the result: one accepted record in the source's `ods` table, one rejected line in
`ops.rejected_record`, one row of counts per delivery in the ledger. When this step fails, the
table stays as it was and everything that reads it stops with the source's name.
"""
import re
from collections.abc import Sequence
from contextlib import ExitStack, contextmanager
from datetime import date, timedelta
from functools import reduce

from py4j.protocol import Py4JJavaError
from pyspark.errors import (
    ArithmeticException,
    DateTimeException,
    NumberFormatException,
    SparkRuntimeException,
)
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from jobs import completeness
from jobs.delivered_file import DeliveredFile
from jobs.plan import due_days
from jobs.redelivery import Deliveries
from jobs.tables import Tables, cached, held
from jobs.warehouse import Warehouse
from models import delivered_line, delivery, delivery_figures, repeats
from schemas import expectations
from schemas.config import Config, Source
from schemas.contract import Contract
from schemas.errors import ConfigError, QualityError
from schemas.reading import value_sets
from schemas.rule import quoted_name
from schemas.window import Window

PATTERN_SIGNS = r"[\\{}\[\]*?]"  # of a path, which Spark would take for a pattern
CONDITION = re.compile(r"\[((?:CAST|DIVIDE|ARITHMETIC|CANNOT_PARSE|INVALID)[A-Z_.]*)\]")
CELL_ERRORS = (ArithmeticException, DateTimeException, NumberFormatException,
               SparkRuntimeException)


def run(window: Window, wh: Warehouse, conf: Config) -> None:
    """Load the source of the running step for every day of the window in one pass."""
    name = wh.running.source
    source, days = conf.sources[name], due_days(conf, name, window)
    contract = wh.contracts[source.record]
    deliveries = Deliveries(conf, wh.contracts, wh.ledger, wh.landing)
    entries = {day: deliveries.entry(name, day) for day in days}
    files = wh.landing.files(name, source, days, deliveries.taken_in(name, days))
    contents = wh.landing.contents(name, days)
    delivered = _delivered(days, files)
    before = wh.ledger.delivered(contract.table, name)
    if wh.ledger.accepting is None:
        completeness.refuse_unusual(source, delivered, before)
    known = _known(wh, contract, window)
    judged = delivery.judge(rows(wh.tables, files, source), name, source, contract,
                            value_sets(conf), conf.runtime.timezone, known)
    with _read(name, judged, _alike(name, files)) as judged, _tagged(
            judged, source, contract, _earlier(wh, name, contract, window)) as tagged:
        counts = tagged.counts()
        metrics = delivery_figures.metrics(
            delivered, counts, judged.checks, completeness.drifts(source, delivered, before))
        passed = _passed(wh, source, contract, window, metrics,
                         delivery_figures.reasons(counts, judged.checks))
        slices = {slice_: {**figures, "message": passed} for slice_, figures
                  in delivery_figures.by_slice(delivered, counts).items()}
        reading = deliveries.reading(name)
        for day in days:
            slices[str(day)] |= {"content": contents.get(day), "reading": reading}
        same = [day for day, entry in entries.items()
                if entry is not None and entry.content == contents.get(day)]
        same = _with_equal_rows(wh, name, contract, same, tagged)
        wh.take_in(contract.table, name, tagged.accepted(), tagged.rejected(), slices,
                   [day for day in days if day not in same], conf.runtime.parallel.files_per_day)


def _with_equal_rows(wh: Warehouse, name: str, contract: Contract, days: list[date],
                     tagged: delivery.Tagged) -> set[date]:
    """The days on which a delivery that was taken in before gives the same rows once more."""
    if not days:
        return set()
    window = Window(min(days), max(days))
    stood = wh.read(contract.table, window=window, whatever_is_there=True)
    there, here = [{row["batch_date"]: row for row in delivery.digests(rows, contract).collect()}
                   for rows in (stood.where(F.col("source") == name), tagged.accepted())]
    return {day for day in days if there.get(day) == here.get(day)}


def _alike(name: str, files: list[DeliveredFile]) -> dict[str, Column]:
    """The columns that hold the same in every row of the delivery: they need not be kept."""
    days, names = {file.day for file in files}, {file.path.name for file in files}
    return {"source": F.lit(name), **({"batch_date": F.lit(*days)} if len(days) == 1 else {}),
            **({"file_name": F.lit(*names)} if len(names) == 1 else {})}


@contextmanager
def _read(name: str, judged: delivery.Judged, alike: dict[str, Column]):
    """The judged rows, read once. What stops at a cell is a fault of the mapping."""
    with ExitStack() as stack:
        try:
            frame = stack.enter_context(held(judged.frame.drop(*alike)))
        except (*CELL_ERRORS, Py4JJavaError) as error:  # its text holds the cell
            condition = _condition(error)
            if condition is None:
                raise
            raise ConfigError(f"sources.yml: {name}: an expression of the mapping stops at a cell "
                              f"({condition}): use its try_… form") from None
        yield delivery.Judged(frame.withColumns(alike).select(judged.frame.columns), judged.checks)


@contextmanager
def _tagged(judged: delivery.Judged, source: Source, contract: Contract,
            earlier: DataFrame | None):
    """The judged rows with those that repeat another.

    What is joined to them is counted before: then Spark knows its size and need not move all rows.
    """
    with cached(repeats.suspects(judged, earlier)) as suspects:
        doubted = suspects.count() > 0
        with cached(repeats.unusual(judged, suspects if doubted else None)) as unusual:
            if not doubted:
                yield delivery.Tagged(judged, unusual, None)
                return
            with cached(repeats.found(unusual, source, contract, earlier)) as repeated:
                yield delivery.Tagged(judged, unusual, repeated if repeated.count() else None)


def _condition(error: Exception) -> str | None:
    """What the engine names the error; of one that comes as Java's words only that of a cell."""
    if not isinstance(error, Py4JJavaError):
        return error.getCondition()
    found = CONDITION.search(str(error))
    return found and found[1]


def rows(tables: Tables, files: list[DeliveredFile], source: Source) -> DataFrame:
    """The delivered rows with file, ordinal and day of delivery, for models.delivered_line.

    Lines are the non-blank ones after the header. Files of columns are read together only where
    their types agree: the columns are text afterwards.
    """
    text = source.format.kind != "parquet"
    if not files:
        content = "value string" if text else ", ".join(
            f"_{place} string" for place in range(len(source.columns)))
        return tables.spark.createDataFrame(
            [], f"{content}, file_name string, row_no bigint, batch_date date")
    if text:
        return _placed(tables, _lines(tables, files, source.format.header), files)
    alike: dict[str, list[DeliveredFile]] = {}
    for file in files:
        alike.setdefault(file.types, []).append(file)
    found = [_columns(tables, together, source.columns) for together in alike.values()]
    return _placed(tables, reduce(DataFrame.unionByName, found), files)


def _placed(tables: Tables, delivered: DataFrame, files: list[DeliveredFile]) -> DataFrame:
    """The rows with their file's name and day instead of its `_uri`."""
    days = {file.day for file in files}
    if len(days) == 1:
        return delivered.withColumn("batch_date", F.lit(*days)).drop("_uri")
    known = F.broadcast(tables.spark.createDataFrame(
        [(tables.uri(file.path), file.day) for file in files], "_uri string, batch_date date"))
    return delivered.join(known, "_uri").drop("_uri")


def _paths(files: list[DeliveredFile]) -> list[str]:
    return [re.sub(PATTERN_SIGNS, r"\\\g<0>", str(file.path.resolve())) for file in files]


def _file() -> tuple[Column, Column]:
    return F.col("_metadata.file_path").alias("_uri"), F.col("_metadata.file_name")


def _lines(tables: Tables, files: list[DeliveredFile], header: bool) -> DataFrame:
    text = tables.whole_files.read.text(_paths(files), lineSep="\n")
    place = F.monotonically_increasing_id().bitwiseAND(F.lit((1 << 33) - 1))
    lines = text.select("value", *_file(), place.alias("_place"))
    if header:
        lines = lines.where("_place > 0")
    unblank = f"octet_length(trim(LEADING '{delivered_line.BLANKS}' FROM value)) > 0"
    row_no = F.col("_place") + (0 if header else 1)
    return _together(tables, lines.where(unblank).withColumn("row_no", row_no).drop("_place"))


def _together(tables: Tables, delivered: DataFrame) -> DataFrame:
    """The files in few tasks for each that works at a time: each makes its code anew."""
    return delivered.coalesce(2 * tables.spark.sparkContext.defaultParallelism)


def _columns(tables: Tables, files: list[DeliveredFile], names: Sequence[str]) -> DataFrame:
    table = tables.whole_files.read.parquet(*_paths(files))
    return _together(tables, table.select(
        *[F.col(quoted_name(name)).cast("string").alias(f"_{place}")
          for place, name in enumerate(names)],
        *_file(), (F.col("_metadata.row_index") + 1).alias("row_no")))


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


def _passed(wh: Warehouse, source: Source, contract: Contract, window: Window, metrics: dict,
            reasons: dict[str, int]) -> str | None:
    """Let the gate judge the delivery; what the ledger says where an operator let it pass.

    QualityError names the commonest of `reasons`, which nobody could look up later.
    """
    accepting = wh.ledger.accepting
    try:
        failed = wh.gate.check(contract, metrics, expectations.delivery_suite(source, metrics),
                               source.id, str(window), expectations.PASSABLE if accepting else ())
    except QualityError as error:
        named = "; ".join(f"{reason} ({rows:,} rows)"
                          for reason, rows in list(reasons.items())[:3])
        raise QualityError(f"{error}{f'; most often: {named}' if named else ''}") from None
    if any(one.severity == "critical" for one in failed):
        return f"accepted: {accepting}"
    return None


if __name__ == "__main__":
    from jobs.night import step_main

    step_main("ingest")
