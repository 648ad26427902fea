"""The files of a synthetic source, in the form that the configuration gives the source.

Files grow chunk by chunk, so memory does not grow with the province. The bytes depend on the rows
alone: gzip headers hold neither name nor time.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from dataclasses import dataclass, field
from pathlib import Path

from models.synthetic import rows as synthetic_rows
from models.synthetic.province import Province
from models.synthetic.rows import Rows
from schemas.config import Source
from schemas.errors import ConfigError

GZIP_WINDOW = 31  # zlib's number for gzip: a header without name and time
GZIP_LEVEL = 6


@dataclass
class GrowingFile:
    """A file that grows chunk by chunk. `size`: bytes written so far."""

    path: Path
    gzip: bool
    rows: int = 0
    size: int = 0
    digest: hashlib._Hash = field(default_factory=hashlib.sha256)

    def __post_init__(self) -> None:
        self._packer = None
        if self.gzip:
            self._packer = zlib.compressobj(GZIP_LEVEL, zlib.DEFLATED, GZIP_WINDOW)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_bytes(b"")

    def add(self, data: bytes, rows: int) -> None:
        """Append bytes that hold so many rows."""
        self.rows += rows
        self._append(data if self._packer is None else self._packer.compress(data))

    def close(self) -> None:
        """Write the end of a gzip file."""
        if self._packer is not None:
            self._append(self._packer.flush())

    def _append(self, data: bytes) -> None:
        if data:
            with open(self.path, "ab") as file:
                file.write(data)
            self.digest.update(data)
            self.size += len(data)


class SourceFiles:
    """The files of one source over the whole history."""

    def __init__(self, landing: Path, province: Province, source: Source):
        self.province, self.source, self.landing = province, source, landing
        due = [day for day in range(province.days) if source.cadence.due(province.day(day))]
        parts = (0, 1) if "*" in source.files.pattern else (0,)
        self.files = {(day, part): self._open(day, part) for day in due for part in parts}

    def _open(self, day: int, part: int) -> GrowingFile:
        name = self._filled(self.source.files.pattern, day).replace("*", f"{part + 1:02d}")
        file = GrowingFile(self._folder(day) / name, self.source.format.compression == "gzip")
        if self.source.format.header:
            quote = self.source.format.quote or ""
            cells = [quote + column + quote for column in self.source.columns]
            file.add((self._delimiter.join(cells) + "\n").encode(), 0)
        return file

    @property
    def _delimiter(self) -> str:
        return self.source.format.delimiter or ""  # every source of the province is delimited

    def _folder(self, day: int) -> Path:
        return self.landing / self._filled(self.source.files.folder, day)

    def _filled(self, text: str, day: int) -> str:
        return self.source.files.named(text, self.source.id, self.province.day(day))

    def add(self, rows: Rows) -> None:
        """Append the rows of a chunk to their files."""
        form = self.source.format
        if tuple(rows.columns) != self.source.columns:
            raise ConfigError(
                f"sources: {self.source.id}: columns: the synthetic province "
                f"delivers {', '.join(rows.columns)}"
            )
        for day, part, lines in synthetic_rows.files(rows, self._delimiter, form.quote):
            file = self.files.get((day, part)) or self.files.get((day, 0))
            if file is None:
                raise ConfigError(
                    f"sources: {self.source.id}: cadence: the synthetic province "
                    f"delivers on {self.province.day(day)}"
                )
            file.add(("\n".join(lines) + "\n").encode(form.encoding), len(lines))

    def close(self) -> None:
        """Finish the files and write each day's control file."""
        entries: dict[int, list[str]] = {}
        for (day, _), file in self.files.items():
            file.close()
            entries.setdefault(day, []).append(
                json.dumps(
                    {
                        "file": file.path.name,
                        "rows": file.rows,
                        "bytes": file.size,
                        "sha256": file.digest.hexdigest(),
                    }
                )
            )
        if self.source.files.control is not None:
            for day, lines in entries.items():
                control = self._folder(day) / self._filled(self.source.files.control, day)
                control.write_text("\n".join(lines) + "\n", encoding="utf-8")
