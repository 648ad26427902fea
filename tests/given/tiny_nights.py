"""Nights over a landing made by hand, each landing with a warehouse of its own."""

from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path

from jobs import night
from schemas.config import Source
from tests.given.paths import CONF
from tests.given.tiny_province import Landing


class TinyNights:
    """A landing, a warehouse and a push folder below one folder, under the shipped configuration.

    `overlays` are configuration folders on top of it.
    """

    def __init__(self, folder: Path, sources: Mapping[str, Source], *overlays: Path) -> None:
        self.folder, self.overlays = folder, overlays
        self.landing = Landing(folder / "landing", dict(sources))

    @property
    def warehouse(self) -> Path:
        return self.folder / "warehouse"

    def conf(self) -> list[str]:
        """The configuration folders as options of a command."""
        return [part for one in (CONF, *self.overlays) for part in ("--conf", str(one))]

    def where(self) -> list[str]:
        """Configuration and warehouse as options of a command."""
        return [*self.conf(), "--warehouse", str(self.warehouse)]

    def run(
        self, steps: str, first: date, last: date | None = None, more: Iterable[str] = ()
    ) -> int:
        """The exit code of a night of some steps over some days."""
        return night.main(
            [
                "--only",
                steps,
                "--from-date",
                str(first),
                "--to-date",
                str(last or first),
                "--landing",
                str(self.landing.folder),
                "--push",
                str(self.folder / "push"),
                *self.where(),
                *more,
            ]
        )
