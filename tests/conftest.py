"""One Spark session in each worker of a test run, and one night over the small province."""

import os
import shutil
import sys
from pathlib import Path

import pytest

from jobs.java import class_archive
from jobs.runtime.session import JAVA_OPTIONS, settings
from schemas import config, contract
from tests.given import interpreted
from tests.given.one_night import Night
from tests.given.paths import ROOT
from tests.given.small_province import synthesized

# What `make test` keeps on one worker: the tests that share something dear, and else each module.
# The first fixture that a test asks for names its group.
SHARED = {
    "one_night": "one night",
    "delivered": "the small province",
    "two_days": "two days",
    "opened": "a warehouse",
    "seen": "what Airflow sees",
}
# The longest groups begin; the others go to the worker that is free.
LONGEST_FIRST = ("tests/dags/test_nightly_run.py", "one night", "two days")


def group_of(item: pytest.Item) -> str:
    asked = item.fixturenames
    shared = [group for fixture, group in SHARED.items() if fixture in asked]
    return shared[0] if shared else item.nodeid.split("::")[0]


@pytest.hookimpl(tryfirst=True)  # before xdist reads the marks
def pytest_collection_modifyitems(items):
    for item in items:
        item.add_marker(pytest.mark.xdist_group(group_of(item)))
    places = {group: place for place, group in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: places.get(group_of(item), len(places)))


@pytest.fixture(scope="session")
def spark(tmp_path_factory):
    """The worker's: that of a run as the shipped configuration makes it, but small and kept.

    A run inside a test (`jobs.night.main`) finds it, takes a session of its own in it and leaves
    it running.
    """
    from pyspark.sql import SparkSession

    os.environ["PYSPARK_PYTHON"] = sys.executable
    options = settings(config.load([ROOT / "conf"]), (ROOT / "conf",)) | {
        "spark.app.name": "chudian-tests",
        "spark.master": "local[2]",
        "spark.driver.memory": "2g",
        # This session turns Spark's code generation off. The tests run thousands of small plans,
        # each once over few rows: compiling a plan takes longer than running it interpreted.
        # `make trial` runs with code generation, and so does the night that Airflow submits in
        # `make soak`; a test there compares its tables with those of an interpreted night.
        **interpreted.SETTINGS,
        # A session of few rows has them from its profile; this one is for all tests.
        "spark.buffer.pageSize": "1m",
        "spark.broadcast.blockSize": "256k",
        "spark.databricks.delta.snapshotPartitions": "1",
        # Rows are few: fewer tasks, and no job of its own for each stage of a plan. A night sets
        # both as its configuration says.
        "spark.sql.shuffle.partitions": "2",
        "spark.sql.adaptive.enabled": "false",
        "spark.sql.warehouse.dir": str(tmp_path_factory.mktemp("spark") / "warehouse"),
    }
    options[JAVA_OPTIONS] = class_archive.with_archive(options[JAVA_OPTIONS])
    session = SparkSession.builder.config(map=options).getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    yield session
    session.stop()


@pytest.fixture(scope="session")
def conf():
    """The shipped configuration."""
    return config.load([ROOT / "conf"])


@pytest.fixture(scope="session")
def contracts():
    """The shipped contracts."""
    return contract.load()


@pytest.fixture(scope="session")
def delivered(tmp_path_factory) -> tuple[Path, Path]:
    """Landing and truth of the small province."""
    return synthesized(tmp_path_factory.mktemp("province"))


@pytest.fixture(scope="session")
def one_night(spark, delivered, tmp_path_factory) -> Night:
    folder = tmp_path_factory.mktemp("night")
    made = Night(*delivered, folder / "warehouse", folder / "push")
    assert made.run() == 0
    return made


@pytest.fixture
def again(one_night, tmp_path) -> Night:
    """A copy of the night's tables, to do some of it once more."""
    shutil.copytree(one_night.warehouse, tmp_path / "warehouse")
    return Night(one_night.landing, one_night.truth, tmp_path / "warehouse", tmp_path / "push")
