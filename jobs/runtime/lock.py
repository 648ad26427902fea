"""One run at a time over a warehouse: its lock, its log, its id, and the exit code at its end.

Exit codes: 0 done, 2 wrong arguments or configuration, 3 data-quality gate, 4 input missing or
late, 1 anything else. The screen shows progress and at most one clear message. Everything that
Spark, Java and Python report goes to the run's log under `<warehouse>/_logs`.
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

from schemas.errors import ChudianError, unexpected

log = logging.getLogger("chudian")
log.addHandler(logging.NullHandler())  # before a run has a log, a message goes to the screen alone


def guarded(main: Callable[[], None]) -> int:
    """Run `main` and turn what stops it into one message on the screen and an exit code."""
    try:
        main()
        return 0
    except ChudianError as error:
        print(f"chudian: {error}", file=sys.stderr)
        return error.exit_code
    except BrokenPipeError:  # the reader of the output has closed it
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
    started = datetime.now(UTC)
    run_id = f"{started:%Y%m%dT%H%M%S.%fZ}-{os.getpid()}"
    if "://" in warehouse:
        yield run_id
        return
    with ExitStack() as stack:
        try:
            root = Path(warehouse)
            (root / "_logs").mkdir(parents=True, exist_ok=True)
            lock = stack.enter_context(open(root / "_run.lock", "a+", encoding="utf-8"))
            path = root / "_logs" / f"{run_id}.log"
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))  # Spark may quote a row
            handler = logging.FileHandler(path, encoding="utf-8")
        except OSError as error:
            raise ChudianError(
                f"the warehouse {warehouse} cannot be written ({error.strerror}): "
                "check the folder and its rights, or give another --warehouse"
            ) from None
        _log_to(handler)
        try:
            _lock(lock, run_id, warehouse)
            yield run_id
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
