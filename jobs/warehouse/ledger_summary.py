"""What became of every delivery and how long each step took, from rows of the ledger."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from statistics import median

from jobs.plan.step import due_days
from jobs.warehouse import ledger
from jobs.warehouse.ledger import COMMITTED, Entry
from schemas.config import Config
from schemas.window import Window

MISSING = "missing"
COUNTS = ("delivered", "accepted", "rejected", "duplicate", "late", "warned")


@dataclass(frozen=True)
class Delivery:
    """One delivery: source and day, how its last attempt stands, its counts that stand."""

    source: str
    day: date
    state: str
    standing: Entry | None
    noted_at: datetime | None
    message: str | None


@dataclass(frozen=True)
class Timing:
    """A step's seconds in the last run that ended it, and the median of the runs before."""

    step: str
    seconds: float
    usual: float | None
    runs: int

    @property
    def slow(self) -> bool:
        """Half as long again as usual, or more, and not a trifle."""
        return bool(self.usual) and self.seconds >= max(1.5 * self.usual, 5)


def deliveries(entries: Iterable[Entry], conf: Config, window: Window) -> list[Delivery]:
    """Each delivery that is due in the window, or was noted for it, by day and source."""
    attempts: dict[tuple[date, str], list[Entry]] = {
        (day, name): [] for name in conf.sources for day in due_days(conf, name, window)
    }
    for entry in entries:
        if entry.source in conf.sources and window.contains(date.fromisoformat(entry.slice)):
            attempts.setdefault((date.fromisoformat(entry.slice), entry.source), []).append(entry)
    return [_delivery(name, day, noted) for (day, name), noted in sorted(attempts.items())]


def _delivery(name: str, day: date, noted: Sequence[Entry]) -> Delivery:
    if not noted:
        return Delivery(name, day, MISSING, None, None, None)
    last = noted[-1]
    stands, _ = next(iter(ledger.standing(noted).values()), (None, None))
    return Delivery(name, day, last.state, stands, last.committed_at, last.message)


def delivered_by_day(entries: Iterable[Entry]) -> dict[str, dict[date, int]]:
    """Rows of the deliveries that stand, by source and day."""
    found: dict[str, dict[date, int]] = {}
    for (_, source, slice_), (entry, _) in ledger.standing(entries).items():
        if source:
            found.setdefault(source, {})[date.fromisoformat(slice_)] = entry.rows_delivered
    return found


def timings(entries: Iterable[Entry]) -> list[Timing]:
    """Every step that has ended in some run, in the order in which the newest run ended them."""
    seconds: dict[str, dict[str, float]] = {}
    ended: dict[str, datetime] = {}
    for entry in entries:
        if entry.state == COMMITTED and entry.started_at is not None:
            taken = (entry.committed_at - entry.started_at).total_seconds()
            runs = seconds.setdefault(entry.step, {})
            runs[entry.run_id] = max(taken, runs.get(entry.run_id, 0.0))
            ended[entry.step] = entry.committed_at
    found = []
    for step in sorted(seconds, key=ended.__getitem__):
        *before, last = seconds[step].values()
        found.append(Timing(step, last, median(before) if before else None, len(before)))
    return found
