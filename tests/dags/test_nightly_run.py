"""The whole night as Airflow runs it, one Spark application per group, against the local runner's.

Airflow's applications are processes of their own; the local night runs in the session of the tests.
Nothing but the deliveries and the configuration may decide the tables and the files.
"""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import pytest

from jobs import night
from jobs.plan import night as plan
from jobs.plan.selection import applications
from schemas import config, contract
from tests.dags.conftest import airflow_environment, python
from tests.given import interpreted, tiny_province
from tests.given.one_night import CONF_FOLDERS, Night, differing_tables, pushed_files
from tests.given.paths import ROOT
from tests.given.small_province import FIRST, LAST
from tests.readers.warehouse_reader import query

HERE = Path(__file__).parent
TINY, SMALL = "six customers", "the small province"


class Pair:
    """One night by Airflow and by the local runner, over the same deliveries."""

    def __init__(
        self, folder: Path, landing: Path, first: date, *conf: Path, submitted: Path | None = None
    ) -> None:
        self.folder, self.first, self.conf = folder, first, (*CONF_FOLDERS, *conf)
        # The Spark profile of what Airflow submits.
        self.submitted = submitted or interpreting(folder / "profile")
        self.by_airflow, self.local = (
            Night(landing, folder / "truth", folder / name / "warehouse", folder / name / "push")
            for name in ("airflow", "local")
        )

    def run_airflow(self) -> None:
        """`states.json` holds how each task ended."""
        environment = airflow_environment(self.folder / "home", *self.conf, self.submitted)
        parameters = {
            "from_date": str(self.first),
            "landing": str(self.by_airflow.landing),
            "warehouse": str(self.by_airflow.warehouse),
            "push": str(self.by_airflow.push),
        }
        python(environment, "-m", "airflow", "db", "migrate")
        python(
            environment,
            "-m",
            "tests.dags.run_night",
            self.folder / "states.json",
            json.dumps(parameters),
        )

    def run_local(self) -> None:
        own = self.conf[len(CONF_FOLDERS) :]  # the others are among the options of every night
        folders = [part for folder in own for part in ("--conf", str(folder))]
        days = ["--from-date", str(self.first), "--to-date", LAST]
        assert night.main([*days, *self.local.options(), *folders]) == 0


def interpreting(folder: Path) -> Path:
    """A profile of short sessions: of six customers' plans each runs once."""
    text = (HERE / "conf" / "spark" / "local.conf").read_text(encoding="utf-8")
    return interpreted.write_profile(folder, text, interpreted.SHORT_LIVED)


@pytest.fixture(scope="module", params=[TINY, pytest.param(SMALL, marks=pytest.mark.soak)])
def pair(request, spark, tmp_path_factory) -> Pair:
    """Both at the same time. Of the small province Airflow's night compiles its plans."""
    folder = tmp_path_factory.mktemp("nightly")
    if request.param == TINY:
        sources = config.load([ROOT / "conf"]).sources
        landing = tiny_province.Landing(folder / "landing", sources).write_all().folder
        made = Pair(
            folder, landing, tiny_province.DAYS[0], tiny_province.overlay(folder / "conf", sources)
        )
    else:
        made = Pair(
            folder,
            request.getfixturevalue("delivered")[0],
            date.fromisoformat(FIRST),
            submitted=HERE / "conf",
        )
    with ThreadPoolExecutor(1) as aside:
        nightly = aside.submit(made.run_airflow)
        made.run_local()
        nightly.result()
    return made


def test_every_group_of_the_night_succeeds(pair):
    steps = plan.night(config.load(pair.conf, contract.load()))
    states = json.loads((pair.folder / "states.json").read_text(encoding="utf-8"))
    assert states == dict.fromkeys(["data_date", "deliveries", *applications(steps)], "success")


def test_the_day_is_the_local_day_before_the_run(pair):
    assert query(
        pair.by_airflow.warehouse, "SELECT DISTINCT data_date FROM d", d="mart.decision"
    ) == [(date(2009, 5, 3),)]


def test_each_table_that_the_plan_writes_is_committed_and_nothing_failed(pair):
    ledger = query(pair.by_airflow.warehouse, 'SELECT "table", state FROM l', l="ops.run_ledger")
    written = {
        table
        for step in plan.night(config.load(pair.conf, contract.load()))
        for table in step.writes
    }
    assert {table for table, state in ledger if state == "committed"} == written
    assert not [table for table, state in ledger if state == "failed"]


def test_the_tables_are_those_of_the_local_runner(pair):
    assert differing_tables(pair.by_airflow, pair.local) == []


def test_the_channels_get_the_same_bytes(pair):
    files = pushed_files(pair.local.push)
    channels = config.load(pair.conf, contract.load()).channels.values()
    assert len(files) == 2 * sum(one.push is not None for one in channels)
    assert pushed_files(pair.by_airflow.push) == files
