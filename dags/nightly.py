"""Every night: take in the day's deliveries, re-rate, decide, write one push file per channel.

The tasks are the groups of the plan (`python -m jobs.night --list` shows them with what each step
reads and writes), one Spark application each, in the plan's order. A run is a function of its
data_date and may be repeated: it replaces what it wrote and leaves equal tables and files.

There are no retries. A task that failed has said why in one line at the end of its log, and its
exit code says whose turn it is: 2 the configuration, 3 the quality of the data, 4 a delivery that
is missing or not whole. Mend that and clear the task; the groups after it follow.

What the DAG needs to be read comes from the environment of the scheduler, what a run needs from
its parameters:

- environment `PYTHONPATH`: the project's folder, for the triggerer as well, which does the waiting
- environment `CHUDIAN_CONF`: the configuration folders, `:` between them, later ones overlay
  (default: `conf`, then `conf/local`)
- environment `CHUDIAN_PYTHON`: the interpreter of the environment that has Spark and the jobs
  (default: the scheduler's own)
- connection `chudian_spark`: the Spark master, as JSON; without it no task starts
- pool `chudian`: one slot; without it no task is scheduled
- variables `chudian_landing`, `chudian_warehouse`, `chudian_push`: the deployment's folders
  (default: those under `build`); the parameters `landing`, `warehouse`, `push` for one run
- parameter `data_date`: the day whose deliveries are taken in (default: the day before the run)
- parameter `wait_minutes`: how long to wait for the day's deliveries before the run fails with the
  list of those that are missing (default: six hours); optional sources are not waited for
- parameter `accept_rejects`: why deliveries may pass their thresholds in this run; the reason
  stands in the ledger (default: they may not)
- parameter `from_date`: the first day of a range that ends with `data_date`, to load a history or
  repeat some nights in one go (default: one night)
"""
import os
import sys
from pathlib import Path

from airflow.providers.apache.spark.operators.spark_submit import SparkSubmitOperator
from airflow.sdk import (
    Connection,
    CronTriggerTimetable,
    Param,
    dag,
    get_current_context,
    task,
)
from airflow.sdk.exceptions import AirflowFailException, AirflowNotFoundException

from dags.arrival import DeliverySensor
from jobs import plan
from schemas import config, contract
from schemas.config import Config

ROOT = Path(__file__).resolve().parents[1]
SPARK_CONNECTION = "chudian_spark"
SPARK_POOL = "chudian"
WAIT_MINUTES = 6 * 60  # a delivery later than noon is for a person to decide about
EVERY_MORNING = "0 6 * * *"  # in the configured zone: by then the day before has arrived

IMPACT = {
    "ingest": "Nothing of the night exists. Yesterday's tables stand and no channel gets a file. "
              "A delivery that is late or damaged is the usual cause: ask its system for it again.",
    "views": "The deliveries are in, but nobody knows whose numbers they are: no contact view, no "
             "usage, no decisions, no push files.",
    "rating": "Contacts are up to date. The night's records are in no month, and on a closing day "
              "there are no quotes and recommendations for the new one. No push files.",
    "decision": "All analysis is done, but no channel has been told whom to serve today: the hall, "
                "the hotline, SMS and the web go without new targets.",
}


def conf_folders() -> tuple[Path, ...]:
    """The configuration folders of this deployment; they decide which tasks there are."""
    asked = os.environ.get("CHUDIAN_CONF")
    if asked:
        return tuple(Path(folder).resolve() for folder in asked.split(os.pathsep))
    return tuple(folder for folder in (ROOT / "conf", ROOT / "conf" / "local") if folder.is_dir())


def spark_profile(conf: Config, folders: tuple[Path, ...]) -> Path:
    """The properties that spark-submit must know before it starts Java, such as its memory."""
    places = [folder / conf.runtime.spark.conf for folder in (*reversed(folders), ROOT / "conf")]
    return next((path for path in places if path.is_file()), places[-1])


def spark_environment(python: Path) -> dict[str, str]:
    """Variables with which spark-submit finds its own even when no environment is activated."""
    homes = sorted(python.parents[1].glob("lib/python3*/site-packages/pyspark"))
    if not homes:
        raise FileNotFoundError(f"{python}: its environment has no pyspark: set CHUDIAN_PYTHON to "
                                "the interpreter of the environment that runs the jobs")
    return {"SPARK_HOME": str(homes[0]), "PYSPARK_PYTHON": str(python)}


def folder(name: str) -> str:
    """The template of a folder: the run's parameter, the deployment's variable, or in build."""
    return (f"{{{{ params.{name} or "
            f"var.value.get('chudian_{name}', '{ROOT / 'build' / name}') }}}}")


def refuse_unnamed_master(context) -> None:
    """Stop a task whose connection does not name a master: Airflow would go to YARN in silence.

    A connection written as `spark://local[2]` is no address, so it counts as not there.
    """
    try:
        connection = Connection.get(SPARK_CONNECTION)
    except AirflowNotFoundException:
        connection = None
    if connection is None or connection.conn_type != "spark" or not connection.host:
        raise AirflowFailException(
            f"connection {SPARK_CONNECTION} names no Spark master: give it as JSON, "
            'for example {"conn_type": "spark", "host": "local[2]"}')


FOLDERS = conf_folders()
CONF = config.load(FOLDERS, contract.load())
PYTHON = Path(os.environ.get("CHUDIAN_PYTHON", sys.executable)).absolute()
OPTIONAL_DATE = {"type": ["null", "string"], "format": "date"}
ACCEPT_REJECTS = ("{{ '--accept-rejects=' ~ params.accept_rejects if params.accept_rejects "
                  "else '' }}")
OPTIONAL_TEXT = {"type": ["null", "string"], "minLength": 1}


def day_of_run() -> tuple[str, str]:
    """Templates of the first and last day that a run takes in."""
    day = "ti.xcom_pull(task_ids='data_date')"
    return f"{{{{ params.from_date or {day} }}}}", f"{{{{ {day} }}}}"


def deliveries_task() -> DeliverySensor:
    """Waits for what the night takes in."""
    first, last = day_of_run()
    return DeliverySensor(
        task_id="deliveries", conf_folders=FOLDERS, landing=folder("landing"), first=first,
        last=last, wait_minutes="{{ params.wait_minutes }}",
        doc_md="**When it fails:** a delivery has not come, or not whole: the end of the log says "
               "which, what was expected and since when. Nothing has been touched. Ask its system, "
               "then clear this task.")


class NightTask(SparkSubmitOperator):
    """An application of the night; an argument whose template renders to nothing is left out."""

    def render_template_fields(self, *args, **kwargs) -> None:
        super().render_template_fields(*args, **kwargs)
        self.application_args = [part for part in self.application_args if part]


def night_task(group: str, steps: tuple[plan.Step, ...]) -> SparkSubmitOperator:
    """One group of the plan as one Spark application."""
    first, last = day_of_run()
    accepting = [ACCEPT_REJECTS] if any(step.source for step in steps) else []
    confs = [part for path in FOLDERS for part in ("--conf", str(path))]
    return NightTask(
        task_id=group,
        name=f"chudian-{group}",
        application=str(ROOT / "jobs" / "night.py"),
        application_args=[
            "--only", ",".join(step.name for step in steps),
            "--from-date", first, "--to-date", last,
            *confs, "--landing", folder("landing"), "--warehouse", folder("warehouse"),
            "--push", folder("push"), *accepting],
        conf={"spark.log.level": "WARN"},  # the task's log is for the night's own lines
        conn_id=SPARK_CONNECTION,
        pool=SPARK_POOL,
        pre_execute=refuse_unnamed_master,
        spark_binary=str(PYTHON.with_name("spark-submit")),
        properties_file=str(spark_profile(CONF, FOLDERS)),
        env_vars=spark_environment(PYTHON),
        doc_md="\n".join([f"**When it fails:** {IMPACT[group]}", "",
                          *(f"- `{step.name}`: {step.title} ({step.cadence})" for step in steps)]),
    )


@dag(
    schedule=CronTriggerTimetable(EVERY_MORNING, timezone=CONF.runtime.timezone),
    catchup=False,
    max_active_runs=1,
    default_args={"retries": 0},
    doc_md=__doc__,
    tags=["chudian"],
    params={
        "data_date": Param(None, "The day whose deliveries are taken in, for example 2009-05-03; "
                           "empty: the day before the run", **OPTIONAL_DATE),
        "from_date": Param(None, "First day of a range that ends with data_date; empty: one night",
                           **OPTIONAL_DATE),
        "wait_minutes": Param(WAIT_MINUTES, "How long to wait for the day's deliveries",
                              type="integer", minimum=0),
        "accept_rejects": Param(None, "Let deliveries pass their thresholds in this run: why",
                                **OPTIONAL_TEXT),
        "landing": Param(None, "Where files arrive", **OPTIONAL_TEXT),
        "warehouse": Param(None, "Root of the Delta tables", **OPTIONAL_TEXT),
        "push": Param(None, "Where the channels' files go", **OPTIONAL_TEXT),
    },
)
def nightly():
    @task(doc_md="**When it fails:** the run does not know its day; nothing has been touched.")
    def data_date() -> str:
        """The day of this run in the configured zone: its parameter, else the day before it."""
        context = get_current_context()
        return str(plan.resolve_data_date(context["params"]["data_date"],
                                          context["dag_run"].logical_date, CONF.runtime.timezone))

    before = data_date() >> deliveries_task()
    for group, steps in plan.groups(plan.night(CONF)).items():
        submitted = night_task(group, steps)
        before >> submitted
        before = submitted


nightly()
