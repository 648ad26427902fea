"""Which slices were derived from which, and so have to be rebuilt when one of them has changed.

This follows from how tables are cut into slices:

- a slice of deliveries is derived from the deliveries of its day and the snapshot current then
- a snapshot is derived from every delivery up to its day
- a month is derived from the deliveries that hold its events

What was decided and sent is not rebuilt: the channels have it. Plain Python over the plan and the
ledger.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from jobs.plan.step import Step
from jobs.warehouse.ledger import Ledger
from schemas.config import Config
from schemas.contract import APPEND_ONLY, Contract
from schemas.window import Window, add_months, closed_months, closing_day, grouped

MonthsOf = Callable[[str, date], set[date]]


@dataclass(frozen=True)
class Slice:
    """A slice of a table (of a source's deliveries there), by its day or first of the month."""

    table: str
    source: str
    day: date


@dataclass(frozen=True)
class Lineage:
    """The committed slices and what they were derived from.

    `months_of`: the months of the events in a table's slice of a day of deliveries.
    """

    conf: Config
    contracts: Mapping[str, Contract]
    steps: Sequence[Step]
    ledger: Ledger
    months_of: MonthsOf

    def derived_from(
        self, changed: Iterable[Slice], *, late: bool = False
    ) -> list[tuple[Slice, Slice]]:
        """Each committed slice derived from a changed one, with the first such changed slice.

        `late`: the changed delivery is not the newest one. Steps that look ahead may then have used
        it for earlier days, so those slices count as derived too. For the newest delivery the step
        reports such days itself, by `Warehouse.invalidate`.
        A delivery that only refers to another one (a duplicate record, a missing customer) is
        listed, but not what is derived from it: whether its rows change is known once it is read
        again.
        """
        origin: dict[Slice, Slice] = {}
        moved = {one: one for one in changed}
        for step in self.steps:
            for table in () if step.final else step.writes:
                hits = {
                    touched: moved[one]
                    for one in moved
                    if one.table in step.reads
                    for touched in self._touched(step, table, one, late)
                }
                hits = {touched: of for touched, of in hits.items() if touched not in moved}
                origin |= {touched: of for touched, of in hits.items() if touched not in origin}
                if step.source is None:
                    moved |= hits
        return list(origin.items())

    def _touched(self, step: Step, table: str, changed: Slice, late: bool) -> Iterable[Slice]:
        source = step.source or ""
        committed = [
            date.fromisoformat(day)
            for day in list(self.ledger.committed.get((table, source), {}))
            if day != APPEND_ONLY
        ]
        return [
            Slice(table, source, day)
            for day in committed
            if self._is_touched(step, table, day, changed, late)
            and self._can_be_rebuilt(step, table, day)
        ]

    def _can_be_rebuilt(self, step: Step, table: str, day: date) -> bool:
        """Whether the snapshots that the slice was derived from are still kept."""
        snapshots = [
            read
            for read in step.reads
            if self.contracts[read].slice == "data_date"
            and read not in (*step.writes, *step.earlier)
        ]
        if self.contracts[table].slice == "data_date":
            return all(self.ledger.is_committed(read, day) for read in snapshots)
        return all(self.ledger.slice_at_or_after(read, day) for read in snapshots)

    def _is_touched(self, step: Step, table: str, day: date, changed: Slice, late: bool) -> bool:
        """Whether the slice of that day was derived from the changed one."""
        cut, by = self.contracts[table].slice, self.contracts[changed.table].slice
        if step.source is not None:
            if table != changed.table:
                return self._refers(table, changed.table) and day >= changed.day
            back = self.conf.sources[step.source].lookback_days
            return changed.source == step.source and 0 < (day - changed.day).days <= back
        if (by, cut) == ("batch_date", "data_date"):
            return day >= changed.day
        if (by, cut) == ("batch_date", "month"):
            closed = self.closed_on(table, day)
            return changed.day <= closed and day in self.months_of(changed.table, changed.day)
        if (by, cut) == ("month", "data_date"):
            close = self.conf.policy.month_close.day
            return changed.day in closed_months(day, self.conf.policy.rating.months, close)
        if (by, cut) == ("data_date", "batch_date"):
            return self.ledger.slice_at_or_after(changed.table, day) == changed.day
        if changed.table in step.looks_back:
            back = self.conf.sources[changed.source].into(changed.table).apart_days
            ahead = back if late and changed.table in step.looks_ahead else 0
            return -ahead <= (day - changed.day).days <= back
        return 0 <= (day - changed.day).days <= step.days_back

    def _refers(self, table: str, other: str) -> bool:
        """Whether a column of the table refers to the other one."""
        references = (column.references for column in self.contracts[table].columns)
        return any(one and one.rsplit(".", 1)[0] == other for one in references)

    def closed_on(self, table: str, month: date) -> date:
        """The day of the close that last wrote a month's slice; a close writes several months."""
        newest = [add_months(month, later) for later in range(self.conf.policy.rating.months)]
        last = max((one for one in newest if self.ledger.is_committed(table, one)), default=month)
        return closing_day(last, self.conf.policy.month_close.day)

    def days_since(self, table: str, month: date, of: str) -> list[date] | None:
        """The days of `of` that were delivered after a month's slice had been derived from it.

        None where the whole month has to be built: it was never built, it is stale, or a day that
        it was derived from has been rebuilt since.
        """
        built = self.ledger.entry(table, month)
        if built is None or str(month) in self.ledger.stale.get((table, ""), {}):
            return None
        version = json.loads(built.input_versions).get(of)
        if version is None:
            return None
        days = self.ledger.written_since(of, version)
        return None if any(day <= self.closed_on(table, month) for day in days) else days

    def windows(self, step: Step, besides: Window | None = None) -> list[Window]:
        """The windows for which a step rebuilds its stale slices, oldest first.

        Consecutive days are one window where they are derived from the same snapshots.
        `besides`: a window for which the step runs anyway.
        """
        days = set()
        for table in () if step.final else step.writes:
            for slice_ in list(self.ledger.stale.get((table, step.source or ""), {})):
                day = date.fromisoformat(slice_)
                days.add(
                    self.closed_on(table, day) if self.contracts[table].slice == "month" else day
                )
        return grouped(
            (day for day in days if besides is None or not besides.contains(day)),
            lambda last, day: self._same_snapshots(step, last, day),
        )

    def _same_snapshots(self, step: Step, last: date, day: date) -> bool:
        """Whether both days are slices of deliveries and derived from the same snapshots."""
        cuts = {self.contracts[table].slice for table in step.writes} - {None}
        snapshots = [
            table
            for table in step.reads
            if self.contracts[table].slice == "data_date" and table not in step.earlier
        ]
        return cuts == {"batch_date"} and all(
            self.ledger.slice_at_or_after(table, last) == self.ledger.slice_at_or_after(table, day)
            for table in snapshots
        )
