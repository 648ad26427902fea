"""One column of a contract, read from its entry and checked."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from schemas.contract import column_type
from schemas.contract.column_type import ColumnType
from schemas.currency import YUAN

FLOAT_UNITS = ("share", "score", "probability")
MINOR_UNIT = "minor_unit"  # in a type: the decimals of an amount that people read


@dataclass(frozen=True)
class Column:
    """A column; the fields are the keys of its entry.

    `allowed` is a tuple of texts or the name of a configured set (channels, packages,
    businesses). `example` is a Python value that a DataFrame of the type accepts. `min` and `max`
    are int, Decimal or date, by the type. `references` names a column as layer.table.column.
    `open_end`: the end of an interval; null where the interval has none. It does not change the
    contract's `version`, for it is about what is read, not about the table.
    `is_money`: an amount of money; `by_minor_unit`: with the decimals that people read.
    """

    name: str
    type: str
    data_type: ColumnType
    name_cn: str
    description: str
    example: Any
    required: bool = False
    unit: str | None = None
    min: int | Decimal | date | None = None
    max: int | Decimal | date | None = None
    allowed: tuple[str, ...] | str | None = None
    pattern: str | None = None
    max_length: int | None = None
    references: str | None = None
    personal: str | None = None
    open_end: bool = field(default=False, repr=False)
    is_money: bool = field(default=False, repr=False)
    by_minor_unit: bool = field(default=False, repr=False)


Problem = tuple[str, str]


def read(entry: Mapping[str, Any]) -> tuple[Column | None, list[Problem]]:
    """The column of an entry of the right shape, or None; and what is wrong, as (key, text)."""
    decimals = str(YUAN.minor_unit)
    try:
        kind = column_type.parse(entry["type"].replace(MINOR_UNIT, decimals))
    except ValueError as error:
        return None, [("type", f"{error}")]
    problems = [
        *_unit(entry, kind),
        *_limits(entry, kind),
        *_text(entry, kind),
        *_end(entry, kind),
    ]
    if problems:
        return None, problems
    allowed = entry.get("allowed")
    if isinstance(allowed, list):
        allowed = tuple(allowed)
    written = entry.get("example", allowed[0] if isinstance(allowed, tuple) else None)
    try:
        example = column_type.value(kind, written)
    except ValueError as error:
        return None, [("example", f"{error}")]
    column = Column(
        **{
            **entry,
            "type": str(kind),
            "data_type": kind,
            "example": example,
            "allowed": allowed,
            "min": column_type.value(kind, entry.get("min")),
            "max": column_type.value(kind, entry.get("max")),
            "is_money": entry.get("unit") == YUAN.unit,
            "by_minor_unit": MINOR_UNIT in entry["type"],
        }
    )
    return column, list(_example(column, "example" in entry))


def _unit(entry: Mapping[str, Any], kind: ColumnType) -> Iterator[Problem]:
    unit = entry.get("unit")
    if kind.holds_float and (unit not in FLOAT_UNITS or kind.is_nested):
        units = ", ".join(FLOAT_UNITS)
        yield (
            "type",
            "a binary float is refused: write decimal(p,s), or a plain float or double with a "
            f"unit of {units}",
        )
    if unit == YUAN.unit and kind.name != "decimal":
        yield "unit", f"yuan needs a type decimal(p,s); got {kind}"
    if MINOR_UNIT in entry["type"] and not (unit == YUAN.unit and kind.name == "decimal"):
        yield "type", "only yuan of a type decimal(p,minor_unit) have the decimals of the currency"
    if unit == "month" and kind.name != "date":
        yield "unit", f"month is the first day of a month and needs the type date; got {kind}"


def _limits(entry: Mapping[str, Any], kind: ColumnType) -> Iterator[Problem]:
    limits = []
    for key in ("min", "max"):
        if entry.get(key) is None:
            continue
        if not (kind.is_number or kind.name == "date"):
            yield key, f"only numbers and dates may have {key}; got the type {kind}"
            continue
        try:
            limits.append(column_type.value(kind, entry[key]))
        except ValueError as error:
            yield key, f"{error}"
    if len(limits) == 2 and limits[0] > limits[1]:
        yield "min", f"the range is empty: min {limits[0]} is above max {limits[1]}"


def _text(entry: Mapping[str, Any], kind: ColumnType) -> Iterator[Problem]:
    for key in ("allowed", "pattern", "max_length"):
        if entry.get(key) is not None and kind.name != "string":
            yield key, f"only text may have {key}; got the type {kind}"
    try:
        re.compile(entry.get("pattern") or "")
    except re.error as error:
        yield "pattern", f"not a regular expression: {error}"


def _end(entry: Mapping[str, Any], kind: ColumnType) -> Iterator[Problem]:
    if entry.get("open_end"):
        if kind.name not in ("date", "timestamp"):
            yield "open_end", f"only a date or a timestamp ends an interval; got the type {kind}"
        elif entry.get("required"):
            yield "open_end", "an open end is null: the column must be optional"


def _example(column: Column, written: bool) -> Iterator[Problem]:
    """The example must satisfy the column: tests and the data dictionary use it."""
    example = column.example
    if not written and not isinstance(column.allowed, tuple):
        yield "name", "the key 'example' is missing"
    elif example is None:
        if column.required:
            yield "example", "a required column needs a value"
    elif isinstance(column.allowed, tuple) and example not in column.allowed:
        yield "example", f"expected one of {', '.join(column.allowed)}"
    elif (column.min is not None and example < column.min) or (
        column.max is not None and example > column.max
    ):
        yield "example", "expected a value between min and max"
    elif column.pattern and not re.fullmatch(column.pattern, example):
        yield "example", f"expected text that matches {column.pattern}"
    elif column.max_length and len(example) > column.max_length:
        yield "example", f"expected at most {column.max_length} characters"
    elif column.unit == "month" and example.day != 1:
        yield "example", "expected the first day of a month"
