"""Which slices of a table a run of a window replaces: days of deliveries, snapshots, months."""

from collections.abc import Mapping, Sequence
from datetime import date

from jobs.plan.step import Step, due_days
from schemas.config import Config
from schemas.contract import APPEND_ONLY, Contract
from schemas.errors import ChudianError
from schemas.window import Window, closed_months


def rated_months(conf: Config, window: Window) -> list[date]:
    """The closed months that a run of the window re-rates, oldest first (S2-07)."""
    return closed_months(window.last, conf.policy.rating.months, conf.policy.month_close.day)


def slices(conf: Config, table: Contract, window: Window, source: str | None = None) -> list[str]:
    """The slices of a table that a run of the window replaces (for a delivery: of its source)."""
    if source is not None:
        return [str(day) for day in due_days(conf, source, window)]
    if table.slice == "batch_date":
        return [str(day) for day in window.days()]
    if table.slice == "data_date":
        return [str(window.last)]
    if table.slice == "month":
        return [str(month) for month in rated_months(conf, window)]
    return [APPEND_ONLY]


def slices_of(
    conf: Config, contracts: Mapping[str, Contract], step: Step, window: Window
) -> list[tuple[str, str, str]]:
    """(table, source, slice) of all that a step writes in a run of a window."""
    return [
        (table, step.source or "", slice_)
        for table in step.writes
        for slice_ in slices(conf, contracts[table], window, step.source)
    ]


def slices_where(contract: Contract, window: Window, slices: Sequence[str], source: str) -> str:
    """The condition on the rows that a run of the window replaces in these `slices`.

    `source`: only the deliveries of this source; empty: of all.
    """
    if contract.slice == "batch_date":
        of_source = f" AND source = '{source}'" if source else ""
        return between("batch_date", window) + of_source
    if contract.slice == "data_date":
        return f"data_date = '{window.last}'"
    return "month IN ({})".format(", ".join(f"'{month}'" for month in slices))


def sliced_by(contract: Contract) -> str:
    """The column by which a table is cut into slices; ChudianError for an append-only table."""
    if contract.slice is None:
        raise ChudianError(
            f"{contract.table} is only appended to: no slice of it can be read or replaced"
        )
    return contract.slice


def between(column: str, window: Window) -> str:
    """The condition that a day lies in the window."""
    return f"{column} >= '{window.first}' AND {column} <= '{window.last}'"
