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
