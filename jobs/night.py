"""Run the night, or any part of it, in one Spark session.

Each step of the plan that is due reads its declared tables, calls its model and replaces its
slices. Configuration, tariffs and deliveries are checked before Spark starts. The last lines say
where to look.
"""

from __future__ import annotations

import sys

from jobs.plan.night import night
from jobs.plan.selection import applications, select
from jobs.plan.step import Step
from jobs.runtime import arguments, preview
from jobs.runtime.lock import guarded
from jobs.runtime.progress import padded
from jobs.runtime.walk import configuration, walk
from schemas.errors import ConfigError

EXAMPLES = """examples:
  python -m jobs.night --data-date 2009-05-03                   one night, every step
  python -m jobs.night --data-date 2009-05-03 --history 4       and the four months before it
  python -m jobs.night --data-date 2009-05-03 --only decide,push
  python -m jobs.night --data-date 2009-05-03 --only ingest.voice   one source
  spark-submit jobs/night.py --data-date 2009-05-03 --only rerate   one step, submitted
  python -m jobs.night --from-date 2009-04-01 --to-date 2009-04-30 --only ingest
  python -m jobs.night --list                                   the plan, without Spark
  python -m jobs.night --data-date 2009-05-03 --dry-run         what it would read and replace
exit codes: 0 done, 2 arguments or configuration, 3 data quality, 4 input missing, 1 other"""


def main(argv: list[str] | None = None) -> int:
    """The command `python -m jobs.night`; returns the exit code."""
    return guarded(lambda: _night(argv))


def _night(argv: list[str] | None) -> None:
    parser = arguments.parser("python -m jobs.night", __doc__, EXAMPLES)
    parser.add_argument("--list", action="store_true", help="print the plan and stop")
    parser.add_argument(
        "--dry-run",
        action="store_true",
        help="say what the run would read, replace and wait for, and stop",
    )
    parser.add_argument(
        "--only", metavar="a,b", help="only these steps of --list; `ingest` is every source"
    )
    parser.add_argument(
        "--from", dest="start", metavar="a", help="this step and all steps after it"
    )
    arguments.add_accept_rejects(parser)
    args = parser.parse_args(argv)
    if args.list:
        conf = configuration(arguments.conf_folders(args.conf)).conf
        print(listing(night(conf)))
        return
    if args.only and args.start:
        raise ConfigError("give --only or --from, not both")
    window, invocation = arguments.window(args), arguments.invocation(args)
    configured = configuration(invocation.conf)
    steps = select(night(configured.conf), args.only, args.start)
    if args.dry_run:
        preview.show(steps, window, invocation, configured.conf, configured.contracts)
    else:
        walk(steps, window, invocation, configured)


def listing(steps: tuple[Step, ...]) -> str:
    """The plan as a table of contents."""
    lines = []
    for group, members in applications(steps).items():
        lines.append(group)
        for step in members:
            lines.append(f"  {padded(step.name, 28)} {step.title} ({step.cadence})")
            reads = ", ".join(step.reads) or "the landing"
            lines.append(f"  {'':<28} {reads} → {', '.join(step.writes) or 'the report'}")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
