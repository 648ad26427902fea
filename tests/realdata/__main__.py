"""`make trial`: the night over real people's calls and service contacts, and what came of it.

Nothing here knows a source: the configuration folder beside this file does.
"""

import argparse
import sys
from pathlib import Path

from jobs import night
from tests.given.paths import ROOT
from tests.realdata.figures import table

CONF = Path(__file__).parent / "conf"
NIGHTS = ("2011-01-31", "2019-11-30")  # the calls and messages, then the city's contacts


def options(data: Path, build: Path) -> list[str]:
    """The command line that every night of the trial shares."""
    return [
        "--conf",
        str(ROOT / "conf"),
        "--conf",
        str(CONF),
        "--landing",
        str(data),
        "--warehouse",
        str(build / "warehouse"),
        "--push",
        str(build / "push"),
    ]


def main() -> int:
    parser = argparse.ArgumentParser(prog="make trial", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the real data")
    parser.add_argument("--build", type=Path, required=True, help="folder to build in")
    args = parser.parse_args()
    if not args.data.is_dir():
        print(
            f"make trial: no folder {args.data}: the real data are not part of the project; "
            "give their folder with DATA="
        )
        return 0
    for day in NIGHTS:
        code = night.main(["--data-date", day, *options(args.data, args.build)])
        if code:
            return code
    print()
    print(table(args.build / "warehouse"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
