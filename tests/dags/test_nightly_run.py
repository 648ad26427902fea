"""The whole night as Airflow runs it, one Spark application per group, against the local runner's.

Two runners and other processes: nothing but the deliveries and the configuration may decide the
tables and the files.
"""
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import pytest

from jobs import plan
from schemas import config, contract
from tests.dags.conftest import airflow_environment, python
from tests.one_night import CONF_FOLDERS, Night, differing_tables, pushed_files
from tests.small_province import FIRST
from tests.warehouse_reader import query

CONF = (*CONF_FOLDERS, Path(__file__).parent / "conf")


@pytest.fixture(scope="module")
def ran(delivered, request, tmp_path_factory) -> Night:
    """The same night by Airflow; `states.json` beside its tables holds how each task ended.

    It has processes of its own, so the local runner's night goes on at the same time.
    """
    folder = tmp_path_factory.mktemp("nightly")
    made = Night(*delivered, folder / "warehouse", folder / "push")
    environment = airflow_environment(folder / "airflow", *CONF)
    parameters = {"from_date": FIRST, "landing": str(made.landing),
                  "warehouse": str(made.warehouse), "push": str(made.push)}

    def by_airflow() -> None:
        python(environment, "-m", "airflow", "db", "migrate")
        python(environment, "-m", "tests.dags.run_night", folder / "states.json",
               json.dumps(parameters))

    with ThreadPoolExecutor(1) as aside:
        nightly = aside.submit(by_airflow)
        request.getfixturevalue("one_night")
        nightly.result()
    return made


def test_every_group_of_the_night_succeeds(ran):
    steps = plan.night(config.load(CONF, contract.load()))
    states = json.loads((ran.warehouse.parent / "states.json").read_text(encoding="utf-8"))
    assert states == dict.fromkeys(["data_date", "deliveries", *plan.groups(steps)], "success")


def test_the_day_is_the_local_day_before_the_run(ran):
    assert query(ran.warehouse, "SELECT DISTINCT data_date FROM d", d="mart.decision") == [
        (date(2009, 5, 3),)]


def test_each_table_that_the_plan_writes_is_committed_and_nothing_failed(ran):
    ledger = query(ran.warehouse, 'SELECT "table", state FROM l', l="ops.run_ledger")
    written = {table for step in plan.night(config.load(CONF, contract.load()))
               for table in step.writes}
    assert {table for table, state in ledger if state == "committed"} == written
    assert not [table for table, state in ledger if state == "failed"]


def test_the_tables_are_those_of_the_local_runner(ran, one_night):
    assert differing_tables(ran, one_night) == []


def test_the_channels_get_the_same_bytes(ran, one_night):
    files = pushed_files(one_night.push)
    assert len(files) == 2 * 4
    assert pushed_files(ran.push) == files
