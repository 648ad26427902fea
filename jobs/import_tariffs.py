"""Make tariff packages from a price list 资费价目表: a CSV with one package per line.

The cells are separated by comma, semicolon or tab. UTF-16 is read by its byte order mark. Numbers
and days are read as spreadsheets write them, if they have one meaning.

Columns:
- id: the package;
- like: the package that gives all values that the line leaves open;
- source: where the prices are from, or 'assumed';
- any value of a tariff, named as in messages: monthly_fee, name, brands (several, separated by ;),
  valid.from, pools[0].amount, rules[7].rate … An empty cell leaves the value unchanged.
Each valid package becomes a file. Each invalid line is reported with what was expected.
"""

from __future__ import annotations

import codecs
import csv
import io
import os
import sys
from functools import partial
from pathlib import Path

import yaml

from jobs.runtime import arguments
from jobs.runtime.lock import guarded
from jobs.runtime.walk import configuration
from models.price_list import lines as price_list
from models.price_list.lines import Taken
from schemas.config import overlay
from schemas.document import Document, Place, shown
from schemas.errors import ConfigError, QualityError

ENCODINGS = ("utf-8-sig", "gb18030")
SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab"}


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
    money = conf.runtime.currency
    shape = overlay.shape("tariff", money)
    for found in price_list.packages(lines, places, conf.tariffs, taken, shape, line, money):
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
    text = _text(path, encoding)
    reader = csv.reader(
        io.StringIO(text, newline=""), delimiter=_separator(path, text), strict=True
    )
    try:
        rows = [(reader.line_num, row) for row in reader if any(map(str.strip, row))]
    except csv.Error as error:
        raise ConfigError(f"{shown(path)}:{reader.line_num}: not valid CSV: {error}") from None
    if not rows:
        raise ConfigError(f"{shown(path)}: is empty; expected a head and one package per line")
    return rows[0][1], rows[1:]


def _text(path: Path, encoding: str) -> str:
    """The text of the file; a byte order mark says that it is UTF-16."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{shown(path)}: cannot be read: {error.strerror}") from None
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encoding = "utf-16"
    elif b"\0" in content:
        raise ConfigError(
            f"{shown(path)}: holds zero bytes, as UTF-16 without a byte order mark does: save it "
            "as UTF-8"
        )
    try:
        return content.decode(encoding)
    except UnicodeDecodeError:
        raise ConfigError(
            f"{shown(path)}: not {encoding}: give --encoding {' or '.join(ENCODINGS)}"
        ) from None


def _separator(path: Path, text: str) -> str:
    """The separator in the head, whose names hold none of them."""
    lines = enumerate(text.splitlines(), start=1)
    number, head = next(((no, line) for no, line in lines if line.strip()), (1, ""))
    found = [one for one in SEPARATORS if one in head]
    if len(found) > 1:
        raise ConfigError(
            f"{Place(path, number)}: the head is separated by "
            f"{' and '.join(SEPARATORS[one] for one in found)}: write one of them"
        )
    return found[0] if found else ","


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
