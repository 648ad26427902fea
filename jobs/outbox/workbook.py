"""A channel's file as a workbook (XLSX): one sheet, the names of the columns, then the rows."""

import tempfile
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import xlsxwriter

from models.push import channel_file
from models.push.channel_file import Record
from schemas.config import Push
from schemas.config.channel import XLSX
from schemas.errors import ConfigError

MOST_ROWS, MOST_CHARACTERS = 1_048_575, 32_767  # of a sheet below its header, of a cell
MADE = datetime(2009, 1, 1, tzinfo=UTC)  # the same in every file: a rerun gives the same bytes
CHUNK = 1 << 20
CSV_HINT = "format: csv in channels.yml"


def content(rows: Iterable[Record], push: Push, table: str) -> Iterator[bytes]:
    """The bytes of a channel's file in its format, for `rows` of `table`.

    ConfigError for a row that the file cannot hold.
    """
    if push.format == XLSX:
        return _workbook(rows, push, table)
    return channel_file.render(rows, push, table)


def _workbook(rows: Iterable[Record], push: Push, table: str) -> Iterator[bytes]:
    """Text stays text, so nothing is a formula; whole numbers are numbers, amounts are text."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file.xlsx"
        options = {"constant_memory": True, "tmpdir": folder}
        with xlsxwriter.Workbook(str(path), options) as book:
            book.set_properties({"created": MADE})
            sheet = book.add_worksheet()
            for place, name in enumerate(push.columns):
                sheet.write_string(0, place, name)
            for number, cells in enumerate(channel_file.cells(rows, push, table), 1):
                if number > MOST_ROWS:
                    raise ConfigError(f"{table}: a sheet holds {MOST_ROWS:,} rows: use {CSV_HINT}")
                for place, cell in enumerate(cells):
                    if isinstance(cell, int):
                        sheet.write_number(number, place, cell)
                    elif cell and len(cell) > MOST_CHARACTERS:
                        raise ConfigError(
                            f"{table}: row {number} of the file: {push.columns[place]} has "
                            f"{len(cell):,} characters, a cell holds {MOST_CHARACTERS:,}: "
                            f"leave the column out, or use {CSV_HINT}"
                        )
                    elif cell:
                        sheet.write_string(number, place, cell)
        with path.open("rb") as file:
            yield from iter(lambda: file.read(CHUNK), b"")
