"""Write the data dictionary: every table with grain, columns, units and classification.

It is rendered from the contracts in schemas/tables, so it always equals what the night enforces.
Units of money are the currency of the configuration.
"""

import argparse
import sys
from pathlib import Path

from jobs.runtime import arguments
from jobs.runtime.lock import guarded
from schemas import config, contract
from schemas.render import dictionary


def _write(out: Path, folders: tuple[Path, ...]) -> None:
    contracts = contract.load()
    money = config.load(folders, contracts).runtime.currency
    text = dictionary.markdown(contract.in_currency(contracts, money))
    arguments.write("--out", out, text)
    print(f"{out}: {text.count(chr(10)):,} lines")


def main(argv: list[str] | None = None) -> int:
    """The command `python -m jobs.dictionary`; returns the exit code."""
    parser = arguments.Parser(
        prog="python -m jobs.dictionary",
        description=__doc__,
        epilog="example: python -m jobs.dictionary --out build/docs/tables.md",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("build/docs/tables.md"),
        help="file to write (default: %(default)s)",
    )
    parser.add_argument("--conf", metavar="DIR", **arguments.FOLDERS["conf"])

    def write() -> None:
        args = parser.parse_args(argv)
        _write(args.out, arguments.conf_folders(args.conf))

    return guarded(write)


if __name__ == "__main__":
    sys.exit(main())
