"""What became of every delivery and how long each step took, from rows of the ledger."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from statistics import median

from jobs.plan.step import due_days
from jobs.warehouse import delta_log
from jobs.warehouse.ledger import COMMITTED, Entry, Ledger, current_entries
from schemas.config import Config
from schemas.window import Window

MISSING = "missing"
COUNTS = ("delivered", "accepted", "rejected", "duplicate", "late", "warned")


@dataclass(frozen=True)
class DeliveryState:
    """One delivery: its source and day, the state of its last attempt, its current entry.

    `name`: of the source, with the table if it feeds several: then each table has its own state.
    """

    source: str
    name: str
    day: date
    state: str
    current: Entry | None
    noted_at: datetime | None
    message: str | None


@dataclass(frozen=True)
class Timing:
    """A step's seconds in the last run that ended it, and the median of the `runs` before."""

    step: str
    seconds: float
    usual: float | None
    runs: int

    @property
    def ratio(self) -> float:
        """The seconds as a multiple of the usual ones; 0 where nothing is usual yet."""
        return self.seconds / self.usual if self.usual else 0

    @property
    def slow(self) -> bool:
        """The step took at least half as long again as usual, and at least five seconds."""
        return bool(self.usual) and self.seconds >= max(1.5 * (self.usual or 0), 5)


def known_ledger(warehouse: str, conf: Config) -> Ledger:
    """The ledger as the runs before have left it, read without Spark; empty before a first run."""
    ledger = Ledger("", conf.fingerprint)
    if "://" in warehouse or Path(warehouse, "ops", "run_ledger").is_dir():
        ledger.learn(delta_log.entries(warehouse))
    return ledger


def deliveries(entries: Iterable[Entry], conf: Config, window: Window) -> list[DeliveryState]:
    """Each delivery that is due in the window, or recorded for it, by day, source and table."""
    attempts: dict[tuple[date, str, str], list[Entry]] = {
        (day, name, delivery_name(name, table, conf)): []
        for name, source in conf.sources.items()
        for table in source.tables
        for day in due_days(conf, name, window)
    }
    for entry in entries:
        if entry.source in conf.sources and window.contains(date.fromisoformat(entry.slice)):
            name = delivery_name(entry.source, entry.table, conf)
            key = (date.fromisoformat(entry.slice), entry.source, name)
            attempts.setdefault(key, []).append(entry)
    return [
        _delivery(source, name, day, tried)
        for (day, source, name), tried in sorted(attempts.items())
    ]


def delivery_name(source: str, table: str, conf: Config) -> str:
    """A delivery's source, with the table if the source feeds several."""
    several = source in conf.sources and conf.sources[source].also
    return f"{source} {table}" if several else source


def _delivery(source: str, name: str, day: date, attempts: Sequence[Entry]) -> DeliveryState:
    if not attempts:
        return DeliveryState(source, name, day, MISSING, None, None, None)
    last = attempts[-1]
    current, _ = next(iter(current_entries(attempts).values()), (None, None))
    return DeliveryState(source, name, day, last.state, current, last.committed_at, last.message)


def delivered_by_day(entries: Iterable[Entry]) -> dict[str, dict[date, int]]:
    """Rows of the files of the current deliveries, by source and day."""
    found: dict[str, dict[date, int]] = {}
    for (_, source, slice_), (entry, _) in current_entries(entries).items():
        if source:
            found.setdefault(source, {})[date.fromisoformat(slice_)] = entry.rows_of_files
    return found


def timings(entries: Iterable[Entry]) -> list[Timing]:
    """Every step that has ended in some run, in the order in which the newest run ended them."""
    seconds: dict[str, dict[str, float]] = {}
    ended: dict[str, datetime] = {}
    for entry in entries:
        if entry.state == COMMITTED and entry.started_at and entry.committed_at:
            taken = (entry.committed_at - entry.started_at).total_seconds()
            runs = seconds.setdefault(entry.step, {})
            runs[entry.run_id] = max(taken, runs.get(entry.run_id, 0.0))
            ended[entry.step] = entry.committed_at
    found = []
    for step in sorted(seconds, key=ended.__getitem__):
        *before, last = seconds[step].values()
        found.append(Timing(step, last, median(before) if before else None, len(before)))
    return found
