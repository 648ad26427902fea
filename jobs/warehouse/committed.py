"""Whether the tables that a step reads are committed for its window."""

from __future__ import annotations

from datetime import date

from jobs.plan.slices import slices
from jobs.plan.step import due_days
from jobs.warehouse.ledger import Ledger
from schemas.config import Config
from schemas.contract import Contract
from schemas.errors import InputError
from schemas.window import Window


def require(ledger: Ledger, conf: Config, contract: Contract, step: str, window: Window) -> None:
    """InputError for the first slice of the window that is not committed.

    A table of deliveries needs them from each source that feeds it, but for optional sources.
    """
    table = contract.table
    if table.startswith("ops."):
        return
    if not table.startswith("ods."):
        for slice_ in slices(conf, contract, window):
            if not ledger.is_committed(table, slice_):
                raise missing(step, table, slice_)
    for name, source in conf.sources.items():
        if source.record != table or source.optional:
            continue
        for day in due_days(conf, name, window):
            if not ledger.is_committed(table, day, name):
                raise missing(step, f"{table} from {name}", day)


def missing(step: str, table: str, slice_: date | str) -> InputError:
    """The error of a step that reads a slice which is not committed."""
    return InputError(
        f"{step}: {table} is not committed for {slice_}: run the step that writes it "
        "first (python -m jobs.night --list shows which)"
    )
