"""`make bench`: where the time of a night goes, and how its parts compare.

Prints figures and ratios against a stated rival in the same run; it never fails on time.
"""

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.bench.watched import Watched

PROGRESS = re.compile(r"^(\[|night of|done in|look at|  (report|tables|what|files) )")
STEP = re.compile(r"^\[ ?\d+/\d+\] (\S+) .* (\d+\.\d) s$")


def measured(*command: str) -> tuple[float, str, float]:
    """Seconds, output and most memory (GiB, Java included) of a command; it has to succeed."""
    with tempfile.TemporaryFile("w+") as said, tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen([sys.executable, "-m", *command], stdout=said, stderr=errors)
        with Watched(process.pid) as cost:
            process.wait()
        said.seek(0)
        errors.seek(0)
        if process.returncode:
            sys.exit(f"{' '.join(command)} ended with {process.returncode}:\n{errors.read()}")
        return cost.seconds, said.read(), cost.most_gib


def night(customers: int, build: Path) -> None:
    """A province of the size, its history and a night, from nothing."""
    province = (
        "jobs.synthesize",
        "--customers",
        str(customers),
        "--seed",
        "2009",
        "--data-date",
        "2009-05-03",
        "--landing",
        str(build / "landing"),
        "--truth",
        str(build / "truth"),
    )
    made, said, _ = measured(*province)
    print(said.strip())
    seconds, output, most = measured(
        "jobs.night",
        "--history",
        "4",
        "--data-date",
        "2009-05-03",
        "--landing",
        str(build / "landing"),
        "--warehouse",
        str(build / "warehouse"),
        "--push",
        str(build / "push"),
    )
    steps = [
        (float(found[2]), found[1]) for line in output.splitlines() if (found := STEP.match(line))
    ]
    for step_seconds, name in sorted(steps, reverse=True):
        print(f"  {name:<30} {step_seconds:7.1f} s  {step_seconds / seconds:6.1%}")
    print(
        f"province {made:.1f} s, night {seconds:.1f} s, together {made + seconds:.1f} s "
        f"(goal 180 s, at most 300 s); most memory {most:.2f} GiB"
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--customers", type=int, default=2000)
    parser.add_argument("--evaluated", type=int, default=1_000_000, help="customers of the cube")
    parser.add_argument("--guided", type=int, default=35_000_000, help="calls added up to the cube")
    parser.add_argument("--calls", type=int, default=16_000_000, help="calls taken in")
    parser.add_argument("--events", type=int, default=1_000_000, help="sessions of 5 GB, and calls")
    parser.add_argument("--few", type=int, default=60, help="customers of a night over few rows")
    parser.add_argument("--history", type=int, default=100, help="customers of the small province")
    parser.add_argument("--assigned", type=int, default=1_000_000, help="customers assigned")
    parser.add_argument("--build", type=Path, default=Path("build/bench"))
    args = parser.parse_args()
    shutil.rmtree(args.build, ignore_errors=True)
    night(args.customers, args.build)
    print()
    print(measured("tests.bench.rating", str(args.build / "warehouse"))[1].strip())
    print()
    for name, size in (
        ("evaluator", args.evaluated),
        ("cube", args.guided),
        ("intake", args.calls),
        ("sizes", args.events),
        ("fixed_cost", args.few),
        ("history", args.history),
        ("assignment", args.assigned),
    ):
        _, said, most = measured(f"tests.bench.{name}", str(size), str(args.build / name))
        print("\n".join(line for line in said.splitlines() if not PROGRESS.match(line)))
        print(f"  most memory of all of it {most:.2f} GiB")


if __name__ == "__main__":
    main()
