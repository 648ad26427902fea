"""How every DAG here submits Spark applications, and where it finds Spark and the configuration.

Airflow reads a DAG with settings from the scheduler's environment; a run has parameters:

- environment `CHUDIAN_CONF`: the configuration folders, `:` between them, later ones overlay
  (default: `conf`, then `conf/local`)
- environment `CHUDIAN_PYTHON`: the interpreter of the environment that has Spark and the jobs
  (default: the scheduler's own)
- connection `chudian_spark`: the Spark master, as JSON; without it no task starts
- pool `chudian`: one slot, so no two applications run at once; without it no task is scheduled
- variables `chudian_landing`, `chudian_warehouse`, `chudian_push`: the deployment's folders
  (default: those under `build`); the parameters `landing`, `warehouse`, `push` for one run

Every process that reads the DAGs needs the project's folder on its PYTHONPATH.
"""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from airflow.providers.apache.spark.operators.spark_submit import SparkSubmitOperator
from airflow.sdk import Connection, Param, get_current_context, task
from airflow.sdk.exceptions import AirflowFailException, AirflowNotFoundException

from jobs.plan.data_date import resolve_data_date
from schemas import config, contract
from schemas.config import Config

ROOT = Path(__file__).resolve().parents[1]
SPARK_CONNECTION = "chudian_spark"
SPARK_POOL = "chudian"
OPTIONAL_DATE = {"type": ["null", "string"], "format": "date"}
OPTIONAL_TEXT = {"type": ["null", "string"], "minLength": 1}
DATE = Param(
    None,
    "The day whose deliveries are the newest, for example 2009-05-03; empty: the "
    "day before the run",
    **OPTIONAL_DATE,
)
PLACES = {
    "landing": "Where files arrive",
    "warehouse": "Root of the Delta tables",
    "push": "Where the channels' files go",
}
USUAL = {
    "catchup": False,
    "max_active_runs": 1,
    "default_args": {"retries": 0},
    "tags": ["chudian"],
}


def conf_folders() -> tuple[Path, ...]:
    """The configuration folders of this deployment; they decide which tasks there are."""
    chosen = os.environ.get("CHUDIAN_CONF")
    if chosen:
        return tuple(Path(folder).resolve() for folder in chosen.split(os.pathsep))
    return tuple(folder for folder in (ROOT / "conf", ROOT / "conf" / "local") if folder.is_dir())


def spark_profile(conf: Config, folders: tuple[Path, ...]) -> Path:
    """The properties that spark-submit must know before it starts Java, such as its memory."""
    places = [folder / conf.runtime.spark.conf for folder in (*reversed(folders), ROOT / "conf")]
    return next((path for path in places if path.is_file()), places[-1])


def spark_environment(python: Path) -> dict[str, str]:
    """Variables with which spark-submit finds pyspark where no environment is activated."""
    homes = sorted(python.parents[1].glob("lib/python3*/site-packages/pyspark"))
    if not homes:
        raise FileNotFoundError(
            f"{python}: its environment has no pyspark: set CHUDIAN_PYTHON to "
            "the interpreter of the environment that runs the jobs"
        )
    return {"SPARK_HOME": str(homes[0]), "PYSPARK_PYTHON": str(python)}


def folder(name: str) -> str:
    """The template of a folder: the run's parameter, else the variable, else a folder in build."""
    return f"{{{{ params.{name} or var.value.get('chudian_{name}', '{ROOT / 'build' / name}') }}}}"


def refuse_unnamed_master(context) -> None:
    """Stop a task whose connection names no master: Airflow would silently submit to YARN.

    A connection written as `spark://local[2]` is not an address, so it counts as missing.
    """
    try:
        connection = Connection.get(SPARK_CONNECTION)
    except AirflowNotFoundException:
        connection = None
    if connection is None or connection.conn_type != "spark" or not connection.host:
        raise AirflowFailException(
            f"connection {SPARK_CONNECTION} names no Spark master: give it as JSON, "
            'for example {"conn_type": "spark", "host": "local[2]"}'
        )


CHOSEN = conf_folders()
CONF = config.load(CHOSEN, contract.load())
FOLDERS = [part for path in CHOSEN for part in ("--conf", str(path))]
PYTHON = Path(os.environ.get("CHUDIAN_PYTHON", sys.executable)).absolute()


def own_folders(*names: str) -> dict[str, Param]:
    """The parameters that give one run other folders than the deployment's."""
    return {name: Param(None, PLACES[name], **OPTIONAL_TEXT) for name in names}


@task(doc_md="**When it fails:** the run does not know its day; nothing has been touched.")
def data_date() -> str:
    """The day of this run in the configured zone: its parameter, else the day before it."""
    context = get_current_context()
    return str(
        resolve_data_date(
            context["params"]["data_date"], context["dag_run"].logical_date, CONF.runtime.timezone
        )
    )


class Application(SparkSubmitOperator):
    """A Spark application; an argument whose template renders to nothing is left out."""

    def render_template_fields(self, *args, **kwargs) -> None:
        super().render_template_fields(*args, **kwargs)
        self.application_args = [part for part in self.application_args if part]


def application(task_id: str, job: str, arguments: Sequence[str], doc: str) -> Application:
    """A module of jobs/ as one Spark application."""
    return Application(
        task_id=task_id,
        name=f"chudian-{task_id}",
        application=str(ROOT / "jobs" / job),
        application_args=list(arguments),
        conf={"spark.log.level": "WARN"},  # the task's log is for the job's own lines
        conn_id=SPARK_CONNECTION,
        pool=SPARK_POOL,
        pre_execute=refuse_unnamed_master,
        spark_binary=str(PYTHON.with_name("spark-submit")),
        properties_file=str(spark_profile(CONF, CHOSEN)),
        env_vars=spark_environment(PYTHON),
        doc_md=doc,
    )
