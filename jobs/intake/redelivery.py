"""Deliveries that a night takes in again, or for the first time after their day.

One that lies in the landing with another content than the one taken in has been corrected; one of
an earlier day that was never taken in has come late; a slice that is stale is read once more. What
came before the first night of its source is history: that is loaded by asking for it.
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
from schemas.config.source_fingerprint import outdated, source_fingerprint, value_sets
from schemas.contract import Contract
from schemas.window import Window, grouped


@dataclass(frozen=True)
class Deliveries:
    """What lies in the landing against what the ledger knows of."""

    conf: Config
    contracts: Mapping[str, Contract]
    ledger: Ledger
    landing: Landing

    def taken_in(self, name: str, days: list[date]) -> dict[date, str]:
        """The content of the deliveries that were taken in before, by day."""
        found = {day: self.entry(name, day) for day in days}
        return {
            day: entry.content
            for day, entry in found.items()
            if entry is not None and entry.content is not None
        }

    def unchanged(self, name: str, window: Window) -> bool:
        """Whether all deliveries of the window are taken in as they lie there, read as today."""
        days, stale = due_days(self.conf, name, window), self.stale(name)
        arrived, now = self.landing.contents(name, days), self.reading(name)

        def stands(day: date) -> bool:
            entry = self.entry(name, day)
            return (
                entry is not None
                and arrived.get(day) in (None, entry.content)
                and not outdated(entry.reading, now, entry.rows_rejected)
            )

        return all(day not in stale and stands(day) for day in days)

    def again(self, name: str, window: Window) -> list[date]:
        """The earlier days whose deliveries a night of the window takes in once more, or late."""
        source, known = self.conf.sources[name], self._entries(name)
        days = {day for day in self.stale(name) if not window.contains(day)}
        first = min((date.fromisoformat(day) for day in known), default=window.first)
        back = timedelta(days=source.redelivery_days)
        since = max(window.first - back, first)
        if since < window.first:
            before = Window(since, window.first - timedelta(days=1))
            for day in due_days(self.conf, name, before):
                lies = self.landing.lies(name, source, day)
                entry = self.entry(name, day)
                if lies is not None and (entry is None or entry.content != lies):
                    days.add(day)
        return sorted(days)

    def reading(self, name: str) -> str:
        """How the source is read today."""
        return how_read(self.conf, self.contracts, name)

    def entry(self, name: str, day: date) -> Entry | None:
        return self.ledger.entry(self.conf.sources[name].record, day, name)

    def _entries(self, name: str) -> Mapping[str, Entry]:
        return self.ledger.committed.get((self.conf.sources[name].record, name), {})

    def stale(self, name: str) -> set[date]:
        """The days of a source that have to be read once more."""
        stale = self.ledger.stale.get((self.conf.sources[name].record, name), {})
        return {date.fromisoformat(day) for day in stale}


def how_read(conf: Config, contracts: Mapping[str, Contract], name: str) -> str:
    """The fingerprint of how a source is read today."""
    source = conf.sources[name]
    return source_fingerprint(source, contracts[source.record], value_sets(conf))


def outdated_days(
    conf: Config, contracts: Mapping[str, Contract], ledger: Ledger, name: str
) -> list[date]:
    """The days of a source that would be read otherwise today than they were."""
    now = how_read(conf, contracts, name)
    known = ledger.committed.get((conf.sources[name].record, name), {})
    return sorted(
        date.fromisoformat(day)
        for day, entry in known.items()
        if outdated(entry.reading, now, entry.rows_rejected)
    )


def earlier(step: Step, deliveries: Deliveries, lineage: Lineage, window: Window) -> list[Window]:
    """The windows before its own for which a night runs a step once more, oldest first."""
    if step.source is None:
        due = step.due(window, deliveries.conf)
        return lineage.windows(step, besides=window if due else None)
    return grouped(deliveries.again(step.source, window))
