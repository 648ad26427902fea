"""Delivered files, kept below the warehouse: `<source>/<data_date>/<content>/<file>`.

`content` is a hash of all files of a delivery. The same delivery is kept once, however often it
arrives; a corrected one is kept beside the first. A night reads the copy, so its rows come from the
bytes that were checked, even if the landing changes meanwhile. The copy can be read again after a
mapping was corrected or the landing was cleared. The files hold customers' data, so only their
owner may open them.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from schemas.errors import ChudianError, InputError

DIGITS = 16  # hexadecimal digits of `content`
INCOMING = ".incoming"


def content_of(files: Iterable[tuple[str, str]]) -> str:
    """The hash of a delivery. `files`: (name, sha256) of each of its files."""
    text = "".join(f"{digest}  {name}\n" for name, digest in sorted(files))
    return hashlib.sha256(text.encode()).hexdigest()[:DIGITS]


def below(warehouse: str, landing: Path) -> Archive:
    """The archive of a warehouse: inside it, or in the landing if it is not a local folder."""
    return Archive((landing if "://" in warehouse else Path(warehouse)) / "_archive")


class Archive:
    """The kept deliveries below a folder. Only one run at a time writes to it (the run's lock)."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def folder(self, source_id: str, day: date, content: str) -> Path:
        return self.root / source_id / str(day) / content

    def kept(self, source_id: str, day: date) -> list[str]:
        """The contents kept for a source and day, sorted."""
        folder = self.root / source_id / str(day)
        return (
            sorted(entry.name for entry in folder.iterdir() if not entry.name.startswith("."))
            if folder.is_dir()
            else []
        )

    def deliveries(self) -> list[tuple[str, date, list[str]]]:
        """(source, day, contents) of all kept deliveries, in order."""
        return [
            (source.name, day, self.kept(source.name, day))
            for source in sorted(self.root.glob("*/"))
            for day in sorted(date.fromisoformat(entry.name) for entry in source.glob("*/"))
        ]

    def clear(self, source_id: str, day: date) -> None:
        """Delete everything kept for a source and day."""
        shutil.rmtree(self.root / source_id / str(day))

    def rewrite(self, path: Path, data: bytes) -> None:
        """Replace the bytes of a kept file, whole or not at all. Its folder keeps its name."""
        part = path.with_name(f".{path.name}.part")
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
            out.write(data)
        os.replace(part, path)

    @contextmanager
    def copied(self, source_id: str, day: date, paths: Sequence[Path]) -> Iterator[Path]:
        """A folder with copies of the files. Unless `keep` is called, it is deleted afterwards.

        InputError for a file that cannot be read, ChudianError if the copy cannot be written.
        """
        incoming = self.folder(source_id, day, INCOMING)
        try:
            try:
                shutil.rmtree(incoming, ignore_errors=True)
                incoming.mkdir(parents=True, mode=0o700)
                for path in paths:
                    copy = incoming / path.name
                    os.close(os.open(copy, os.O_WRONLY | os.O_CREAT, 0o600))
                    shutil.copyfile(path, copy)
            except OSError as error:
                if error.filename in map(str, paths) and error.filename2 is None:
                    raise InputError(
                        f"{source_id} {day}: {Path(error.filename).name}: cannot be "
                        f"read ({error.strerror})"
                    ) from None
                raise ChudianError(
                    f"{source_id} {day}: the delivery cannot be copied to "
                    f"{incoming.parent} ({error.strerror}): check the folder's "
                    "rights and the space on its disk"
                ) from None
            yield incoming
        finally:
            shutil.rmtree(incoming, ignore_errors=True)

    def keep(self, source_id: str, day: date, content: str) -> Path:
        """Keep the files that were just `copied`, under their content. Returns their folder."""
        kept = self.folder(source_id, day, content)
        if not kept.is_dir():
            self.folder(source_id, day, INCOMING).rename(kept)
        return kept
