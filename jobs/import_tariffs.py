"""Make tariff packages from a price list 资费价目表: a CSV with one package per line.

Columns:
- id: the package;
- like: the package that gives all values that the line leaves open;
- source: where the prices are from, or 'assumed';
- any value of a tariff, named as in messages: monthly_fee, name, brands (several, separated by ;),
  valid.from, pools[0].amount, rules[7].rate … An empty cell leaves the value unchanged.
Each valid package becomes a file. Each invalid line is reported with what was expected.
"""

from __future__ import annotations

import csv
import os
import sys
from functools import partial
from pathlib import Path

import yaml

from jobs.runtime import arguments
from jobs.runtime.lock import guarded
from jobs.runtime.walk import configuration
from models.tariff import price_list
from models.tariff.price_list import Taken
from schemas.config import overlay
from schemas.document import Document, Place, shown
from schemas.errors import ConfigError, QualityError

ENCODINGS = ("utf-8-sig", "gb18030")


def main(argv: list[str] | None = None) -> int:
    """The command `python -m jobs.import_tariffs`; returns the exit code."""
    return guarded(lambda: _import(argv))


def _import(argv: list[str] | None) -> None:
    parser = arguments.bare_parser(
        "python -m jobs.import_tariffs",
        __doc__,
        "example: python -m jobs.import_tariffs prices.csv --out conf/local/tariffs\n"
        "exit codes: 0 every line became a package, 3 some did not, 2 arguments, head or "
        "configuration",
    )
    parser.add_argument("prices", type=Path, help="the price list")
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("conf/local/tariffs"),
        metavar="DIR",
        help="where the packages are written (default: %(default)s)",
    )
    parser.add_argument(
        "--encoding",
        choices=ENCODINGS,
        default=ENCODINGS[0],
        help="of the price list (default: %(default)s)",
    )
    parser.add_argument(
        "--replace", action="store_true", help="write over packages of the same id in --out"
    )
    args = parser.parse_args(argv)
    conf = configuration(arguments.conf_folders(args.conf)).conf
    head, lines = _price_lines(args.prices, args.encoding)
    line = partial(Place, args.prices)
    places = price_list.columns(head, line)
    taken = [
        name for name in conf.tariffs if not (args.replace and (args.out / f"{name}.yml").exists())
    ]
    refused = 0
    for found in price_list.packages(
        lines, places, conf.tariffs, taken, overlay.shape("tariff"), line
    ):
        if isinstance(found, Taken):
            _write(found.package, args.out, args.prices, found.line)
            print(
                f"line {found.line}: {found.package.data['id']}, as "
                f"{shown(args.out / found.package.data['id'])}.yml"
            )
        else:
            refused += 1
            print(f"line {found.line}: refused: {found.problem}")
    print(f"{len(lines) - refused:,} of {len(lines):,} lines became packages")
    if refused:
        raise QualityError(
            f"{shown(args.prices)}: {refused} of {len(lines)} lines were refused; "
            "correct them and import again with --replace"
        )


def _price_lines(path: Path, encoding: str) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """The head, and the lines that are not empty with their numbers in the file.

    ConfigError for a file that cannot be read or is not valid CSV.
    """
    try:
        with path.open(encoding=encoding, newline="") as opened:
            reader = csv.reader(opened, strict=True)
            rows = [(reader.line_num, row) for row in reader if any(map(str.strip, row))]
    except OSError as error:
        raise ConfigError(f"{shown(path)}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigError(
            f"{shown(path)}: not {encoding}: give --encoding {' or '.join(ENCODINGS)}"
        ) from None
    except csv.Error as error:
        raise ConfigError(f"{shown(path)}:{reader.line_num}: not valid CSV: {error}") from None
    if not rows:
        raise ConfigError(f"{shown(path)}: is empty; expected a head and one package per line")
    return rows[0][1], rows[1:]


def _write(package: Document, out: Path, prices: Path, line: int) -> None:
    """Write a package under a temporary name and rename it, so no partial file is ever read."""
    target = out / f"{package.data['id']}.yml"
    text = yaml.safe_dump(package.data, allow_unicode=True, sort_keys=False, width=100)
    part = target.with_suffix(".part")
    head = f"# Made from line {line} of {prices.name} by jobs.import_tariffs."
    arguments.write("--out", part, f"{head}\n{text}")
    os.replace(part, target)


if __name__ == "__main__":
    sys.exit(main())
