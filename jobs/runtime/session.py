"""Arguments, log, lock, Spark session and exit codes: what surrounds every run.

Exit codes: 0 done, 2 wrong arguments or configuration, 3 data-quality gate, 4 input missing or
late, 1 anything else. The screen shows progress and at most one clear message; everything that
Spark, Java and Python have to say goes to the run's log under `<warehouse>/_logs`.
"""

from __future__ import annotations

import argparse
import fcntl
import logging
import os
import shutil
import sys
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from jobs.runtime import acceptance
from schemas.errors import ChudianError, ConfigError, unexpected
from schemas.window import Window, add_months, month_of, parse_date

log = logging.getLogger("chudian")
log.addHandler(logging.NullHandler())  # before a run has a log, a message goes to the screen alone


@dataclass(frozen=True)
class Invocation:
    """What the command line asked for. Folders are as given.

    `window` are data_dates; None for a run that has none of its own. `accept_rejects`: why
    deliveries may pass their thresholds in this run; None: they may not.
    """

    window: Window | None
    conf: tuple[Path, ...]
    landing: Path
    warehouse: str
    push: Path
    accept_rejects: str | None = None


FOLDERS = {
    "conf": {
        "action": "append",
        "type": Path,
        "help": "configuration folder; repeatable, later ones "
        "overlay earlier ones (default: conf, then conf/local)",
    },
    "landing": {
        "type": Path,
        "default": Path("build/landing"),
        "help": "where files arrive (default: %(default)s)",
    },
    "warehouse": {
        "default": "build/warehouse",
        "help": "root of the Delta tables (default: %(default)s)",
    },
    "push": {
        "type": Path,
        "default": Path("build/push"),
        "help": "where channel files go (default: %(default)s)",
    },
}


def parser(description: str, epilog: str) -> argparse.ArgumentParser:
    """The common options of what runs steps for a window; a job adds its own."""
    made = bare_parser(None, description, epilog, "landing", "push")
    made.add_argument(
        "--data-date",
        metavar="D",
        help="the day whose deliveries are taken in, for example 2009-05-03",
    )
    made.add_argument(
        "--from-date",
        metavar="A",
        help="first day of a range, with --to-date: "
        "loads or repeats the range in as few passes as possible",
    )
    made.add_argument("--to-date", metavar="B", help="last day of a range")
    made.add_argument(
        "--history",
        metavar="N",
        type=int,
        help="load the N months before the month of --data-date and the night itself in one range",
    )
    return made


def bare_parser(
    prog: str | None, description: str, epilog: str, *folders: str
) -> argparse.ArgumentParser:
    """The options that say where things lie: configuration, warehouse and the folders named."""
    made = _Parser(
        prog=prog,
        description=description,
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    for name in ("conf", "warehouse", *folders):
        made.add_argument(f"--{name}", metavar="DIR", **FOLDERS[name])
    return made


class _Parser(argparse.ArgumentParser):
    def error(self, message: str):
        raise ConfigError(f"{message}; {self.prog} --help shows every option with an example")


def invocation(args: argparse.Namespace) -> Invocation:
    """The checked arguments; ConfigError says which is impossible and what is accepted."""
    return Invocation(
        _window(args),
        conf_folders(args.conf),
        args.landing,
        args.warehouse,
        args.push,
        acceptance.reason(args),
    )


def _window(args: argparse.Namespace) -> Window:
    ranged = args.from_date is not None or args.to_date is not None
    if ranged:
        if args.data_date or args.history is not None or not (args.from_date and args.to_date):
            raise ConfigError(
                "give --data-date (with --history if wanted), or --from-date "
                "together with --to-date"
            )
        return Window(parse_date(args.from_date), parse_date(args.to_date))
    if not args.data_date:
        raise ConfigError(
            "--data-date is missing: give the day, for example --data-date 2009-05-03"
        )
    last = parse_date(args.data_date)
    if args.history is None:
        return Window(last, last)
    if args.history < 0:
        raise ConfigError(f"--history {args.history}: give a number of months, 0 or more")
    return Window(add_months(month_of(last), -args.history), last)


def conf_folders(asked: list[Path] | None) -> tuple[Path, ...]:
    """The folders to overlay; without a word on the command line `conf`, then `conf/local`."""
    if asked:
        return tuple(asked)
    root = Path(__file__).resolve().parents[2] / "conf"
    return tuple(folder for folder in (root, root / "local") if folder == root or folder.is_dir())


def guarded(main: Callable[[], None]) -> int:
    """Run `main` and turn what stops it into one message on the screen and an exit code."""
    try:
        main()
        return 0
    except ChudianError as error:
        print(f"chudian: {error}", file=sys.stderr)
        return error.exit_code
    except BrokenPipeError:  # whoever read the output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        print(
            "chudian: interrupted; run the same command again, it goes on safely", file=sys.stderr
        )
        return 1
    except Exception as error:  # the stack is in the log; a message may hold a row's values
        print(f"chudian: {unexpected(error)}", file=sys.stderr)
        return 1


def _log_file() -> str | None:
    for handler in log.handlers:
        if isinstance(handler, logging.FileHandler):
            return os.path.relpath(handler.baseFilename)
    return None


@contextmanager
def run_of(warehouse: str):
    """One run at a time over a warehouse: its log, its lock, its id.

    Yields the run id. A second run is refused with the id of the first (local folders only; on a
    cluster the scheduler's pool of one keeps runs apart).
    """
    started = datetime.now(UTC)
    run_id = f"{started:%Y%m%dT%H%M%S.%fZ}-{os.getpid()}"
    if "://" in warehouse:
        yield run_id
        return
    root = Path(warehouse)
    try:
        (root / "_logs").mkdir(parents=True, exist_ok=True)
        lock = open(root / "_run.lock", "a+", encoding="utf-8")
        path = root / "_logs" / f"{run_id}.log"
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))  # the engine may quote a row
        handler = logging.FileHandler(path, encoding="utf-8")
    except OSError as error:
        raise ChudianError(
            f"the warehouse {warehouse} cannot be written ({error.strerror}): "
            "check the folder and its rights, or give another --warehouse"
        ) from None
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    logging.getLogger().addHandler(handler)
    log.addHandler(handler)
    logging.getLogger().setLevel(logging.INFO)
    log.propagate = False
    logging.raiseExceptions = False  # a log that cannot be written must not fill the screen
    for chatty in ("py4j", "great_expectations", "matplotlib"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    try:
        with lock:
            _lock(lock, run_id, warehouse)
            yield run_id
    except ChudianError as error:
        log.error("%s", error, exc_info=error.__cause__)
        raise
    except Exception as error:
        log.exception("stopped")
        error.log = _log_file()
        raise
    finally:
        logging.getLogger().removeHandler(handler)
        log.removeHandler(handler)
        handler.close()


def _lock(lock, run_id: str, warehouse: str) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.seek(0)
        holder = lock.read().strip() or "another process"
        raise ChudianError(
            f"a run is under way over {warehouse} ({holder}): wait for it to end, "
            "or give another --warehouse"
        ) from None
    lock.seek(0)
    lock.truncate()
    lock.write(f"run {run_id}")
    lock.flush()


@contextmanager
def session(conf, folders: tuple[Path, ...]):
    """The Spark session of a run, stopped at its end.

    Where Spark runs already (a notebook, a test), the run gets a session of its own in it, with
    the settings that a running Spark still takes, and leaves Spark running.
    """
    from pyspark import SparkContext
    from pyspark.logger import PySparkLogger
    from pyspark.sql import SparkSession

    for name in ("SQLQueryContextLogger", "DataFrameQueryContextLogger"):
        PySparkLogger.getLogger(name).disabled = True  # they print failing cells on the screen
    if SparkContext._active_spark_context is not None:
        own = SparkSession.builder.getOrCreate().newSession()
        for key, value in settings(conf, folders).items():
            if own.conf.isModifiable(key):
                own.conf.set(key, value)
        yield own
        return
    made = _started(conf, folders)
    try:
        yield made
    finally:
        made.stop()


def settings(conf, folders: tuple[Path, ...]) -> dict[str, str]:
    """The profile of runtime.yml, then what correctness needs whatever the profile says."""
    return {**profile(conf.runtime.spark.conf, folders), **_needed(conf)}


def _needed(conf) -> dict[str, str]:
    return {
        "spark.sql.session.timeZone": conf.runtime.timezone,
        "spark.sql.ansi.enabled": "true",
        "spark.sql.legacy.javaCharsets": "true",
        "spark.sql.legacy.codingErrorAction": "true",
        "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
        "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
    }


def _started(conf, folders: tuple[Path, ...]):
    """A new session. Options that `spark-submit` was given win over the profile."""
    from pyspark import SparkConf, SparkContext
    from pyspark.errors import PySparkRuntimeError
    from pyspark.sql import SparkSession

    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    submitted = "PYSPARK_GATEWAY_PORT" in os.environ
    if not submitted:
        _find_java()
    try:
        with _java_to_log():
            if submitted:
                SparkContext._ensure_initialized()
            options = SparkConf()
            for key, value in profile(conf.runtime.spark.conf, folders).items():
                options.setIfMissing(key, value)
            options.setAll(list(_needed(conf).items()))
            options.setIfMissing("spark.app.name", "chudian")
            made = SparkSession.builder.config(conf=options).getOrCreate()
            made.sparkContext.setLogLevel("WARN")
    except PySparkRuntimeError as error:
        if error.getCondition() != "JAVA_GATEWAY_EXITED":
            raise
        raise ChudianError(
            "Spark could not be started: Java 17 or newer and the memory that the "
            f"Spark profile asks for are needed; Java's own words are in "
            f"{_log_file()}"
        ) from None
    return made


def _find_java() -> None:
    """Where Spark will look for Java, and nowhere else."""
    home = os.environ.get("JAVA_HOME")
    if home and not os.access(Path(home, "bin", "java"), os.X_OK):
        raise ChudianError(
            f"Java was not found: JAVA_HOME is {home}, which has no bin/java: set "
            "it to Java 17 or newer, or unset it"
        )
    if not home and shutil.which("java") is None:
        raise ChudianError("Java was not found: install Java 17 or newer, or set JAVA_HOME")


def profile(name: str, folders: tuple[Path, ...]) -> dict[str, str]:
    """`key value` lines of a Spark profile; the last folder that has the file gives it."""
    for folder in reversed(folders):
        path = folder / name
        if path.is_file():
            lines = (line.strip() for line in path.read_text(encoding="utf-8").splitlines())
            pairs = (line.split(None, 1) for line in lines if line and not line.startswith("#"))
            return {pair[0]: pair[1].strip() if len(pair) > 1 else "" for pair in pairs}
    default = Path(__file__).resolve().parents[2] / "conf"
    if default not in [folder.resolve() for folder in folders]:
        return profile(name, (default,))
    raise ConfigError(f"runtime.yml: spark.conf: no file {name} in {', '.join(map(str, folders))}")


@contextmanager
def _java_to_log():
    """Let the JVM that is started here write its complaints into the run's log."""
    target = _log_file()
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
