"""The options that commands share, and their checked values: folders, window, accepted rejects."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, NoReturn

from schemas.errors import ConfigError
from schemas.window import Window, add_months, month_of, parse_date, shortened

LONGEST_REASON = 400
LONGEST_HISTORY = 120  # months
MONTH = re.compile("[0-9]{4}-[0-9]{2}")


@dataclass(frozen=True)
class Invocation:
    """Where a run reads and writes. Folders are as given on the command line.

    `accept_rejects`: why deliveries may pass their thresholds in this run; None: they may not.
    """

    conf: tuple[Path, ...]
    landing: Path
    warehouse: str
    push: Path
    accept_rejects: str | None = None


FOLDERS: dict[str, dict[str, Any]] = {
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


def parser(prog: str, description: str, epilog: str) -> argparse.ArgumentParser:
    """The options of a command that runs steps for a window; the command adds its own."""
    options = bare_parser(prog, description, epilog, "landing", "push")
    options.add_argument(
        "--data-date",
        metavar="D",
        help="the day whose deliveries are ingested, for example 2009-05-03",
    )
    options.add_argument(
        "--from-date",
        metavar="A",
        help="first day of a range, with --to-date: "
        "loads or repeats the range in as few passes as possible",
    )
    options.add_argument("--to-date", metavar="B", help="last day of a range")
    options.add_argument(
        "--history",
        metavar="N",
        type=whole(0, LONGEST_HISTORY),
        help="load the N months before the month of --data-date and the night itself in one range",
    )
    return options


def bare_parser(prog: str, description: str, epilog: str, *folders: str) -> argparse.ArgumentParser:
    """The options for the configuration, the warehouse and the `folders` named."""
    options = Parser(
        prog=prog,
        description=description,
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    for name in ("conf", "warehouse", *folders):
        options.add_argument(f"--{name}", metavar="DIR", **FOLDERS[name])
    return options


def add_accept_rejects(parser: argparse.ArgumentParser) -> None:
    """`--accept-rejects REASON`, for a command that ingests deliveries."""
    parser.add_argument(
        "--accept-rejects",
        metavar="REASON",
        help="let deliveries pass their thresholds in this run (rejects, references, rows_band); "
        "the ledger keeps the reason",
    )


class Parser(argparse.ArgumentParser):
    """A parser whose errors are ConfigErrors, of one line."""

    def error(self, message: str) -> NoReturn:
        raise ConfigError(f"{message}; {self.prog} --help shows every option with an example")


def invocation(args: argparse.Namespace) -> Invocation:
    """The folders of the command line, and the reason given with --accept-rejects."""
    return Invocation(
        conf_folders(args.conf), args.landing, args.warehouse, args.push, _reason(args)
    )


def window(args: argparse.Namespace) -> Window:
    """The data_dates of the command line; ConfigError says which options are missing or clash."""
    ranged = args.from_date is not None or args.to_date is not None
    if ranged:
        if args.data_date or args.history is not None or not (args.from_date and args.to_date):
            raise ConfigError(
                "give --data-date (with --history if wanted), or --from-date "
                "together with --to-date"
            )
        return Window(day("--from-date", args.from_date), day("--to-date", args.to_date))
    if not args.data_date:
        raise ConfigError(
            "--data-date is missing: give the day, for example --data-date 2009-05-03"
        )
    last = day("--data-date", args.data_date)
    if args.history is None:
        return Window(last, last)
    return Window(add_months(month_of(last), -args.history), last)


def day(option: str, text: str) -> date:
    """The day that an option gives; ConfigError names the option."""
    try:
        return parse_date(text)
    except ConfigError as error:
        raise ConfigError(f"{option}: {error}") from None


def month(option: str, text: str) -> date:
    """The month that an option gives, written 2009-03 or as one of its days."""
    whole_day = f"{text.strip()}-01" if MONTH.fullmatch(text.strip()) else text
    try:
        return month_of(parse_date(whole_day))
    except ConfigError:
        raise ConfigError(
            f"{option}: '{shortened(text)}' is no month; write YYYY-MM, for example 2009-03"
        ) from None


def write(option: str, path: Path, content: str | bytes) -> None:
    """Write a file that an option names; ConfigError names the option where it cannot be."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    except OSError as error:
        raise ConfigError(
            f"{option}: {path} cannot be written ({error.strerror}): check the "
            "folder and its rights"
        ) from None


def whole(low: int, high: int) -> Callable[[str], int]:
    """The reader of a whole number from `low` to `high`, for an option."""

    def read(text: str) -> int:
        number = int(text) if re.fullmatch("-?[0-9]{1,18}", text.strip()) else None
        if number is None or not low <= number <= high:
            raise argparse.ArgumentTypeError(
                f"'{shortened(text)}': write a whole number from {low} to {high}"
            )
        return number

    return read


def _reason(args: argparse.Namespace) -> str | None:
    """The reason as one line; None where none is given; ConfigError for an empty or long one."""
    given = getattr(args, "accept_rejects", None)
    if given is None:
        return None
    reason = " ".join(given.split())
    if not 0 < len(reason) <= LONGEST_REASON:
        raise ConfigError(
            f"--accept-rejects: say why in 1 to {LONGEST_REASON} characters, for example "
            '--accept-rejects "test calls of the new exchange, ticket 4711"'
        )
    return reason


def conf_folders(folders: list[Path] | None) -> tuple[Path, ...]:
    """The configuration folders to overlay; where none is given `conf`, then `conf/local`."""
    if folders:
        return tuple(folders)
    root = Path(__file__).resolve().parents[2] / "conf"
    return tuple(folder for folder in (root, root / "local") if folder == root or folder.is_dir())
