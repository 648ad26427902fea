"""What Airflow sees in dags/, as JSON: run in a process of its own, away from the tests' settings.

`python -m tests.dags.describe OUT` with AIRFLOW_HOME set. Commands are rendered for the night of
2009-05-03 with the folders' defaults.
"""
import json
import sys
import time
from datetime import date
from pathlib import Path

from airflow.dag_processing.dagbag import DagBag
from airflow.providers.apache.spark.operators.spark_submit import SparkSubmitOperator

ROOT = Path(__file__).resolve().parents[2]


class Night:
    """Stands for the running task: what `data_date` has returned."""

    @staticmethod
    def xcom_pull(task_ids: str) -> str:
        return {"data_date": "2009-05-03"}[task_ids]


class Unset:
    """Stands for the deployment's variables: none is set."""

    @staticmethod
    def get(name: str, default: str) -> str:
        return default


def command(operator: SparkSubmitOperator) -> list[str]:
    """The exact command line that the operator starts."""
    params = {name: None for name in operator.dag.params}
    operator.render_template_fields({"params": params, "ti": Night, "var": {"value": Unset}})
    hook = operator._get_hook()
    return hook._build_spark_submit_command(operator.application)


def described(operator) -> dict:
    seen = {"pool": operator.pool, "retries": operator.retries, "doc": operator.doc_md,
            "after": sorted(operator.upstream_task_ids)}
    if isinstance(operator, SparkSubmitOperator):
        seen.update(command=command(operator), environment=operator.env_vars,
                    checked_by=operator._pre_execute_hook.__name__)
    return seen


def main(out: Path) -> None:
    started = time.monotonic()
    bag = DagBag(ROOT / "dags")
    seconds = time.monotonic() - started
    dags = {}
    for name, dag in bag.dags.items():
        dags[name] = {
            "doc": dag.doc_md, "catchup": dag.catchup, "max_active_runs": dag.max_active_runs,
            "timetable": repr(dag.timetable), "params": dag.params.dump(),
            "tasks": {operator.task_id: described(operator)
                      for operator in dag.topological_sort()}}
    out.write_text(json.dumps({"errors": bag.import_errors, "seconds": seconds, "dags": dags,
                               "on": date(2009, 5, 3)}, default=str))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
