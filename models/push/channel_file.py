"""The bytes of a channel's file, and its manifest."""

import re
from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal
from typing import Protocol

from schemas.config import Push
from schemas.currency import Currency
from schemas.errors import ConfigError

# The order of a file's rows, independent of the order of the table.
FILE_ORDER = ("campaign_id", "subscriber_id")
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")
LINE_ENDS = {"lf": "\n", "crlf": "\r\n"}


class Record(Protocol):
    """A row of a table: a mapping, or a row of Spark."""

    def __getitem__(self, name: str, /) -> object: ...


def render(rows: Iterable[Record], push: Push) -> Iterator[bytes]:
    """The lines of a channel's file, each with its line end, in the order of `rows`.

    Each row has all columns of `push`. NULL becomes an empty cell, dates are ISO, amounts are plain
    decimals. A cell with the delimiter, a quote or a line break is quoted, and its quotes are
    doubled. If the channel asks for it, text that a spreadsheet would read as a formula gets a
    leading apostrophe; numbers stay as they are.
    Raises ConfigError for a column that the rows do not have.
    """
    end = LINE_ENDS[push.line_end]
    if push.header:
        yield _file_line(push.columns, push.delimiter, end).encode(push.encoding)
    for row in rows:
        cells = [_text(_cell(row, name)) for name in push.columns]
        if push.neutralise_formulas:
            cells = [_neutral(cell) for cell in cells]
        yield _file_line(cells, push.delimiter, end).encode(push.encoding)


def _cell(row: Record, name: str) -> object:
    try:
        return row[name]
    except (KeyError, ValueError):
        raise ConfigError(
            f"channels.yml: push column '{name}' is no column of the channel's table"
        ) from None


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return format(value, "f")
    return value.isoformat() if isinstance(value, date) else str(value)


def _neutral(cell: str) -> str:
    if cell.startswith(FORMULA_STARTS) and not NUMBER.fullmatch(cell):
        return "'" + cell
    return cell


def _file_line(cells: Iterable[str], delimiter: str, end: str) -> str:
    special = (delimiter, '"', "\r", "\n")
    quoted = (
        '"' + cell.replace('"', '""') + '"' if any(mark in cell for mark in special) else cell
        for cell in cells
    )
    return delimiter.join(quoted) + end


def manifest(
    *,
    file: str,
    channel: str,
    data_date: date,
    contract_version: str,
    rows: int,
    size: int,
    sha256: str,
    currency: Currency,
) -> dict[str, object]:
    """What the receiver checks a file against: `rows` without the header, `size` in bytes, sha256.

    It names the currency unless that is yuan. It holds no time of writing, so a rerun gives the
    same manifest.
    """
    return {
        "file": file,
        "channel": channel,
        "data_date": data_date.isoformat(),
        "contract_version": contract_version,
        "rows": rows,
        "bytes": size,
        "sha256": sha256,
        **currency.noted,
    }
