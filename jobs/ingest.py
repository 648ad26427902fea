"""Take in the deliveries of one source: every line ends accepted, rejected or as a duplicate.

Grain of the result: one accepted record in the source's `ods` table, one rejected line in
`ops.rejected_record`, one row of counts per delivery in the ledger. When this step fails, the
table stays as it was and everything that reads it stops with the source's name.
"""
from collections import Counter
from contextlib import contextmanager
from datetime import timedelta

from pyspark import StorageLevel
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.landing import DeliveredFile
from jobs.plan import due_days
from jobs.warehouse import Warehouse
from models import delivery
from schemas import expectations
from schemas.config import Config
from schemas.contract import Contract
from schemas.window import Window

WHOLE_FILES = {  # a file is one task: the ordinal of a line within its file is then its line number
    "spark.sql.files.maxPartitionBytes": str(1 << 40),
    "spark.sql.files.openCostInBytes": str(1 << 40),
}


def run(window: Window, wh: Warehouse, conf: Config) -> None:
    """Load the source of the running step for every day of the window in one pass."""
    name = wh.running.source
    source = conf.sources[name]
    contract = wh.contracts[source.record]
    files = wh.landing.files(name, source, due_days(conf, name, window))
    known = _known(wh, contract, window)
    tagged = delivery.tag(
        _lines(wh, files, source.format.header), name, source, contract, value_sets(conf),
        conf.runtime.timezone, known, _earlier(wh, name, contract, window))
    frame = tagged.frame.persist(StorageLevel.MEMORY_AND_DISK)
    tagged = delivery.Tagged(frame, tagged.checks)
    try:
        with _unsplit(wh):
            counts = {row["batch_date"]: row.asDict() for row in tagged.counts().collect()}
        slices = _settle(wh, name, contract, window, files, counts)
        rejected = sum(entry["rows_rejected"] for entry in slices.values())
        wh.keep_rejected(name, tagged.rejected(), window, rejected)
        wh.replace(contract.table, tagged.accepted(), source=name, counts=slices,
                   files_per_slice=conf.runtime.parallel.files_per_day)
    finally:
        for cached in (frame, *known.values()):
            cached.unpersist()


def value_sets(conf: Config) -> dict[str, list[str]]:
    """The sets of values that a contract may name."""
    return {"channels": sorted(conf.channels), "packages": sorted(conf.tariffs),
            "businesses": sorted(conf.services)}


@contextmanager
def _unsplit(wh: Warehouse):
    before = {key: wh.spark.conf.get(key) for key in WHOLE_FILES}
    for key, value in WHOLE_FILES.items():
        wh.spark.conf.set(key, value)
    try:
        yield
    finally:
        for key, value in before.items():
            wh.spark.conf.set(key, value)


def _lines(wh: Warehouse, files: list[DeliveredFile], header: bool) -> DataFrame:
    """The non-blank lines after the header, with file, ordinal and day of delivery."""
    if not files:
        return wh.spark.createDataFrame(
            [], "value string, file_name string, row_no bigint, batch_date date")
    days = wh.spark.createDataFrame(
        [(wh.uri(file.path), file.path.name, file.day) for file in files],
        "_uri string, file_name string, batch_date date")
    text = wh.spark.read.text([str(file.path.resolve()) for file in files], lineSep="\n")
    place = F.monotonically_increasing_id().bitwiseAND(F.lit((1 << 33) - 1))
    lines = text.select("value", F.col("_metadata.file_path").alias("_uri"), place.alias("_place"))
    if header:
        lines = lines.where("_place > 0")
    return (lines.where(F.expr(f"length(btrim(value, '{delivery.BLANKS}')) > 0"))
            .join(F.broadcast(days), "_uri")
            .select("value", "file_name", "batch_date",
                    (F.col("_place") + (0 if header else 1)).alias("row_no")))


def _known(wh: Warehouse, contract: Contract, window: Window) -> dict[str, DataFrame]:
    """For each column that refers to another table: the values that exist there, cached.

    Cached at once, because the pass over the delivery reads files as one task each and these have
    a small file for every day.
    """
    known = {}
    for column in contract.columns:
        if column.references:
            table, name = column.references.rsplit(".", 1)
            values = wh.read(table, upto=window.last).select(name).distinct()
            known[column.name] = values.persist(StorageLevel.MEMORY_AND_DISK)
            known[column.name].count()
    return known


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


def _settle(wh: Warehouse, name: str, contract: Contract, window: Window,
            files: list[DeliveredFile], counts: dict) -> dict[str, dict[str, int]]:
    """The ledger's figures per day, after the gate has let the delivery through.

    Delivered is what was counted in the files before Spark read them.
    """
    delivered = Counter()
    for file in files:
        delivered[file.day] += file.rows
    slices, total = {}, Counter()
    for day in due_days(wh.conf, name, window):
        seen = counts.get(day, {})
        figures = {part: seen.get(part, 0)
                   for part in ("accepted", "rejected", "duplicate", "late")}
        slices[str(day)] = {"rows_delivered": delivered[day],
                            **{f"rows_{part}": rows for part, rows in figures.items()}}
        total.update(figures, delivered=delivered[day])
    settled = total["accepted"] + total["rejected"] + total["duplicate"]
    metrics = {**{part: total[part] for part in expectations.INGEST_COUNTS},
               "unaccounted": total["delivered"] - settled,
               "reject_share": total["rejected"] / max(total["delivered"], 1)}
    rejects = wh.conf.sources[name].rejects
    wh.check(contract, metrics, expectations.suite(
        contract, {"warn_share": rejects.warn_share, "stop_share": rejects.stop_share}),
        name, str(window))
    return slices


if __name__ == "__main__":
    from jobs.night import step_main

    step_main("ingest")
