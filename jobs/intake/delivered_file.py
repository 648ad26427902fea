"""One delivered file and its control file: read once to the end, counted, compared.

InputError for a file that is not whole or differs from its control file. QualityError for a header
or columns that differ from the configuration. Each message names source, day and file.
"""

from __future__ import annotations

import codecs
import csv
import hashlib
import json
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from models.intake.quoted_record import RECORD_BYTES, QuotedLines
from schemas.config import Source
from schemas.errors import ConfigError, InputError, QualityError

CHUNK = 1 << 20  # bytes
PACKED = (
    ".gz",
    ".bz2",
    ".zst",
    ".lz4",
    ".snappy",
    ".deflate",
)  # endings of names that Spark unpacks
BLANKS = b" \t\r\x0b\x0c"
BLANK_LINE = re.compile(rb"\n(?=[" + BLANKS + rb"]*\n)")
SHOWN = 30  # characters of a name, and names, in a message
PROMISES = {"file": str, "rows": int, "bytes": int, "sha256": str}


@dataclass(frozen=True)
class DeliveredFile:
    """One file of a delivery: `rows` are its non-blank lines, or records, after the header.

    `types`: the column types of a Parquet file as text. Files with equal types are read together.
    """

    path: Path
    day: date
    rows: int
    bytes: int
    sha256: str
    types: str = ""


def inspect(source_id: str, source: Source, day: date, path: Path) -> DeliveredFile:
    """Read the file once to its end: rows, bytes, checksum and header.

    ConfigError if the end of its name and the configured compression disagree.
    """
    try:
        if source.format.kind == "parquet":
            return _inspect_parquet(source_id, source, day, path)
        return _inspect_lines(source_id, source, day, path)
    except OSError as error:
        raise InputError(
            f"{source_id} {day}: {path.name}: cannot be read ({error.strerror})"
        ) from None


def _inspect_parquet(source_id: str, source: Source, day: date, path: Path) -> DeliveredFile:
    """The figures of a Parquet file."""
    with open(path, "rb") as file:
        digest = hashlib.file_digest(file, "sha256")
        size = file.seek(0, 2)
        try:
            from pyarrow import ArrowException, parquet  # only needed for Parquet files

            content = parquet.ParquetFile(file)
            for _ in content.iter_batches():  # a damaged page is found only when it is read
                pass
        except (ArrowException, OSError):
            raise InputError(
                f"{source_id} {day}: {path.name}: not a whole Parquet file: ask for it again"
            ) from None
    names = list(content.schema_arrow.names)
    if sorted(names) != sorted(source.columns):
        raise QualityError(
            f"{source_id} {day}: {path.name}: "
            f"{_differing(names, list(source.columns))}; expected the columns "
            f"{', '.join(source.columns)}"
        )
    types = str(content.schema_arrow.remove_metadata())
    return DeliveredFile(path, day, content.metadata.num_rows, size, digest.hexdigest(), types)


def _inspect_lines(source_id: str, source: Source, day: date, path: Path) -> DeliveredFile:
    """The figures of a file of lines, packed or not."""
    packed = source.format.compression == "gzip"
    if path.suffix not in PACKED[:1] if packed else path.suffix in PACKED:
        raise ConfigError(
            f"sources.yml: {source_id}: compression is {source.format.compression}, "
            f"but Spark unpacks {path.name} by the end of its name: use gzip exactly "
            "for names that end in .gz"
        )
    digest, size = hashlib.sha256(), 0
    unpack = zlib.decompressobj(31) if packed else None
    lines = _Records(QuotedLines(source.format)) if source.format.multiline else _Lines()
    try:
        with open(path, "rb") as file:
            while chunk := file.read(CHUNK):
                digest.update(chunk)
                size += len(chunk)
                while unpack is not None and chunk:
                    lines.take(unpack.decompress(chunk))
                    chunk = unpack.unused_data
                    if unpack.eof and chunk:  # a further member of the same gzip file
                        unpack = zlib.decompressobj(31)
                if unpack is None:
                    lines.take(chunk)
    except zlib.error:
        raise InputError(
            f"{source_id} {day}: {path.name}: not a whole gzip file: ask for it again"
        ) from None
    if unpack is not None and not unpack.eof:
        raise InputError(
            f"{source_id} {day}: {path.name}: the gzip file is cut off "
            f"({size:,} bytes arrived): ask for it again"
        )
    lines.end()
    if source.format.header:
        _check_header(source_id, source, day, path, lines.first or b"")
    rows = lines.filled - (1 if source.format.header and lines.filled else 0)
    return DeliveredFile(path, day, rows, size, digest.hexdigest())


class _Lines:
    """Counts the lines that hold more than white space, and keeps the first."""

    def __init__(self) -> None:
        self.filled = 0
        self.first: bytes | None = None
        self._rest = b""

    def take(self, data: bytes) -> None:
        first = data.find(b"\n")
        if first < 0:
            self._rest += data
            return
        self._count(self._rest + data[:first])
        last = data.rfind(b"\n")  # lines between the first and the last end are counted in place
        self.filled += data.count(b"\n", first, last)
        self.filled -= sum(1 for _ in BLANK_LINE.finditer(data, first, last + 1))
        self._rest = data[last + 1 :]

    def end(self) -> None:
        self._count(self._rest)

    def _count(self, line: bytes) -> None:
        if self.first is None:  # a byte order mark is no content
            self.first = line = line.removeprefix(codecs.BOM_UTF8)
        self.filled += bool(line.strip(BLANKS))


class _Records(_Lines):
    """Counts records of quoted fields, which may hold line breaks.

    The lines of a quote that nothing closes, or not within RECORD_BYTES, count one by one.
    """

    def __init__(self, quoted: QuotedLines) -> None:
        super().__init__()
        self._quoted = quoted
        self._open = False
        self._filled_before = self._bytes = 0  # of the record that is open

    def take(self, data: bytes) -> None:
        *whole, self._rest = (self._rest + data).split(b"\n")
        for line in whole:
            self._count(line)

    def _count(self, line: bytes) -> None:
        before, filled = self._open, self.filled
        self._open = self._quoted.open_after(line, before=before)
        super()._count(line)
        if not before:
            self._filled_before, self._bytes = filled, 0
        self._bytes += len(line) + 1  # with its line end
        if before and not self._open and self._bytes <= RECORD_BYTES:
            self.filled = self._filled_before + 1


def _check_header(source_id: str, source: Source, day: date, path: Path, line: bytes) -> None:
    """QualityError if the file's first line is not the configured header."""
    try:
        text = line.decode(source.format.encoding).lstrip("\ufeff").strip()
    except UnicodeDecodeError:
        raise QualityError(
            f"{source_id} {day}: {path.name}: the header is not "
            f"{source.format.encoding}: check the encoding of the export"
        ) from None
    quote, delimiter = source.format.quote, source.format.delimiter or ""
    fields = (
        next(csv.reader([text], delimiter=delimiter, quotechar=quote), [])
        if quote
        else text.split(delimiter)
    )
    names = [name.strip() for name in fields]
    expected = list(source.columns)
    form = source.format
    if form.multiline and QuotedLines(form).open_after(line, before=False):
        raise QualityError(
            f"{source_id} {day}: {path.name}:1: a quote of the header stays open; expected "
            f"{delimiter.join(expected)} in one line"
        )
    if names == expected:
        return
    # If a data row is in place of the header, its text must not get into the message.
    known = any(name in expected for name in names)
    raise QualityError(
        f"{source_id} {day}: {path.name}:1: "
        f"{_differing(names, expected) if known else 'no header'}; expected "
        f"{delimiter.join(expected)}"
    )


def _differing(names: list[str], expected: list[str]) -> str:
    """The difference between the columns of a file and the expected ones, in words."""
    wrong = {
        "missing": [name for name in expected if name not in names],
        "unknown": [name for name in names if name not in expected],
    }
    found = "; ".join(
        f"{kind} column {', '.join(name[:SHOWN] for name in columns[:SHOWN])}"
        for kind, columns in wrong.items()
        if columns
    )
    if found:
        return found
    return "columns in another order" if len(names) == len(expected) else "a repeated column"


def check_against_control(
    source_id: str, day: date, control: Path, arrived: Mapping[str, Mapping[str, Any]]
) -> None:
    """InputError unless the control file names exactly the arrived files with their figures.

    `arrived`: by file name its `rows`, `bytes` and `sha256`, or some of these.
    """
    try:
        promised = control_entries(control.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise InputError(
            f"{source_id} {day}: no control file {control}: the delivery is not complete yet"
        ) from None
    except OSError as error:
        raise InputError(
            f"{source_id} {day}: {control.name}: cannot be read ({error.strerror})"
        ) from None
    except (ValueError, KeyError, TypeError):
        raise InputError(
            f"{source_id} {day}: {control.name}: not a control file: expected a line "
            '{"file": …, "rows": n, "bytes": n, "sha256": …} for each file'
        ) from None
    for name in sorted(set(promised) | set(arrived)):
        if name not in arrived:
            raise InputError(f"{source_id} {day}: {name} is in {control.name} but has not arrived")
        if name not in promised:
            raise InputError(f"{source_id} {day}: {name} has arrived but is not in {control.name}")
        entry = promised[name]
        for what, got in arrived[name].items():
            if entry.get(what, got) != got:
                shown = (
                    f"{entry[what]:,}, the file has {got:,}"
                    if what != "sha256"
                    else f"{entry[what][:12]}…, the file has {got[:12]}…"
                )
                raise InputError(
                    f"{source_id} {day}: {name}: {control.name} promises {what} "
                    f"{shown}: ask for the delivery again"
                )


def control_entries(text: str) -> dict[str, dict[str, Any]]:
    """The entries of a control file by file name.

    ValueError, KeyError or TypeError if the text is no control file.
    """
    promised: dict[str, dict[str, Any]] = {}
    for line in text.splitlines():
        if not line.strip():
            continue
        try:
            entry = json.loads(line)
        except RecursionError:
            raise ValueError from None
        if entry["file"] in promised or any(
            type(entry.get(what, kind())) is not kind for what, kind in PROMISES.items()
        ):
            raise ValueError
        promised[entry["file"]] = (
            {**entry, "sha256": entry["sha256"].lower()} if "sha256" in entry else entry
        )
    return promised
