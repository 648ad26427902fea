"""What became of every slice: the rows of `ops.run_ledger` and `ops.quality_result`.

Rows are gathered: a run announces all its slices as `started` in one append, and the outcomes of
steps wait some seconds for each other. A killed process may lose the row of a slice whose data were
committed. That slice is still `started`, so the next run writes it again.
"""

import json
import threading
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, date, datetime

from schemas.contract import APPEND_ONLY

STARTED, COMMITTED, FAILED = "started", "committed", "failed"
SUPERSEDED = "superseded"  # what that run recorded of the slice was undone
STALE = "stale"  # the slice is committed, but something it was derived from has changed since
THINNED = "thinned"  # rows of the slice that its table keeps for a shorter time are deleted
EXPIRED = "expired"  # the slice is older than its table keeps, and deleted
MIGRATED = "migrated"  # the table has followed a change of its contract; no slice is meant
SETTLED = (COMMITTED, SUPERSEDED, STALE, EXPIRED)  # the states that decide what is current


@dataclass
class Entry:
    """One row of `ops.run_ledger`: one attempt at one slice of one table."""

    run_id: str
    step: str
    source: str
    table: str
    slice: str
    state: str
    config_fingerprint: str
    committed_at: datetime | None = None
    started_at: datetime | None = None
    input_versions: str = "{}"
    output_version: int | None = None
    rows_in: int | None = None
    rows_out: int | None = None
    rows_delivered: int | None = None
    rows_accepted: int | None = None
    rows_rejected: int | None = None
    rows_duplicate: int | None = None
    rows_part: int | None = None
    rows_correction: int | None = None
    rows_conflict: int | None = None
    rows_late: int | None = None
    rows_warned: int | None = None
    content: str | None = None
    reading: str | None = None
    message: str | None = None
    rounding: str | None = None
    rows_skipped: int | None = None

    @property
    def rows_of_files(self) -> int:
        """The rows of the files: those that become records of the table, and the others."""
        return (self.rows_delivered or 0) + (self.rows_skipped or 0)

    @classmethod
    def of_row(cls, row: Mapping) -> "Entry":
        """The entry of a row of the table; `source` is empty for a step that ingests nothing.

        Spark gives instants as local times of the process; the entry holds them in UTC.
        """
        times = {
            name: row[name] and row[name].astimezone(UTC) for name in ("committed_at", "started_at")
        }
        return cls(**{**row, **times, "source": row["source"] or ""})


@dataclass(frozen=True)
class CheckResult:
    """One row of `ops.quality_result`: the outcome of one check of one slice.

    `observed` is a figure, never a value of a row.
    """

    run_id: str
    source: str
    table: str
    slice: str
    check: str
    severity: str
    success: bool
    observed: str
    expected: str
    judged_at: datetime


@dataclass
class Ledger:
    """The committed slices known so far, and the rows that wait to be written.

    `accepting`: the operator's reason to let deliveries of this run pass their thresholds.
    `stopped`: why what is not committed has failed, once a signal has stopped the run.
    `touched`: the slices (table, source, slice) that a run has begun to write, whatever came of it.
    `untold`: tables that may hold rows of which no entry tells.
    """

    run_id: str
    fingerprint: str
    accepting: str | None = None
    stopped: str | None = None
    committed: dict[tuple[str, str], dict[str, Entry]] = field(default_factory=dict)
    stale: dict[tuple[str, str], dict[str, str]] = field(default_factory=dict)  # slice → why
    pending: list[Entry] = field(default_factory=list)
    checks: list[CheckResult] = field(default_factory=list)
    unsettled: dict[tuple[str, str, str], str] = field(default_factory=dict)  # slice → its step
    began: dict[str, datetime] = field(default_factory=dict)  # the steps under way
    touched: set[tuple[str, str, str]] = field(default_factory=set)
    untold: set[str] = field(default_factory=set)
    lock: threading.RLock = field(default_factory=threading.RLock)  # steps run in parallel

    def learn(self, entries: Iterable[Entry]) -> None:
        """Add what earlier runs recorded, given in the order in which it was recorded."""
        recorded = list(entries)
        self.touched |= {(entry.table, entry.source, entry.slice) for entry in recorded}
        for entry, why in current_entries(recorded).values():
            self._remember(entry)
            if why is not None:
                self.stale.setdefault((entry.table, entry.source), {})[entry.slice] = why

    def _remember(self, entry: Entry) -> None:
        self.committed.setdefault((entry.table, entry.source), {})[entry.slice] = entry
        self.stale.get((entry.table, entry.source), {}).pop(entry.slice, None)

    def write(
        self,
        step: str,
        table: str,
        slice_: str,
        state: str,
        *,
        source: str = "",
        versions: dict | None = None,
        **counts,
    ) -> Entry:
        """Record a new state of a slice; counts: `rows_*`, `output_version`, `message`."""
        entry = Entry(
            self.run_id,
            step,
            source,
            table,
            slice_,
            state,
            self.fingerprint,
            committed_at=datetime.now(UTC),
            started_at=None if state == STARTED else self.began.get(step),
            input_versions=json.dumps(versions or {}, sort_keys=True),
            **counts,
        )
        with self.lock:
            self.pending.append(entry)
            if state == STARTED:
                self.unsettled[table, source, slice_] = step
            else:
                self.unsettled.pop((table, source, slice_), None)
            if state == COMMITTED:
                self._remember(entry)
        return entry

    def invalidate(self, table: str, slice_: str, source: str, why: str) -> None:
        """Record that something a committed slice was derived from has changed."""
        with self.lock:
            stale = self.stale.setdefault((table, source), {})
            if slice_ not in stale:
                stale[slice_] = why
                current = self.committed[table, source][slice_]
                self.pending.append(
                    Entry(
                        self.run_id,
                        current.step,
                        source,
                        table,
                        slice_,
                        STALE,
                        self.fingerprint,
                        datetime.now(UTC),
                        message=why,
                    )
                )

    def supersede(self, entry: Entry) -> None:
        """Record that an entry of an earlier run was undone."""
        self.pending.append(
            replace(
                entry,
                state=SUPERSEDED,
                message=f"undone by {self.run_id}",
                committed_at=datetime.now(UTC),
            )
        )

    def expire(self, entry: Entry, why: str = "deleted") -> None:
        """Record that a committed slice is gone; deleted: its table keeps no older ones."""
        self.pending.append(
            replace(
                entry,
                run_id=self.run_id,
                step="maintenance" if why == "deleted" else entry.step,
                state=EXPIRED,
                config_fingerprint=self.fingerprint,
                started_at=None,
                committed_at=datetime.now(UTC),
                message=f"{why}; it was of run {entry.run_id}",
            )
        )

    def thin(self, entry: Entry, rows: int) -> None:
        """Record that so many rows of a committed slice are deleted; it stays committed."""
        self.pending.append(
            replace(
                entry,
                run_id=self.run_id,
                step="maintenance",
                state=THINNED,
                config_fingerprint=self.fingerprint,
                started_at=None,
                committed_at=datetime.now(UTC),
                message=f"{rows:,} rows deleted; it was of run {entry.run_id}",
            )
        )

    def note_tables(self, made: Iterable[str], changed: Mapping[str, str]) -> None:
        """Record what opening the tables has found; `changed`: by table what changed in it.

        A table that was `made` is empty: what was committed in it was moved away with it.
        """
        gone = set(made)
        for table, source in [key for key in self.committed if key[0] in gone]:
            for entry in self.committed.pop((table, source)).values():
                self.expire(entry, "the table was moved away")
            self.stale.pop((table, source), None)
        for table, words in changed.items():
            self.write("contract", table, APPEND_ONLY, MIGRATED, message=words)

    def begin(self, step: str) -> None:
        """A step begins now."""
        self.began[step] = datetime.now(UTC)

    def fail(self, message: str, slices: Iterable[tuple[str, str, str]]) -> None:
        """Record as failed those of the slices (table, source, slice) that are not settled."""
        with self.lock:
            for table, source, slice_ in slices:
                if (table, source, slice_) in self.unsettled:
                    self.write(
                        self.unsettled[table, source, slice_],
                        table,
                        slice_,
                        FAILED,
                        source=source,
                        message=self.stopped or message,
                    )

    def own_commits(self) -> list[Entry]:
        """What this run has committed."""
        return [
            entry
            for slices in self.committed.values()
            for entry in slices.values()
            if entry.run_id == self.run_id
        ]

    def record_check(self, result: CheckResult) -> None:
        """Record the outcome of a check."""
        with self.lock:
            self.checks.append(result)

    def may_hold_rows(self, table: str, source: str, slices: Iterable[str]) -> bool:
        """Whether one of these slices may hold rows: a run has begun to write it."""
        untold = table in self.untold
        return any(untold or (table, source, one) in self.touched for one in slices)

    def touch(self, table: str, source: str, slices: Collection[str]) -> bool:
        """Note that these slices are about to be written; whether they may hold rows already."""
        with self.lock:
            held = self.may_hold_rows(table, source, slices)
            self.touched |= {(table, source, one) for one in slices}
        return held

    def is_committed(self, table: str, slice_: date | str, source: str = "") -> bool:
        return str(slice_) in self.committed.get((table, source), {})

    def entry(self, table: str, slice_: date | str, source: str = "") -> Entry | None:
        """The last committed row of a slice."""
        return self.committed.get((table, source), {}).get(str(slice_))

    def delivered(self, table: str, source: str) -> dict[date, int]:
        """Rows of the files of a source's committed deliveries, by day."""
        return {
            date.fromisoformat(day): entry.rows_of_files
            for day, entry in list(self.committed.get((table, source), {}).items())
        }

    def slice_at_or_before(self, table: str, on: date) -> date | None:
        """The newest committed daily slice that is not after `on`."""
        return max((day for day in self._days(table) if day <= on), default=None)

    def slice_at_or_after(self, table: str, on: date) -> date | None:
        """The oldest committed daily slice that is not before `on`.

        A slice of deliveries of that day was derived from this snapshot.
        """
        return min((day for day in self._days(table) if day >= on), default=None)

    def _days(self, table: str) -> list[date]:
        return [date.fromisoformat(day) for day in list(self.committed.get((table, ""), {}))]

    def written_since(self, table: str, version: int) -> list[date]:
        """The days whose slices were committed after a version of their table."""
        return sorted(
            date.fromisoformat(day)
            for day, entry in list(self.committed.get((table, ""), {}).items())
            if (entry.output_version or 0) > version
        )

    def entries(self) -> list[dict]:
        """Take the waiting rows of the ledger out of the waiting list."""
        with self.lock:
            rows, self.pending = [_row(entry) for entry in self.pending], []
        return rows

    @contextmanager
    def handed_over(self) -> Iterator[list[dict]]:
        """The waiting rows of the ledger; when the block fails, they go back and wait."""
        rows = self.entries()
        try:
            yield rows
        except BaseException:
            with self.lock:
                self.pending[:0] = map(Entry.of_row, rows)
            raise

    def check_rows(self) -> list[dict]:
        """Take the waiting outcomes of checks out of the waiting list."""
        rows, self.checks = [_row(result) for result in self.checks], []
        return rows


def current_entries(
    entries: Iterable[Entry],
) -> dict[tuple[str, str, str], tuple[Entry, str | None]]:
    """By (table, source, slice) the row that is current, and why it is stale (None: it is not).

    Current is the last committed row of a run that was not undone. A delivery that a killed run had
    begun to ingest again is stale: its table may hold the old rows or the new ones.
    """
    kept: dict[tuple[str, str, str], list[Entry]] = {}
    for entry in entries:
        rows = kept.setdefault((entry.table, entry.source, entry.slice), [])
        if entry.state in (COMMITTED, STALE):
            rows.append(entry)
        elif entry.state == STARTED and entry.source:
            rows.append(replace(entry, message=f"the run {entry.run_id} was stopped midway"))
        elif entry.state == FAILED:
            rows[:] = [row for row in rows if (row.state, row.run_id) != (STARTED, entry.run_id)]
        elif entry.state == SUPERSEDED:
            rows[:] = [row for row in rows if row.run_id != entry.run_id]
        elif entry.state == EXPIRED:
            rows.clear()
    found = {}
    for key, rows in kept.items():
        commits = [place for place, row in enumerate(rows) if row.state == COMMITTED]
        if commits:
            since = rows[commits[-1] + 1 :]
            found[key] = rows[commits[-1]], since[0].message if since else None
    return found


def _row(record: Entry | CheckResult) -> dict:
    """The record as columns; `source` is null for a step that ingests nothing."""
    return {**asdict(record), "source": record.source or None}
