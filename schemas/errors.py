"""Errors a user can cause, each with the exit code that a schedule acts on.

A message is one or more complete lines: where it is, what was found, what was expected and what to
do. It never holds a customer's data.
"""


class ChudianError(Exception):
    """Anything the program stops for on purpose (exit code 1)."""

    exit_code = 1


class ConfigError(ChudianError):
    """Wrong arguments, configuration, contract or tariff (exit code 2)."""

    exit_code = 2


class QualityError(ChudianError):
    """A delivery that came whole but is bad, or a result that breaks its contract (exit code 3)."""

    exit_code = 3


class InputError(ChudianError):
    """Input that is absent, incomplete, truncated or contradicts its control file (exit code 4)."""

    exit_code = 4


def unexpected(error: Exception) -> str:
    """What to say of an error that no one has foreseen; never its own words where a log has them.

    They may hold a row's values. A full disk is told by its words, whoever met it.
    """
    where = getattr(error, "log", None)
    if "No space left on device" in str(error):
        return (
            "a disk is full (that of the warehouse, or Spark's temporary one): what was "
            f"committed stands; make room and run again{f' (log: {where})' if where else ''}"
        )
    told = (
        f"; the whole story is in {where}"
        if where
        else "".join(f": {line}" for line in str(error).splitlines()[:1])
    )
    return f"stopped by an unexpected {type(error).__name__}{told}"
