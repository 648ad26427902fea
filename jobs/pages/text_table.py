"""Tables of plain values as text for a terminal; columns are as wide as their values."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

GAP = "  "
NOTHING = "-"


def when(instant: str | None) -> str:
    """An instant to the minute, to the second where it has seconds."""
    if instant is None:
        return NOTHING
    at = datetime.fromisoformat(instant)
    return f"{at:%Y-%m-%d %H:%M:%S}" if at.second else f"{at:%Y-%m-%d %H:%M}"


def table(title: str, heads: Sequence[str], rows: Sequence[Sequence]) -> str:
    """A title and a table; columns of numbers are aligned right."""
    if not rows:
        return f"{title}\n  none"
    right = [all(isinstance(row[place], int) for row in rows) for place in range(len(heads))]
    texts = [[_cell(value) for value in row] for row in (heads, *rows)]
    widths = [max(len(row[place]) for row in texts) for place in range(len(heads))]
    lines = [
        GAP.join(
            f"{cell:>{width}}" if to_right else f"{cell:<{width}}"
            for cell, width, to_right in zip(row, widths, right, strict=True)
        )
        for row in texts
    ]
    return "\n".join([title, *(f"  {line}".rstrip() for line in lines)])


def _cell(value: object) -> str:
    return NOTHING if value in (None, "") else str(value)
