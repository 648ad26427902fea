"""The bytes of a channel's file, and its manifest."""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Protocol

from schemas.config import Push
from schemas.config.channel import CSV, FIXED, JSON_LINES
from schemas.currency import Currency
from schemas.errors import ConfigError

# The order of a file's rows, independent of the order of the table.
FILE_ORDER = ("campaign_id", "subscriber_id")
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")
EXACT = 10**15  # a spreadsheet holds smaller whole numbers exactly
LINE_ENDS = {"lf": "\n", "crlf": "\r\n"}


class Record(Protocol):
    """A row of a table: a mapping, or a row of Spark."""

    def __getitem__(self, name: str, /) -> object: ...


class _Unfit(ValueError):
    """A row that the file cannot hold, and why."""


Line = Callable[[Sequence[object]], str]


def render(rows: Iterable[Record], push: Push, table: str) -> Iterator[bytes]:
    """The lines of a channel's file, each with its line end, in the order of `rows`.

    Each row of `table` has all columns of `push`; dates are ISO, amounts plain decimals.
    - `csv`: NULL is an empty cell. A cell with the delimiter, a quote or a line break is quoted,
      and its quotes are doubled. If the channel asks for it, text that a spreadsheet would read as
      a formula gets a leading apostrophe; numbers stay as they are.
    - `fixed`: each cell takes the bytes of its width. Numbers stand right, all else left.
    - `jsonl`: an object a line; whole numbers are numbers, amounts are text, NULL is null.
    Raises ConfigError for a column that the rows do not have, and for a row that does not fit: a
    text of too many parts, a cell wider than its column, a character that the encoding lacks and
    that nothing replaces.
    """
    end, line = LINE_ENDS[push.line_end], _LINES[push.format](push)
    if push.header and push.format == CSV:
        yield (_separated(push.columns, push.delimiter) + end).encode(push.encoding)
    for place, row in enumerate(rows, 1):
        try:
            values = _values(row, push)
            try:
                encoded = (line(values) + end).encode(push.encoding)
            except UnicodeEncodeError:
                encoded = (line(_encodable(values, push)) + end).encode(push.encoding)
        except _Unfit as error:
            raise _refusal(table, place, row, error) from None
        yield encoded


def cells(rows: Iterable[Record], push: Push, table: str) -> Iterator[list[int | str]]:
    """The cells of each row for a workbook: whole numbers that it holds exactly, else text.

    ConfigError for a text of too many parts.
    """
    for place, row in enumerate(rows, 1):
        try:
            values = _values(row, push)
        except _Unfit as error:
            raise _refusal(table, place, row, error) from None
        yield [
            one
            if isinstance(one, int) and not isinstance(one, bool) and abs(one) < EXACT
            else _text(one)
            for one in values
        ]


def _values(row: Record, push: Push) -> list[object]:
    _check_length(row, push)
    return [_cell(row, column) for column in push.columns]


def _refusal(table: str, place: int, row: Record, error: _Unfit) -> ConfigError:
    return ConfigError(f"{table}: row {place} of the file{_campaign(row)}: {error}")


def _cell(row: Record, name: str) -> object:
    try:
        return row[name]
    except (KeyError, ValueError):
        raise ConfigError(
            f"channels.yml: push column '{name}' is no column of the channel's table"
        ) from None


def _campaign(row: Record) -> str:
    try:
        return f" (campaign {row['campaign_id']})"
    except (KeyError, ValueError):
        return ""


def _check_length(row: Record, push: Push) -> None:
    """Refuse a text that takes more parts than a message of the channel may have."""
    if push.message is None:
        return
    text = str(_cell(row, "script"))
    parts = push.message.parts(text)
    if parts > push.message.max_parts:
        raise _Unfit(
            f"the text of {len(text)} characters takes {parts} parts of {push.message.part}, the "
            f"channel allows {push.message.max_parts}: shorten the script of the campaign, or "
            "raise message.max_parts in channels.yml"
        )


def _encodable(values: Sequence[object], push: Push) -> list[object]:
    """The values as the encoding can hold them; refused if nothing replaces a character."""
    found: list[object] = []
    for column, value in zip(push.columns, values, strict=True):
        lacking = [one for one in _text(value) if not _holds(push.encoding, one)]
        if not lacking:
            found.append(value)
            continue
        if not push.replace_with:
            raise _Unfit(
                f"{column} has the character U+{ord(lacking[0]):04X}, which {push.encoding} "
                "cannot hold: choose another encoding in channels.yml, or say with replace_with "
                "what stands for such a character"
            )
        found.append("".join(push.replace_with if one in lacking else one for one in _text(value)))
    return found


def _holds(encoding: str, character: str) -> bool:
    try:
        character.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return format(value, "f")
    return value.isoformat() if isinstance(value, date) else str(value)


def _csv_line(push: Push) -> Line:
    def line(values: Sequence[object]) -> str:
        cells = [_text(value) for value in values]
        if push.neutralise_formulas:
            cells = [_neutral(cell) for cell in cells]
        return _separated(cells, push.delimiter)

    return line


def _neutral(cell: str) -> str:
    if cell.startswith(FORMULA_STARTS) and not NUMBER.fullmatch(cell):
        return "'" + cell
    return cell


def _separated(cells: Iterable[str], delimiter: str) -> str:
    special = (delimiter, '"', "\r", "\n")
    quoted = (
        '"' + cell.replace('"', '""') + '"' if any(mark in cell for mark in special) else cell
        for cell in cells
    )
    return delimiter.join(quoted)


def _fixed_line(push: Push) -> Line:
    def line(values: Sequence[object]) -> str:
        return "".join(
            _padded(value, column, push) for column, value in zip(push.columns, values, strict=True)
        )

    return line


def _padded(value: object, column: str, push: Push) -> str:
    cell, width = _text(value), push.widths[column]
    if "\n" in cell or "\r" in cell:
        raise _Unfit(f"{column} has a line break, which a {FIXED} file cannot hold")
    taken = len(cell.encode(push.encoding))
    if taken > width:
        raise _Unfit(
            f"{column} takes {taken} bytes in {push.encoding}, its width is {width}: "
            "widen it in channels.yml"
        )
    is_number = isinstance(value, (int, Decimal)) and not isinstance(value, bool)
    padding = " " * (width - taken)
    return padding + cell if is_number else cell + padding


def _json_line(push: Push) -> Line:
    def line(values: Sequence[object]) -> str:
        plain = {
            column: value if value is None or isinstance(value, int) else _text(value)
            for column, value in zip(push.columns, values, strict=True)
        }
        return json.dumps(plain, ensure_ascii=False, separators=(",", ":"))

    return line


_LINES: Mapping[str, Callable[[Push], Line]] = {
    CSV: _csv_line,
    FIXED: _fixed_line,
    JSON_LINES: _json_line,
}


def manifest(
    *,
    file: str,
    channel: str,
    data_date: date,
    contract_version: str,
    rows: int,
    test_rows: int,
    size: int,
    sha256: str,
    currency: Currency,
) -> dict[str, object]:
    """What the receiver checks a file against: `rows` without the header, `size` in bytes, sha256.

    `test_rows`: how many of the rows are of test targets; it is told where there are any. It names
    the currency unless that is yuan. It holds no time of writing, so a rerun gives the same
    manifest.
    """
    return {
        "file": file,
        "channel": channel,
        "data_date": data_date.isoformat(),
        "contract_version": contract_version,
        "rows": rows,
        **({"test_rows": test_rows} if test_rows else {}),
        "bytes": size,
        "sha256": sha256,
        **currency.noted,
    }
