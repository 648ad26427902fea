"""What must hold of every DAG: read once in Airflow's own process and judged here."""

import ast
import json
import sys
from pathlib import Path

import pytest

from jobs.plan import selection
from jobs.plan.night import night
from schemas import config, contract
from tests.given.paths import ROOT

GOLDEN = Path(__file__).with_name("commands.txt")
ALLOWED = {
    "airflow.sdk",
    "airflow.sdk.exceptions",
    "airflow.sdk.bases.sensor",
    "airflow.triggers.base",
    "dags.arrival",
    "dags.submission",
    "jobs.intake.landing",
    "airflow.providers.apache.spark.operators.spark_submit",
    "jobs.plan.data_date",
    "jobs.plan.night",
    "jobs.plan.selection",
    "jobs.plan.step",
    "schemas.config",
    "schemas.contract",
    "schemas.window",
}


@pytest.fixture(scope="module")
def steps():
    return night(config.load([ROOT / "conf"], contract.load()))


@pytest.fixture(scope="module")
def tasks(seen):
    return seen["dags"]["nightly"]["tasks"]


@pytest.fixture(scope="module")
def applications(tasks):
    """The night's tasks that are Spark applications, in the order in which they run."""
    return {name: task for name, task in tasks.items() if "command" in task}


@pytest.fixture(scope="module")
def submitted(seen):
    """Every task of any DAG that is a Spark application."""
    return {
        name: task
        for _, dag in sorted(seen["dags"].items())
        for name, task in dag["tasks"].items()
        if "command" in task
    }


def options(arguments: list[str]) -> dict[str, str]:
    """`--name value` pairs of the night's own arguments."""
    return dict(zip(arguments[::2], arguments[1::2], strict=False))  # a flag has no value


def nights_own(command: list[str]) -> list[str]:
    return command[command.index(str(ROOT / "jobs" / "night.py")) + 1 :]


def test_these_are_the_dags_and_they_load_quickly(seen):
    assert seen["errors"] == {}
    assert sorted(seen["dags"]) == ["maintenance", "nightly"]
    assert seen["seconds"] < 5, "seconds of processor; Airflow reads the folder all day"


def test_a_dag_runs_alone_and_does_not_catch_up(seen):
    for name, dag in seen["dags"].items():
        assert dag["max_active_runs"] == 1, name
        assert dag["catchup"] is False, name
        assert dag["schedule"]["timezone"] == "Asia/Shanghai", name
        assert dag["doc"].strip(), name


def test_a_task_says_what_its_failure_means_and_is_not_tried_again(seen):
    for name, dag in seen["dags"].items():
        for task_id, task in dag["tasks"].items():
            assert task["doc"].startswith("**When it fails:** "), f"{name}.{task_id}"
            assert task["retries"] == 0, f"{name}.{task_id}"


def test_the_applications_are_the_groups_of_the_plan_one_after_the_other(
    tasks, applications, steps
):
    assert list(applications) == list(selection.applications(steps))
    chain = ["data_date", "deliveries", *applications]
    assert list(tasks) == chain
    assert [tasks[name]["after"] for name in chain] == [[], *([name] for name in chain[:-1])]


def test_every_step_is_in_exactly_one_task_and_in_the_plans_order(applications, steps):
    named = [
        name
        for task in applications.values()
        for name in options(nights_own(task["command"]))["--only"].split(",")
    ]
    assert named == [step.name for step in steps]


def test_the_commands_are_the_golden_ones(submitted):
    shown = "\n".join(
        f"{name}\n" + "".join(f"  {part}\n" for part in task["command"])
        for name, task in submitted.items()
    )
    shown = shown.replace(sys.prefix, "<environment>").replace(str(ROOT), "<project>")
    assert shown == GOLDEN.read_text(encoding="utf-8"), (
        f"if the new commands are right, write them to {GOLDEN.name}:\n{shown}"
    )


def test_applications_share_the_one_slot_of_a_pool_that_exists(seen, submitted):
    pools = json.loads((ROOT / "conf/airflow/pools.json").read_text(encoding="utf-8"))
    assert {task["pool"] for task in submitted.values()} == {"chudian"}
    assert pools["chudian"]["slots"] == 1
    for dag in seen["dags"].values():
        for task in dag["tasks"].values():
            assert task["pool"] in {*pools, "default_pool"}


def test_the_master_is_the_connections_and_never_yarn_by_silence(submitted):
    for name, task in submitted.items():
        command = task["command"]
        assert command[command.index("--master") + 1] == "local[2]", name
        said = dict(task["refusals"])
        assert said.pop("shipped") is None, name
        for case, message in said.items():
            assert message.startswith(
                "AirflowFailException: connection chudian_spark names no Spark master"
            ), f"{name}: {case}: {message}"


def test_spark_needs_no_activated_environment(submitted):
    for task in submitted.values():
        submit, environment = Path(task["command"][0]), task["environment"]
        assert submit.is_absolute()
        assert submit.is_file()
        assert Path(environment["PYSPARK_PYTHON"]) == Path(sys.executable)
        assert (Path(environment["SPARK_HOME"]) / "bin" / "spark-submit").is_file()


def test_a_run_goes_before_the_deployment_and_the_deployment_before_the_default(applications):
    for task in applications.values():
        usual, elsewhere = options(nights_own(task["command"])), options(task["elsewhere"])
        assert usual["--from-date"] == usual["--to-date"] == "2009-05-03"
        assert usual["--landing"] == elsewhere["--landing"] == str(ROOT / "build" / "landing")
        assert elsewhere["--warehouse"] == "hdfs:///deployed"
        assert elsewhere["--push"] == "/asked"
        assert (elsewhere["--from-date"], elsewhere["--to-date"]) == ("2009-01-01", "2009-05-03")


def test_the_operators_reason_reaches_the_ingest_alone(applications):
    said = {
        name: [part for part in task["elsewhere"] if "--accept" in part]
        for name, task in applications.items()
    }
    assert said == {
        **{name: [] for name in applications},
        "ingest": ["--accept-rejects=known, ticket 4711"],
    }


def test_the_night_waits_for_a_delivery_until_it_is_there(seen):
    """The sensor in Airflow's own process, over a landing of two sources, one of them optional."""
    waited = seen["waiting"]
    assert waited["at first"] == "deferred"
    assert waited["trigger"] == "dags.arrival.DeliveryTrigger"
    assert waited["when the file arrives"] == [[], None], "the trigger's event, what the task says"
    assert waited["once it is there"] == "goes on"


def test_the_night_fails_with_the_names_of_what_has_not_come_in_time(seen):
    event, said = seen["waiting"]["too late"]
    (line,) = event
    assert line.startswith("web_log 2009-05-03: no delivery: expected ")
    assert line.endswith(" since 2009-05-04 00:00; wait for it, or mark the source optional")
    assert said == f"AirflowFailException: 1 of the deliveries not there after 0 minutes: {line}"


def test_maintenance_is_one_application_over_the_deployments_tables(seen):
    tasks = seen["dags"]["maintenance"]["tasks"]
    assert {name: task["after"] for name, task in tasks.items()} == {
        "data_date": [],
        "maintain": ["data_date"],
    }
    elsewhere = options(tasks["maintain"]["elsewhere"])
    assert elsewhere["--data-date"] == "2009-05-03"
    assert (elsewhere["--warehouse"], elsewhere["--push"]) == ("hdfs:///deployed", "/asked")


@pytest.mark.parametrize("path", sorted((ROOT / "dags").glob("*.py")), ids=lambda path: path.name)
def test_a_dag_file_imports_nothing_heavy(path):
    imported = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            imported.update(name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}: line {node.lineno}: a relative import"
            inner = node.module in ("jobs.intake", "jobs.plan", "schemas")
            imported.update(
                f"{node.module}.{name.name}" if inner else node.module for name in node.names
            )
    foreign = {name for name in imported if name.split(".")[0] not in sys.stdlib_module_names}
    assert foreign <= ALLOWED
