"""Deliveries as files: what has arrived for a source and a day, and whether it is whole.

Everything that can be known without Spark is settled here, before a table is touched: each file of
the day is there, agrees with its control file, unpacks to its end, and begins with the promised
header. The lines counted here are the `delivered` of the ledger, independent of what Spark counts.
What is checked, and read afterwards, is the copy in the archive.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

from jobs.intake.archive import Archive, content_of
from jobs.intake.delivered_file import DeliveredFile, agree, inspect, promises
from schemas.config import Source
from schemas.errors import InputError

INSPECTED_AT_ONCE = 4


class Landing:
    """The landing folder; a delivery is inspected once in a run, however often it is asked for.

    Each delivery is copied to the `archive` first, and the copy is what is inspected and named.
    A look ahead only `looks`: it inspects the files where they lie, and copies nothing.
    """

    def __init__(self, folder: Path, archive: Archive, looks: bool = False) -> None:
        self.folder, self.archive, self.looks = folder, archive, looks
        self._seen: dict[tuple[str, date], Delivery] = {}

    def files(
        self,
        source_id: str,
        source: Source,
        days: list[date],
        taken_in: Mapping[date, str] | None = None,
    ) -> list[DeliveredFile]:
        """The checked files of all the days, in the order (day, name).

        A delivery that lies in the landing no more is read from the archive, with the content that
        was `taken_in` before (without it: any, only to know that there is one). InputError for what
        is absent, truncated or contradicts its control file; QualityError for a header that is not
        the configured one. An absent delivery of an optional source is none.
        """
        return [
            file for day in days for file in self._delivery(source_id, source, day, taken_in).files
        ]

    def contents(self, source_id: str, days: list[date]) -> dict[date, str]:
        """What stands for the content of the deliveries that `files` has given; none for none."""
        seen = {day: self._seen[source_id, day] for day in days if (source_id, day) in self._seen}
        return {day: delivery.content for day, delivery in seen.items() if delivery.files}

    def _delivery(
        self, source_id: str, source: Source, day: date, taken_in: Mapping[date, str] | None
    ) -> Delivery:
        if (source_id, day) not in self._seen:
            paths, control = found(source_id, source, day, self.folder)
            if not paths:
                archived = self._archived(source_id, source, day, taken_in)
                if taken_in is None:
                    return archived
                self._seen[source_id, day] = archived
            else:
                self._seen[source_id, day] = self._arrived(source_id, source, day, paths, control)
        return self._seen[source_id, day]

    def _arrived(
        self, source_id: str, source: Source, day: date, paths: list[Path], control: Path | None
    ) -> Delivery:
        """What lies in the landing, whole and as promised, and in the archive from now on."""
        if control is None and source.files.stable_s:
            _stable(source_id, source.files.stable_s, day, paths)
        if self.looks:
            return _whole(source_id, source, day, paths, control)
        before = [_stamp(path) for path in paths]
        with self.archive.copied(source_id, day, paths) as copies:
            whole = _whole(source_id, source, day, [copies / path.name for path in paths], control)
            for path, stamp in zip(paths, before):
                if _stamp(path) != stamp:
                    raise InputError(
                        f"{source_id} {day}: {path.name} was written to while it was "
                        "read: wait until its sender is done, and run again"
                    )
            known = whole.content in self.archive.kept(source_id, day)
            kept = self.archive.keep(source_id, day, whole.content)
        files = []
        for file in whole.files:
            copy = kept / file.path.name
            # An erasure may have taken lines out of what was kept before.
            as_it_came = not known or _digest(copy) == file.sha256
            files.append(
                replace(file, path=copy) if as_it_came else inspect(source_id, source, day, copy)
            )
        return Delivery(files, whole.content)

    def _archived(
        self, source_id: str, source: Source, day: date, taken_in: Mapping[date, str] | None
    ) -> Delivery:
        """What was taken in before, from the archive. (An erasure may have changed its bytes.)"""
        kept = self.archive.kept(source_id, day)
        content = (taken_in or {}).get(day, kept[-1] if kept and taken_in is None else "")
        if content in kept:
            paths = sorted(self.archive.folder(source_id, day, content).iterdir())
            return Delivery(_whole(source_id, source, day, paths, None).files, content)
        if source.optional:
            return Delivery([], "")
        raise _absent(source_id, source, day, self.folder)

    def lies(self, source_id: str, source: Source, day: date) -> str | None:
        """What stands for the content of the delivery that lies in the landing; None for none.

        By its control file alone where that tells, so that a look at many days costs little.
        """
        paths, control = found(source_id, source, day, self.folder)
        if not paths:
            return None
        try:
            promised = promises(control.read_text(encoding="utf-8-sig")) if control else {}
        except (OSError, ValueError, KeyError, TypeError):
            promised = {}
        if set(promised) == {path.name for path in paths} and all(
            "sha256" in promised[path.name]
            and promised[path.name].get("bytes") == path.stat().st_size
            for path in paths
        ):
            return content_of((name, entry["sha256"]) for name, entry in promised.items())
        return content_of((path.name, _digest(path)) for path in paths)


@dataclass(frozen=True)
class Delivery:
    """The files of one source and day, and what stands for their content."""

    files: list[DeliveredFile]
    content: str


def found(
    source_id: str, source: Source, day: date, landing: Path
) -> tuple[list[Path], Path | None]:
    """The files that lie in the landing for a delivery, and where its control file has to be."""
    files = source.files
    folder = landing / files.named(files.folder, source_id, day)
    control = files.control and folder / files.named(files.control, source_id, day)
    there = (
        sorted(folder.glob(files.named(files.pattern, source_id, day))) if folder.is_dir() else []
    )
    return [path for path in there if path != control], control or None


def missing(source_id: str, source: Source, days: list[date], landing: Path) -> list[str]:
    """What has not arrived whole yet, a line for each day; an optional source misses nothing.

    At once and as often as asked, because only control files are read: a delivery may still differ
    in rows or checksum.
    """
    lines = []
    for day in [] if source.optional else days:
        try:
            paths, control = found(source_id, source, day, landing)
            if not paths:
                raise _absent(source_id, source, day, landing)
            if control is None and source.files.stable_s:
                _stable(source_id, source.files.stable_s, day, paths)
            if control is not None:
                agree(
                    source_id,
                    day,
                    control,
                    {path.name: {"bytes": path.stat().st_size} for path in paths},
                )
        except InputError as error:
            lines.append(str(error))
        except OSError as error:  # taken away, or renamed, at this moment
            lines.append(f"{source_id} {day}: cannot be looked at yet ({error.strerror})")
    return lines


def _absent(source_id: str, source: Source, day: date, landing: Path) -> InputError:
    return InputError(
        f"{source_id} {day}: no delivery: expected "
        f"{_place(source_id, source, day, landing)} since "
        f"{day + timedelta(days=1)} {source.due_by}; wait for it, or mark the "
        "source optional"
    )


def _place(source_id: str, source: Source, day: date, landing: Path) -> Path:
    named = source.files.named
    return (
        landing
        / named(source.files.folder, source_id, day)
        / named(source.files.pattern, source_id, day)
    )


def _whole(
    source_id: str, source: Source, day: date, paths: list[Path], control: Path | None
) -> Delivery:
    """The files with their figures, once they have been read to their end and agree."""
    with ThreadPoolExecutor(INSPECTED_AT_ONCE) as several:  # most of it is unpacking
        files = list(several.map(lambda path: inspect(source_id, source, day, path), paths))
    if control is not None:
        agree(
            source_id,
            day,
            control,
            {
                file.path.name: {"bytes": file.bytes, "sha256": file.sha256, "rows": file.rows}
                for file in files
            },
        )
    return Delivery(files, content_of((file.path.name, file.sha256) for file in files))


def _stamp(path: Path) -> tuple[int, int, int]:
    """By what a change of a file is seen."""
    seen = path.stat()
    return seen.st_ino, seen.st_size, seen.st_mtime_ns


def _digest(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _stable(source_id: str, seconds: int, day: date, paths: list[Path]) -> None:
    """No file has changed for so long that nobody writes to it any more."""
    for path in paths:
        age = time.time() - path.stat().st_mtime
        if age < seconds:
            raise InputError(
                f"{source_id} {day}: {path.name} was still written to {age:.0f} s "
                f"ago: expected no change for {seconds} s; wait for it"
            )
