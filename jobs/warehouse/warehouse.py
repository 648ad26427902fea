"""The one border between the program and its tables: declared use, checks, commits, ledger.

A step reads and writes only what the plan declares for it. `read` gives a declared window of a
table, and stops when that window is not committed. `replace` conforms a frame to its contract,
checks it, replaces exactly the slices of the window and records them in the ledger. Running a step
twice leaves equal tables.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from functools import cached_property

from pyspark.sql import DataFrame

from jobs.plan.night import night
from jobs.plan.slices import between, sliced_by, slices, slices_of, slices_where
from jobs.plan.step import OPS, Step
from jobs.warehouse import committed
from jobs.warehouse.gate import Gate
from jobs.warehouse.judge import Judge
from jobs.warehouse.ledger import COMMITTED, STARTED, Entry, Ledger
from jobs.warehouse.ledger_writer import Activity, LedgerWriter
from jobs.warehouse.lineage import Lineage, Slice
from jobs.warehouse.rows import Ingested, conform, months_delivered, part, shaped, wanted
from jobs.warehouse.tables import Tables, cached
from schemas.config import Config
from schemas.contract import APPEND_ONLY, Contract
from schemas.errors import ChudianError
from schemas.window import Window

REJECTED = "ops.rejected_record"


class Warehouse:
    """The tables of a run, seen through their contracts; `judge` checks what is written."""

    def __init__(
        self,
        tables: Tables,
        contracts: Mapping[str, Contract],
        conf: Config,
        ledger: Ledger,
        judge: Judge,
    ) -> None:
        self.tables, self.contracts, self.conf, self.ledger = tables, contracts, conf, ledger
        self.gate = Gate(judge, ledger)
        self._thread = threading.local()  # `activity`: of the step that this thread runs
        self._writer = LedgerWriter(self.tables, ledger)
        self._announced: set[tuple[Step, Window]] = set()  # not yet ended
        self._months: dict[tuple[str, date], set[date]] = {}

    @property
    def _activity(self) -> Activity:
        if getattr(self._thread, "activity", None) is None:
            raise ChudianError("tables are read and written inside a step of the plan")
        return self._thread.activity

    # -- life of a run -------------------------------------------------------------------------

    def open(self, tables: Iterable[str]) -> None:
        """Create these tables and those of `ops`, or let them follow their contracts.

        Then read the ledger, and note in it what has changed.
        """
        declared = dict.fromkeys((*OPS, *tables))
        made, changed = self.tables.prepare(declared)
        rows = self.tables.load("ops.run_ledger").orderBy("committed_at").collect()
        self.ledger.learn(Entry.of_row(row.asDict()) for row in rows)
        self.ledger.untold = {*declared} - {*made} if "ops.run_ledger" in made else set()
        self.ledger.note_tables(made, changed)

    def announce(self, steps: Iterable[Step], window: Window) -> None:
        """Record in one append that the run is about to write the slices of these steps.

        The append goes on in the background; nothing is committed before it has ended.
        """
        for step in steps:
            for table, source, slice_ in slices_of(self.conf, self.contracts, step, window):
                self.ledger.write(step.name, table, slice_, STARTED, source=source)
            self._announced.add((step, window))
        self._writer.write_in_background()

    @contextmanager
    def step(self, step: Step, window: Window, *, rebuild: bool = False) -> Iterator[Activity]:
        """Let `step` read and write its tables; its slices end as committed or failed.

        `rebuild`: the window is an earlier one whose slices are stale. Where its last day has no
        snapshot (a history was loaded in one run), the next later snapshot is read.
        """
        if (step, window) not in self._announced:
            self.announce([step], window)
        self.ledger.begin(step.name)
        self._thread.activity = activity = Activity(step, window, rebuild)
        try:
            with self._writer.attempt(slices_of(self.conf, self.contracts, step, window)):
                yield activity
        finally:
            self._thread.activity = None
            self._announced.remove((step, window))
        if self._announced:
            self._writer.write_if_due()

    def invalidate(self, table: str, days: Iterable[date], why: str) -> None:
        """Record as stale the committed slices of these days and all that is derived from them."""
        self._declared(table, "writes")
        stale = [Slice(table, "", day) for day in days if self.ledger.is_committed(table, day)]
        for one in stale:
            self.ledger.invalidate(table, str(one.day), "", why)
        self._invalidate_derived(stale)

    def _invalidate_derived(
        self, changed: Iterable[Slice], *, late: bool = False, written: Collection[Slice] = ()
    ) -> None:
        """Record as stale what is derived from these slices, but not what was just `written`."""
        for touched, of in self.lineage.derived_from(changed, late=late):
            if touched in written:
                continue
            self.ledger.invalidate(
                touched.table,
                str(touched.day),
                touched.source,
                f"{of.source or of.table} of {of.day} has changed",
            )

    def close(self) -> None:
        """Append the waiting rows of `ops`; announced slices that were not reached have failed."""
        self.ledger.began.clear()
        self._writer.close()
        self.ledger.fail("not reached", list(self.ledger.unsettled))
        self._writer.write()
        self.tables.append("ops.quality_result", self.ledger.check_rows())

    # -- reading ---------------------------------------------------------------------------------

    def read(
        self,
        table: str,
        *,
        window: Window | None = None,
        upto: date | None = None,
        on: date | None = None,
        months: Iterable[date] | None = None,
        allow_missing: bool = False,
    ) -> DataFrame:
        """A declared part of a table; without arguments the whole of an append-only one.

        `window`: the slices (batch_date or data_date) of these days
        `upto`: all deliveries up to a day
        `on`: the snapshot of one day
        `months`: these months
        A table that no configured source feeds is empty. InputError names a slice that is not
        committed; with `allow_missing` the committed ones are read.
        """
        activity = self._declared(table, "reads")
        if table.startswith("ods.") and not self._feeding(table):
            return self.empty(table)
        contract = self.contracts[table]
        if on is not None and activity.rebuild:
            on = self.ledger.slice_at_or_after(table, on) or on
        if contract.slice in ("batch_date", "data_date") and on is None and not allow_missing:
            committed.require(
                self.ledger, self.conf, contract, activity.step, window or activity.window
            )
        months = None if months is None else list(months)
        snapshots = [on] if on is not None else []
        for slice_ in snapshots + (months or [] if contract.slice == "month" else []):
            if not self.ledger.is_committed(table, slice_):
                raise committed.missing(activity.step.name, table, slice_)
        activity.versions[table] = self.tables.version(table)
        of_months = months if contract.slice == "month" else None
        rows = self.tables.load(table, wanted(window, upto, on, of_months))
        return part(contract, rows, window, upto, on, months)

    def last_snapshot(self, table: str, on: date) -> date | None:
        """The newest committed snapshot of a declared table that is not after `on`."""
        self._declared(table, "reads")
        return self.ledger.slice_at_or_before(table, on)

    def empty(self, table: str) -> DataFrame:
        """No rows, with the columns of the contract."""
        return self.tables.frame(table, [])

    def rows(self, table: str, records: Iterable) -> DataFrame:
        """Some records (with the contract's columns as attributes) as a frame of the table."""
        names = self.contracts[table].column_names
        return self.tables.frame(table, [{n: getattr(one, n) for n in names} for one in records])

    # -- writing ---------------------------------------------------------------------------------

    def replace(
        self, table: str, frame: DataFrame | None, months: Collection[date] | None = None
    ) -> int:
        """Replace the window's slices of a declared table by `frame`; the rows written.

        The frame is conformed to the contract and checked before the commit. QualityError when a
        critical check fails: then the table stays as it was. `frame` None: no rows, at once where
        the slices never held any. `months`: only these slices are replaced; the others of the
        window keep their rows and are recorded as up to date.
        """
        activity, contract = self._declared(table, "writes"), self.contracts[table]
        sliced_by(contract)
        slices_ = self._slices(table, activity.window)
        due = [one for one in slices_ if months is None or date.fromisoformat(one) in months]
        rows: dict[str, int] = {}
        if frame is not None or self.ledger.may_hold_rows(table, "", due):
            wanted_rows = self.empty(table) if frame is None else frame
            with cached(conform(contract, wanted_rows, activity.step.name)) as kept:
                rows = self._admitted(contract, kept, activity, due)
                held = self.ledger.touch(table, "", due)
                if rows or held:  # no commit for no rows
                    where = slices_where(contract, activity.window, due, "") if held else None
                    self._save(table, shaped(contract, kept, len(due) > 1, 1), where)
        self._record(contract, "", activity, rows, due)
        return sum(rows.values())

    def ingest(
        self,
        source: str,
        ingested: Sequence[Ingested],
        rejected: DataFrame,
        files_per_slice: int = 1,
    ) -> int:
        """Replace what a source delivered in the window, in each of its tables: accepted rows.

        `rejected`: its rejected lines, of all tables. The ledger learns of all tables at once, so a
        run that is killed between two of them writes all of them again. What is derived from the
        days that have changed becomes stale.
        """
        activity = self._activity
        replaced, before, held = {}, {}, {}
        for one in ingested:
            self._declared(one.table, "writes")
            entries = [self.ledger.entry(one.table, slice_, source) for slice_ in one.counts]
            replaced[one.table] = [entry for entry in entries if entry is not None]
            before[one.table] = self.tables.version(one.table)
            # Rows are added faster than replaced.
            held[one.table] = self.ledger.touch(one.table, source, list(one.counts))
        try:
            for one in ingested:
                contract, many = self.contracts[one.table], len(one.counts) > 1
                kept = conform(contract, one.accepted, activity.step.name)
                where = slices_where(contract, activity.window, list(one.counts), source)
                kept = shaped(contract, kept, many, files_per_slice)
                self._save(one.table, kept, where if held[one.table] else None)
            were_rejected = [entry.rows_rejected for of in replaced.values() for entry in of]
            if any(were_rejected) or any(one.rejected for one in ingested):
                self._save(
                    REJECTED,
                    conform(self.contracts[REJECTED], rejected, activity.step.name).repartition(1),
                    f"source = '{source}' AND {between('data_date', activity.window)}"
                    if any(held.values()) or REJECTED in self.ledger.untold
                    else None,
                )
        except BaseException:
            why = f"the run {self.ledger.run_id} failed midway"
            for table, version in before.items():
                if self.tables.version(table) != version:  # the ledger describes the rows before
                    for entry in replaced[table]:
                        self.ledger.invalidate(table, entry.slice, source, why)
            raise
        late = activity.rebuild or any(replaced.values())
        return self._record_delivery(source, ingested, activity, late=late)

    def ingest_nothing(self, source: str, ingested: Sequence[Ingested]) -> None:
        """Record deliveries without rows, for slices that hold none; no frame is looked at."""
        activity = self._activity
        self._record_delivery(source, ingested, activity, late=activity.rebuild)

    def _record_delivery(
        self, source: str, ingested: Sequence[Ingested], activity: Activity, *, late: bool
    ) -> int:
        with self._writer.lock:  # all of it is written or nothing, whenever the run is killed
            for one in ingested:
                self._declared(one.table, "writes")
                rows = {slice_: of["rows_accepted"] for slice_, of in one.counts.items()}
                contract = self.contracts[one.table]
                self._record(contract, source, activity, rows, list(one.counts), one.counts)
            changed = {Slice(one.table, source, day) for one in ingested for day in one.changed}
            written = {
                Slice(one.table, source, date.fromisoformat(slice_))
                for one in ingested
                for slice_ in one.counts
            }
            self._invalidate_derived(changed, late=late, written=written)
        return sum(of["rows_accepted"] for one in ingested for of in one.counts.values())

    def append(self, table: str, frame: DataFrame) -> int:
        """Add rows to a declared append-only table; nothing is written for an empty frame.

        QualityError for a key that the frame holds twice or the table holds already.
        """
        activity, contract = self._declared(table, "writes"), self.contracts[table]
        if contract.slice is not None:
            raise ChudianError(f"{table} is written by slices: replace one instead of appending")
        with cached(conform(contract, frame, activity.step.name)) as frame:
            rows = self._admitted(contract, frame, activity, [APPEND_ONLY])
            if rows:
                self._save(table, frame.coalesce(1))
        self._record(contract, "", activity, rows, [APPEND_ONLY])
        return sum(rows.values())

    def _admitted(
        self, contract: Contract, frame: DataFrame, activity: Activity, due: Sequence[str]
    ) -> dict[str, int]:
        """Rows by slice, once the gate has admitted them."""
        rows = self.gate.admit(
            contract, frame, self.tables.load(contract.table), str(activity.window)
        )
        astray = sorted(set(rows) - set(due))
        if astray:
            raise ChudianError(
                f"{contract.table}: rows of {', '.join(astray)} in a run that "
                f"replaces {', '.join(due)}"
            )
        return rows

    def _save(self, table: str, frame: DataFrame, where: str | None = None) -> None:
        self._writer.await_announced()
        if self.ledger.stopped is not None:  # after a signal no further commit begins
            raise ChudianError(self.ledger.stopped)
        self.tables.save(table, frame, where)

    def _record(
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
            kept = None if slice_ in due else self.ledger.entry(contract.table, slice_, source)
            self.ledger.write(
                activity.step.name,
                contract.table,
                slice_,
                COMMITTED,
                source=source,
                versions=activity.versions,
                output_version=version if kept is None else kept.output_version,
                rows_out=rows.get(slice_, 0) if kept is None else kept.rows_out,
                **(counts or {}).get(slice_, {}),
            )
        activity.rows_out += sum(rows.values())

    # -- the plan ------------------------------------------------------------------------------

    @cached_property
    def lineage(self) -> Lineage:
        """What is derived from what."""
        return Lineage(self.conf, self.contracts, night(self.conf), self.ledger, self._months_of)

    def _months_of(self, table: str, day: date) -> set[date]:
        """The months of the events of a day's delivery, in the table and its inputs."""
        if (table, day) not in self._months:
            writer = next(step for step in self.lineage.steps if table in step.writes)
            self._months[table, day] = months_delivered(self.tables, (table, *writer.reads), day)
        return self._months[table, day]

    def _slices(self, table: str, window: Window, source: str | None = None) -> list[str]:
        return slices(self.conf, self.contracts[table], window, source)

    def _feeding(self, table: str) -> list[str]:
        return [name for name, source in self.conf.sources.items() if table in source.tables]

    def _declared(self, table: str, use: str) -> Activity:
        activity = self._activity
        if table not in getattr(activity.step, use):
            raise ChudianError(
                f"{activity.step.name} {use} {table}, which the plan does not declare: "
                "add it to the step in jobs/plan"
            )
        return activity
