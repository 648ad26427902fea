"""Run the DAG `nightly` once, for real: `python -m tests.dags.run_night OUT PARAMETERS`.

A process of its own, with its own AIRFLOW_HOME and database. Writes the state of each task as JSON.
"""

import json
import sys
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from airflow.dag_processing.dagbag import DagBag

from tests.given.paths import ROOT

sys.path.append(str(ROOT / "dags"))  # as Airflow does where it reads or runs a DAG


def main(out: Path, parameters: dict) -> None:
    dag = DagBag(ROOT / "dags").dags["nightly"]
    ran = dag.test(
        logical_date=datetime(2009, 5, 4, 6, tzinfo=ZoneInfo("Asia/Shanghai")),
        run_conf=parameters,
        conn_file_path=str(ROOT / "conf/airflow/connections.json"),
    )
    out.write_text(
        json.dumps({task.task_id: str(task.state) for task in ran.get_task_instances()}),
        encoding="utf-8",
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), json.loads(sys.argv[2]))
