"""The run ledger and the histories of tables read without Spark: at once, and during a night."""
from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from jobs.ledger import Entry
from schemas.errors import InputError


@dataclass(frozen=True)
class Commit:
    """One version of a table. `note` is the id of the run that made it; empty where none did."""

    version: int
    operation: str
    note: str


def entries(warehouse: str) -> list[Entry]:
    """The rows of the ledger in the order in which they were noted.

    InputError where no night has run into the warehouse yet.
    """
    table = _opened(warehouse, "ops.run_ledger")
    if table is None:
        raise InputError(f"{warehouse} holds no ledger: run a night into it first, or give "
                         "another --warehouse")
    rows = sorted(table.to_pyarrow_table().to_pylist(), key=lambda row: row["committed_at"])
    return [Entry(**{**row, "source": row["source"] or ""}) for row in rows]


def history(warehouse: str, table: str) -> list[Commit]:
    """The commits of a table that its log still holds, the newest first; none without a table."""
    opened = _opened(warehouse, table)
    if opened is None:
        return []
    return [Commit(int(one["version"]), one["operation"], one.get("userMetadata") or "")
            for one in opened.history()]


def _opened(warehouse: str, table: str):
    from deltalake import DeltaTable
    from deltalake.exceptions import TableNotFoundError

    root = warehouse.rstrip("/") if "://" in warehouse else str(Path(warehouse).resolve())
    try:
        return DeltaTable(f"{root}/{table.replace('.', '/')}")
    except TableNotFoundError:
        return None
