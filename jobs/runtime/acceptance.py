"""The operator's word that deliveries may pass their thresholds once: the option and its reason."""

import argparse

from schemas.errors import ConfigError

LONGEST = 400


def add_option(parser: argparse.ArgumentParser) -> None:
    """`--accept-rejects REASON`, for what takes in deliveries."""
    parser.add_argument(
        "--accept-rejects",
        metavar="REASON",
        help="let deliveries pass their "
        "thresholds in this run (rejects, references, rows_band); the reason "
        "stands in the ledger",
    )


def reason(args: argparse.Namespace) -> str | None:
    """The given reason as one line, None without one; ConfigError for one that says nothing."""
    given = getattr(args, "accept_rejects", None)
    if given is None:
        return None
    said = " ".join(given.split())
    if not 0 < len(said) <= LONGEST:
        raise ConfigError(
            f"--accept-rejects: say why in 1 to {LONGEST} characters, for example "
            '--accept-rejects "test calls of the new exchange, ticket 4711"'
        )
    return said
