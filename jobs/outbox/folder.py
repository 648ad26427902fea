"""Files that leave: one folder per channel and day; a file is complete or absent.

A file is written under a temporary name and renamed when it is complete. Its manifest is written
last: a channel that sees a manifest may read the file.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from schemas.errors import ChudianError

DAY = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")


def manifest_of(file: str) -> str:
    """The name of the manifest of a file."""
    return f"{file}.manifest.json"


def json_text(content: Mapping[str, Any]) -> str:
    """A manifest, or another short note beside a file, as its text."""
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


@dataclass(frozen=True)
class Sent:
    """A written file with its size in bytes and its checksum."""

    path: Path
    bytes: int
    sha256: str


class Outbox:
    """The push folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def withdraw(self, channel: str, day: date, name: str) -> None:
        """Delete a file if it exists. A channel reads no data file without its manifest."""
        (self.folder / channel / str(day) / name).unlink(missing_ok=True)

    def write_manifest(
        self, channel: str, day: date, file: str, content: Mapping[str, Any], mode: int
    ) -> None:
        """Write the manifest of a file that is complete."""
        text = json_text(content)
        self.write(channel, day, manifest_of(file), [text.encode()], mode)

    def days(self, channel: str) -> list[date]:
        """The days for which a channel has a folder, in order."""
        folder = self.folder / channel
        return (
            sorted(
                date.fromisoformat(entry.name)
                for entry in folder.iterdir()
                if DAY.fullmatch(entry.name)
            )
            if folder.is_dir()
            else []
        )

    def clear(self, channel: str, day: date) -> None:
        """Delete all files of a channel and day."""
        shutil.rmtree(self.folder / channel / str(day))

    def write(self, channel: str, day: date, name: str, chunks: Iterable[bytes], mode: int) -> Sent:
        """Write `<folder>/<channel>/<day>/<name>` with the access rights `mode`.

        ChudianError if it cannot be written.
        """
        folder = self.folder / channel / str(day)
        path = folder / name
        digest, size = hashlib.sha256(), 0
        try:
            folder.mkdir(parents=True, exist_ok=True)
            part = path.with_name(f".{name}.part")
            with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as out:
                for chunk in chunks:
                    out.write(chunk)
                    digest.update(chunk)
                    size += len(chunk)
            os.chmod(part, mode)
            os.replace(part, path)
        except OSError as error:
            raise ChudianError(
                f"{path} cannot be written ({error.strerror}): check the push "
                "folder and its rights, or give another --push"
            ) from None
        return Sent(path, size, digest.hexdigest())
