"""A night after twelve months of history against the same night after one: it should cost the same.

A small synthetic province, loaded once from a month and once from a year of deliveries; then the
same night over both, several times in turn, each time undone by being a day further.
"""

import shutil
import sys
import time
from datetime import date, timedelta
from pathlib import Path
from statistics import median

from jobs import night, synthesize
from jobs.runtime import arguments
from jobs.runtime.session import spark_session
from jobs.runtime.walk import configuration

FIRST_NIGHT, NIGHTS = date(2009, 5, 6), 3
HISTORIES = {"1 month": date(2009, 4, 6), "12 months": date(2008, 5, 6)}
STEPS = "ingest,identity,contact_event,contact_view,usage_day,preference"


def main() -> None:
    customers, build = sys.argv[1], Path(sys.argv[2])
    shutil.rmtree(build, ignore_errors=True)
    last = FIRST_NIGHT + timedelta(days=NIGHTS - 1)
    folders = arguments.conf_folders(None)
    conf = configuration(folders).conf
    seconds: dict[str, list[float]] = {name: [] for name in HISTORIES}
    with spark_session(conf, folders):
        for name, since in HISTORIES.items():
            code = synthesize.main(
                [
                    "--customers",
                    customers,
                    "--from-date",
                    str(since),
                    "--data-date",
                    str(last),
                    "--landing",
                    str(build / name / "landing"),
                    "--truth",
                    str(build / name / "truth"),
                ]
            )
            if code:
                sys.exit(code)
            ran(build / name, since, FIRST_NIGHT - timedelta(days=1))
        for number in range(NIGHTS):
            day = FIRST_NIGHT + timedelta(days=number)
            for name in HISTORIES:
                begun = time.monotonic()
                ran(build / name, day, day)
                seconds[name].append(time.monotonic() - begun)
    one, twelve = (median(seconds[name]) for name in HISTORIES)
    print(
        f"a night of {customers} customers after 1 month of history {one:.1f} s, after 12 months "
        f"{twelve:.1f} s: {twelve / one:.2f} times (at most 1.2)"
    )


def ran(place: Path, first: date, last: date) -> None:
    code = night.main(
        [
            "--from-date",
            str(first),
            "--to-date",
            str(last),
            "--only",
            STEPS,
            "--landing",
            str(place / "landing"),
            "--warehouse",
            str(place / "warehouse"),
            "--push",
            str(place / "push"),
        ]
    )
    if code:
        sys.exit(code)


if __name__ == "__main__":
    main()
