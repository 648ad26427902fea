"""Read deliveries again that a mended mapping, code table or contract would read differently.

Deliveries are read once from the archive, or from the landing where they still lie. Then every
slice that is derived from a changed one is rebuilt. Slices that are stale for another reason are
rebuilt too; a night would do that before its own work. What was decided and sent stays. --dry-run
only prints what it would do.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping

from jobs.intake import archive, redelivery
from jobs.intake.landing import Landing
from jobs.intake.redelivery import Deliveries
from jobs.plan.night import night
from jobs.plan.step import Step
from jobs.runtime import arguments, parallel, walk
from jobs.runtime.lock import guarded
from jobs.runtime.progress import Progress, padded
from jobs.warehouse import delta_log
from jobs.warehouse.ledger import Ledger
from jobs.warehouse.ledger_summary import known_ledger
from jobs.warehouse.lineage import Lineage
from schemas.config import Config
from schemas.contract import Contract
from schemas.errors import ConfigError
from schemas.window import Window, grouped

EXAMPLES = """examples:
  python -m jobs.repair --dry-run
  python -m jobs.repair --source voice,message
exit codes: 0 done, 2 arguments or configuration, 3 data quality, 4 input missing, 1 other"""
WHY = "would be read otherwise now"  # stored in the ledger


def _repair(argv: list[str] | None) -> None:
    parser = arguments.bare_parser("python -m jobs.repair", __doc__, EXAMPLES, "landing", "push")
    parser.add_argument(
        "--source",
        metavar="a,b",
        help="read only these sources again (default: every source whose slices are out of date)",
    )
    parser.add_argument("--dry-run", action="store_true", help="print what it would do, and stop")
    args = parser.parse_args(argv)
    configured = walk.configuration(arguments.conf_folders(args.conf))
    conf, contracts = configured.conf, configured.contracts
    names = _names(args.source, conf)
    delta_log.require_ledger(args.warehouse)
    known = known_ledger(args.warehouse, conf)
    _invalidate(known, names, conf, contracts)
    if not any(known.stale.values()):
        print("nothing is out of date")
        return
    steps = tuple(
        step
        for step in night(conf)
        if any(known.committed.get((table, step.source or "")) for table in step.writes)
    )
    if args.dry_run:
        landing = Landing(args.landing, archive.below(args.warehouse, args.landing), read_only=True)
        deliveries = Deliveries(conf, contracts, known, landing)
        lineage = Lineage(conf, contracts, steps, known, lambda table, day: set())
        for step in steps:
            for window in _stale(step, deliveries, lineage):
                print(f"{padded(step.name, 28)} once more for {window}")
        return
    with walk.opened(arguments.invocation(args), configured, steps) as run:
        _invalidate(run.ledger, names, conf, contracts)
        deliveries = Deliveries(conf, contracts, run.ledger, run.landing)
        progress = Progress(len(steps))

        def work(step: Step) -> None:
            progress.begin(step.name, step.title)
            rows, days = walk.rebuild_earlier(
                step,
                run,
                progress,
                lambda: _stale(step, deliveries, run.warehouse.lineage),
                strict=True,
            )
            progress.end(step.name, f"{rows:,} rows, {days} days" if days else "nothing stale")

        parallel.run(steps, work, conf.runtime.parallel.steps, lambda: walk.cut_short(run))


def _names(only: str | None, conf: Config) -> list[str]:
    if only is None:
        return list(conf.sources)
    names = [name.strip() for name in only.split(",") if name.strip()]
    unknown = [name for name in names if name not in conf.sources]
    if unknown or not names:
        raise ConfigError(
            f"--source: no source '{', '.join(unknown)}'; the configuration has: "
            f"{', '.join(sorted(conf.sources))}"
        )
    return names


def _invalidate(
    known: Ledger, names: list[str], conf: Config, contracts: Mapping[str, Contract]
) -> None:
    """Record as stale the deliveries of the sources that would be read differently today."""
    for name in names:
        for table, day in redelivery.outdated_days(conf, contracts, known, name):
            known.invalidate(table, str(day), name, WHY)


def _stale(step: Step, deliveries: Deliveries, lineage: Lineage) -> list[Window]:
    """The windows for which a step rebuilds its stale slices."""
    if step.source is None:
        return lineage.windows(step)
    return grouped(deliveries.stale(step.source))


def main(argv: list[str] | None = None) -> int:
    """The command `python -m jobs.repair`; returns the exit code."""
    return guarded(lambda: _repair(argv))


if __name__ == "__main__":
    sys.exit(main())
