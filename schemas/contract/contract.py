"""Contracts of tables: the only place where grain, columns, types, keys and ranges are written.

A contract is a file `tables/<layer>/<table>.yml`. Everything else about a table is rendered from
it: the Spark schema and row rules (spark.py), the Delta DDL (delta.py), the quality suite
(expectations.py) and the data dictionary (dictionary.py). A contract that does not make sense is
refused before anything runs, every problem with its file and line.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from schemas import document
from schemas.contract import column as columns_module
from schemas.contract.column import Column
from schemas.contract.rule import MAX_RULES, requirements
from schemas.document import Document
from schemas.document.violation import near_miss
from schemas.errors import ConfigError

TABLES = Path(__file__).parents[1] / "tables"
_SHAPE = Path(__file__).parents[1] / "shapes" / "contract.yml"
LAYERS = ("ods", "dw", "mart", "push", "ops")
APPEND_ONLY = "-"  # stands for the slice of a table that is only appended to


@dataclass(frozen=True)
class Contract:
    """One table; fields are the keys of its file.

    `slice` is the column a slice is cut by, or None for a table that is only appended to. `key`
    is unique within the table; where a table keeps snapshots the slice is part of it.
    `retention_days` None: kept for ever. `restricted`: raw or directly identifying content.
    """

    table: str
    name_cn: str
    grain: str
    description: str
    key: tuple[str, ...]
    slice: str | None
    columns: tuple[Column, ...]
    partition_by: tuple[str, ...] = ()
    sort_by: tuple[str, ...] = ()
    retention_days: int | None = None
    restricted: bool = False

    @property
    def layer(self) -> str:
        return self.table.split(".")[0]

    @property
    def name(self) -> str:
        return self.table.split(".")[1]

    @property
    def aged_by(self) -> str | None:
        """The column by which retention counts: the slice, else the instant a row was made."""
        return self.slice or next(
            (
                column.name
                for column in self.columns
                if column.required and column.data_type.name == "timestamp"
            ),
            None,
        )

    @property
    def column_names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    @property
    def version(self) -> str:
        """Twelve hex digits that change whenever anything in the contract does."""
        return hashlib.sha256(repr(self).encode()).hexdigest()[:12]

    def column(self, name: str) -> Column:
        for column in self.columns:
            if column.name == name:
                return column
        raise ConfigError(
            f"{self.table} has no column '{name}'{near_miss(name, self.column_names)}"
        )


@dataclass(frozen=True)
class _Entry:
    """An entry of a column and where it stands: in the table's file or in one it includes."""

    document: Document
    path: tuple[str | int, ...]
    column: Column | None

    def problem(self, key: str, text: str) -> str:
        return self.document.problem((*self.path, key), text)


def load(folder: Path | str = TABLES) -> dict[str, Contract]:
    """Every contract below `folder` by table name, in the order of layers and names.

    Raises ConfigError with one line per problem of any file.
    """
    folder = Path(folder)
    paths = [path for path in sorted(folder.glob("*/*.yml")) if not path.name.startswith("_")]
    if not paths:
        raise ConfigError(f"{document.shown(folder)}: no contract <layer>/<table>.yml below it")
    shape = document.read(_SHAPE).data
    contracts: dict[str, Contract] = {}
    entries: dict[str, list[_Entry]] = {}
    problems: list[str] = []
    for path in sorted(paths, key=lambda one: _order(one.parent.name, one.stem)):
        try:
            contract, entries[f"{path.parent.name}.{path.stem}"] = _read(path, shape)
            contracts[contract.table] = contract
        except ConfigError as error:
            problems += str(error).splitlines()
    if not problems:
        problems += _dangling(contracts, entries)
    if problems:
        raise ConfigError("\n".join(dict.fromkeys(problems)))
    return contracts


def _order(layer: str, name: str) -> tuple[int, str, str]:
    return (LAYERS.index(layer) if layer in LAYERS else len(LAYERS), layer, name)


def _read(path: Path, shape: Mapping[str, Any]) -> tuple[Contract, list[_Entry]]:
    here = document.read(path)
    document.check(here, shape)
    entries, problems = _columns(here)
    for name in here.data.get("include", []):
        included, more = _included(here, name, shape)
        entries, problems = entries + included, problems + more
    problems += [*_repeated(entries), *_names(here, entries)]
    if not problems:
        columns = tuple(entry.column for entry in entries)
        problems += [*_table(here, columns), *_placement(here, columns)]
    if problems:
        raise ConfigError("\n".join(problems))
    data = {
        key: tuple(value) if isinstance(value, list) else value
        for key, value in here.data.items()
        if key != "include"
    }
    data["slice"] = None if data["slice"] == "none" else data["slice"]
    return Contract(**{**data, "columns": columns}), entries


def _included(here: Document, name: str, shape: Mapping) -> tuple[list[_Entry], list[str]]:
    path = here.path.parent / f"_{name}.yml"
    if not path.is_file():
        at = here.data["include"].index(name)
        known = sorted(one.stem[1:] for one in here.path.parent.glob("_*.yml"))
        raise here.error(("include", at), f"no file {path.name} beside it{near_miss(name, known)}")
    other = document.read(path)
    document.check(
        other,
        {
            "type": "object",
            "additionalProperties": False,
            "required": ["columns"],
            "properties": {"columns": shape["properties"]["columns"]},
        },
    )
    return _columns(other)


def _columns(here: Document) -> tuple[list[_Entry], list[str]]:
    entries, problems = [], []
    for position, entry in enumerate(here.data["columns"]):
        column, found = columns_module.read(entry)
        entries.append(_Entry(here, ("columns", position), column))
        problems += [entries[-1].problem(key, f"{entry['name']}: {text}") for key, text in found]
    return entries, problems


def _written(entry: _Entry) -> Mapping[str, Any]:
    return entry.document.data["columns"][entry.path[-1]]


def _repeated(entries: list[_Entry]) -> Iterator[str]:
    first: dict[str, _Entry] = {}
    for entry in entries:
        name = _written(entry)["name"]
        if name in first:
            place = first[name].document.place(first[name].path)
            yield entry.problem("name", f"the column '{name}' stands twice, first at {place}")
        first.setdefault(name, entry)


def _names(here: Document, entries: list[_Entry]) -> Iterator[str]:
    """Names that the table's own keys use and no column has."""
    known = [_written(entry)["name"] for entry in entries]
    if not known:
        yield here.problem(("columns",), "the table has no columns")
    for key in ("key", "partition_by", "sort_by"):
        for position, name in enumerate(here.data.get(key, [])):
            if name not in known:
                yield here.problem((key, position), f"no column '{name}'{near_miss(name, known)}")
    if here.data["slice"] not in [*known, "none"]:
        yield here.problem(
            ("slice",),
            f"no column '{here.data['slice']}'; write the column "
            f"beside it, or none for a table that is only appended to",
        )


def _table(here: Document, columns: tuple[Column, ...]) -> Iterator[str]:
    """Keys of the table that name columns which cannot serve."""
    data, by_name = here.data, {column.name: column for column in columns}
    place = f"{here.path.parent.name}.{here.path.stem}"
    if data["table"] != place:
        yield here.problem(("table",), f"the file is that of {place}; got '{data['table']}'")
    for key in ("key", "partition_by", "sort_by"):
        for position, name in enumerate(data.get(key, [])):
            kind = by_name[name].data_type
            if kind.is_nested:
                yield here.problem(
                    (key, position), f"'{name}' is of type {kind}, which has no order"
                )
            elif key == "partition_by" and not by_name[name].required:
                yield here.problem(
                    (key, position), f"'{name}' is not required: a partition needs a value"
                )
            elif key == "sort_by" and name in data.get("partition_by", []):
                yield here.problem((key, position), f"'{name}' is the same throughout a partition")
    count = len(requirements(columns)) + sum(isinstance(one.allowed, str) for one in columns)
    if count > MAX_RULES:
        yield here.problem(
            ("columns",),
            f"{count} row rules; at most {MAX_RULES} fit the verdict of a row: split the table",
        )


def _placement(here: Document, columns: tuple[Column, ...]) -> Iterator[str]:
    """A slice is replaced alone: it is a date, a partition, and in the key of a snapshot."""
    name = here.data["slice"]
    if name == "none":
        if here.data["retention_days"] is not None and not any(
            one.required and one.data_type.name == "timestamp" for one in columns
        ):
            yield here.problem(
                ("retention_days",),
                "no row has an age: write a required column of "
                "type timestamp, or null: kept for ever",
            )
        return
    kind = next(column.data_type for column in columns if column.name == name)
    if kind.name != "date":
        yield here.problem(("slice",), f"'{name}' is of type {kind}; a slice is cut by a date")
    if name not in here.data.get("partition_by", []):
        yield here.problem(
            ("slice",),
            f"'{name}' is not in partition_by: replacing a slice would rewrite its neighbours",
        )
    if name != "batch_date" and name not in here.data["key"]:
        yield here.problem(("key",), f"'{name}' is missing: each slice is a snapshot of its own")


def _dangling(
    contracts: Mapping[str, Contract], entries: Mapping[str, list[_Entry]]
) -> Iterator[str]:
    """References to a table or column that does not exist, or that has another type."""
    known = {
        f"{table}.{column.name}": column.type
        for table, contract in contracts.items()
        for column in contract.columns
    }
    for entry in (entry for table in contracts for entry in entries[table]):
        column = entry.column
        if column.references is None:
            continue
        if column.references not in known:
            yield entry.problem(
                "references",
                f"{column.name}: no column '{column.references}'"
                f"{near_miss(column.references, known)}",
            )
        elif known[column.references] != column.type:
            yield entry.problem(
                "references",
                f"{column.name}: {column.references} is of type "
                f"{known[column.references]}, not {column.type}",
            )
