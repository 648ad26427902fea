"""The one border between the program and its tables: paths, Delta, checks, commits, ledger.

A step reads and writes only what the plan declares for it. `read` gives a declared window of a
table and stops when that window has not been committed; `replace` conforms a frame to its contract,
checks it, replaces exactly the slices of the window and notes them in the ledger. Running a step
twice leaves equal tables.
"""
from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from py4j.protocol import Py4JJavaError
from pyspark import StorageLevel
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from jobs.landing import Landing
from jobs.ledger import COMMITTED, FAILED, STARTED, Entry, Ledger
from jobs.outbox import Outbox
from jobs.plan import OPS, Step, due_days
from jobs.quality import Judge, Judgement
from schemas import delta, expectations
from schemas.config import Config
from schemas.contract import Contract
from schemas.errors import ChudianError, InputError, QualityError
from schemas.spark import key_hash, struct_type
from schemas.window import Window, closed_months

APPEND_ONLY = "-"


@dataclass
class Activity:
    """What the running step has touched so far."""

    step: Step
    window: Window
    versions: dict[str, int] = field(default_factory=dict)
    committed: set[tuple[str, str, str]] = field(default_factory=set)
    rows_out: int = 0


class Warehouse:
    """Delta tables under one root folder, seen through their contracts.

    `landing` holds the deliveries and `outbox` the channels' files of the same run.
    """

    def __init__(self, spark: SparkSession, root: str, contracts: Mapping[str, Contract],
                 conf: Config, ledger: Ledger, judge: Judge, landing: Landing,
                 outbox: Outbox) -> None:
        self.root = root.rstrip("/") if "://" in root else str(Path(root).resolve())
        self.spark, self.contracts = spark, contracts
        self.conf, self.ledger, self.judge = conf, ledger, judge
        self.landing, self.outbox = landing, outbox
        self._activity: Activity | None = None

    @property
    def running(self) -> Step:
        """The step that is reading and writing now."""
        if self._activity is None:
            raise ChudianError("tables are read and written inside a step of the plan")
        return self._activity.step

    # -- life of a run -------------------------------------------------------------------------

    def open(self, tables: Iterable[str]) -> None:
        """Create what is missing of these tables and of `ops`, and learn what is committed."""
        for table in dict.fromkeys((*OPS, *tables)):
            if self.version(table) is None:
                self.spark.sql(delta.create_table_sql(self.contracts[table], self.path(table)))
        rows = (self._load("ops.run_ledger").where(F.col("state") == COMMITTED)
                .orderBy("committed_at").collect())
        for row in rows:
            self.ledger.remember(Entry(**{**row.asDict(), "source": row["source"] or ""}))

    @contextmanager
    def step(self, step: Step, window: Window):
        """Let `step` read and write its tables; its slices end as committed or failed."""
        self._activity = activity = Activity(step, window)
        started = [(table, source, slice_) for table in step.writes
                   for source, slice_ in self._slices(table, window, step.source)]
        for table, source, slice_ in started:
            self.ledger.write(step.name, table, slice_, STARTED, source=source)
        self.flush()
        try:
            yield activity
        except BaseException as error:
            message = str(error).splitlines()[0][:500] if isinstance(error, ChudianError) else \
                type(error).__name__
            for table, source, slice_ in started:
                if (table, source, slice_) not in activity.committed:
                    self.ledger.write(step.name, table, slice_, FAILED, source=source,
                                      message=message)
            self.flush()
            raise
        finally:
            self._activity = None

    def flush(self) -> None:
        """Append the waiting rows of `ops`: one commit per table."""
        entries, verdicts = self.ledger.drain()
        for table, rows in (("ops.run_ledger", entries), ("ops.quality_result", verdicts)):
            if rows:
                schema = struct_type(self.contracts[table])
                frame = self.spark.createDataFrame(
                    [tuple(row[name] for name in schema.names) for row in rows], schema)
                frame.coalesce(1).write.format("delta").mode("append").save(self.path(table))

    # -- reading ---------------------------------------------------------------------------------

    def read(self, table: str, *, window: Window | None = None, upto: date | None = None,
             on: date | None = None, months: Iterable[date] | None = None,
             whatever_is_there: bool = False) -> DataFrame:
        """A declared part of a table.

        `window`: the slices (batch_date or data_date) of these days; `upto`: all deliveries up to a
        day; `on`: the snapshot of one day; `months`: these months; nothing: an append-only table
        whole. A table that no configured source feeds is empty. InputError names what is missing,
        unless `whatever_is_there` will do.
        """
        activity = self._declared(table, "reads")
        if table.startswith("ods.") and not self._feeding(table):
            return self.empty(table)
        contract = self.contracts[table]
        if contract.slice in ("batch_date", "data_date") and on is None and not whatever_is_there:
            self._require(table, window or activity.window)
        if on is not None and not self.ledger.is_committed(table, on):
            raise self._missing(table, str(on))
        months = None if months is None else list(months)
        for month in months or ():
            if contract.slice == "month" and not self.ledger.is_committed(table, month):
                raise self._missing(table, str(month))
        activity.versions[table] = self.version(table)
        return self._part(contract, self._load(table), window, upto, on, months)

    def last_snapshot(self, table: str, on: date) -> date | None:
        """The newest committed snapshot of a declared table that is not after `on`."""
        self._declared(table, "reads")
        return self.ledger.last_slice(table, on)

    def empty(self, table: str) -> DataFrame:
        """No rows, with the columns of the contract."""
        return self.spark.createDataFrame([], struct_type(self.contracts[table]))

    def rows(self, table: str, records: Iterable) -> DataFrame:
        """Some records (with the contract's columns as attributes) as a frame of the table."""
        schema = struct_type(self.contracts[table])
        return self.spark.createDataFrame(
            [tuple(getattr(record, name) for name in schema.names) for record in records], schema)

    @staticmethod
    def _part(contract: Contract, frame: DataFrame, window, upto, on, months) -> DataFrame:
        column = F.col(contract.slice) if contract.slice is not None else None
        if window is not None:
            frame = frame.where(column.between(F.lit(window.first), F.lit(window.last)))
        if upto is not None:
            frame = frame.where(column <= F.lit(upto))
        if on is not None:
            frame = frame.where(column == F.lit(on))
        if months is not None:
            frame = frame.where(F.col("month").isin(months))
        return frame

    # -- writing ---------------------------------------------------------------------------------

    def replace(self, table: str, frame: DataFrame, *, source: str = "",
                counts: Mapping[str, Mapping[str, int]] | None = None,
                files_per_slice: int = 1) -> int:
        """Replace the window's slices of a declared table by `frame`; the rows written.

        The frame is conformed to the contract and judged before the commit. `counts` are the
        `rows_*` figures per slice of a delivery, which has been counted and judged already.
        QualityError when a critical check fails: then the table stays as it was.
        """
        activity = self._declared(table, "writes")
        contract = self.contracts[table]
        frame = self._conform(contract, frame)
        if counts is not None:
            per_slice = {slice_: figures["rows_accepted"] for slice_, figures in counts.items()}
            self._commit(contract, frame, source, activity, files_per_slice)
        else:
            frame = frame.persist(StorageLevel.MEMORY_AND_DISK)
            try:
                per_slice = self._judge(contract, frame, activity)
                self._commit(contract, frame, source, activity, files_per_slice)
            finally:
                frame.unpersist()
        self._note(contract, source, activity, per_slice, counts or {})
        return sum(per_slice.values())

    def append(self, table: str, frame: DataFrame) -> int:
        """Add rows to a declared append-only table; nothing is written for an empty frame."""
        activity = self._declared(table, "writes")
        contract = self.contracts[table]
        frame = self._conform(contract, frame).persist(StorageLevel.MEMORY_AND_DISK)
        try:
            rows = frame.count()
            if rows:
                self._save(contract, frame.coalesce(1), "append", None)
        finally:
            frame.unpersist()
        self._note(contract, "", activity, {APPEND_ONLY: rows}, {})
        return rows

    def keep_rejected(self, source: str, frame: DataFrame, window: Window, rows: int) -> None:
        """Replace the rejected rows of a source's deliveries in the window."""
        known = self.ledger.committed.get((self.conf.sources[source].record, source), {})
        before = any(known[str(day)].rows_rejected for day in window.days() if str(day) in known)
        if not rows and not before:
            return
        table = "ops.rejected_record"
        contract = self.contracts[table]
        where = (f"source = '{source}' AND data_date >= '{window.first}' "
                 f"AND data_date <= '{window.last}'")
        self._save(contract, self._conform(contract, frame).coalesce(1), "overwrite", where)

    def _conform(self, contract: Contract, frame: DataFrame) -> DataFrame:
        """The contract's columns in its order and types; an unknown or missing one is refused."""
        schema = struct_type(contract)
        unknown = sorted(set(frame.columns) - set(schema.names))
        missing = [name for name in schema.names if name not in frame.columns]
        if unknown or missing:
            raise ChudianError(f"{contract.table}: the frame does not fit the contract: unknown "
                               f"columns {unknown or 'none'}, missing columns {missing or 'none'}")
        return frame.select([F.col(f.name).cast(f.dataType).alias(f.name) for f in schema.fields])

    def _judge(self, contract: Contract, frame: DataFrame, activity: Activity) -> dict[str, int]:
        """Count rows by slice and doubled keys in one pass, and let the suite decide."""
        slice_column = F.lit(APPEND_ONLY) if contract.slice is None else F.col(contract.slice)
        keys = F.count_distinct(key_hash(contract, frame))
        required = [name for name in contract.key if contract.column(name).required]
        rows = (frame.groupBy(slice_column.cast("string").alias("slice"))
                .agg(F.count(F.lit(1)).alias("rows"), keys.alias("keys"),
                     *[F.count_if(F.col(name).isNull()).alias(f"null_{name}")
                       for name in required]).collect())
        metrics = {"rows": sum(row["rows"] for row in rows),
                   "key_duplicates": sum(row["rows"] - row["keys"] for row in rows),
                   **{f"null_{name}": sum(row[f"null_{name}"] for row in rows)
                      for name in required}}
        self.check(contract, metrics, expectations.suite(contract), "", str(activity.window))
        return {row["slice"]: row["rows"] for row in rows}

    def check(self, contract: Contract, metrics: Mapping, suite: list, source: str, slice_: str
              ) -> list[Judgement]:
        """Judge the metrics of a slice; the warnings. A critical failure is a QualityError."""
        results = self.judge.judge(contract.table, slice_, metrics, suite)
        for result in results:
            self.ledger.judge(source, contract.table, slice_, result.check, result.severity,
                              result.success, result.observed, result.expected)
        failed = [r for r in results if not r.success and r.severity == "critical"]
        if failed:
            what = "; ".join(f"{r.check}: {r.observed}, expected {r.expected}" for r in failed)
            raise QualityError(f"{source or contract.table} {slice_}: {what}")
        return [r for r in results if not r.success]

    def _commit(self, contract: Contract, frame: DataFrame, source: str, activity: Activity,
                files: int) -> None:
        window = activity.window
        if contract.slice == "batch_date":
            where = f"batch_date >= '{window.first}' AND batch_date <= '{window.last}'"
            if source:
                where += f" AND source = '{source}'"
        elif contract.slice == "data_date":
            where = f"data_date = '{window.last}'"
        else:
            months = ", ".join(f"'{month}'" for month in self.months(window))
            where = f"month IN ({months})"
        spread = [F.col(contract.slice)]
        if files > 1:
            spread.append(F.pmod(F.xxhash64(*contract.sort_by), F.lit(files)))
        many = len(self._slices(contract.table, window, source or None)) > 1
        shaped = frame.repartition(*spread) if many else frame.coalesce(files)
        if contract.sort_by:
            shaped = shaped.sortWithinPartitions(contract.slice, *contract.sort_by)
        self._save(contract, shaped, "overwrite", where)

    def _save(self, contract: Contract, frame: DataFrame, mode: str, where: str | None) -> None:
        writer = frame.write.format("delta").mode(mode)
        if where is not None:
            writer = writer.option("replaceWhere", where)
        try:
            writer.save(self.path(contract.table))
        except (PySparkException, Py4JJavaError) as error:
            text = str(error)
            if "DELTA_VIOLATE_CONSTRAINT" in text or "DELTA_NOT_NULL" in text \
                    or "DELTA_CONSTRAINT" in text:
                # The engine prints the row's values: a person's data. Only the rule may be shown.
                name = text.split("constraint ", 1)[-1].split(" ", 1)[0].strip(":")
                raise QualityError(f"{contract.table}: a row breaks the contract ({name}); "
                                   "nothing was written") from None
            raise

    def _note(self, contract: Contract, source: str, activity: Activity,
              rows: Mapping[str, int], counts: Mapping[str, Mapping[str, int]]) -> None:
        version = self.version(contract.table)
        for _, slice_ in self._slices(contract.table, activity.window, source or None):
            self.ledger.write(activity.step.name, contract.table, slice_, COMMITTED, source=source,
                              versions=activity.versions, output_version=version,
                              rows_out=rows.get(slice_, 0), **counts.get(slice_, {}))
            activity.committed.add((contract.table, source, slice_))
        activity.rows_out += sum(rows.values())

    def publish(self, name: str, text: str) -> None:
        """Write a page below `<warehouse>/_docs`, whole or not at all (local warehouses only)."""
        if self.judge.folder is None:
            return
        self.judge.folder.mkdir(parents=True, exist_ok=True)
        part = self.judge.folder / f".{name}.part"
        part.write_text(text, encoding="utf-8")
        part.replace(self.judge.folder / name)

    def relative(self, page: Path) -> str:
        """A page of the data docs as a link from a published one."""
        return str(page.resolve().relative_to(self.judge.folder.resolve()))

    # -- what is where -------------------------------------------------------------------------

    def path(self, table: str) -> str:
        return f"{self.root}/{table.replace('.', '/')}"

    def uri(self, file: Path) -> str:
        """A file as Spark names it in `_metadata.file_path`."""
        path = self.spark._jvm.org.apache.hadoop.fs.Path(str(file.resolve()))
        files = path.getFileSystem(self.spark._jsparkSession.sessionState().newHadoopConf())
        return files.makeQualified(path).toUri().toString().replace("file:///", "file:/", 1)

    def version(self, table: str) -> int | None:
        """The newest version of a table's log; None when there is no table yet."""
        jvm = self.spark._jvm
        log = jvm.org.apache.hadoop.fs.Path(self.path(table) + "/_delta_log")
        files = log.getFileSystem(self.spark._jsparkSession.sessionState().newHadoopConf())
        if not files.exists(log):
            return None
        names = (status.getPath().getName() for status in files.listStatus(log))
        return max((int(n[:-5]) for n in names if n.endswith(".json")), default=None)

    def months(self, window: Window) -> list[date]:
        """The closed months that a run of this window re-rates, oldest first (S2-07)."""
        policy = self.conf.policy
        return closed_months(window.last, policy.rating.months, policy.month_close.day)

    def _load(self, table: str) -> DataFrame:
        return self.spark.read.format("delta").load(self.path(table))

    def _feeding(self, table: str) -> list[str]:
        return [name for name, source in self.conf.sources.items() if source.record == table]

    def _slices(self, table: str, window: Window, source: str | None) -> list[tuple[str, str]]:
        """(source, slice) pairs that a run of the window replaces."""
        kind = self.contracts[table].slice
        if source is not None:
            return [(source, str(day)) for day in due_days(self.conf, source, window)]
        if kind == "batch_date":
            return [("", str(day)) for day in window.days()]
        if kind == "data_date":
            return [("", str(window.last))]
        if kind == "month":
            return [("", str(month)) for month in self.months(window)]
        return [("", APPEND_ONLY)]

    def _require(self, table: str, window: Window) -> None:
        """Every slice of the window is committed, for each source that feeds the table."""
        if table.startswith("ops."):
            return
        if table.startswith("ods."):
            for source in self._feeding(table):
                for day in due_days(self.conf, source, window):
                    if not self.ledger.is_committed(table, day, source) \
                            and not self.conf.sources[source].optional:
                        raise self._missing(f"{table} from {source}", str(day))
            return
        for _, slice_ in self._slices(table, window, None):
            if not self.ledger.is_committed(table, slice_):
                raise self._missing(table, slice_)

    def _missing(self, table: str, slice_: str) -> InputError:
        step = self._activity.step.name
        return InputError(f"{step}: {table} is not committed for {slice_}: run the step that makes "
                          f"it first (python -m jobs.night --list shows which)")

    def _declared(self, table: str, use: str) -> Activity:
        if table not in getattr(self.running, use):
            raise ChudianError(f"{self.running.name} {use} {table}, which the plan does not "
                               f"declare: add it to the step in jobs/plan.py")
        return self._activity
