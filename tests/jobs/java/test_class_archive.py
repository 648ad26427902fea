"""The archive of Java's classes: made once, used where it fits, and in nobody's way."""

import os
import re
import subprocess
import sys

import pytest
from pyspark import SparkContext, java_gateway

from jobs.java import class_archive, spark_jars
from jobs.runtime import session
from jobs.runtime.session import profile
from schemas.errors import ChudianError
from tests.given.paths import CONF

SUBMIT = spark_jars.jars_folder().parent / "bin" / "spark-submit"
# Java writes the archive of what `spark-submit --version` loads: what a session loads takes longer.
TRAINING = f"""
import subprocess, sys
option = f"spark.driver.extraJavaOptions=-XX:ArchiveClassesAtExit={{sys.argv[1]}}"
subprocess.run(["{SUBMIT}", "--conf", option, "--version"], check=True)
"""
WRITES = "import pathlib, sys; pathlib.Path(sys.argv[1]).write_text('classes')\n"


@pytest.fixture
def place(tmp_path, monkeypatch):
    """The folder of a pyspark with one jar, into which the archive goes."""
    jars = tmp_path / "pyspark" / "jars"
    jars.mkdir(parents=True)
    (jars / "spark-core.jar").write_text("a jar", encoding="utf-8")
    monkeypatch.setattr(class_archive, "jars_folder", lambda: jars)
    return jars.resolve().parent


@pytest.fixture
def program(tmp_path):
    def write(text):
        path = tmp_path / "training.py"
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.fixture
def java(tmp_path, monkeypatch):
    """Another Java, in JAVA_HOME: a shell script."""

    def write(script):
        path = tmp_path / "home" / "bin" / "java"
        path.parent.mkdir(parents=True)
        path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        path.chmod(0o755)
        monkeypatch.setenv("JAVA_HOME", str(tmp_path / "home"))

    return write


def test_it_is_made_once(place, program):
    training = program(WRITES)
    assert class_archive.with_archive("-Xmx1g") == "-Xmx1g"
    assert class_archive.make(training)
    assert (place / "classes.jsa").read_text() == "classes"
    first = (place / "classes.jsa").stat()
    assert not class_archive.make(training)
    assert (place / "classes.jsa").stat() == first
    assert sorted(path.name for path in place.iterdir()) == [
        "classes.jsa",
        "classes.made-for",
        "jars",
    ]


def test_options_that_name_an_archive_stay_as_they_are(place, program):
    class_archive.make(program(WRITES))
    assert class_archive.with_archive("-Xmx1g") == (
        f'-Xmx1g "-XX:SharedArchiveFile={place}/classes.jsa" "-Xshare:auto" "-Xlog:cds*=off"'
    )
    for own in ("-XX:SharedArchiveFile=/mine.jsa", "-XX:ArchiveClassesAtExit=/mine", "-Xshare:off"):
        assert class_archive.with_archive(f"-Xmx1g {own}") == f"-Xmx1g {own}"


def test_a_run_starts_java_with_it(place, program, conf, monkeypatch):
    class_archive.make(program(WRITES))
    asked = []

    def launched(options, _):
        asked.append(options.get("spark.driver.extraJavaOptions"))
        raise InterruptedError("Java is not started here")

    monkeypatch.setattr(java_gateway, "launch_gateway", launched)
    # As in a process without Java; a session of the tests would lend its own options.
    monkeypatch.setattr(SparkContext, "_jvm", None)
    with pytest.raises(InterruptedError):
        session._started(conf, (CONF,), few_rows=False)
    shipped = profile("spark/local.conf", (CONF,))["spark.driver.extraJavaOptions"]
    assert asked == [class_archive.with_archive(shipped)]
    assert f"-XX:SharedArchiveFile={place}/classes.jsa" in asked[0]


@pytest.mark.parametrize(
    "changed", ["another jar", "a jar of other content", "a part of the archive", "another Java"]
)
def test_what_it_was_not_made_for_does_not_use_it(place, program, changed, java):
    class_archive.make(program(WRITES))
    if changed == "another jar":
        (place / "jars" / "delta.jar").write_text("a jar", encoding="utf-8")
    elif changed == "a jar of other content":
        (place / "jars" / "spark-core.jar").write_text("another", encoding="utf-8")
    elif changed == "a part of the archive":
        os.truncate(place / "classes.jsa", 3)
    else:
        java("exit 0")
    assert class_archive.with_archive("-Xmx1g") == "-Xmx1g"
    assert class_archive.make(program(WRITES))
    assert class_archive.fits()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("raise SystemExit('no room for it')", "no room for it"),
        ("print('some words')", "Java wrote none"),
        ("import sys; sys.exit(1)", "Java wrote none"),
    ],
    ids=["it fails", "Java writes nothing", "it fails without a word"],
)
def test_without_it_set_up_says_one_line(place, program, monkeypatch, capsys, text, reason):
    monkeypatch.setattr(sys, "argv", ["class_archive", str(program(text))])
    assert class_archive.main() == 1
    said = capsys.readouterr()
    assert (said.out, said.err) == (
        "",
        f"chudian: no archive of Java's classes was made ({reason}): runs do without it, each "
        "start of Spark takes some seconds more\n",
    )
    assert [path.name for path in place.iterdir()] == ["jars"]


def test_an_archive_with_which_java_does_not_start_is_not_kept(place, program, java):
    java("echo 'Unrecognized option' >&2; exit 1")
    with pytest.raises(ChudianError, match="Unrecognized option"):
        class_archive.make(program(WRITES))
    assert class_archive.with_archive("-Xmx1g") == "-Xmx1g"
    assert [path.name for path in place.iterdir()] == ["jars"]


def started(log, **environment):
    """What share of Spark's classes comes from the archive in `spark-submit --version`.

    Java makes the classes of Scala's lambdas anew in every process: their names hold a `/`.
    """
    log.unlink(missing_ok=True)
    options = class_archive.with_archive(f"-Xlog:class+load:file={log}")
    assert "SharedArchiveFile" in options
    done = subprocess.run(
        [
            SUBMIT,
            "--conf",
            f"spark.driver.extraJavaOptions={options}",
            "--version",
        ],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=120,
    )
    loaded = re.findall(
        r" org\.apache\.spark[^\s/]+ source: (.*)$", log.read_text(encoding="utf-8"), re.MULTILINE
    )
    assert loaded
    shared = [source for source in loaded if source == "shared objects file (top)"]
    assert done.returncode == 0
    assert not re.search(r"\[(warning|error)|archive", done.stdout + done.stderr)
    return len(shared) / len(loaded)


def test_java_takes_its_classes_from_there_and_is_silent_where_it_cannot(place, program, tmp_path):
    assert class_archive.make(program(TRAINING))
    assert started(tmp_path / "classes.log") > 0.9
    # Another class path: its folder of settings stands before the jars.
    assert started(tmp_path / "classes.log", SPARK_CONF_DIR=str(tmp_path)) == 0
