"""Errors that a user can cause, each with the exit code that a scheduler acts on.

A message is one or more complete lines: the place, what was found, what was expected, what to do.
It never holds a customer's data.
"""

import re

WORKER_LOST = "Python worker exited unexpectedly"
WORKER_STOPPED = re.compile(r"Traceback \(most recent call last\):\n(?: .*\n)+([\w.]+)")


class ChudianError(Exception):
    """Base of all errors that stop the program on purpose (exit code 1)."""

    exit_code = 1


class ConfigError(ChudianError):
    """Wrong arguments, configuration, contract or tariff (exit code 2)."""

    exit_code = 2


class QualityError(ChudianError):
    """A complete delivery of bad quality, or a result that breaks its contract (exit code 3)."""

    exit_code = 3


class InputError(ChudianError):
    """Input that is absent, incomplete, truncated or contradicts its control file (exit code 4)."""

    exit_code = 4


def unexpected(error: Exception) -> str:
    """The message for an error that no code expects.

    If the error has a log, its own text is left out: it may hold values of a row. A full disk and a
    failing Python worker of Spark are recognised by the text, wherever they were raised.
    """
    log, text = getattr(error, "log", None), str(error)
    where = f" (log: {log})" if log else ""
    if "No space left on device" in text:
        return (
            "a disk is full (the warehouse's, or Spark's temporary one): what was committed "
            f"remains valid; make room and run again{where}"
        )
    if WORKER_LOST in text or "MemoryError" in text:
        return (
            "a Python worker of Spark was lost, mostly because memory ran out: what was committed "
            "remains valid; run again with more memory or with fewer cores (spark.master in "
            f"conf/spark){where}"
        )
    stopped = WORKER_STOPPED.search(text)
    if stopped:
        return (
            f"a Python worker of Spark stopped with {stopped[1].rpartition('.')[2]}: what was "
            f"committed remains valid; this is a fault of the program{where}"
        )
    if log:
        details = f"; details are in {log}"
    else:
        details = "".join(f": {line}" for line in text.splitlines()[:1])
    return f"stopped by an unexpected {type(error).__name__}{details}"
