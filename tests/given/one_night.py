"""A night over the small synthetic province, which many tests read."""

from dataclasses import dataclass
from pathlib import Path

from jobs import night
from tests.given.paths import CONF, TESTS
from tests.given.small_province import FIRST, LAST
from tests.readers.warehouse_reader import differing_rows

# One billed month, and enough of few customers in the control group.
CONF_FOLDERS = (CONF, TESTS / "conf")
OPTIONS = tuple(part for folder in CONF_FOLDERS for part in ("--conf", str(folder)))


@dataclass(frozen=True)
class Night:
    """The folders of a night that has run."""

    landing: Path
    truth: Path
    warehouse: Path
    push: Path

    def options(self) -> list[str]:
        return [
            *OPTIONS,
            "--landing",
            str(self.landing),
            "--warehouse",
            str(self.warehouse),
            "--push",
            str(self.push),
        ]

    def run(self) -> int:
        """The history of the province and its last night, in one range."""
        return night.main(["--from-date", FIRST, "--to-date", LAST, *self.options()])


def pushed_files(push: Path) -> dict[str, bytes]:
    """Every file that was pushed, by its path."""
    return {
        str(path.relative_to(push)): path.read_bytes()
        for path in sorted(push.rglob("*"))
        if path.is_file()
    }


def differing_tables(one: Night, other: Night) -> list[str]:
    """The tables of either that hold other rows; what happened when (`ops`) is not compared."""
    there = {
        path.relative_to(made.warehouse).as_posix().replace("/", ".")
        for made in (one, other)
        for layer in ("ods", "dw", "mart", "push")
        for path in (made.warehouse / layer).iterdir()
    }
    return [name for name in sorted(there) if differing_rows(one.warehouse, other.warehouse, name)]
