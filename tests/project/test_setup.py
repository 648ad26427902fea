"""What is installed is what the locks say."""

import hashlib
import os
import re
import sys
from importlib.metadata import PackageNotFoundError, distributions, version
from importlib.util import cache_from_source, find_spec
from pathlib import Path

import pytest

from jobs.java import class_archive, spark_jars
from schemas.errors import ConfigError
from tests.given.paths import ROOT

CONSTRAINTS = ROOT / "conf/setup/constraints.txt"
LOCK = ROOT / "conf/setup/spark-jars.lock"


def canonical(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def pinned():
    """Exact version by package; anything but `name==version` is no pin."""
    found = {}
    for line in CONSTRAINTS.read_text(encoding="utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            name, exact = line.split("==")
            assert canonical(name) not in found, f"{name} is pinned twice"
            found[canonical(name)] = exact.strip()
    return found


def test_installed_versions_are_the_pinned_ones():
    pins, differing = pinned(), {}
    for name, exact in pins.items():
        try:
            if version(name) != exact:
                differing[name] = f"{version(name)} is installed, {exact} is pinned"
        except PackageNotFoundError:  # another platform's
            continue
    assert not differing
    installed = {canonical(found.metadata["Name"]) for found in distributions()}
    assert {"pyspark", "delta-spark", "great-expectations", "apache-airflow"} <= installed & set(
        pins
    )


@pytest.mark.skipif(sys.platform != "linux", reason="the pins were resolved on Linux")
def test_nothing_is_installed_that_no_pin_names():
    known = {*pinned(), "chudian", "pip"}
    found = {canonical(found.metadata["Name"]) for found in distributions()}
    assert found <= known, found - known


def test_what_takes_long_to_import_is_compiled_already():
    folder = Path(find_spec("great_expectations").origin).parent
    assert not [path for path in folder.rglob("*.py") if not Path(cache_from_source(path)).exists()]


def test_the_pins_that_must_agree():
    """The client's files are a subset of pyspark's at the same version only."""
    pins = pinned()
    assert version("pyspark") == version("pyspark-client") == pins["pyspark"]
    stated = (ROOT / "setup.cfg").read_text(encoding="utf-8")
    exact = re.findall(r"^ +([a-z-]+)==(\S+)$", stated, re.MULTILINE)
    assert len(exact) >= 5
    for name, wanted in exact:
        assert pins[name] == wanted, name
    assert {
        jar.version for jar in spark_jars.read_lock(LOCK) if jar.organisation == "io.delta"
    } == {pins["delta-spark"]}
    assert pins["uv"] in re.findall(
        r"^UV_VERSION := (\S+)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE
    )


@pytest.mark.parametrize("jar", spark_jars.read_lock(LOCK), ids=lambda jar: jar.module)
def test_each_jar_stands_beside_pysparks_own_with_the_locked_content(jar):
    path = spark_jars.jars_folder() / jar.file_name
    assert hashlib.sha256(path.read_bytes()).hexdigest() == jar.sha256


def test_no_other_version_of_a_jar_is_beside_it():
    folder = spark_jars.jars_folder()
    for jar in spark_jars.read_lock(LOCK):
        assert [path.name for path in folder.glob(f"{jar.module}-[0-9]*.jar")] == [jar.file_name]


def test_what_is_there_is_not_fetched_again(monkeypatch):
    def fetched(*_):
        raise AssertionError("the network is asked for what is there")

    monkeypatch.setattr(spark_jars, "_resolve", fetched)
    assert spark_jars.install(LOCK) == 0


def test_the_archive_of_classes_is_of_this_java_and_these_jars():
    folder = spark_jars.jars_folder().parent
    if not (folder / class_archive.ARCHIVE).exists():
        pytest.skip("set-up made no archive of Java's classes here, and said why")
    assert class_archive.fits(), "run 'make setup'"


@pytest.fixture
def lock(tmp_path):
    def write(*lines):
        path = tmp_path / "jars.lock"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path

    return write


SHA = "0" * 64


@pytest.mark.parametrize(
    "line",
    [
        f"{SHA} io.delta delta-storage",
        f"{SHA} io.delta delta-storage 4.4.0 more",
        f"{SHA[1:]} io.delta delta-storage 4.4.0",
        f"{'g' * 64} io.delta delta-storage 4.4.0",
        f"io.delta delta-storage 4.4.0 {SHA}",
    ],
    ids=[
        "a field missing",
        "a field more",
        "a checksum too short",
        "no hexadecimal",
        "other order",
    ],
)
def test_a_malformed_line_of_the_lock_is_refused_with_its_place(lock, line):
    path = lock("# jars", f"{SHA} io.delta delta-storage 4.4.0", line)
    with pytest.raises(ConfigError) as raised:
        spark_jars.read_lock(path)
    assert str(raised.value) == (
        f"{path}:3: expected 'sha256 organisation module version', got {line!r}"
    )


def test_a_damaged_jar_is_not_intact(lock, tmp_path):
    content = b"a jar"
    (jar,) = spark_jars.read_lock(lock(f"{hashlib.sha256(content).hexdigest()} org.example some 1"))
    assert not spark_jars.is_intact(jar, tmp_path)
    (tmp_path / "some-1.jar").write_bytes(content)
    assert spark_jars.is_intact(jar, tmp_path)
    (tmp_path / "some-1.jar").write_bytes(content[:-1])
    assert not spark_jars.is_intact(jar, tmp_path)


@pytest.mark.skipif("PYTEST_XDIST_WORKER" not in os.environ, reason="one worker has every test")
def test_tests_that_share_something_are_kept_on_one_worker(request):
    """pytest-xdist names the group at the end of a test's id; without it each test goes alone."""
    assert request.node.nodeid.endswith("@tests/project/test_setup.py")
