"""The rows of `ops.run_ledger` read without Spark: at once, and while a night is running."""
from __future__ import annotations

from datetime import date
from pathlib import Path

from jobs.ledger import Entry
from schemas.errors import InputError


def entries(warehouse: str, since: date | None = None) -> list[Entry]:
    """The rows of the ledger in the order in which they were noted, of runs since a day (UTC).

    InputError where no night has run into the warehouse yet.
    """
    from deltalake import DeltaTable
    from deltalake.exceptions import TableNotFoundError

    root = warehouse.rstrip("/") if "://" in warehouse else str(Path(warehouse).resolve())
    try:
        table = DeltaTable(f"{root}/ops/run_ledger")
    except TableNotFoundError:
        raise InputError(f"{warehouse} holds no ledger: run a night into it first, or give "
                         "another --warehouse") from None
    rows = table.to_pyarrow_table().to_pylist()
    rows = [row for row in rows if since is None or row["committed_at"].date() >= since]
    return [Entry(**{**row, "source": row["source"] or ""})
            for row in sorted(rows, key=lambda row: row["committed_at"])]
