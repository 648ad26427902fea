"""The two days that tests of bad and corrected input share, and nights over them that must fail."""

import shutil

import pytest

from schemas import config
from tests.given.paths import CONF
from tests.given.tiny_province import DAYS, Landing, overlay
from tests.given.two_days import TwoDays, versions


@pytest.fixture(scope="session")
def two_days(spark, tmp_path_factory):
    """Both days ingested. A test that writes to the tables takes a copy of the warehouse."""
    folder = tmp_path_factory.mktemp("tiny province 张")  # a blank and a Chinese letter
    shipped = config.load([CONF])
    conf = overlay(folder / "conf", shipped.sources)
    made = TwoDays(folder, conf, shipped.sources)
    made.landing.write_all()
    assert made.night("--only", "ingest", days=DAYS) == 0
    return made


@pytest.fixture
def bad(two_days, tmp_path):
    """A copy of the landing to spoil."""
    shutil.copytree(two_days.landing.folder, tmp_path / "landing")
    return Landing(tmp_path / "landing", two_days.landing.sources)


@pytest.fixture
def copied(two_days, tmp_path):
    """A copy of the warehouse that a test may change."""
    shutil.copytree(two_days.warehouse, tmp_path / "copy")
    return tmp_path / "copy"


@pytest.fixture
def refused(two_days, capfd):
    """Run a night that must not succeed; its message. Everything else about it is checked here."""

    def run(code, *more, only="ingest", logged=True, **how):
        asked = ("--only", only) if only else ()
        before, logs = versions(two_days.warehouse), two_days.logs()
        capfd.readouterr()
        assert two_days.night(*asked, *more, **how) == code
        message = capfd.readouterr().err
        assert message.startswith("chudian: ")
        assert message.endswith("\n")
        assert message.count("\n") == 1, message
        assert versions(two_days.warehouse) == before
        if logged:
            (log,) = two_days.logs() - logs
            assert message.removeprefix("chudian: ").strip() in log.read_text(encoding="utf-8")
        return message.removeprefix("chudian: ").rstrip("\n")

    return run
