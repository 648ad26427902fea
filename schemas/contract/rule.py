"""The requirements on a row, in SQL: row rules and CHECK constraints are derived from them.

A rule says in words what was expected and never holds a value of a row. Reasons, reports and
messages that are derived from it therefore hold no customer data.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from schemas.contract.column import Column
from schemas.errors import ConfigError

MAX_RULES = 60  # a row's verdicts are bits of one bigint; the ingest needs a few for its own

_SET_NAMES = {"channels": "channels", "packages": "tariff packages", "businesses": "businesses"}


@dataclass(frozen=True)
class Requirement:
    """One requirement on one column.

    `holds` is an SQL predicate; on a null it is null, except for `required`, where it is false.
    `code` is one of required, allowed, range, month, pattern, max_length.
    """

    column: str
    code: str
    expected: str
    holds: str


def requirements(
    columns: Sequence[Column], sets: Mapping[str, Sequence[str]] | None = None
) -> list[Requirement]:
    """Every requirement on the columns: in their order, per column in the order of the codes.

    `sets` holds the configured sets that `allowed` may name. Without it, columns that name a set
    have no such requirement, because a table outlives its configuration.
    """
    found: list[Requirement] = []
    for column in columns:
        name = quoted_name(column.name)
        if column.required:
            found.append(Requirement(column.name, "required", "a value", f"{name} IS NOT NULL"))
        allowed = _allowed(column, sets)
        if allowed:
            found.append(Requirement(column.name, "allowed", *allowed))
        if column.min is not None or column.max is not None:
            found.append(
                Requirement(column.name, "range", _range_in_words(column), _range(column, name))
            )
        if column.unit == "month":
            found.append(
                Requirement(column.name, "month", "the first day of a month", f"day({name}) = 1")
            )
        if column.pattern:
            whole = quoted_text(rf"^(?:{column.pattern})\z")
            found.append(
                Requirement(
                    column.name,
                    "pattern",
                    f"text that matches {column.pattern}",
                    f"{name} RLIKE {whole}",
                )
            )
        if column.max_length:
            # The number of bytes is known without decoding, and is never below that of characters.
            found.append(
                Requirement(
                    column.name,
                    "max_length",
                    f"at most {column.max_length} characters",
                    f"octet_length({name}) <= {column.max_length} OR "
                    f"char_length({name}) <= {column.max_length}",
                )
            )
    return found


def quoted_name(name: str) -> str:
    """A name as an SQL identifier, also if it is a keyword (`table`, `check`, `first`)."""
    return "`" + name.replace("`", "``") + "`"


def quoted_text(text: str) -> str:
    """A text as an SQL literal."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _allowed(column: Column, sets: Mapping[str, Sequence[str]] | None) -> tuple[str, str] | None:
    if column.allowed is None:
        return None
    values: Sequence[str]
    if isinstance(column.allowed, tuple):
        values, words = column.allowed, f"one of {', '.join(column.allowed)}"
    elif sets is None:
        return None
    elif column.allowed not in sets:
        raise ConfigError(
            f"{column.name}: the set '{column.allowed}' is not configured; "
            f"known: {', '.join(sorted(sets)) or 'none'}"
        )
    else:
        values = sets[column.allowed]
        words = f"one of the configured {_SET_NAMES[column.allowed]}"
    listed = ", ".join(quoted_text(one) for one in values)
    name = quoted_name(column.name)
    return words, f"{name} IN ({listed})" if listed else f"{name} IS NULL"


def _range(column: Column, name: str) -> str:
    limits = [
        f"{name} {sign} {_literal(limit)}"
        for sign, limit in ((">=", column.min), ("<=", column.max))
        if limit is not None
    ]
    return " AND ".join(limits)


def _range_in_words(column: Column) -> str:
    spoken = column.is_money or column.unit in ("seconds", "bytes")
    unit = f" {column.unit}" if spoken else ""
    if column.max is None:
        return f"at least {_spoken(column.min)}{unit}"
    if column.min is None:
        return f"at most {_spoken(column.max)}{unit}"
    return f"{_spoken(column.min)} to {_spoken(column.max)}{unit}"


def _spoken(limit: Any) -> str:
    return f"{limit.normalize():f}" if isinstance(limit, Decimal) else str(limit)


def _literal(limit: Any) -> str:
    return f"DATE'{limit}'" if isinstance(limit, date) else str(limit)
