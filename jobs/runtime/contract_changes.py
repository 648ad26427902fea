"""Contracts that have changed since their tables were made, compared before Spark starts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date

from jobs.plan.night import night
from jobs.plan.step import OPS
from jobs.warehouse import delta_log
from jobs.warehouse.ledger import Ledger
from jobs.warehouse.ledger_summary import known_ledger
from schemas.config import Config
from schemas.contract import Contract
from schemas.errors import ConfigError
from schemas.render import delta, migration

LEDGER = "ops.run_ledger"


def require_fit(
    warehouse: str, conf: Config, contracts: Mapping[str, Contract], tables: Iterable[str]
) -> dict[str, str]:
    """By table that will follow its contract, what changes in it; reads these and those of `ops`.

    ConfigError for a table that cannot follow: each difference, and what helps. Tables of an object
    store are compared when they are opened.
    """
    if "://" in warehouse:
        return {}
    require_currency(warehouse, contracts)
    changes, lines = {}, []
    for table in dict.fromkeys((*OPS, *tables)):
        there = delta_log.stored(warehouse, table)
        if there is None:
            continue
        plan = migration.migration(contracts[table], there)
        if plan.refused:
            lines += [migration.refusal(table, plan), _help(warehouse, conf, contracts[table])]
        elif plan.changes:
            changes[table] = "; ".join(plan.changes)
    if lines:
        raise ConfigError("\n".join(lines))
    return changes


def require_currency(warehouse: str, contracts: Mapping[str, Contract]) -> None:
    """ConfigError where the amounts of a warehouse are in another currency than the contracts'.

    Every table says it. A ledger is there from the first run on.
    """
    there = None if "://" in warehouse else delta_log.stored(warehouse, LEDGER)
    wanted = contracts[LEDGER].currency.code
    if there is not None and (had := delta.currency_of(there.properties)) != wanted:
        raise ConfigError(
            f"{warehouse}: its amounts are in {had}, runtime.yml says {wanted}: give another "
            f"--warehouse, or write currency: {had}"
        )


def _help(warehouse: str, conf: Config, contract: Contract) -> str:
    """What to do about a table that cannot follow its contract."""
    back = f"  put the contract of {contract.table} back as it was"
    steps = [step.name for step in night(conf) if contract.table in step.writes]
    if contract.slice is None or not steps:
        return f"{back}: no run can write the rows again that are in the table"
    command = _command(known_ledger(warehouse, conf), contract, steps)
    folder = f"{warehouse.rstrip('/')}/{contract.table.replace('.', '/')}"
    return f"{back}, or move {folder} away and run: {command}"


def _command(ledger: Ledger, contract: Contract, steps: Iterable[str]) -> str:
    """The run that writes the slices again which the ledger knows; of snapshots the last one."""
    days = sorted(
        date.fromisoformat(slice_)
        for (table, _), slices in ledger.committed.items()
        if table == contract.table
        for slice_ in slices
    )
    last = max(
        (
            date.fromisoformat(slice_)
            for (table, source), slices in ledger.committed.items()
            if source
            for slice_ in slices
        ),
        default=None,
    )
    only = f"--only {','.join(steps)}"
    if not days:
        return "the next night"
    if contract.slice == "data_date":
        return f"python -m jobs.night --data-date {days[-1]} {only}"
    end = last if contract.slice == "month" and last is not None else days[-1]
    if days[0] == end:
        return f"python -m jobs.night --data-date {end} {only}"
    return f"python -m jobs.night --from-date {days[0]} --to-date {end} {only}"
