"""The one border between the program and its tables: declared use, checks, commits, ledger.

A step reads and writes only what the plan declares for it. `read` gives a declared window of a
table and stops when that window has not been committed; `replace` conforms a frame to its contract,
checks it, replaces exactly the slices of the window and notes them in the ledger. Running a step
twice leaves equal tables.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import date
from functools import cached_property

from pyspark.sql import DataFrame

from jobs.plan.night import night
from jobs.plan.slices import slices, slices_of
from jobs.plan.step import OPS, Step
from jobs.warehouse import committed
from jobs.warehouse.activity import Activity
from jobs.warehouse.gate import Gate
from jobs.warehouse.judge import Judge
from jobs.warehouse.ledger import COMMITTED, STARTED, Entry, Ledger
from jobs.warehouse.ledger_writer import Notes
from jobs.warehouse.lineage import Lineage, Slice
from jobs.warehouse.tables import Tables, between, cached, conform, part, shaped, slices_where
from schemas.config import Config
from schemas.contract import APPEND_ONLY, Contract
from schemas.errors import ChudianError
from schemas.render.spark import struct_type
from schemas.window import Window

REJECTED = "ops.rejected_record"
CREATED_AT_ONCE = 4


class Warehouse:
    """The tables of a run, seen through their contracts; `judge` evaluates what is written."""

    def __init__(
        self,
        tables: Tables,
        contracts: Mapping[str, Contract],
        conf: Config,
        ledger: Ledger,
        judge: Judge,
    ) -> None:
        self.tables, self.contracts, self.conf, self.ledger = tables, contracts, conf, ledger
        self.spark = tables.spark
        self.gate = Gate(judge, ledger)
        self._here = threading.local()  # the activity of this thread's step
        self._notes = Notes(self.tables, ledger)
        self._announced: set[tuple[Step, Window]] = set()  # what waits or is under way
        self._months: dict[tuple[str, date], set[date]] = {}

    @property
    def _activity(self) -> Activity:
        if getattr(self._here, "activity", None) is None:
            raise ChudianError("tables are read and written inside a step of the plan")
        return self._here.activity

    # -- life of a run -------------------------------------------------------------------------

    def open(self, tables: Iterable[str]) -> None:
        """Create what is missing of these tables and of `ops`, and learn what is committed."""
        with ThreadPoolExecutor(CREATED_AT_ONCE) as several:
            list(several.map(self.tables.create, dict.fromkeys((*OPS, *tables))))
        noted = self.tables.load("ops.run_ledger").orderBy("committed_at").collect()
        self.ledger.learn(Entry.of_row(row.asDict()) for row in noted)

    def announce(self, steps: Iterable[Step], window: Window) -> None:
        """Note that the run is about to write the slices of these steps, in one append.

        The first of them reads meanwhile; nothing is committed before the note is.
        """
        for step in steps:
            for table, source, slice_ in slices_of(self.conf, self.contracts, step, window):
                self.ledger.write(step.name, table, slice_, STARTED, source=source)
            self._announced.add((step, window))
        self._notes.write_beside()

    @contextmanager
    def step(self, step: Step, window: Window, *, rebuild: bool = False) -> Iterator[Activity]:
        """Let `step` read and write its tables; its slices end as committed or failed.

        `rebuild`: an earlier window whose slices are stale. Where no snapshot was made on its last
        day (a history that was loaded in one go), the next one after it is read.
        """
        if (step, window) not in self._announced:
            self.announce([step], window)
        self.ledger.begin(step.name)
        self._here.activity = activity = Activity(step, window, rebuild)
        mine = slices_of(self.conf, self.contracts, step, window)
        try:
            yield activity
            self.ledger.fail("not written", mine)
        except BaseException as error:
            self.ledger.fail(
                str(error).splitlines()[0][:500]
                if isinstance(error, ChudianError)
                else type(error).__name__,
                mine,
            )
            self._notes.write()
            raise
        finally:
            self._here.activity = None
            self._announced.remove((step, window))
        if self._announced:
            self._notes.write_if_due()

    def outdate(self, table: str, days: Iterable[date], why: str) -> None:
        """Note as stale what is committed of a declared table's days, and what was made of it."""
        self._declared(table, "writes")
        stale = [Slice(table, "", day) for day in days if self.ledger.is_committed(table, day)]
        for one in stale:
            self.ledger.outdate(table, str(one.day), "", why)
        self._outdate(stale)

    def _outdate(self, changed: Iterable[Slice], late: bool = False) -> None:
        """Note as stale every committed slice that was made of one of these."""
        for touched, of in self.lineage.made_of(changed, late):
            self.ledger.outdate(
                touched.table,
                str(touched.day),
                touched.source,
                f"{of.source or of.table} of {of.day} has changed",
            )

    def close(self) -> None:
        """Append the waiting rows of `ops`; what was announced and not reached has failed."""
        self.ledger.began.clear()
        self._notes.close()
        self.ledger.fail("not reached", list(self.ledger.unsettled))
        self._notes.write()
        self.tables.append("ops.quality_result", self.ledger.judgements())

    # -- reading ---------------------------------------------------------------------------------

    def read(
        self,
        table: str,
        *,
        window: Window | None = None,
        upto: date | None = None,
        on: date | None = None,
        months: Iterable[date] | None = None,
        whatever_is_there: bool = False,
    ) -> DataFrame:
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
        if on is not None and activity.rebuild:
            on = self.ledger.first_slice(table, on) or on
        if contract.slice in ("batch_date", "data_date") and on is None and not whatever_is_there:
            committed.require(
                self.ledger, self.conf, contract, activity.step.name, window or activity.window
            )
        months = None if months is None else list(months)
        asked = [on] if on is not None else []
        for slice_ in asked + (months or [] if contract.slice == "month" else []):
            if not self.ledger.is_committed(table, slice_):
                raise committed.missing(activity.step.name, table, slice_)
        activity.versions[table] = self.tables.version(table)
        return part(contract, self.tables.load(table), window, upto, on, months)

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
            [tuple(getattr(record, name) for name in schema.names) for record in records], schema
        )

    # -- writing ---------------------------------------------------------------------------------

    def replace(self, table: str, frame: DataFrame, months: Collection[date] | None = None) -> int:
        """Replace the window's slices of a declared table by `frame`; the rows written.

        The frame is conformed to the contract and judged before the commit. QualityError when a
        critical check fails: then the table stays as it was. `months`: only these slices are
        replaced; the others of the window are committed and stand as they are, up to date.
        """
        activity, contract = self._declared(table, "writes"), self.contracts[table]
        if contract.slice is None:
            raise ChudianError(f"{table} is only appended to: no slice of it can be replaced")
        due = [
            one
            for one in self._slices(table, activity.window)
            if months is None or date.fromisoformat(one) in months
        ]
        with cached(conform(contract, frame)) as frame:
            rows = self._judge(contract, frame, activity, due)
            if due:
                self._commit(contract, frame, "", activity, due)
        self._note(contract, "", activity, rows, due)
        return sum(rows.values())

    def take_in(
        self,
        table: str,
        source: str,
        accepted: DataFrame,
        rejected: DataFrame,
        counts: Mapping[str, Mapping[str, int]],
        changed: Iterable[date],
        files_per_slice: int = 1,
    ) -> int:
        """Replace what a source delivered in the window: its accepted rows, its rejected lines.

        `counts` are the `rows_*` figures per slice of the delivery, which has been judged already.
        What was made of the `changed` days is stale from now on.
        """
        activity, contract = self._declared(table, "writes"), self.contracts[table]
        stood = [
            entry
            for slice_ in counts
            if (entry := self.ledger.entry(table, slice_, source)) is not None
        ]
        before, due = self.tables.version(table), self._slices(table, activity.window, source)
        try:
            self._commit(
                contract, conform(contract, accepted), source, activity, due, files_per_slice
            )
            if any(entry.rows_rejected for entry in stood) or any(
                figures["rows_rejected"] for figures in counts.values()
            ):
                self._save(
                    REJECTED,
                    conform(self.contracts[REJECTED], rejected).repartition(1),
                    f"source = '{source}' AND {between('data_date', activity.window)}",
                )
        except BaseException:
            if self.tables.version(table) != before:  # other rows than the ledger tells of
                for entry in stood:
                    self.ledger.outdate(
                        table, entry.slice, source, f"the run {self.ledger.run_id} failed midway"
                    )
            raise
        rows = {slice_: figures["rows_accepted"] for slice_, figures in counts.items()}
        with self._notes.lock:  # both or neither are noted down, whenever the run is killed
            self._note(contract, source, activity, rows, due, counts)
            self._outdate(
                [Slice(table, source, day) for day in changed], late=activity.rebuild or bool(stood)
            )
        return sum(rows.values())

    def append(self, table: str, frame: DataFrame) -> int:
        """Add rows to a declared append-only table; nothing is written for an empty frame.

        QualityError for a key that the frame holds twice or the table holds already.
        """
        activity, contract = self._declared(table, "writes"), self.contracts[table]
        if contract.slice is not None:
            raise ChudianError(f"{table} is written by slices: replace one instead of appending")
        with cached(conform(contract, frame)) as frame:
            rows = self._judge(contract, frame, activity, [APPEND_ONLY])
            if rows:
                self._save(table, frame.coalesce(1))
        self._note(contract, "", activity, rows, [APPEND_ONLY])
        return sum(rows.values())

    def _judge(
        self, contract: Contract, frame: DataFrame, activity: Activity, due: Sequence[str]
    ) -> dict[str, int]:
        """Rows by slice, once the gate has let them through."""
        rows = self.gate.judged(
            contract, frame, self.tables.load(contract.table), str(activity.window)
        )
        astray = sorted(set(rows) - set(due))
        if astray:
            raise ChudianError(
                f"{contract.table}: rows of {', '.join(astray)} in a run that "
                f"replaces {', '.join(due)}"
            )
        return rows

    def _commit(
        self,
        contract: Contract,
        frame: DataFrame,
        source: str,
        activity: Activity,
        due: Sequence[str],
        files: int = 1,
    ) -> None:
        where = slices_where(contract, activity.window, due, source)
        self._save(contract.table, shaped(contract, frame, len(due) > 1, files), where)

    def _save(self, table: str, frame: DataFrame, where: str | None = None) -> None:
        self._notes.await_announced()
        self.tables.save(table, frame, where)

    def _note(
        self,
        contract: Contract,
        source: str,
        activity: Activity,
        rows: Mapping[str, int],
        due: Sequence[str],
        counts: Mapping[str, Mapping[str, int]] | None = None,
    ) -> None:
        version = self.tables.version(contract.table)
        for slice_ in self._slices(contract.table, activity.window, source or None):
            stands = None if slice_ in due else self.ledger.entry(contract.table, slice_, source)
            self.ledger.write(
                activity.step.name,
                contract.table,
                slice_,
                COMMITTED,
                source=source,
                versions=activity.versions,
                output_version=version if stands is None else stands.output_version,
                rows_out=rows.get(slice_, 0) if stands is None else stands.rows_out,
                **(counts or {}).get(slice_, {}),
            )
        activity.rows_out += sum(rows.values())

    # -- what is where -------------------------------------------------------------------------

    @cached_property
    def lineage(self) -> Lineage:
        """How the tables of the night hang together."""
        return Lineage(self.conf, self.contracts, night(self.conf), self.ledger, self._months_of)

    def _months_of(self, table: str, day: date) -> set[date]:
        """The months of the events of a day's delivery, as the table and what it is made of say."""
        if (table, day) not in self._months:
            maker = next(step for step in self.lineage.steps if table in step.writes)
            self._months[table, day] = self.tables.months((table, *maker.reads), day)
        return self._months[table, day]

    def _slices(self, table: str, window: Window, source: str | None = None) -> list[str]:
        return slices(self.conf, self.contracts[table], window, source)

    def _feeding(self, table: str) -> list[str]:
        return [name for name, source in self.conf.sources.items() if source.record == table]

    def _declared(self, table: str, use: str) -> Activity:
        activity = self._activity
        if table not in getattr(activity.step, use):
            raise ChudianError(
                f"{activity.step.name} {use} {table}, which the plan does not declare: "
                "add it to the step in jobs/plan"
            )
        return activity
