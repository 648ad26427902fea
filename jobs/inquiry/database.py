"""Versions of tables in DuckDB, which reads their files without Java."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from jobs.warehouse import delta_log
from schemas.contract import Contract
from schemas.contract.column import Column
from schemas.errors import ConfigError, InputError
from schemas.render import database

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# Nothing is fetched from a network, and instants are in UTC whatever the machine says.
OPTIONS = {"autoinstall_known_extensions": "false", "autoload_known_extensions": "false"}


@dataclass(frozen=True)
class Part:
    """What is read of a table: a version (None: the newest), all of it or one slice."""

    warehouse: str
    contract: Contract
    version: int | None = None
    slice: date | None = None

    @property
    def shown(self) -> str:
        """The part in messages."""
        words = [self.warehouse]
        words += [f"version {self.version}"] if self.version is not None else []
        words += [f"slice {self.slice}"] if self.slice is not None else []
        return ", ".join(words)


def connected(path: str = ":memory:") -> DuckDBPyConnection:
    """A database of DuckDB."""
    import duckdb

    database_ = duckdb.connect(path, config=dict(OPTIONS))
    database_.execute("SET TimeZone = 'UTC'")
    return database_


def require_local(warehouse: str) -> None:
    """ConfigError for an object store, whose files DuckDB would need an extension for."""
    if "://" in warehouse:
        raise ConfigError(
            f"--warehouse: {warehouse} is no folder of this machine: copy the tables that are "
            "needed here, with their _delta_log"
        )


def columns_there(part: Part) -> tuple[str, ...]:
    """The columns of the table in the version; InputError if there is no such table."""
    stored = delta_log.stored(part.warehouse, part.contract.table, part.version)
    if stored is None:
        raise InputError(
            f"{part.contract.table}: {part.warehouse} holds no such table: run the night that "
            "writes it, or give another --warehouse"
        )
    return tuple(one.name for one in stored.columns)


def select(part: Part, columns: Sequence[Column] = ()) -> str:
    """The query for the rows of a part, by default with all columns of the contract.

    InputError where the table or files of the version are gone.
    """
    contract = part.contract
    there = columns_there(part)
    files = delta_log.files(part.warehouse, contract, part.version) or []
    folder = Path(part.warehouse, *contract.table.split(".")).resolve()
    paths = sorted(
        str(folder / one.path) for one in files if part.slice is None or one.slice == part.slice
    )
    gone = next((path for path in paths if not Path(path).exists()), None)
    if gone is not None:
        raise InputError(
            f"{contract.table}: files of {part.shown} are deleted (maintenance keeps replaced "
            "files for vacuum_hours): take a newer version"
        )
    return database.rows_sql(contract, columns or contract.columns, paths, there)
