"""What Airflow sees in dags/, as JSON: `python -m tests.dags.describe OUT` with AIRFLOW_HOME set.

Runs in a process of its own. Commands are rendered for the night of 2009-05-03.
"""

import json
import os
import sys
import time
from pathlib import Path

import attrs
from airflow.dag_processing.dagbag import DagBag
from airflow.providers.apache.spark.operators.spark_submit import SparkSubmitOperator

from tests.dags import waiting
from tests.given.paths import ROOT

sys.path.append(str(ROOT / "dags"))  # as Airflow does where it reads or runs a DAG
CONNECTIONS = json.loads((ROOT / "conf/airflow/connections.json").read_text(encoding="utf-8"))
SHIPPED = json.dumps(CONNECTIONS["chudian_spark"])
MASTERS = {
    "shipped": SHIPPED,
    "missing": None,
    "address": "spark://local[2]",
    "no host": '{"conn_type": "spark"}',
    "wrong type": '{"conn_type": "yarn", "host": "x"}',
}


class Night:
    """Stands for the running task: what `data_date` has returned."""

    @staticmethod
    def xcom_pull(task_ids: str) -> str:
        return {"data_date": "2009-05-03"}[task_ids]


class Variables(dict):
    """Stands for the deployment's variables; one that is not set has the given default."""


def context(dag, variables: dict | None = None, **params) -> dict:
    return {
        "params": {**dict.fromkeys(dag.params), **params},
        "ti": Night,
        "var": {"value": Variables(variables or {})},
    }


def command(operator: SparkSubmitOperator) -> list[str]:
    """The exact command line that the operator starts."""
    os.environ["AIRFLOW_CONN_CHUDIAN_SPARK"] = SHIPPED
    operator.render_template_fields(context(operator.dag))
    return operator._get_hook()._build_spark_submit_command(operator.application)


def elsewhere(operator: SparkSubmitOperator) -> list[str]:
    """The arguments when a run and the deployment have folders and days of their own."""
    return operator.render_template(
        operator.application_args,
        context(
            operator.dag,
            {"chudian_warehouse": "hdfs:///deployed", "chudian_push": "/deployed"},
            push="/asked",
            from_date="2009-01-01",
            accept_rejects="known, ticket 4711",
        ),
    )


def refusals(operator: SparkSubmitOperator) -> dict[str, str | None]:
    """What the task says before it starts, by the connection that it finds."""
    said: dict[str, str | None] = {}
    for case, connection in MASTERS.items():
        os.environ.pop("AIRFLOW_CONN_CHUDIAN_SPARK", None)
        if connection is not None:
            os.environ["AIRFLOW_CONN_CHUDIAN_SPARK"] = connection
        try:
            operator._pre_execute_hook({})
            said[case] = None
        except Exception as error:
            said[case] = f"{type(error).__name__}: {error}"
    return said


def described(operator) -> dict:
    """A task as data."""
    seen = {
        "pool": operator.pool,
        "retries": operator.retries,
        "doc": operator.doc_md,
        "after": sorted(operator.upstream_task_ids),
    }
    if isinstance(operator, SparkSubmitOperator):
        seen.update(
            elsewhere=elsewhere(operator),
            refusals=refusals(operator),
            environment=operator.env_vars,
            command=command(operator),
        )
    return seen


def main(out: Path) -> None:
    started = time.process_time()
    bag = DagBag(ROOT / "dags")
    seconds = time.process_time() - started
    dags = {
        name: {
            "doc": dag.doc_md,
            "catchup": dag.catchup,
            "max_active_runs": dag.max_active_runs,
            "schedule": attrs.asdict(dag.timetable),
            "tasks": {operator.task_id: described(operator) for operator in dag.topological_sort()},
        }
        for name, dag in bag.dags.items()
    }
    out.write_text(
        json.dumps(
            {
                "errors": bag.import_errors,
                "seconds": seconds,
                "dags": dags,
                "waiting": waiting.outcomes(out.parent),
            },
            default=str,
        ),
        encoding="utf-8",
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
