"""One night over a small synthetic province, run once and read by many tests."""
from dataclasses import dataclass
from pathlib import Path

import pytest

from jobs import night
from tests.small_province import FIRST, LAST, synthesized

CONF_FOLDERS = (Path(__file__).resolve().parents[2] / "conf", Path(__file__).parent / "conf")
CONF = tuple(part for folder in CONF_FOLDERS for part in ("--conf", str(folder)))


@dataclass(frozen=True)
class Night:
    """Folders of a night that has run; `run` runs the same night once more elsewhere."""

    landing: Path
    truth: Path
    warehouse: Path
    push: Path

    def run(self, warehouse: Path, push: Path, *more: str) -> int:
        return night.main(["--from-date", FIRST, "--to-date", LAST, "--landing", str(self.landing),
                           "--warehouse", str(warehouse), "--push", str(push), *CONF, *more])


@pytest.fixture(scope="session")
def one_night(spark, tmp_path_factory) -> Night:
    folder = tmp_path_factory.mktemp("night")
    landing, truth = synthesized(folder)
    made = Night(landing, truth, folder / "warehouse", folder / "push")
    assert made.run(made.warehouse, made.push) == 0
    return made
