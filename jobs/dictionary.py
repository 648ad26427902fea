"""Write the data dictionary: every table with grain, columns, units and classification.

It is rendered from the contracts in schemas/tables, so it always equals what the night enforces.
"""

import argparse
import sys
from pathlib import Path

from jobs.runtime import arguments
from jobs.runtime.lock import guarded
from schemas import contract
from schemas.render import dictionary


def _write(out: Path) -> None:
    text = dictionary.markdown(contract.load())
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
    return guarded(lambda: _write(parser.parse_args(argv).out))


if __name__ == "__main__":
    sys.exit(main())
