"""What is committed: whether a step may read a table, and rows for a reader beside a night."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Any

from jobs.plan.slices import sliced_by, slices
from jobs.plan.step import Step, due_days
from jobs.warehouse import delta_log
from jobs.warehouse.ledger import Ledger
from schemas.config import Config
from schemas.contract import Contract
from schemas.errors import InputError
from schemas.window import Window


def require(ledger: Ledger, conf: Config, contract: Contract, step: Step, window: Window) -> None:
    """InputError for the first slice of the window that is not committed.

    A table of deliveries needs them from each source that feeds it, but for optional sources and
    for the one that the step itself ingests.
    """
    table = contract.table
    if table.startswith("ops."):
        return
    if not table.startswith("ods."):
        for slice_ in slices(conf, contract, window):
            if not ledger.is_committed(table, slice_):
                raise missing(step.name, table, slice_)
    for name, source in conf.sources.items():
        if table not in source.tables or source.optional or name == step.source:
            continue
        for day in due_days(conf, name, window):
            if not ledger.is_committed(table, day, name):
                raise missing(step.name, f"{table} from {name}", day)


def holds_rows(ledger: Ledger, table: str) -> bool:
    """Whether a committed delivery of the table had accepted rows."""
    return any(
        entry.rows_accepted
        for (name, _), entries in list(ledger.committed.items())
        if name == table
        for entry in list(entries.values())
    )


def missing(step: str, table: str, slice_: date | str) -> InputError:
    """The error of a step that reads a slice which is not committed."""
    return InputError(
        f"{step}: {table} is not committed for {slice_}: run the step that writes it "
        "first (python -m jobs.night --list shows which)"
    )


class CommittedRows:
    """The rows of some tables as they are committed now, through their contracts, without Spark.

    For the few rows of a command that answers at once. Each table is read as its last recorded
    write has left it, also while a night goes on (`delta_log.committed_versions`).
    """

    def __init__(
        self,
        command: str,
        warehouse: str,
        conf: Config,
        contracts: Mapping[str, Contract],
        tables: Collection[str],
    ) -> None:
        """`command` is named in errors. InputError where no night has run into the warehouse."""
        entries = delta_log.entries(warehouse, tables)
        self.ledger = Ledger("", conf.fingerprint)
        self.ledger.learn(entries)
        self._command, self._warehouse = command, warehouse
        self._conf, self._contracts = conf, contracts
        self._versions = delta_log.committed_versions(warehouse, tables, entries)

    def version(self, table: str) -> int | None:
        """The version in which a table is read; None without a table."""
        return self._versions.get(table)

    def last_snapshot(self, table: str, on: date) -> date | None:
        """The newest committed snapshot of a table that is not after `on`."""
        return self.ledger.slice_at_or_before(table, on)

    def rows(
        self,
        table: str,
        columns: Sequence[str] = (),
        *,
        on: date | None = None,
        window: Window | None = None,
        where: Mapping[str, Collection] | None = None,
        distinct: bool = False,
    ) -> list[dict[str, Any]]:
        """Rows by column, with the types of the contract; in no certain order.

        `columns`: those that are needed; none: all. `where`: a row has one of these values in each
        of these columns. `distinct`: equal rows once. `on`: the snapshot of a day, or a month;
        InputError if it is not committed. `window`: what was delivered on these days, as far as it
        is committed. Without both, all rows. Instants are in UTC. What an older file lacks is None.
        A table of deliveries that no configured source feeds is empty.
        """
        contract, asked = self._contracts[table], dict(where or {})
        for name in (*columns, *asked):
            contract.column(name)
        if on is not None:
            if not self.ledger.is_committed(table, on):
                raise missing(self._command, table, on)
            asked[sliced_by(contract)] = [on]
        if window is not None:
            asked[sliced_by(contract)] = window.days()
        version = self._versions.get(table)
        fed = {table for source in self._conf.sources.values() for table in source.tables}
        if version is None or (contract.layer == "ods" and table not in fed):
            return []
        return delta_log.rows(
            self._warehouse,
            table,
            version,
            columns or contract.column_names,
            asked,
            distinct=distinct,
        )
