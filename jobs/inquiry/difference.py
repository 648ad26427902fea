"""How the rows of two versions of a table differ, by the key of its contract."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from jobs.inquiry import database
from jobs.inquiry.database import Part
from schemas.contract.column import Column
from schemas.errors import ConfigError
from schemas.render.database import name

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

HIDDEN = "(personal)"
NUMBER = "_number"  # of a row among those that share a key
ADDED, REMOVED, BOTH = f"a.{NUMBER} IS NULL", f"b.{NUMBER} IS NULL", f"a.{NUMBER} = b.{NUMBER}"
Row = dict[str, Any]


@dataclass(frozen=True)
class ColumnDifference:
    """A column in which rows of one key differ. `examples`: (key, value of A, value of B)."""

    column: str
    rows: int
    examples: tuple[tuple[Row, Any, Any], ...]


@dataclass(frozen=True)
class Difference:
    """What changed from A to B; personal values are hidden.

    `rows`: of A and B. `added`, `removed`, `changed`: numbers of rows. `only_in`: columns that the
    other side lacks. `examples`: keys of rows that were added or removed.
    """

    key: tuple[str, ...]
    rows: dict[str, int]
    added: int
    removed: int
    changed: int
    only_in: dict[str, tuple[str, ...]]
    columns: tuple[ColumnDifference, ...]
    examples: dict[str, tuple[Row, ...]]

    @property
    def is_equal(self) -> bool:
        return not (self.added or self.removed or self.changed or any(self.only_in.values()))


def difference(a: Part, b: Part, examples: int) -> Difference:
    """How B differs from A, with at most so many examples of each kind.

    Of two different slices the column of the slice is left out. Rows that share a key (records that
    arrive in parts) are paired in the order of their columns.
    """
    contract = a.contract
    there = {"A": database.columns_there(a), "B": database.columns_there(b)}
    left_out = contract.slice if a.slice != b.slice else None
    columns = [
        one
        for one in contract.columns
        if one.name in {*there["A"], *there["B"]} and one.name != left_out
    ]
    key = [one for one in columns if one.name in contract.key]
    if not key:
        raise ConfigError(f"{contract.table} has no other key than its slice: compare whole tables")
    others = [one for one in columns if one not in key]
    with database.connected() as db:
        _load(db, "a", a, columns, key)
        _load(db, "b", b, columns, key)
        same = " AND ".join(
            f"a.{name(one)} IS NOT DISTINCT FROM b.{name(one)}"
            for one in (*(column.name for column in key), NUMBER)
        )
        pairs = f"FROM a FULL JOIN b ON {same}"
        added, removed, changed, *by_column = _counts(db, pairs, others)
        rows = db.execute("SELECT (SELECT count(*) FROM a), (SELECT count(*) FROM b)").fetchall()
        return Difference(
            key=tuple(one.name for one in key),
            rows=dict(zip(("A", "B"), rows[0], strict=True)),
            added=added,
            removed=removed,
            changed=changed,
            only_in={
                side: tuple(one.name for one in columns if one.name not in there[other])
                for side, other in (("A", "B"), ("B", "A"))
            },
            columns=tuple(
                ColumnDifference(one.name, count, _examples(db, pairs, key, one, examples))
                for one, count in zip(others, by_column, strict=True)
                if count
            ),
            examples={
                "added": _keys(db, f"{pairs} WHERE {ADDED}", "b", key, examples),
                "removed": _keys(db, f"{pairs} WHERE {REMOVED}", "a", key, examples),
            },
        )


def _load(
    db: DuckDBPyConnection, side: str, part: Part, columns: Sequence[Column], key: Sequence[Column]
) -> None:
    """A table of the rows of a part; rows of one key are numbered in the order of the others."""
    keys, order = (
        ", ".join(name(one.name) for one in columns if (one in key) is wanted)
        for wanted in (True, False)
    )
    numbered = f"PARTITION BY {keys}" + (f" ORDER BY {order}" if order else "")
    db.execute(
        f"CREATE TABLE {side} AS SELECT *, row_number() OVER ({numbered}) AS {NUMBER} "
        f"FROM ({database.select(part, columns)})"
    )


def _counts(db: DuckDBPyConnection, pairs: str, others: Sequence[Column]) -> tuple[int, ...]:
    """Rows added, removed, changed; then by column the rows that it differs in."""
    differing = [_differs(one) for one in others]
    changed = " OR ".join(differing) or "false"
    wanted = [ADDED, REMOVED, *(f"{BOTH} AND ({one})" for one in (changed, *differing))]
    sums = ", ".join(f"count(*) FILTER ({one})" for one in wanted)
    (row,) = db.execute(f"SELECT {sums} {pairs}").fetchall()
    return tuple(row)


def _differs(column: Column) -> str:
    return f"a.{name(column.name)} IS DISTINCT FROM b.{name(column.name)}"


def _examples(
    db: DuckDBPyConnection, pairs: str, key: Sequence[Column], column: Column, number: int
) -> tuple[tuple[Row, Any, Any], ...]:
    """The key and both values of the first rows in which a column differs."""
    values = ("a", "b")
    wanted = ", ".join(_shown(side, column) for side in values)
    found = db.execute(
        f"SELECT {_listed('a', key)}, {wanted} {pairs} WHERE {BOTH} AND {_differs(column)} "
        f"ORDER BY {_order('a', key)} LIMIT {number}"
    ).fetchall()
    return tuple((_row(key, one), one[-2], one[-1]) for one in found)


def _keys(
    db: DuckDBPyConnection, of: str, side: str, key: Sequence[Column], number: int
) -> tuple[Row, ...]:
    found = db.execute(
        f"SELECT {_listed(side, key)} {of} ORDER BY {_order(side, key)} LIMIT {number}"
    ).fetchall()
    return tuple(_row(key, one) for one in found)


def _row(key: Sequence[Column], values: Sequence[Any]) -> Row:
    return {one.name: value for one, value in zip(key, values, strict=False)}


def _listed(side: str, columns: Sequence[Column]) -> str:
    return ", ".join(_shown(side, one) for one in columns)


def _order(side: str, columns: Sequence[Column]) -> str:
    return ", ".join(f"{side}.{name(one.name)}" for one in columns)


def _shown(side: str, column: Column) -> str:
    return f"'{HIDDEN}'" if column.personal else f"{side}.{name(column.name)}::VARCHAR"
