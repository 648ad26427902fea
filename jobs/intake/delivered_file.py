"""One delivered file, and its control file: read once to the end, counted, compared.

InputError for what is not whole or not as promised, QualityError for a header or columns that are
not the configured ones; each with source, day and file.
"""

from __future__ import annotations

import codecs
import csv
import hashlib
import json
import re
import zlib
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from schemas.config import Source
from schemas.errors import ConfigError, InputError, QualityError

CHUNK = 1 << 20
PACKED = (".gz", ".bz2", ".zst", ".lz4", ".snappy", ".deflate")  # what Spark unpacks, by the name
BLANKS = b" \t\r\x0b\x0c"
BLANK_LINE = re.compile(rb"\n(?=[" + BLANKS + rb"]*\n)")
SHOWN = 30  # letters of a name, and names, in a message
PROMISES = {"file": str, "rows": int, "bytes": int, "sha256": str}


@dataclass(frozen=True)
class DeliveredFile:
    """One file of a delivery: `rows` are its non-blank lines after the header.

    `types` tells files of columns apart whose columns have different types.
    """

    path: Path
    day: date
    rows: int
    bytes: int
    sha256: str
    types: str = ""


def inspect(source_id: str, source: Source, day: date, path: Path) -> DeliveredFile:
    """Read the file once: its checksum, its lines, its header."""
    try:
        if source.format.kind == "parquet":
            return _inspect_columns(source_id, source, day, path)
        return _inspect_lines(source_id, source, day, path)
    except OSError as error:
        raise InputError(
            f"{source_id} {day}: {path.name}: cannot be read ({error.strerror})"
        ) from None


def _inspect_columns(source_id: str, source: Source, day: date, path: Path) -> DeliveredFile:
    with open(path, "rb") as file:
        digest = hashlib.file_digest(file, "sha256")
        size = file.seek(0, 2)
        try:
            from pyarrow import ArrowException, parquet  # only for those who deliver such files

            content = parquet.ParquetFile(file)
            for _ in content.iter_batches():  # a damaged page is met when it is read
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
    packed = source.format.compression == "gzip"
    if path.suffix not in PACKED[:1] if packed else path.suffix in PACKED:
        raise ConfigError(
            f"sources.yml: {source_id}: compression is {source.format.compression}, "
            f"but {path.name} is unpacked by the end of its name: .gz and gzip "
            "belong together"
        )
    digest, size = hashlib.sha256(), 0
    unpack = zlib.decompressobj(31) if packed else None
    lines = _Lines()
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
            f"{source_id} {day}: {path.name}: the gzip file ends before its end "
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
        self.filled, self.first, self._rest = 0, None, b""

    def take(self, data: bytes) -> None:
        first = data.find(b"\n")
        if first < 0:
            self._rest += data
            return
        self._line(self._rest + data[:first])
        last = data.rfind(b"\n")  # the lines between these two are counted where they lie
        self.filled += data.count(b"\n", first, last)
        self.filled -= sum(1 for _ in BLANK_LINE.finditer(data, first, last + 1))
        self._rest = data[last + 1 :]

    def end(self) -> None:
        self._line(self._rest)

    def _line(self, line: bytes) -> None:
        if self.first is None:  # of a mark of the encoding the reader knows nothing
            self.first = line = line.removeprefix(codecs.BOM_UTF8)
        self.filled += bool(line.strip(BLANKS))


def _check_header(source_id: str, source: Source, day: date, path: Path, line: bytes) -> None:
    try:
        text = line.decode(source.format.encoding).lstrip("\ufeff").strip()
    except UnicodeDecodeError:
        raise QualityError(
            f"{source_id} {day}: {path.name}: the header is not "
            f"{source.format.encoding}: check the encoding of the export"
        ) from None
    form = source.format
    fields = (
        next(csv.reader([text], delimiter=form.delimiter, quotechar=form.quote), [])
        if form.quote
        else text.split(form.delimiter)
    )
    names = [name.strip() for name in fields]
    expected = list(source.columns)
    if names == expected:
        return
    # A row in place of the header is a person's data.
    known = any(name in expected for name in names)
    raise QualityError(
        f"{source_id} {day}: {path.name}:1: "
        f"{_differing(names, expected) if known else 'no header'}; expected "
        f"{form.delimiter.join(expected)}"
    )


def _differing(names: list[str], expected: list[str]) -> str:
    """What the columns of a file have wrong, in words."""
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
    return "columns in another order" if len(names) == len(expected) else "a column twice"


def agree(source_id: str, day: date, control: Path, arrived: dict[str, dict]) -> None:
    """The control file names exactly the files that arrived, with what is known of each.

    That is its rows, bytes and checksum, or some of them.
    """
    try:
        promised = promises(control.read_text(encoding="utf-8-sig"))
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


def promises(text: str) -> dict[str, dict]:
    """The entries of a control file by the name of the file; ValueError and its kin for others."""
    promised = {}
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
