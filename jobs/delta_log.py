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
    rows = sorted(table.to_pyarrow_table(filesystem=_files(warehouse)).to_pylist(),
                  key=lambda row: row["committed_at"])
    return [Entry.of_row(row) for row in rows]


def history(warehouse: str, table: str) -> list[Commit]:
    """The commits of a table that its log still holds, the newest first; none without a table."""
    opened = _opened(warehouse, table)
    if opened is None:
        return []
    return [Commit(int(one["version"]), one["operation"], one.get("userMetadata") or "")
            for one in opened.history()]


def _files(warehouse: str):
    """Arrow's own files for a local folder.

    Those of delta-rs call back into Python, which now and then aborts a process that ends soon
    after.
    """
    if "://" in warehouse:
        return None
    from pyarrow.fs import LocalFileSystem, SubTreeFileSystem

    return SubTreeFileSystem(str(Path(warehouse, "ops", "run_ledger").resolve()),
                             LocalFileSystem())


def _opened(warehouse: str, table: str):
    from deltalake import DeltaTable
    from deltalake.exceptions import TableNotFoundError

    root = warehouse.rstrip("/") if "://" in warehouse else str(Path(warehouse).resolve())
    try:
        return DeltaTable(f"{root}/{table.replace('.', '/')}")
    except TableNotFoundError:
        return None
