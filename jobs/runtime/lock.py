"""One run at a time over a warehouse: its lock, its log, its id, and the exit code at its end.

Exit codes: 0 done, 2 wrong arguments or configuration, 3 data-quality gate, 4 input missing or
late, 130 stopped by Ctrl-C, 143 stopped by TERM, 1 anything else. The screen shows progress and at
most one clear message. Everything that Spark, Java and Python report goes to the run's log under
`<warehouse>/_logs`.
"""

from __future__ import annotations

import fcntl
import logging
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from jobs.runtime import stopping
from jobs.runtime.stopping import Stopped, Watch
from schemas.errors import ChudianError, unexpected

log = logging.getLogger("chudian")
log.addHandler(logging.NullHandler())  # before a run has a log, a message goes to the screen alone


def guarded(main: Callable[[], None]) -> int:
    """Run `main` and turn what stops it into one message on the screen and an exit code."""
    with stopping.watched() as watch:
        try:
            main()
            return 0
        except BrokenPipeError:  # the reader of the output has closed it
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 0
        except (Exception, KeyboardInterrupt, Stopped) as error:
            said, code = _ending(error, watch)
    print(f"chudian: {said}", file=sys.stderr)
    return code


def _ending(error: BaseException, watch: Watch) -> tuple[str, int]:
    """What to say of an error, and the exit code. After a signal other errors follow from it."""
    if watch.signal is not None or not isinstance(error, Exception):
        return watch.message(getattr(error, "committed", Stopped.committed)), watch.code
    if isinstance(error, ChudianError):
        return str(error), error.exit_code
    return unexpected(error), 1  # the stack is in the log; a message may hold a row's values


def log_file() -> str | None:
    """The log of the run that is under way, relative to the current folder; None without one."""
    for handler in log.handlers:
        if isinstance(handler, logging.FileHandler):
            return os.path.relpath(handler.baseFilename)
    return None


@contextmanager
def run_of(warehouse: str) -> Iterator[str]:
    """Hold the lock of a warehouse and write a log; yields the id of the run.

    ChudianError names the first run where a second one is started. Local folders only: on a cluster
    the scheduler's pool of one keeps runs apart.
    """
    with logged(warehouse) as run_id, ExitStack() as stack:
        if "://" not in warehouse:
            try:
                path = Path(warehouse) / "_run.lock"
                lock = stack.enter_context(open(path, "a+", encoding="utf-8"))
            except OSError as error:
                raise _unwritable(warehouse, error) from None
            _lock(lock, run_id, warehouse)
        yield run_id


@contextmanager
def logged(warehouse: str) -> Iterator[str]:
    """Write a log below a warehouse that is a local folder; yields the id of the run."""
    started = datetime.now(UTC)
    run_id = f"{started:%Y%m%dT%H%M%S.%fZ}-{os.getpid()}"
    if "://" in warehouse:
        yield run_id
        return
    try:
        folder = Path(warehouse) / "_logs"
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{run_id}.log"
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))  # Spark may quote a row
        handler = logging.FileHandler(path, encoding="utf-8")
    except OSError as error:
        raise _unwritable(warehouse, error) from None
    _log_to(handler)
    try:
        yield run_id
    except Stopped:
        log.error("stopped by a signal")
        raise
    except ChudianError as error:
        log.error("%s", error, exc_info=error.__cause__)
        raise
    except Exception as error:
        log.exception("stopped")
        error.log = log_file()  # type: ignore[attr-defined]  # schemas.errors.unexpected names it
        raise
    finally:
        logging.getLogger().removeHandler(handler)
        log.removeHandler(handler)
        handler.close()


def _unwritable(warehouse: str, error: OSError) -> ChudianError:
    return ChudianError(
        f"the warehouse {warehouse} cannot be written ({error.strerror}): "
        "check the folder and its rights, or give another --warehouse"
    )


def _log_to(handler: logging.Handler) -> None:
    """Send everything that is logged to the run's log and nothing to the screen."""
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    logging.getLogger().addHandler(handler)
    log.addHandler(handler)
    logging.getLogger().setLevel(logging.INFO)
    log.propagate = False
    logging.raiseExceptions = False  # a log that cannot be written must not fill the screen
    for chatty in ("py4j", "great_expectations", "matplotlib"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


def _lock(lock: TextIO, run_id: str, warehouse: str) -> None:
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
