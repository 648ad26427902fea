"""Write the data dictionary: every table with grain, columns, units and classification.

Rendered from the contracts in schemas/tables, so it cannot disagree with what the night enforces.
"""

import argparse
import sys
from pathlib import Path

from jobs.runtime.lock import guarded
from schemas import contract
from schemas.render import dictionary


def _write(out: Path) -> None:
    text = dictionary.markdown(contract.load())
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(text, encoding="utf-8")
    print(f"{out}: {text.count(chr(10)):,} lines")


def main() -> int:
    parser = argparse.ArgumentParser(
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
    args = parser.parse_args()
    return guarded(lambda: _write(args.out))


if __name__ == "__main__":
    sys.exit(main())
