"""The whole night as Airflow runs it: a small province, one Spark application per group."""
import hashlib
import json
from datetime import date
from pathlib import Path

import pytest
from deltalake import DeltaTable
from pyarrow.fs import LocalFileSystem, SubTreeFileSystem

from jobs import plan
from schemas import config, contract
from tests.dags.conftest import ROOT, airflow_environment, python

CONF = (ROOT / "conf", Path(__file__).parent / "conf")
DAY = "2009-05-03"  # the bills of April arrive: the month closes
FIRST = "2009-04-01"


@pytest.fixture(scope="module")
def ran(tmp_path_factory) -> Path:
    """The folder of a night that Airflow has run; `states.json` holds how each task ended."""
    folder = tmp_path_factory.mktemp("nightly")
    environment = airflow_environment(folder / "airflow", *CONF)
    python(environment, "-m", "jobs.synthesize", "--customers", 40, "--seed", 7, "--data-date", DAY,
           "--from-date", FIRST, "--landing", folder / "landing", "--truth", folder / "truth",
           "--conf", ROOT / "conf")
    python(environment, "-m", "airflow", "db", "migrate")
    parameters = {"from_date": FIRST, **{name: str(folder / name)
                                         for name in ("landing", "warehouse", "push")}}
    python(environment, "-m", "tests.dags.run_night", folder / "states.json",
           json.dumps(parameters))
    return folder


def rows(folder: Path, table: str, *columns: str) -> list[dict]:
    """All rows of a table, read without Spark.

    Through Arrow's own files: those of delta-rs call back into Python, which now and then aborts
    a process that ends soon after.
    """
    path = str(folder / "warehouse" / table.replace(".", "/"))
    files = SubTreeFileSystem(path, LocalFileSystem())
    return DeltaTable(path).to_pyarrow_table(columns=list(columns), filesystem=files).to_pylist()


def test_every_group_of_the_night_succeeds(ran):
    steps = plan.night(config.load(CONF, contract.load()))
    states = json.loads((ran / "states.json").read_text(encoding="utf-8"))
    assert states == dict.fromkeys(["data_date", *plan.groups(steps)], "success")


def test_the_day_is_the_local_day_before_the_run(ran):
    days = {row["data_date"] for row in rows(ran, "mart.decision", "data_date")}
    assert days == {date(2009, 5, 3)}


def test_each_table_that_the_plan_writes_is_committed_and_nothing_failed(ran):
    ledger = rows(ran, "ops.run_ledger", "table", "state")
    written = {table for step in plan.night(config.load(CONF, contract.load()))
               for table in step.writes}
    assert {row["table"] for row in ledger if row["state"] == "committed"} == written
    assert not [row for row in ledger if row["state"] == "failed"]


def test_a_channels_file_manifest_and_table_agree(ran):
    pushed = [channel for channel, entry in config.load(CONF, contract.load()).channels.items()
              if entry.push]
    targets = 0
    for channel in pushed:
        sent = ran / "push" / channel / DAY
        [manifest] = sent.glob("*manifest*")
        said = json.loads(manifest.read_text(encoding="utf-8"))
        body = (sent / said["file"]).read_bytes()
        in_table = [row for row in rows(ran, f"push.{channel}", "data_date")
                    if row["data_date"] == date(2009, 5, 3)]
        assert said["sha256"] == hashlib.sha256(body).hexdigest(), channel
        assert said["rows"] == len(in_table), channel
        targets += said["rows"]
    fates = [row["fate"] for row in rows(ran, "mart.decision", "fate")]
    assert targets == fates.count("pushed") > 0
