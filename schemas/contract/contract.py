"""Contracts of tables: the only place that defines grain, columns, types, keys and ranges.

A contract is a file `tables/<layer>/<domain>/<table>.yml`, or `tables/<layer>/<table>.yml` in a
layer without domains. Everything else about a table is rendered from it (`schemas.render`):
the Spark schema and row rules, the Delta DDL, the quality suite and the data dictionary.
A contract that contradicts itself is refused before anything runs, with file and line.
"""

import hashlib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, NamedTuple

from schemas import document
from schemas.contract import column as columns_module
from schemas.contract import retention
from schemas.contract.column import Column
from schemas.contract.retention import KeptLonger
from schemas.contract.rule import MAX_RULES, requirements
from schemas.currency import YUAN, Currency
from schemas.document import Document, Key
from schemas.document.violation import near_miss
from schemas.errors import ConfigError

# Resources and not paths: the package may be read from an archive (--py-files).
TABLES = resources.files("schemas") / "tables"
_SHAPE = resources.files("schemas") / "shapes" / "contract.yml"
LAYERS = ("ods", "dw", "mart", "push", "ops")
APPEND_ONLY = "-"  # the slice value of a table that is only appended to


@dataclass(frozen=True)
class Contract:
    """One table; the fields are the keys of its file.

    `slice` is the column that cuts the table into slices; None: the table is only appended to.
    `key` is unique; of snapshots it includes the slice. Records that arrive in parts may share it.
    `key_without`: optional column of the key → the columns that take its place in the records of a
    source that does not deliver it.
    `retention_days` None: rows are kept forever. `kept_longer`: some rows stay after that.
    `restricted`: raw or directly identifying content.
    `kept_by_erasure`: rows of an erased customer stay. `empty_is_usual`: a snapshot without rows is
    no cause for a warning. `domain`: folder below the layer, or empty.
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
    domain: str = field(default="", repr=False)
    currency: Currency = field(default=YUAN, repr=False)
    key_without: Mapping[str, tuple[str, ...]] = field(default_factory=dict, repr=False)
    kept_by_erasure: bool = field(default=False, repr=False)
    empty_is_usual: bool = field(default=False, repr=False)
    kept_longer: KeptLonger | None = field(default=None, repr=False)

    @property
    def layer(self) -> str:
        return self.table.split(".")[0]

    @property
    def name(self) -> str:
        return self.table.split(".")[1]

    @property
    def aged_by(self) -> str | None:
        """The column that retention counts from: the slice, else the first required instant."""
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
        """Twelve hex digits that change when anything in the contract changes, texts included."""
        more = "".join(repr(one) for one in (self.key_without, self.kept_longer) if one)
        return hashlib.sha256(f"{self!r}{more}".encode()).hexdigest()[:12]

    def key_of(self, delivered: Collection[str]) -> tuple[str, ...]:
        """The key of the records of a source that delivers these columns."""
        found: list[str] = []
        for name in self.key:
            found += [name] if name in delivered else self.key_without.get(name, (name,))
        return tuple(dict.fromkeys(found))

    def column(self, name: str) -> Column:
        """The column of this name; ConfigError if the table has none."""
        for column in self.columns:
            if column.name == name:
                return column
        hint = near_miss(name, self.column_names)
        raise ConfigError(f"{self.table} has no column '{name}'{hint}")


class _ContractFile(NamedTuple):
    """A contract's file and what its place in the folder of contracts says."""

    file: Traversable
    layer_folder: Traversable
    domain: str

    @property
    def layer(self) -> str:
        return self.layer_folder.name

    @property
    def name(self) -> str:
        return self.file.name.removesuffix(".yml")

    @property
    def table(self) -> str:
        return f"{self.layer}.{self.name}"


@dataclass(frozen=True)
class _Entry:
    """The entry of a column and its place: in the table's file or in an included one."""

    document: Document
    path: Key
    column: Column | None

    @property
    def written(self) -> Mapping[str, Any]:
        """The entry as the file has it."""
        found: Mapping[str, Any] = self.document.data["columns"][self.path[-1]]
        return found

    def problem(self, key: str, text: str) -> str:
        return self.document.problem((*self.path, key), text)


def load(folder: Path | Traversable | str = TABLES) -> dict[str, Contract]:
    """Every contract below `folder` by table name, sorted by layer and name.

    Files whose names begin with `_` hold columns that several contracts include.
    Raises ConfigError with one line per problem of any file.
    """
    files = sorted(_files(Path(folder) if isinstance(folder, str) else folder), key=_order)
    if not files:
        raise ConfigError(
            f"{document.shown(str(folder))}: no contract <layer>/<domain>/<table>.yml below it"
        )
    shape = document.read(_SHAPE).data
    contracts: dict[str, Contract] = {}
    entries: dict[str, list[_Entry]] = {}
    problems = [*_twice(files)]
    for file in files:
        try:
            contract, entries[file.table] = _read(file, shape)
            contracts[contract.table] = contract
        except ConfigError as error:
            problems += str(error).splitlines()
    if not problems:
        problems += _dangling(entries)
    if problems:
        raise ConfigError("\n".join(dict.fromkeys(problems)))
    return contracts


def _files(folder: Traversable) -> Iterator[_ContractFile]:
    """The contracts `<layer>/**/<table>.yml` below the folder."""
    for layer in folder.iterdir() if folder.is_dir() else ():
        if layer.is_dir():
            yield from _files_of(layer, layer, ())


def _files_of(
    layer: Traversable, folder: Traversable, domain: tuple[str, ...]
) -> Iterator[_ContractFile]:
    for one in folder.iterdir():
        if one.is_dir():
            yield from _files_of(layer, one, (*domain, one.name))
        elif one.name.endswith(".yml") and not one.name.startswith("_"):
            yield _ContractFile(one, layer, "/".join(domain))


def _order(file: _ContractFile) -> tuple[int, str, str, str]:
    place = LAYERS.index(file.layer) if file.layer in LAYERS else len(LAYERS)
    return place, file.layer, file.name, file.domain


def _twice(files: list[_ContractFile]) -> Iterator[str]:
    """Files of one name in two domains of a layer: a table has one contract."""
    first: dict[str, _ContractFile] = {}
    for file in files:
        before = first.setdefault(file.table, file)
        if before is not file:
            yield (
                f"{document.shown(str(file.file))}: {file.table} already has the contract "
                f"{document.shown(str(before.file))}: keep one of the two"
            )


def _read(file: _ContractFile, shape: Mapping[str, Any]) -> tuple[Contract, list[_Entry]]:
    here = document.read(file.file)
    document.check(here, shape)
    entries, problems = _columns(here)
    for name in here.data.get("include", []):
        included, more = _included(file, here, name, shape)
        entries, problems = entries + included, problems + more
    problems += [*_repeated(entries), *_names(here, entries)]
    columns = tuple(entry.column for entry in entries if entry.column is not None)
    if not problems:
        problems += [*_table(file, here, columns), *_placement(here, columns)]
        problems += retention.problems(here, columns)
    if problems:
        raise ConfigError("\n".join(problems))
    data: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value
        for key, value in here.data.items()
        if key != "include"
    }
    data["slice"] = None if data["slice"] == "none" else data["slice"]
    data["kept_longer"] = retention.read(here.data)
    without = data.get("key_without", {})
    data["key_without"] = {name: tuple(instead) for name, instead in without.items()}
    return Contract(**{**data, "columns": columns, "domain": file.domain}), entries


def _included(
    file: _ContractFile, here: Document, name: str, shape: Mapping[str, Any]
) -> tuple[list[_Entry], list[str]]:
    """The columns of `_<name>.yml` in the layer's folder."""
    path = file.layer_folder / f"_{name}.yml"
    if not path.is_file():
        at = here.data["include"].index(name)
        names = (one.name for one in file.layer_folder.iterdir())
        known = sorted(one[1:-4] for one in names if one.startswith("_") and one.endswith(".yml"))
        raise here.error(
            ("include", at), f"no file {path.name} in {file.layer}{near_miss(name, known)}"
        )
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
    entries: list[_Entry] = []
    problems: list[str] = []
    for position, written in enumerate(here.data["columns"]):
        column, found = columns_module.read(written)
        entry = _Entry(here, ("columns", position), column)
        entries.append(entry)
        problems += [entry.problem(key, f"{written['name']}: {text}") for key, text in found]
    return entries, problems


def _repeated(entries: list[_Entry]) -> Iterator[str]:
    first: dict[str, _Entry] = {}
    for entry in entries:
        name = entry.written["name"]
        if name in first:
            place = first[name].document.place(first[name].path)
            yield entry.problem("name", f"the column '{name}' is defined twice, first at {place}")
        first.setdefault(name, entry)


def _names(here: Document, entries: list[_Entry]) -> Iterator[str]:
    """Column names in the table's keys that the table does not have."""
    known = [entry.written["name"] for entry in entries]
    if not known:
        yield here.problem(("columns",), "the table has no columns")
    for key in ("key", "partition_by", "sort_by"):
        for position, name in enumerate(here.data.get(key, [])):
            if name not in known:
                yield here.problem((key, position), f"no column '{name}'{near_miss(name, known)}")
    for name, instead in here.data.get("key_without", {}).items():
        path = ("key_without", name)
        if name not in here.data["key"]:
            yield here.problem(path, f"the key has no '{name}'{near_miss(name, here.data['key'])}")
        for other in (one for one in instead if one not in known):
            yield here.problem(path, f"no column '{other}'{near_miss(other, known)}")
    if here.data["slice"] not in [*known, "none"]:
        yield here.problem(
            ("slice",),
            f"no column '{here.data['slice']}': add the column, "
            f"or write none for a table that is only appended to",
        )


def _table(file: _ContractFile, here: Document, columns: tuple[Column, ...]) -> Iterator[str]:
    """A name that is not the file's, key columns that cannot serve as such, too many rules."""
    data, by_name = here.data, {column.name: column for column in columns}
    if data["table"] != file.table:
        yield here.problem(
            ("table",),
            f"expected '{file.table}', from the file's layer and name; got '{data['table']}'",
        )
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
                yield here.problem(
                    (key, position),
                    f"'{name}' is a partition column, constant within a partition: leave it out",
                )
    count = len(requirements(columns)) + sum(isinstance(one.allowed, str) for one in columns)
    if count > MAX_RULES:
        yield here.problem(
            ("columns",),
            f"{count} row rules; the verdict of a row holds at most {MAX_RULES}: split the table",
        )


def _placement(here: Document, columns: tuple[Column, ...]) -> Iterator[str]:
    """Each slice can be replaced alone: it is a date, a partition and in a snapshot's key."""
    name = here.data["slice"]
    if name == "none":
        return
    kind = next(column.data_type for column in columns if column.name == name)
    if kind.name != "date":
        yield here.problem(("slice",), f"'{name}' is of type {kind}; a slice column is a date")
    if name not in here.data.get("partition_by", []):
        yield here.problem(
            ("slice",),
            f"'{name}' is not in partition_by: replacing a slice would rewrite other slices",
        )
    if name != "batch_date" and name not in here.data["key"]:
        yield here.problem(("key",), f"'{name}' is missing: each slice is a separate snapshot")


def _dangling(entries: Mapping[str, list[_Entry]]) -> Iterator[str]:
    """References to a column that does not exist or that has another type."""
    known = {
        f"{table}.{entry.column.name}": entry.column.type
        for table, several in entries.items()
        for entry in several
        if entry.column is not None
    }
    for entry in (entry for several in entries.values() for entry in several):
        column = entry.column
        if column is None or column.references is None:
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
