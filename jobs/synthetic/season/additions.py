"""Lines that are added to deliveries in a synthetic landing, before a night takes them in."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from schemas.config import Source
from schemas.errors import ConfigError


def add(landing: Path, source: Source, day: date, lines: Sequence[str]) -> None:
    """Append lines to the source's file of the day; its control file follows."""
    if not lines:
        return
    path = delivered(landing, source, day)
    opened = gzip.decompress if source.format.compression == "gzip" else bytes
    _write(landing, source, day, path, opened(path.read_bytes()) + _bytes(source, lines))


def replace(landing: Path, source: Source, day: date, lines: Sequence[str]) -> None:
    """Write the source's file of the day anew, with these lines alone."""
    head = [line(source, source.columns)] if source.format.header else []
    path = delivered(landing, source, day)
    _write(landing, source, day, path, _bytes(source, [*head, *lines]))


def line(source: Source, cells: Sequence[str]) -> str:
    """The cells as a line of the source. ConfigError where it has other columns."""
    form = source.format
    quote = form.quote or ""
    if len(cells) != len(source.columns):
        raise ConfigError(
            f"sources: {source.id}: columns: the season delivers {len(cells)} of them, "
            f"expected {len(source.columns)}"
        )
    return (form.delimiter or "").join(f"{quote}{cell}{quote}" for cell in cells)


def delivered(landing: Path, source: Source, day: date) -> Path:
    """The last of the source's files of the day. ConfigError where nothing is delivered then."""
    folder = landing / source.files.named(source.files.folder, source.id, day)
    found = sorted(folder.glob(source.files.named(source.files.pattern, source.id, day)))
    if not found:
        raise ConfigError(f"sources: {source.id}: the synthetic province delivers nothing on {day}")
    return found[-1]


def _bytes(source: Source, lines: Sequence[str]) -> bytes:
    return "".join(f"{one}\n" for one in lines).encode(source.format.encoding)


def _write(landing: Path, source: Source, day: date, path: Path, body: bytes) -> None:
    packed = source.format.compression == "gzip"
    content = gzip.compress(body, mtime=0) if packed else body
    path.write_bytes(content)
    if source.files.control is None:
        return
    rows = body.count(b"\n") - int(source.format.header)
    told = {
        "file": path.name,
        "rows": rows,
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    folder = landing / source.files.named(source.files.folder, source.id, day)
    control = folder / source.files.named(source.files.control, source.id, day)
    lines = control.read_text(encoding="utf-8").splitlines()
    others = [line for line in lines if json.loads(line)["file"] != path.name]
    control.write_text("\n".join([*others, json.dumps(told)]) + "\n", encoding="utf-8")
