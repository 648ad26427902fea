"""What is older than a table keeps it: days, slices, rows of the ledger, logs. Plain Python."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta

from jobs.warehouse.ledger import SETTLED, Entry, Ledger
from schemas.contract import APPEND_ONLY, Contract
from schemas.window import month_of

LOG = re.compile(r"([0-9]{8})T.*\.log")  # named by the id of its run, which begins with its day


def first_kept_day(contract: Contract, day: date) -> date | None:
    """The first day of which any row is kept on `day`; None: the table keeps everything.

    A table with a slice per month keeps whole months.
    """
    if contract.retention_days is None:
        return None
    longer = contract.kept_longer
    return _first(contract, day, contract.retention_days if longer is None else longer.days)


def first_whole_day(contract: Contract, day: date) -> date | None:
    """The first day whose rows are all kept on `day`; None: no row is kept longer than others."""
    if contract.retention_days is None or contract.kept_longer is None:
        return None
    return _first(contract, day, contract.retention_days)


def _first(contract: Contract, day: date, days: int) -> date:
    first = day - timedelta(days=days)
    return month_of(first) if contract.slice == "month" else first


def expired_entries(ledger: Ledger, table: str, before: date) -> list[Entry]:
    """The entries of the committed slices of a table that are older than `before`."""
    return [
        entry
        for (of, _), slices in ledger.committed.items()
        if of == table
        for entry in slices.values()
        if entry.slice != APPEND_ONLY and date.fromisoformat(entry.slice) < before
    ]


def retained_entries(
    entries: Iterable[Entry], before: datetime, day: date, contracts: Mapping[str, Contract]
) -> list[Entry]:
    """The ledger's rows from before an instant that are kept on `day`.

    They describe the current state: the commit of a slice that still exists, and every settled row
    of that slice since.
    """
    ledger, rows = Ledger("", ""), list(entries)
    ledger.learn(rows)
    for table, contract in contracts.items():
        first = first_kept_day(contract, day)
        for entry in expired_entries(ledger, table, first) if first else ():
            del ledger.committed[table, entry.source][entry.slice]

    def is_retained(row: Entry) -> bool:
        current = ledger.entry(row.table, row.slice, row.source)
        return (
            row.committed_at is not None
            and row.committed_at < before
            and row.state in SETTLED
            and current is not None
            and current.committed_at is not None
            and row.committed_at >= current.committed_at
        )

    return [row for row in rows if is_retained(row)]


def old_logs(names: Iterable[str], before: date) -> list[str]:
    """The names of the logs of runs from before a day, in order."""
    found = {name: LOG.fullmatch(name) for name in names}
    return sorted(name for name, log in found.items() if log and log[1] < f"{before:%Y%m%d}")
