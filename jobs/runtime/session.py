"""The Spark session of a run: its profile, and the settings that correctness needs."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from jobs.java import class_archive
from jobs.runtime.lock import log_file
from schemas.config import Config
from schemas.errors import ChudianError, ConfigError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

JAVA_OPTIONS = "spark.driver.extraJavaOptions"


@contextmanager
def spark_session(
    conf: Config, folders: tuple[Path, ...], *, few_rows: bool = False
) -> Iterator[SparkSession]:
    """The Spark session of a run, stopped at its end. `few_rows`: the whole run reads few rows.

    Where Spark runs already (a notebook, a test), the run gets a session of its own there, with
    the settings that can still be changed, and leaves Spark running.
    """
    from pyspark import SparkContext
    from pyspark.logger import PySparkLogger
    from pyspark.sql import SparkSession

    from jobs.java import names

    for name in ("SQLQueryContextLogger", "DataFrameQueryContextLogger"):
        PySparkLogger.getLogger(name).disabled = True  # they print failing cells on the screen
    if SparkContext._active_spark_context is not None:
        names.remember(SparkContext._active_spark_context._jvm)
        own = SparkSession.builder.getOrCreate().newSession()
        _set(own, settings(conf, folders))
        yield own
        return
    spark = _started(conf, folders, few_rows)
    try:
        yield spark
    finally:
        spark.stop()


def for_few_rows(
    spark: SparkSession, conf: Config, folders: tuple[Path, ...]
) -> SparkSession | None:
    """A session beside `spark` with the properties for few rows; None: none are configured."""
    if conf.runtime.spark.few_rows is None:
        return None
    own = spark.newSession()
    _set(own, {**spark.conf.getAll, **_for_few_rows(conf, folders)})
    return own


def _for_few_rows(conf: Config, folders: tuple[Path, ...]) -> dict[str, str]:
    few_rows = conf.runtime.spark.few_rows
    return {} if few_rows is None else profile(few_rows.conf, folders)


def _set(spark: SparkSession, properties: Mapping[str, str]) -> None:
    """Set those of the properties that can be changed in a session that runs."""
    for key, value in properties.items():
        if spark.conf.isModifiable(key):
            spark.conf.set(key, value)


def settings(conf: Config, folders: tuple[Path, ...]) -> dict[str, str]:
    """The profile of runtime.yml; settings that correctness needs win over it."""
    return {**profile(conf.runtime.spark.conf, folders), **_needed(conf)}


def _needed(conf: Config) -> dict[str, str]:
    return {
        "spark.sql.session.timeZone": conf.runtime.timezone,
        "spark.sql.ansi.enabled": "true",
        "spark.sql.legacy.javaCharsets": "true",
        "spark.sql.legacy.codingErrorAction": "true",
        "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
        "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
    }


def _started(conf: Config, folders: tuple[Path, ...], few_rows: bool) -> SparkSession:
    """A new session. Options that `spark-submit` was given win over the profile."""
    from pyspark import SparkConf, SparkContext
    from pyspark.errors import PySparkRuntimeError
    from pyspark.java_gateway import launch_gateway
    from pyspark.sql import SparkSession

    from jobs.java import names

    chosen, others = profile(conf.runtime.spark.conf, folders), _for_few_rows(conf, folders)
    chosen |= others if few_rows else {}
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    submitted = "PYSPARK_GATEWAY_PORT" in os.environ
    if not submitted:
        _find_java()
    on_interrupt = signal.getsignal(signal.SIGINT)
    try:
        with _java_to_log():
            if submitted:
                SparkContext._ensure_initialized()
            options = SparkConf()
            for key, value in chosen.items():
                options.setIfMissing(key, value)
            options.setAll(list(_needed(conf).items()))
            options.setIfMissing("spark.app.name", "chudian")
            if not submitted:
                java_options = options.get(JAVA_OPTIONS, "")
                options.set(JAVA_OPTIONS, class_archive.with_archive(java_options))
                # A signal for the run's group is the run's: Java ends with it.
                gateway = launch_gateway(options, {"start_new_session": True})
                SparkContext._ensure_initialized(gateway=gateway)
            spark = SparkSession.builder.config(conf=options).getOrCreate()
            spark.sparkContext.setLogLevel("WARN")
            names.remember(spark._jvm)
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, on_interrupt)  # Spark has put its own in the place
    except PySparkRuntimeError as error:
        if error.getCondition() != "JAVA_GATEWAY_EXITED":
            raise
        raise ChudianError(
            "Spark could not be started: Java 17 or newer and the memory that the "
            f"Spark profile asks for are needed; Java's own message is in {log_file()}"
        ) from None
    return spark


def _find_java() -> None:
    """ChudianError where Spark would find no Java: in JAVA_HOME, else on the PATH."""
    home = os.environ.get("JAVA_HOME")
    if home and not os.access(Path(home, "bin", "java"), os.X_OK):
        raise ChudianError(
            f"Java was not found: JAVA_HOME is {home}, which has no bin/java: set "
            "it to Java 17 or newer, or unset it"
        )
    if not home and shutil.which("java") is None:
        raise ChudianError("Java was not found: install Java 17 or newer, or set JAVA_HOME")


def profile(name: str, folders: tuple[Path, ...]) -> dict[str, str]:
    """The `key value` lines of a Spark profile, from the last folder that has the file."""
    for folder in reversed(folders):
        path = folder / name
        if path.is_file():
            lines = (line.strip() for line in path.read_text(encoding="utf-8").splitlines())
            pairs = (line.split(None, 1) for line in lines if line and not line.startswith("#"))
            return {pair[0]: pair[1].strip() if len(pair) > 1 else "" for pair in pairs}
    default = Path(__file__).resolve().parents[2] / "conf"
    if default not in [folder.resolve() for folder in folders]:
        return profile(name, (default,))
    raise ConfigError(f"runtime.yml: spark: no file {name} in {', '.join(map(str, folders))}")


@contextmanager
def _java_to_log() -> Iterator[None]:
    """Let the JVM that is started in the block write its messages into the run's log."""
    target = log_file()
    if target is None or "PYSPARK_GATEWAY_PORT" in os.environ:
        yield
        return
    sys.stderr.flush()
    kept = os.dup(2)
    with open(target, "a", encoding="utf-8") as file:
        os.dup2(file.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
