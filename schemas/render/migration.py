"""What has to change in a table whose contract has changed, or why it cannot follow.

Pure functions over a contract and what the table's log says of it: schema, partitions, properties.
Tables stay at reader version 1, so no column changes its type or its name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from schemas.contract import Contract
from schemas.contract.column_type import ColumnType
from schemas.contract.rule import quoted_name, quoted_text
from schemas.render import delta

_NAMES = {"short": "smallint", "integer": "int", "long": "bigint"}
_CHECK = "delta.constraints."
_SPACES = re.compile(r"('(?:\\.|[^'\\])*'|`[^`]*`)|\s+", re.DOTALL)


@dataclass(frozen=True)
class StoredColumn:
    """A column of a table as it is now."""

    name: str
    kind: ColumnType
    required: bool
    comment: str


@dataclass(frozen=True)
class Stored:
    """A table as it is now. `comment`: what it is, in words."""

    columns: tuple[StoredColumn, ...]
    partition_by: tuple[str, ...]
    properties: Mapping[str, str]
    comment: str


@dataclass(frozen=True)
class Migration:
    """How a table follows its contract.

    `refused`: differences that it cannot follow, one line each
    `changes`: what is changed, in words; empty: nothing differs
    `checks`: by name the new predicates that the rows which are there must satisfy
    `statements`: parts of ALTER TABLE, in their order
    """

    refused: tuple[str, ...] = ()
    changes: tuple[str, ...] = ()
    checks: Mapping[str, str] = field(default_factory=dict)
    statements: tuple[str, ...] = ()


def stored(
    schema: Mapping[str, Any],
    partition_by: Sequence[str],
    properties: Mapping[str, str],
    comment: str | None,
) -> Stored:
    """A table of the parsed schema of its Delta log."""
    columns = []
    for one in schema["fields"]:
        words = (one.get("metadata") or {}).get("comment", "")
        columns.append(StoredColumn(one["name"], _kind(one["type"]), not one["nullable"], words))
    return Stored(tuple(columns), tuple(partition_by), dict(properties), comment or "")


def _kind(written: Any) -> ColumnType:
    """The type that a Delta schema writes; one that no contract knows keeps its name."""
    if isinstance(written, str):
        if written.startswith("decimal("):
            precision, scale = written[len("decimal(") : -1].split(",")
            return ColumnType("decimal", int(precision), int(scale))
        return ColumnType(_NAMES.get(written, written))
    if written["type"] == "array":
        return ColumnType("array", element=_kind(written["elementType"]))
    if written["type"] == "struct":
        fields = tuple((one["name"], _kind(one["type"])) for one in written["fields"])
        return ColumnType("struct", fields=fields)
    return ColumnType(written["type"])


def migration(contract: Contract, there: Stored) -> Migration:
    """How the table follows the contract; all that is refused is told at once."""
    refused = (*_refused_columns(contract, there), *_refused_keys(contract, there))
    if refused:
        return Migration(refused=refused)
    before = {column.name: column for column in there.columns}
    checks = _new_checks(contract, there)
    altered = list(_altered(contract, there, checks))
    return Migration(
        changes=tuple(words for words, _ in altered if words),
        checks={
            name: predicate for name, (column, predicate) in checks.items() if column in before
        },
        statements=tuple(statement for _, statement in altered),
    )


def _refused_columns(contract: Contract, there: Stored) -> Iterator[str]:
    before = {column.name: column for column in there.columns}
    for column in there.columns:
        if column.name not in contract.column_names:
            yield f"column '{column.name}': the table has it ({column.kind}), the contract does not"
    for new in contract.columns:
        old = before.get(new.name)
        if old is None:
            if new.required:
                yield (
                    f"column '{new.name}': the table lacks it, the contract requires a value in "
                    "every row; a new column must be optional"
                )
        elif old.kind != new.data_type:
            yield f"column '{new.name}': the table has {old.kind}, the contract says {new.type}"
        elif new.required and not old.required:
            yield (
                f"column '{new.name}': the table allows a missing value, the contract requires one"
            )


def _refused_keys(contract: Contract, there: Stored) -> Iterator[str]:
    if there.partition_by != contract.partition_by:
        yield (
            f"partition_by: the table has {_listed(there.partition_by)}, "
            f"the contract says {_listed(contract.partition_by)}"
        )
    for name, wanted in delta.identity(contract).items():
        had = there.properties.get(name, wanted)
        if had != wanted:
            key = name.removeprefix("chudian.")
            yield f"{key}: the table has {had}, the contract says {wanted}"
    had, wanted = delta.currency_of(there.properties), contract.currency.code
    if had != wanted:
        yield f"currency: the table has {had}, runtime.yml says {wanted}"


def _listed(names: Sequence[str]) -> str:
    return ",".join(names) or "none"


def _new_checks(contract: Contract, there: Stored) -> dict[str, tuple[str, str]]:
    """By name the column and predicate of each CHECK that the table does not have as it is."""
    return {
        name: (column, predicate)
        for name, (column, predicate) in delta.checks_by_column(contract).items()
        if _unspaced(there.properties.get(_CHECK + name, "")) != _unspaced(predicate)
    }


def _unspaced(predicate: str) -> str:
    """The predicate without spaces outside quotes: ADD CONSTRAINT writes them in its own way."""
    return _SPACES.sub(lambda found: found[1] or "", predicate)


def _altered(
    contract: Contract, there: Stored, checks: Mapping[str, tuple[str, str]]
) -> Iterator[tuple[str, str]]:
    """Each change in words, and the part of ALTER TABLE that makes it."""
    before = {column.name: column for column in there.columns}
    previous = ""
    for column in contract.columns:
        place = f"AFTER {quoted_name(previous)}" if previous else "FIRST"
        previous, name, old = column.name, quoted_name(column.name), before.get(column.name)
        comment = f"COMMENT {quoted_text(column.name_cn)}"
        if old is None:
            yield f"{column.name} added", f"ADD COLUMNS ({name} {column.type} {comment} {place})"
            continue
        if old.required and not column.required:
            yield f"{column.name} may be missing", f"ALTER COLUMN {name} DROP NOT NULL"
        if old.comment != column.name_cn:
            yield f"{column.name} described anew", f"ALTER COLUMN {name} {comment}"
    wanted = delta.checks_by_column(contract)
    for found in sorted(there.properties):
        check = found.removeprefix(_CHECK)
        if check != found and (check in checks or check not in wanted):
            words = f"{check} dropped" if check not in wanted else f"{check} changed"
            yield words, f"DROP CONSTRAINT IF EXISTS {quoted_name(check)}"
    for check, (_, predicate) in checks.items():
        words = "" if _CHECK + check in there.properties else f"{check} added"
        yield words, f"ADD CONSTRAINT {quoted_name(check)} CHECK ({predicate})"
    yield from _altered_properties(contract, there)


def _altered_properties(contract: Contract, there: Stored) -> Iterator[tuple[str, str]]:
    """The properties; the contract's version comes last, because it says that all is done."""
    wanted = {
        name: text
        for name, text in delta.properties(contract).items()
        if not name.startswith((_CHECK, "delta.min"))
    }
    comment = delta.comment(contract)
    if there.comment != comment:
        yield "table described anew", f"SET TBLPROPERTIES ('comment' = {quoted_text(comment)})"
    statistics = "delta.dataSkippingStatsColumns"
    if statistics in there.properties and statistics not in wanted:
        yield "statistics dropped", f"UNSET TBLPROPERTIES ({quoted_text(statistics)})"
    changed = {n: text for n, text in wanted.items() if there.properties.get(n) != text}
    if changed:
        pairs = ", ".join(f"{quoted_text(n)} = {quoted_text(t)}" for n, t in changed.items())
        yield f"contract {contract.version}", f"SET TBLPROPERTIES ({pairs})"


def refusal(table: str, plan: Migration) -> str:
    """What a table cannot follow, a line for each difference."""
    return "\n".join(f"{table}: {one}" for one in plan.refused)
