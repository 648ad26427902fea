"""Deliveries as they came, kept below the warehouse: `<source>/<data_date>/<content>/<file>`.

`content` stands for the bytes of a whole delivery: the same one is kept once however often it
comes, and a corrected one beside the first. What a night reads is the copy, so its rows are of the
bytes that were checked, whatever happens to the landing meanwhile, and they can be read again when
a mapping is mended or the landing has been cleared. The files hold customers' data: their owner
alone may open them.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterable, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from schemas.errors import ChudianError, InputError

DIGITS = 16  # of the fingerprint of a delivery
INCOMING = ".incoming"


def content_of(files: Iterable[tuple[str, str]]) -> str:
    """What stands for the bytes of a delivery, from the name and the sha256 of each file."""
    text = "".join(f"{digest}  {name}\n" for name, digest in sorted(files))
    return hashlib.sha256(text.encode()).hexdigest()[:DIGITS]


def below(warehouse: str, landing: Path) -> Archive:
    """The archive of a warehouse: inside it, or beside the landing of one that is no folder."""
    return Archive((landing if "://" in warehouse else Path(warehouse)) / "_archive")


class Archive:
    """The kept deliveries below a folder. One run at a time writes to it (the run's lock)."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def folder(self, source_id: str, day: date, content: str) -> Path:
        return self.root / source_id / str(day) / content

    def kept(self, source_id: str, day: date) -> list[str]:
        """The contents that are kept of a delivery, sorted."""
        there = self.root / source_id / str(day)
        return (
            sorted(entry.name for entry in there.iterdir() if not entry.name.startswith("."))
            if there.is_dir()
            else []
        )

    def deliveries(self) -> list[tuple[str, date, list[str]]]:
        """(source, day, contents) of everything that is kept, in order."""
        return [
            (source.name, day, self.kept(source.name, day))
            for source in sorted(self.root.glob("*/"))
            for day in sorted(date.fromisoformat(entry.name) for entry in source.glob("*/"))
        ]

    def clear(self, source_id: str, day: date) -> None:
        """Keep nothing of a delivery any longer."""
        shutil.rmtree(self.root / source_id / str(day))

    def rewrite(self, path: Path, data: bytes) -> None:
        """Give a kept file other bytes, whole or not at all; its folder keeps its name."""
        part = path.with_name(f".{path.name}.part")
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
            out.write(data)
        os.replace(part, path)

    @contextmanager
    def copied(self, source_id: str, day: date, paths: Sequence[Path]):
        """The folder with a copy of the files; what is not `keep`t is gone afterwards."""
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
        """Keep what has just been `copied`, under its content; the folder where it lies."""
        kept = self.folder(source_id, day, content)
        if not kept.is_dir():
            self.folder(source_id, day, INCOMING).rename(kept)
        return kept
