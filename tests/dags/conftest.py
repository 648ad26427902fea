"""Airflow in processes of its own, so that its settings and logging do not leak into the tests."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.given.paths import ROOT


def airflow_environment(home: Path, *conf: Path) -> dict[str, str]:
    """An environment that is not activated and knows nothing of this shell's Airflow or Spark."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AIRFLOW", "CHUDIAN", "SPARK", "PYSPARK", "VIRTUAL_ENV"))
    }
    scripts = str(Path(sys.executable).parent)
    path = [part for part in kept["PATH"].split(os.pathsep) if part != scripts]
    return {
        **kept,
        "PATH": os.pathsep.join(path),
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
        "CHUDIAN_CONF": os.pathsep.join(map(str, conf)),
    }


def python(environment: dict[str, str], *arguments: object) -> None:
    """Run the environment's Python in the project; what it printed is shown when it fails."""
    done = subprocess.run(
        [sys.executable, *map(str, arguments)],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-4000:]


@pytest.fixture(scope="session")
def seen(tmp_path_factory) -> dict:
    """What Airflow sees in dags/ with the project's own configuration."""
    home = tmp_path_factory.mktemp("airflow")
    python(
        airflow_environment(home, ROOT / "conf"), "-m", "tests.dags.describe", home / "seen.json"
    )
    return json.loads((home / "seen.json").read_text(encoding="utf-8"))
