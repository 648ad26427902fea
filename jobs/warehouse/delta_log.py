"""The ledger, histories, files and rows of tables, read without Spark: at once, also at night.

Spark writes the tables. One kind of row is appended here: what a person decides and a command
records at once (`append`).
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import reduce
from operator import and_
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jobs.warehouse.ledger import COMMITTED, Entry
from schemas.contract import Contract
from schemas.errors import ChudianError, InputError
from schemas.render import migration
from schemas.render.migration import Stored

if TYPE_CHECKING:
    from deltalake import DeltaTable
    from pyarrow.fs import FileSystem

# The note of a commit that no step of a night made: one of these, and the id of the run.
UNDO = "undo of "  # puts a table back to what it was before that run
EXPIRY = "expiry by "  # deletes what is too old
ERASURE = "erasure by "  # erases a customer
MIGRATION = "migration by "  # lets the table follow its contract; its rows say what they said
TIDYING = ("OPTIMIZE", "VACUUM START", "VACUUM END")  # operations that change no row


@dataclass(frozen=True)
class Commit:
    """One version of a table. `note`: the id of the run that wrote it, or a note as above."""

    version: int
    operation: str
    note: str

    @property
    def by_a_run(self) -> bool:
        """Whether a run or a repair has written rows."""
        kept = (UNDO, EXPIRY, ERASURE)
        return bool(self.note) and self.operation not in TIDYING and not self.note.startswith(kept)


@dataclass(frozen=True)
class DataFile:
    """A file that is part of a table. `slice` is None in an append-only table.

    `path`: below the table's folder.
    """

    slice: date | None
    rows: int
    bytes: int
    path: str


def entries(warehouse: str, tables: Collection[str] | None = None) -> list[Entry]:
    """The rows of the ledger in the order in which they were recorded.

    `tables`: only the rows about these. InputError where no night has run into the warehouse yet.
    """
    table = require_ledger(warehouse)
    about = None if tables is None else [("table", "in", sorted(tables))]
    files = _files(warehouse, "ops.run_ledger")
    rows = sorted(
        table.to_pyarrow_table(filesystem=files, filters=about).to_pylist(),
        key=lambda row: row["committed_at"],
    )
    return [Entry.of_row(row) for row in rows]


def require_ledger(warehouse: str) -> DeltaTable:
    """The ledger; InputError where no night has run into the warehouse yet."""
    table = _opened(warehouse, "ops.run_ledger")
    if table is None:
        raise InputError(
            f"{warehouse} holds no ledger: run a night into it first, or give another --warehouse"
        )
    return table


def stored(warehouse: str, table: str, version: int | None = None) -> Stored | None:
    """The table in a version, by default the newest: columns, partitions, properties.

    None without a table.
    """
    opened = _opened(warehouse, table, version)
    if opened is None:
        return None
    noted = opened.metadata()
    return migration.stored(
        json.loads(opened.schema().to_json()),
        noted.partition_columns,
        noted.configuration,
        noted.description,
    )


def history(warehouse: str, table: str) -> list[Commit]:
    """The commits that a table's log still holds, the newest first; empty without a table."""
    opened = _opened(warehouse, table)
    if opened is None:
        return []
    return [
        Commit(int(one["version"]), one["operation"], one.get("userMetadata") or "")
        for one in opened.history()
    ]


def committed_versions(
    warehouse: str, tables: Iterable[str], entries: Iterable[Entry]
) -> dict[str, int]:
    """By table the version that a reader beside a run may read; only tables that are there.

    It is the newest one but for writes that no row of the ledger names: the run under way has not
    recorded them yet. `entries`: all rows of the ledger about these tables. Of an `ops` table it is
    the newest one: commands append to them too, and the ledger does not name its own writes.
    """
    recorded: dict[str, int] = {}
    for entry in entries:
        if entry.state == COMMITTED and entry.output_version is not None:
            recorded[entry.table] = max(entry.output_version, recorded.get(entry.table, 0))
    histories = {table: history(warehouse, table) for table in tables}
    return {
        table: commits[0].version
        if table.startswith("ops.")
        else newest_recorded(commits, recorded.get(table, 0))
        for table, commits in histories.items()
        if commits
    }


def newest_recorded(commits: Sequence[Commit], recorded: int) -> int:
    """The newest version before the writes of runs that lie after `recorded`.

    `commits`: of the table, the newest first. An undo, an expiry, an erasure and a tidying stay.
    """
    for commit in commits:
        if commit.version <= recorded or not commit.by_a_run:
            return commit.version
    return commits[-1].version


def rows(
    warehouse: str,
    table: str,
    version: int | None,
    columns: Sequence[str],
    where: Mapping[str, Collection],
    *,
    distinct: bool = False,
) -> list[dict[str, Any]]:
    """Some columns of the rows that have one of the given values in each column of `where`.

    In no certain order. `distinct`: equal rows once; their columns are not nested. Instants are in
    UTC; a column that the version lacks is None. `version` None: the newest. Files are left out by
    the partitions and the limits that the log knows.
    """
    from pyarrow import array, dataset

    opened = _opened(warehouse, table, version)
    if opened is None:
        return []
    partitions = [
        (name, "in", [str(value) for value in where[name]])
        for name in opened.metadata().partition_columns
        if where.get(name)
    ]
    found = opened.to_pyarrow_dataset(
        filesystem=_files(warehouse, table), file_pruning_predicate=partitions or None
    )
    there = set(found.schema.names)
    if not there.issuperset(where):
        return []
    asked = [
        dataset.field(name).isin(array(list(values), found.schema.field(name).type))
        for name, values in where.items()
    ]
    condition = reduce(and_, asked) if asked else None
    if set(where) - set(opened.metadata().partition_columns):
        # Few files hold what is asked for; only those are read in all their columns.
        some = [
            one
            for one in found.get_fragments(condition)
            if one.scanner(found.schema, filter=condition).count_rows()
        ]
        found = dataset.FileSystemDataset(some, found.schema, found.format, found.filesystem)
    read = found.to_table(columns=[name for name in columns if name in there], filter=condition)
    if distinct:
        read = read.group_by(read.column_names).aggregate([])
    return [{name: row.get(name) for name in columns} for row in read.to_pylist()]


def append(
    warehouse: str, contract: Contract, rows: Sequence[Mapping[str, Any]], note: str
) -> None:
    """Add a few rows to an append-only table; its history keeps `note`.

    The caller holds the lock of the warehouse (jobs.runtime.lock.run_of). InputError where no night
    has made the table yet. The CHECKs of the table hold here too; a row that breaks one is a
    ChudianError without its values.
    """
    from deltalake import CommitProperties, write_deltalake
    from deltalake.exceptions import DeltaError
    from pyarrow import Table

    opened = _opened(warehouse, contract.table)
    if opened is None:
        raise InputError(
            f"{warehouse} holds no {contract.table}: run a night into it first, which makes it"
        )
    files = _files(warehouse, contract.table)
    schema = opened.to_pyarrow_dataset(filesystem=files).schema
    noted = CommitProperties(custom_metadata={"userMetadata": note})
    try:
        write_deltalake(
            opened, Table.from_pylist(list(rows), schema), mode="append", commit_properties=noted
        )
    except DeltaError:
        raise ChudianError(
            f"{contract.table}: a row breaks a limit of its contract, so nothing is written"
        ) from None


def instants(warehouse: str, contract: Contract) -> list[datetime]:
    """When each row of an append-only table was written; empty without a table."""
    opened = _opened(warehouse, contract.table)
    if opened is None:
        return []
    column = contract.aged_by or ""
    rows = opened.to_pyarrow_table(columns=[column], filesystem=_files(warehouse, contract.table))
    return rows.column(column).to_pylist()


def files(warehouse: str, contract: Contract, version: int | None = None) -> list[DataFile] | None:
    """The files of a table in a version, by default the newest; None without a table."""
    opened = _opened(warehouse, contract.table, version)
    if opened is None:
        return None
    added = opened.get_add_actions(flatten=True)
    rows, sizes, paths = (
        added.column(name).to_pylist() for name in ("num_records", "size_bytes", "path")
    )
    slices = (
        added.column(f"partition.{contract.slice}").to_pylist()
        if contract.slice
        else [None] * len(rows)
    )
    return [DataFile(*one) for one in zip(slices, rows, sizes, paths, strict=True)]


def rows_without(
    warehouse: str, contract: Contract, days: Collection[date], column: str, values: Sequence[str]
) -> dict[date, int]:
    """By day the rows of the slice of that day whose `column` has none of the `values`.

    Only days with such rows.
    """
    from pyarrow import dataset

    opened = _opened(warehouse, contract.table)
    if opened is None or not days:
        return {}
    slice_ = str(contract.slice)
    found = opened.to_pyarrow_dataset(
        filesystem=_files(warehouse, contract.table),
        file_pruning_predicate=[(slice_, "in", [str(day) for day in days])],
    )
    others = ~dataset.field(column).isin(list(values))
    counts = {
        day: found.count_rows(filter=(dataset.field(slice_) == day) & others)
        for day in sorted(days)
    }
    return {day: rows for day, rows in counts.items() if rows}


def newest_version(warehouse: str, table: str) -> int | None:
    """The newest version of a table in a local folder; None without a table."""
    log = Path(warehouse, *table.split("."), "_delta_log")
    names = os.listdir(log) if log.is_dir() else []
    return max((int(name[:-5]) for name in names if name.endswith(".json")), default=None)


def replaced_files(warehouse: str, table: str, hours: int) -> int:
    """How many files in the table's folder ceased to be part of it at least `hours` ago."""
    opened = _opened(warehouse, table)
    if opened is None:
        return 0
    return len(opened.vacuum(retention_hours=hours, dry_run=True, full=True))


def _files(warehouse: str, table: str) -> FileSystem | None:
    """Arrow's own file system for a local folder.

    That of delta-rs calls back into Python, which now and then aborts a process that ends soon
    after.
    """
    if "://" in warehouse:
        return None
    from pyarrow.fs import LocalFileSystem, SubTreeFileSystem

    return SubTreeFileSystem(str(Path(warehouse, *table.split(".")).resolve()), LocalFileSystem())


def _opened(warehouse: str, table: str, version: int | None = None) -> DeltaTable | None:
    from deltalake import DeltaTable
    from deltalake.exceptions import DeltaError, TableNotFoundError

    root = warehouse.rstrip("/") if "://" in warehouse else str(Path(warehouse).resolve())
    try:
        return DeltaTable(f"{root}/{table.replace('.', '/')}", version)
    except TableNotFoundError:
        return None
    except DeltaError:
        if version is None:
            raise
        raise InputError(
            f"{table}: {warehouse} has no version {version} of it: its newest one is "
            f"{newest_version(warehouse, table)}, and old ones are not kept for ever"
        ) from None
