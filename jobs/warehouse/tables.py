"""Delta tables under one root: where they are, how they are created, read and written.

Spark's message about a refused row holds the row's values, which are personal data. Only the name
of the broken rule leaves this module.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from datetime import date
from pathlib import Path
from typing import Any, cast

from py4j.protocol import Py4JJavaError
from pyspark import StorageLevel
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from jobs.warehouse import delta_log
from jobs.warehouse.delta_log import DataFile
from schemas.contract import Contract
from schemas.errors import ChudianError, ConfigError, QualityError
from schemas.render import delta, migration
from schemas.render.migration import Migration, Stored
from schemas.render.spark import struct_type

WHOLE_FILES = {
    "spark.sql.files.maxPartitionBytes": str(1 << 40),
    "spark.sql.files.openCostInBytes": str(1 << 40),
}
FEW_FILES = 500  # of a table: read without asking Delta for them
AT_ONCE = 4  # statements over different tables: much of each is planning and listing
BROKEN_RULE = re.compile(r"CHECK constraint (\w+)|NOT NULL constraint violated for column: (\w+)")


Wanted = Callable[[date | None], bool]  # whether a slice is read


class Tables:
    """The tables of the contracts below a folder or an object store's prefix.

    Each commit names the run in its table's history, so that it can be undone. `for_few_rows`: the
    session of steps that read few rows.
    """

    def __init__(
        self,
        spark: SparkSession,
        root: str,
        contracts: Mapping[str, Contract],
        run_id: str = "",
        for_few_rows: SparkSession | None = None,
    ) -> None:
        self.root = root.rstrip("/") if "://" in root else str(Path(root).resolve())
        self.contracts, self.run_id = contracts, run_id
        self._session, self._for_few_rows = spark, for_few_rows
        self._thread = threading.local()  # `few_rows`: whether its step reads few rows
        self._whole_files: dict[SparkSession, SparkSession] = {}
        self._making = threading.Lock()
        self._committing = {table: threading.Lock() for table in contracts}

    @property
    def spark(self) -> SparkSession:
        """The session that suits the step of this thread."""
        few_rows = getattr(self._thread, "few_rows", False)
        return self._for_few_rows if few_rows and self._for_few_rows else self._session

    def suit(self, step: str, *, few_rows: bool) -> None:
        """Choose the session of what follows in this thread; its jobs get the name of the step.

        Without a name Spark looks for the place that calls it, for each part of each job.
        """
        self._thread.few_rows = few_rows
        for form in ("callSite.short", "callSite.long"):
            self.spark.sparkContext.setLocalProperty(form, step)

    @property
    def whole_files(self) -> SparkSession:
        """A session that reads each file in one task, so that a row's place is its line number."""
        with self._making:
            if self.spark not in self._whole_files:
                own = self._whole_files[self.spark] = self.spark.newSession()
                for key, value in {**self.spark.conf.getAll, **WHOLE_FILES}.items():
                    if own.conf.isModifiable(key):
                        own.conf.set(key, value)
            return self._whole_files[self.spark]

    def path(self, table: str) -> str:
        return f"{self.root}/{table.replace('.', '/')}"

    def prepare(self, tables: Iterable[str]) -> tuple[list[str], dict[str, str]]:
        """Create these tables where they are missing; let the others follow their contracts.

        Returns the tables that were made, and by table that has followed what changed in it.
        ConfigError for a difference that a table cannot follow: then none has changed.
        """
        wanted = list(tables)
        with ThreadPoolExecutor(AT_ONCE) as several:
            plans = dict(zip(wanted, several.map(self._prepared, wanted), strict=True))
        due = {table: plan for table, plan in plans.items() if plan is not None and plan.changes}
        for table, plan in due.items():
            self._require_checks(table, plan)
        with self._noted(delta_log.MIGRATION + self.run_id):
            for table, plan in due.items():
                for statement in plan.statements:
                    self.spark.sql(f"ALTER TABLE delta.`{self.path(table)}` {statement}")
        made = [table for table, plan in plans.items() if plan is None]
        return made, {table: "; ".join(plan.changes) for table, plan in due.items()}

    def _prepared(self, table: str) -> Migration | None:
        """How the table follows its contract; None where it was missing and is made."""
        if self._create(table):
            return None
        there = self._stored(table)
        plan = migration.migration(self.contracts[table], there)
        if plan.refused:
            raise ConfigError(migration.refusal(table, plan))
        return plan

    def _stored(self, table: str) -> Stored:
        if "://" not in self.root and (there := delta_log.stored(self.root, table)) is not None:
            return there
        detail = self.spark.sql(f"DESCRIBE DETAIL delta.`{self.path(table)}`").collect()[0]
        return migration.stored(
            self.load(table).schema.jsonValue(),
            detail["partitionColumns"],
            detail["properties"],
            detail["description"],
        )

    def _require_checks(self, table: str, plan: Migration) -> None:
        """ConfigError where rows that are there break a CHECK that the contract has changed."""
        broken = {name: F.count_if(~F.expr(holds)) for name, holds in plan.checks.items()}
        counted = self.load(table).agg(F.lit(0), *(c.alias(name) for name, c in broken.items()))
        for name, rows in list(counted.collect()[0].asDict().items())[1:]:
            if rows:
                raise ConfigError(
                    f"{table}: {rows:,} rows that are there break {name}, a limit that is new in "
                    f"the contract: {plan.checks[name]}; put the limit back as it was"
                )

    def _create(self, table: str) -> bool:
        """Create the table unless it exists; whether it was created."""
        try:
            if self.version(table) is not None:
                return False
            self.spark.sql(delta.create_table_sql(self.contracts[table], self.path(table)))
            return True
        except (PySparkException, Py4JJavaError) as error:
            raise ChudianError(
                f"the table {table} cannot be created below {self.root}: check the "
                "folder and its rights, or give another --warehouse"
            ) from error

    def load(self, table: str, wanted: Wanted | None = None) -> DataFrame:
        """The rows of the table in its newest version; `wanted`: only of these slices."""
        return self._read(table, wanted, None)

    def _read(self, table: str, wanted: Wanted | None, version: int | None) -> DataFrame:
        """Read the files themselves if they are few, else let Delta find them.

        Delta runs a query of its own over the log for each query that reads a table. That suits
        many files. For few files it takes longer than reading them.
        """
        if "://" not in self.root:
            files = delta_log.files(self.root, self.contracts[table], version) or []
            chosen = [file for file in files if wanted is None or wanted(file.slice)]
            if len(chosen) <= FEW_FILES:
                return self._of_files(table, chosen)
        of_version = {} if version is None else {"versionAsOf": version}
        return self.spark.read.format("delta").options(**of_version).load(self.path(table))

    def _of_files(self, table: str, files: Sequence[DataFile]) -> DataFrame:
        if not files:
            return self.frame(table, [])
        schema, folder = struct_type(self.contracts[table]), self.path(table)
        reader = self.spark.read.schema(schema).option("basePath", folder)
        return reader.parquet(*(f"{folder}/{one.path}" for one in files)).select(*schema.names)

    def save(self, table: str, frame: DataFrame, where: str | None = None) -> None:
        """Replace the rows for which `where` holds, in one commit; without it, append.

        QualityError for a row that breaks NOT NULL or CHECK: then the table stays as it was.
        """
        writer = frame.write.format("delta").mode("append").option("userMetadata", self.run_id)
        if where is not None:
            writer = writer.mode("overwrite").option("replaceWhere", where)
        try:
            with self._committing[table]:  # Delta would refuse one of two parallel replacements
                writer.save(self.path(table))
        except (PySparkException, Py4JJavaError) as error:
            broken = BROKEN_RULE.search(str(error))
            if broken is None:
                raise
            raise QualityError(
                f"{table}: a row breaks the contract ({broken[1] or broken[2]}); "
                "nothing was written"
            ) from None

    def append(self, table: str, rows: Sequence[Mapping]) -> None:
        """Add some rows, given as plain values by column, in one file; no commit for no rows."""
        if rows:
            self.save(table, self.frame(table, rows))

    def frame(self, table: str, rows: Sequence[Mapping]) -> DataFrame:
        """Some rows, given as plain values by column, as a frame of one partition."""
        schema = struct_type(self.contracts[table])
        if not rows:  # a frame that Spark plans without a job
            columns = [F.lit(None).cast(one.dataType).alias(one.name) for one in schema.fields]
            return self.spark.range(1).select(columns).where(F.lit(False))
        return self.spark.createDataFrame(
            [tuple(row[name] for name in schema.names) for row in rows], schema
        ).coalesce(1)

    def delete(self, table: str, where: str, note: str) -> None:
        """Delete rows. The table's history keeps `where` and `note`: no personal data in them."""
        with self._noted(note):
            self.spark.sql(f"DELETE FROM delta.`{self.path(table)}` WHERE {where}")

    def erase(self, found: DataFrame, conditions: Mapping[str, str], note: str) -> None:
        """Delete from each table the rows `t` that match a row `p` of `found`.

        `conditions`: by table the condition over `t` and `p`. By MERGE, because the history of a
        table keeps the condition of a DELETE with its values.
        """
        found.createOrReplaceTempView("erased")
        merges = [
            f"MERGE INTO delta.`{self.path(table)}` t USING erased p ON {condition} "
            "WHEN MATCHED THEN DELETE"
            for table, condition in conditions.items()
        ]
        try:
            with self._noted(note), ThreadPoolExecutor(AT_ONCE) as several:
                list(several.map(self.spark.sql, merges))
        finally:
            self.spark.catalog.dropTempView("erased")

    def compact(self, table: str) -> None:
        """Merge the small files of each partition."""
        self.spark.sql(f"OPTIMIZE delta.`{self.path(table)}`")

    def vacuum(self, table: str, hours: int) -> tuple[int, int]:
        """Remove files that ceased to be part of the table `hours` ago; their count and bytes."""
        path = self.path(table)
        self.spark.sql(f"VACUUM delta.`{path}` RETAIN {hours} HOURS")
        start = (
            self.spark.sql(f"DESCRIBE HISTORY delta.`{path}` LIMIT 2")
            .where("operation = 'VACUUM START'")
            .select("operationMetrics")
            .first()
        )
        metrics = start[0] if start else {}
        return int(metrics.get("numFilesToDelete", 0)), int(metrics.get("sizeOfDataToDelete", 0))

    def restore(self, table: str, version: int, note: str) -> None:
        """Put the table back to what it was at a version; its history keeps `note`."""
        try:
            with self._noted(note):
                self.spark.sql(
                    f"RESTORE TABLE delta.`{self.path(table)}` TO VERSION AS OF {version}"
                )
        except (PySparkException, Py4JJavaError) as error:
            raise ChudianError(
                f"{table} cannot be put back to version {version}: its files are "
                "gone, so the run is too old to be undone"
            ) from error

    def vacuum_at_once(self, tables: Sequence[str]) -> None:
        """Remove every file that is not part of a table now, even if a reader has it open.

        Delta refuses less than a week, to protect readers; that check is off for these statements.
        """
        with (
            self._set("spark.databricks.delta.retentionDurationCheck.enabled", "false"),
            ThreadPoolExecutor(AT_ONCE) as several,
        ):
            list(several.map(lambda table: self.vacuum(table, 0), tables))

    def _noted(self, note: str) -> AbstractContextManager[None]:
        """Statements whose commits carry the note in the table's history."""
        return self._set("spark.databricks.delta.commitInfo.userMetadata", note)

    @contextmanager
    def _set(self, setting: str, value: str) -> Iterator[None]:
        self.spark.conf.set(setting, value)
        try:
            yield
        finally:
            self.spark.conf.unset(setting)

    def version(self, table: str) -> int | None:
        """The newest version of a table's log; None when there is no table yet."""
        if "://" not in self.root:
            return delta_log.newest_version(self.root, table)
        log = self._hadoop_path(self.path(table) + "/_delta_log")
        files = self._files(log)
        if not files.exists(log):
            return None
        names = (status.getPath().getName() for status in files.listStatus(log))
        return max((int(n[:-5]) for n in names if n.endswith(".json")), default=None)

    def uri(self, file: Path) -> str:
        """A file as Spark names it in `_metadata.file_path`."""
        path = self._hadoop_path(str(file.resolve()))
        uri = self._files(path).makeQualified(path).toUri().toString()
        return uri.replace("file:///", "file:/", 1)

    def _hadoop_path(self, path: str) -> Any:
        return cast(Any, self.spark._jvm).org.apache.hadoop.fs.Path(path)

    def _files(self, path: Any) -> Any:
        return path.getFileSystem(self.spark._jsparkSession.sessionState().newHadoopConf())


class CommittedTables(Tables):
    """The tables for a reader beside a night that goes on: each as one version has left it.

    `versions`: by table; one that is not there has no rows.
    """

    def __init__(
        self,
        spark: SparkSession,
        root: str,
        contracts: Mapping[str, Contract],
        versions: Mapping[str, int],
    ) -> None:
        super().__init__(spark, root, contracts)
        self.versions = versions

    def load(self, table: str, wanted: Wanted | None = None) -> DataFrame:
        """The rows of the table in its version; `wanted`: only of these slices."""
        if table not in self.versions:
            return self.frame(table, [])
        return self._read(table, wanted, self.versions[table])

    def version(self, table: str) -> int | None:
        """The version that is read; None when there was no table."""
        return self.versions.get(table)

    def save(self, table: str, frame: DataFrame, where: str | None = None) -> None:
        raise ChudianError(f"{table} is opened for reading only")


@contextmanager
def cached(frame: DataFrame) -> Iterator[DataFrame]:
    """A frame that several readers share: computed when the first of them reads it.

    The plan of each reader begins at the kept rows. `persist` alone would let each of them plan
    anew how the rows are computed, and then find that they are kept.
    """
    session = frame.sparkSession
    try:
        plan = frame.persist(StorageLevel.MEMORY_AND_DISK)._jdf.queryExecution().withCachedData()
        dataset = cast(Any, session._jvm).org.apache.spark.sql.classic.Dataset
        yield DataFrame(dataset.ofRows(session._jsparkSession, plan), session)
    finally:
        frame.unpersist()


@contextmanager
def held(frame: DataFrame) -> Iterator[DataFrame]:
    """The rows of a frame, computed now and kept on disk until the block ends.

    Several readers follow; the plan of each begins here. Why `localCheckpoint`: `persist` would
    first encode the rows into columns, which takes as long as checking them. Objects in memory
    would leave none for the sort that follows. The price: the lineage is cut, so a lost executor
    fails the step, which is then run again.
    """
    kept = frame.localCheckpoint(storageLevel=StorageLevel.DISK_ONLY)
    try:
        yield kept
    finally:
        blocking = False
        kept._jdf.queryExecution().logical().rdd().unpersist(blocking)
