"""Deliveries of earlier days that a night ingests again, or for the first time.

Three cases:
- corrected: the landing has another content than the ingested one;
- late: the landing has a delivery of an earlier day that was never ingested;
- stale: the slice is stale and is read again.
Deliveries before the first ingested day of a source are history; `--history` loads them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from jobs.intake.landing import Landing
from jobs.plan.step import Step, due_days
from jobs.warehouse.ledger import Entry, Ledger
from jobs.warehouse.lineage import Lineage
from schemas.config import Config
from schemas.config.mapping.source_fingerprint import outdated, source_fingerprint, value_sets
from schemas.contract import Contract
from schemas.window import Window, grouped


@dataclass(frozen=True)
class Deliveries:
    """Compares the deliveries in the landing with the ledger."""

    conf: Config
    contracts: Mapping[str, Contract]
    ledger: Ledger
    landing: Landing

    def ingested(self, name: str, days: list[date]) -> dict[date, str]:
        """The content of the deliveries that were ingested before, by day."""
        return {
            day: entry.content
            for table in self.conf.sources[name].tables
            for day in days
            if (entry := self.ledger.entry(table, day, name)) is not None
            and entry.content is not None
        }

    def unchanged(self, name: str, window: Window) -> bool:
        """Whether all deliveries of the window are ingested already, with their present content.

        The source must also be read into each of its tables as it is configured today, and no
        slice may be stale.
        """
        days, stale = due_days(self.conf, name, window), self.stale(name)
        arrived = self.landing.contents(name, days)
        now = {table: self.fingerprint(name, table) for table in self.conf.sources[name].tables}

        def is_valid(table: str, day: date) -> bool:
            entry = self.ledger.entry(table, day, name)
            return (
                entry is not None
                and arrived.get(day) in (None, entry.content)
                and not _is_outdated(entry, now[table])
            )

        return all(day not in stale and is_valid(table, day) for day in days for table in now)

    def redelivered(self, name: str, window: Window) -> list[date]:
        """The days before the window whose deliveries a night of the window ingests."""
        source = self.conf.sources[name]
        known = [self.ledger.committed.get((table, name), {}) for table in source.tables]
        days = {day for day in self.stale(name) if not window.contains(day)}
        first = min(
            (date.fromisoformat(day) for slices in known for day in slices), default=window.first
        )
        back = timedelta(days=source.redelivery_days)
        since = max(window.first - back, first)
        if since < window.first:
            before = Window(since, window.first - timedelta(days=1))
            for day in due_days(self.conf, name, before):
                arrived = self.landing.arrived_content(name, source, day)
                entries = [slices.get(str(day)) for slices in known]
                if arrived is not None and any(
                    entry is None or entry.content != arrived for entry in entries
                ):
                    days.add(day)
        return sorted(days)

    def fingerprint(self, name: str, table: str) -> str:
        """The fingerprint of how the source is read into one of its tables today."""
        return current_fingerprint(self.conf, self.contracts, name, table)

    def stale(self, name: str) -> set[date]:
        """The days of a source whose slices are stale, in any of its tables."""
        return {
            date.fromisoformat(day)
            for table in self.conf.sources[name].tables
            for day in self.ledger.stale.get((table, name), {})
        }


def current_fingerprint(
    conf: Config, contracts: Mapping[str, Contract], name: str, table: str
) -> str:
    """The fingerprint of how a source is read into one of its tables today."""
    return source_fingerprint(
        conf.sources[name].into(table), contracts[table], value_sets(conf), conf.runtime.open_ends
    )


def outdated_days(
    conf: Config, contracts: Mapping[str, Contract], ledger: Ledger, name: str
) -> list[tuple[str, date]]:
    """(table, day) of a source that were read under another configuration, with other results."""
    found = []
    for table in conf.sources[name].tables:
        now = current_fingerprint(conf, contracts, name, table)
        known = ledger.committed.get((table, name), {})
        found += [
            (table, date.fromisoformat(day))
            for day, entry in known.items()
            if _is_outdated(entry, now)
        ]
    return sorted(found)


def _is_outdated(entry: Entry, now: str) -> bool:
    """Whether a delivery would give other rows today; `now` is the current fingerprint."""
    return entry.reading is None or outdated(entry.reading, now, entry.rows_rejected or 0)


def earlier_windows(
    step: Step, deliveries: Deliveries, lineage: Lineage, window: Window
) -> list[Window]:
    """The windows before `window` for which a night runs the step again, oldest first."""
    if step.source is None:
        due = step.due(window, deliveries.conf)
        return lineage.windows(step, besides=window if due else None)
    return grouped(deliveries.redelivered(step.source, window))
