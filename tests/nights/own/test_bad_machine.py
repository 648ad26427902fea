"""Order of steps and runs, the machine, its Java and its set-up: a fault is one line of text."""

import fcntl
import os
import shutil
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from tests.given.paths import CONF, ROOT
from tests.given.two_days import DAY

# -- order of steps and of runs ------------------------------------------------------------------


def test_a_step_whose_input_was_never_taken_in(refused):
    nobody = (date(2009, 6, 1), date(2009, 6, 1))
    assert refused(4, only="identity", days=nobody) == (
        "identity: ods.subscriber from subscriber is not committed for 2009-06-01: run the step "
        "that writes it first (python -m jobs.night --list shows which)"
    )


def test_a_second_run_at_the_same_time(refused, two_days):
    with open(two_days.warehouse / "_run.lock", "r+", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.truncate()
        lock.write("run 20090504T020000Z-1")
        lock.flush()
        assert refused(1) == (
            f"a run is under way over {two_days.warehouse} (run "
            "20090504T020000Z-1): wait for it to end, or give another "
            "--warehouse"
        )


# -- the machine ---------------------------------------------------------------------------------


def test_an_unwritable_warehouse(refused, tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    place = tmp_path / "file" / "warehouse"
    assert refused(1, warehouse=place, logged=False) == (
        f"the warehouse {place} cannot be written (Not a directory): check the folder and its "
        "rights, or give another --warehouse"
    )


@pytest.fixture
def alone(two_days, tmp_path):
    """A night in a process of its own, with a changed environment; what it printed."""

    def run(*more, **environment):
        kept = {name: value for name, value in os.environ.items() if name != "JAVA_HOME"}
        return subprocess.run(
            [
                sys.executable,
                "-m",
                "jobs.night",
                "--data-date",
                str(DAY),
                "--only",
                "ingest.web_log",
                "--conf",
                str(CONF),
                "--conf",
                str(two_days.conf),
                "--landing",
                str(two_days.landing.folder),
                "--warehouse",
                str(tmp_path / "warehouse"),
                *more,
            ],
            cwd=ROOT,
            env={**kept, **environment},
            capture_output=True,
            text=True,
            timeout=300,
        )

    return run


def log_of(warehouse):
    (log,) = (warehouse / "_logs").glob("*.log")
    return log.read_text(encoding="utf-8")


def test_java_home_that_leads_nowhere(alone, tmp_path):
    done = alone(JAVA_HOME="/nowhere")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "chudian: Java was not found: JAVA_HOME is /nowhere, which has no "
        "bin/java: set it to Java 17 or newer, or unset it\n"
    )
    assert not (tmp_path / "warehouse" / "ods").exists()


def test_no_java_anywhere(alone, tools):
    done = alone(PATH=str(tools))
    assert done.returncode == 1
    assert done.stderr == (
        "chudian: Java was not found: install Java 17 or newer, or set JAVA_HOME\n"
    )


def test_a_java_that_does_not_start(alone, tmp_path, tools):
    java = tmp_path / "java" / "bin" / "java"
    java.parent.mkdir(parents=True)
    java.write_text("#!/bin/sh\necho 'Error: too old for this' >&2\nexit 1\n", encoding="utf-8")
    java.chmod(0o755)
    done = alone(JAVA_HOME=str(tmp_path / "java"))
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith(
        "chudian: Spark could not be started: Java 17 or newer and the "
        "memory that the Spark profile asks for are needed; "
    )
    assert "Error: too old for this" in log_of(tmp_path / "warehouse")


def test_what_java_has_to_say_goes_to_the_log(alone, tmp_path):
    """The folder of a layer is in the way: Java's stack is in the log and not on the screen."""
    (tmp_path / "warehouse").mkdir()
    (tmp_path / "warehouse" / "ops").write_text("in the way", encoding="utf-8")
    done = alone()
    assert done.returncode == 1
    assert done.stderr == (
        f"chudian: the table ops.run_ledger cannot be created below "
        f"{tmp_path / 'warehouse'}: check the folder and its rights, or give "
        "another --warehouse\n"
    )
    assert "\tat " not in done.stdout
    assert "Traceback" not in done.stdout
    assert "\tat " in log_of(tmp_path / "warehouse")


@pytest.fixture
def tools(tmp_path):
    """A PATH with what the set-up needs of a machine, but no Java."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("bash", "sed", "head", "dirname", "env", "sh", "cat", "tr", "uname", "ps"):
        if shutil.which(name):
            (folder / name).symlink_to(shutil.which(name))
    (folder / "python3.11").symlink_to(Path(sys.executable).resolve())
    return folder


def set_up(tools, **environment):
    return subprocess.run(
        [shutil.which("bash"), "conf/setup/environment.sh", "nowhere", "0"],
        cwd=ROOT,
        env={"PATH": str(tools), **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_the_set_up_asks_for_java_and_python(tools):
    done = set_up(tools)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("chudian: Java was not found: install Java 17 or newer")
    (tools / "java").write_text(
        "#!/bin/sh\necho 'openjdk version \"11.0.2\"' >&2\n", encoding="utf-8"
    )
    (tools / "java").chmod(0o755)
    done = set_up(tools)
    assert done.returncode == 1
    assert done.stderr.startswith("chudian: Java 17 or newer is needed, 'java' is version 11: ")
    (tools / "python3.11").unlink()
    done = set_up(tools)
    assert done.returncode == 1
    assert done.stderr.startswith("chudian: Python 3.11 or newer with its venv module was not ")
    assert not (ROOT / "nowhere").exists()
