"""Deliveries as files: what has arrived for a source and a day, and whether it is whole.

All checks that need no Spark are made here, before a table changes. Each file of the day is
present, matches its control file, unpacks to its end and begins with the configured header. The
rows counted here are the `rows_delivered` of the ledger, independent of Spark's counts. The copy in
the archive is checked and read, not the file in the landing.
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
from jobs.intake.delivered_file import (
    DeliveredFile,
    check_against_control,
    control_entries,
    inspect,
)
from schemas.config import Source
from schemas.errors import InputError

INSPECTED_AT_ONCE = 4


class Landing:
    """The landing folder. A delivery is inspected once in a run, however often it is requested.

    Each delivery is first copied to the `archive`; the copy is inspected and returned.
    `read_only`, for a dry run: the files are inspected in the landing and nothing is copied.
    """

    def __init__(self, folder: Path, archive: Archive, *, read_only: bool = False) -> None:
        self.folder, self.archive, self.read_only = folder, archive, read_only
        self._inspected: dict[tuple[str, date], InspectedDelivery] = {}

    def files(
        self,
        source_id: str,
        source: Source,
        days: list[date],
        ingested: Mapping[date, str] | None = None,
    ) -> list[DeliveredFile]:
        """The checked files of all the days, in the order (day, name).

        A delivery that is no longer in the landing is read from the archive, with the content that
        was `ingested` before, by day. Without `ingested` the files of any kept content are
        returned, only to show that there is one. An absent delivery of an optional source gives
        no files.
        InputError for a file that is absent, cut off or contradicts its control file. QualityError
        for a header that differs from the configuration.
        """
        return [
            file for day in days for file in self._delivery(source_id, source, day, ingested).files
        ]

    def contents(self, source_id: str, days: list[date]) -> dict[date, str]:
        """The content of the deliveries that `files` has returned, by day; only days with files."""
        found = {day: self._inspected.get((source_id, day)) for day in days}
        return {day: one.content for day, one in found.items() if one is not None and one.files}

    def _delivery(
        self, source_id: str, source: Source, day: date, ingested: Mapping[date, str] | None
    ) -> InspectedDelivery:
        if (source_id, day) not in self._inspected:
            paths, control = arrived_files(source_id, source, day, self.folder)
            if not paths:
                archived = self._archived(source_id, source, day, ingested)
                if ingested is None:
                    return archived
                self._inspected[source_id, day] = archived
            else:
                self._inspected[source_id, day] = self._arrived(
                    source_id, source, day, paths, control
                )
        return self._inspected[source_id, day]

    def _arrived(
        self, source_id: str, source: Source, day: date, paths: list[Path], control: Path | None
    ) -> InspectedDelivery:
        """The delivery in the landing, checked and (unless `read_only`) copied to the archive."""
        if control is None and source.files.stable_s:
            _require_stable(source_id, source.files.stable_s, day, paths)
        if self.read_only:
            return _inspected_files(source_id, source, day, paths, control)
        before = [_stamp(path) for path in paths]
        with self.archive.copied(source_id, day, paths) as copies:
            whole = _inspected_files(
                source_id, source, day, [copies / path.name for path in paths], control
            )
            for path, stamp in zip(paths, before, strict=True):
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
            # An erasure may have removed lines from a copy that was kept before.
            unchanged = not known or _digest(copy) == file.sha256
            files.append(
                replace(file, path=copy) if unchanged else inspect(source_id, source, day, copy)
            )
        return InspectedDelivery(files, whole.content)

    def _archived(
        self, source_id: str, source: Source, day: date, ingested: Mapping[date, str] | None
    ) -> InspectedDelivery:
        """The delivery that was ingested before, from the archive.

        It is not compared with its control file, because an erasure may have changed its bytes.
        """
        kept = self.archive.kept(source_id, day)
        content = (ingested or {}).get(day, kept[-1] if kept and ingested is None else "")
        if content in kept:
            paths = sorted(self.archive.folder(source_id, day, content).iterdir())
            return InspectedDelivery(
                _inspected_files(source_id, source, day, paths, None).files, content
            )
        if source.optional:
            return InspectedDelivery([], "")
        raise _absent(source_id, source, day, self.folder)

    def arrived_content(self, source_id: str, source: Source, day: date) -> str | None:
        """The content of the delivery that is in the landing; None if there is none.

        The files are not read if the control file has their checksums, because a night asks for
        many days.
        """
        paths, control = arrived_files(source_id, source, day, self.folder)
        if not paths:
            return None
        try:
            promised = control_entries(control.read_text(encoding="utf-8-sig")) if control else {}
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
class InspectedDelivery:
    """The checked files of one source and day, and the hash of their content."""

    files: list[DeliveredFile]
    content: str


def arrived_files(
    source_id: str, source: Source, day: date, landing: Path
) -> tuple[list[Path], Path | None]:
    """The files of a delivery in the landing, and the place of its control file."""
    files = source.files
    folder = landing / files.named(files.folder, source_id, day)
    control = files.control and folder / files.named(files.control, source_id, day)
    present = (
        sorted(folder.glob(files.named(files.pattern, source_id, day))) if folder.is_dir() else []
    )
    return [path for path in present if path != control], control or None


def missing(source_id: str, source: Source, days: list[date], landing: Path) -> list[str]:
    """One line for each day whose delivery is not complete yet; none for an optional source.

    Fast enough to be called every minute, because only control files are read. So a complete
    delivery may still differ from its control file in rows or checksum.
    """
    lines = []
    for day in [] if source.optional else days:
        try:
            paths, control = arrived_files(source_id, source, day, landing)
            if not paths:
                raise _absent(source_id, source, day, landing)
            if control is None and source.files.stable_s:
                _require_stable(source_id, source.files.stable_s, day, paths)
            if control is not None:
                check_against_control(
                    source_id,
                    day,
                    control,
                    {path.name: {"bytes": path.stat().st_size} for path in paths},
                )
        except InputError as error:
            lines.append(str(error))
        except OSError as error:  # the file was removed or renamed meanwhile
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


def _inspected_files(
    source_id: str, source: Source, day: date, paths: list[Path], control: Path | None
) -> InspectedDelivery:
    """The files, each read to its end, and compared with the control file if there is one."""
    with ThreadPoolExecutor(INSPECTED_AT_ONCE) as several:  # unpacking takes most of the time
        files = list(several.map(lambda path: inspect(source_id, source, day, path), paths))
    if control is not None:
        check_against_control(
            source_id,
            day,
            control,
            {
                file.path.name: {"bytes": file.bytes, "sha256": file.sha256, "rows": file.rows}
                for file in files
            },
        )
    return InspectedDelivery(files, content_of((file.path.name, file.sha256) for file in files))


def _stamp(path: Path) -> tuple[int, int, int]:
    """Values that differ after a file was changed or replaced."""
    stat = path.stat()
    return stat.st_ino, stat.st_size, stat.st_mtime_ns


def _digest(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _require_stable(source_id: str, seconds: int, day: date, paths: list[Path]) -> None:
    """InputError if a file was changed in the last `seconds`: its sender may still write to it."""
    for path in paths:
        age = time.time() - path.stat().st_mtime
        if age < seconds:
            raise InputError(
                f"{source_id} {day}: {path.name} was still written to {age:.0f} s "
                f"ago: expected no change for {seconds} s; wait for it"
            )
