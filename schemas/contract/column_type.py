"""Types of columns as contracts write them: a plain tree that each renderer translates.

The notation is that of Spark SQL: `bigint`, `decimal(12,3)`, `array<struct<a:int,b:string>>`.
"""

import re
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from schemas.document.violation import near_miss, quoted

INTEGERS = {"smallint": 16, "int": 32, "bigint": 64}
FLOATS = ("float", "double")
SIMPLE = ("string", *INTEGERS, *FLOATS, "boolean", "date", "timestamp")
_TOKEN = re.compile(r"\s*([a-z_][a-z0-9_]*|[0-9]+|[<>(),:])")


@dataclass(frozen=True)
class ColumnType:
    """One type: `name`, and the parts of a decimal, an array (`element`) or a struct (`fields`)."""

    name: str
    precision: int = 0
    scale: int = 0
    element: "ColumnType | None" = None
    fields: tuple[tuple[str, "ColumnType"], ...] = ()

    @property
    def is_number(self) -> bool:
        return self.name in INTEGERS or self.name == "decimal" or self.name in FLOATS

    @property
    def is_nested(self) -> bool:
        return self.name in ("array", "struct")

    @property
    def holds_float(self) -> bool:
        inside = [one for _, one in self.fields] + ([self.element] if self.element else [])
        return self.name in FLOATS or any(one.holds_float for one in inside)

    def __str__(self) -> str:
        if self.name == "decimal":
            return f"decimal({self.precision},{self.scale})"
        if self.name == "array":
            return f"array<{self.element}>"
        if self.name == "struct":
            return f"struct<{','.join(f'{name}:{one}' for name, one in self.fields)}>"
        return self.name


def parse(text: str) -> ColumnType:
    """The type that `text` names; ValueError names the unknown part."""
    tokens = _TOKEN.findall(text)
    if "".join(tokens) != re.sub(r"\s+", "", text):
        raise ValueError(f"unknown type '{text}'")
    result, rest = _type(tokens, text)
    if rest:
        raise ValueError(f"unknown type '{text}'")
    return result


def _type(tokens: list[str], text: str) -> tuple[ColumnType, list[str]]:
    head, rest = (tokens[0], tokens[1:]) if tokens else ("", [])
    if head == "decimal" and [*rest[:1], *rest[2:3], *rest[4:5]] == ["(", ",", ")"]:
        precision, scale = rest[1], rest[3]
        if precision.isdigit() and scale.isdigit() and int(scale) <= int(precision) <= 38:
            return ColumnType("decimal", int(precision), int(scale)), rest[5:]
    elif head == "array" and rest[:1] == ["<"]:
        element, rest = _type(rest[1:], text)
        if rest[:1] == [">"]:
            return ColumnType("array", element=element), rest[1:]
    elif head == "struct" and rest[:1] == ["<"]:
        return _struct(rest, text)
    elif head in SIMPLE:
        return ColumnType(head), rest
    elif head.isidentifier() and head not in ("decimal", "array", "struct"):
        known = (*SIMPLE, "decimal(p,s)", "array<…>", "struct<…>")
        raise ValueError(f"unknown type '{head}'{near_miss(head, known)}")
    raise ValueError(f"unknown type '{text}'")


def _struct(rest: list[str], text: str) -> tuple[ColumnType, list[str]]:
    fields: list[tuple[str, ColumnType]] = []
    while rest[:1] in (["<"], [","]) and rest[2:3] == [":"]:
        name = rest[1]
        if not name.isidentifier() or name in dict(fields):
            raise ValueError(f"unknown type '{text}'")
        one, rest = _type(rest[3:], text)
        fields.append((name, one))
    if rest[:1] != [">"]:
        raise ValueError(f"unknown type '{text}'")
    return ColumnType("struct", fields=tuple(fields)), rest[1:]


def value(kind: ColumnType, written: Any) -> Any:
    """The Python value of something written in YAML, as a DataFrame of the type accepts it.

    Amounts are text ("0.40") and instants are text with an offset ("2009-05-03T08:00:00+08:00"):
    no binary float and no zone of a machine can affect them. ValueError says what was expected.
    """
    if written is None:
        return None
    if kind.name == "decimal":
        return _decimal(kind, written)
    if kind.name == "timestamp":
        return _instant(written)
    if kind.is_nested:
        return _nested(kind, written)
    return _simple(kind, written)


def _simple(kind: ColumnType, written: Any) -> Any:
    if kind.name in INTEGERS:
        half = 2 ** (INTEGERS[kind.name] - 1)
        if type(written) is int and -half <= written < half:
            return written
    elif kind.name in FLOATS:
        if isinstance(written, (int, Decimal)) and not isinstance(written, bool):
            return float(written)
    elif type(written) is {"string": str, "boolean": bool, "date": date}[kind.name]:
        return written
    like = " like 2009-05-03" if kind.name == "date" else ""
    raise _unlike(f"a value of type {kind}{like}", written)


def _nested(kind: ColumnType, written: Any) -> Any:
    if kind.element is not None:
        if isinstance(written, list):
            return [value(kind.element, one) for one in written]
    elif isinstance(written, dict) and set(written) == {name for name, _ in kind.fields}:
        return {name: value(one, written[name]) for name, one in kind.fields}
    raise _unlike(f"a value of type {kind}", written)


def _decimal(kind: ColumnType, written: Any) -> Decimal:
    try:
        exact = Decimal(written) if isinstance(written, str) else None
    except InvalidOperation:
        exact = None
    if exact is None or not exact.is_finite():
        raise _unlike('an amount as text like "0.40"', written)
    shifted = exact.scaleb(kind.scale)
    if shifted != shifted.to_integral_value() or abs(shifted) >= 10**kind.precision:
        raise _unlike(f"an amount that {kind} holds exactly", written)
    return exact.quantize(Decimal(1).scaleb(-kind.scale))


def _instant(written: Any) -> datetime:
    try:
        instant = datetime.fromisoformat(written) if isinstance(written, str) else None
    except ValueError:
        instant = None
    if instant is None or instant.tzinfo is None:
        raise _unlike('an instant with its offset like "2009-05-03T08:00:00+08:00"', written)
    return instant


def _unlike(expected: str, written: Any) -> ValueError:
    return ValueError(f"expected {expected}; got {quoted(written)}")
