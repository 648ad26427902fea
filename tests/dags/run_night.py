"""Run the DAG `nightly` once, for real: `python -m tests.dags.run_night OUT CONNECTIONS CONF_JSON`.

A process of its own with its own AIRFLOW_HOME; writes the state of each task as JSON.
"""
import json
import sys
from datetime import datetime, timezone
from pathlib import Path

from airflow.dag_processing.dagbag import DagBag

ROOT = Path(__file__).resolve().parents[2]


def main(out: Path, connections: str, parameters: dict) -> None:
    dag = DagBag(ROOT / "dags").dags["nightly"]
    ran = dag.test(logical_date=datetime(2009, 5, 3, 22, tzinfo=timezone.utc),
                   run_conf=parameters, conn_file_path=connections)
    out.write_text(json.dumps({"run": str(ran.state), "tasks": {
        instance.task_id: str(instance.state) for instance in ran.get_task_instances()}}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], json.loads(sys.argv[3]))
