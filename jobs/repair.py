"""Read again what a mended mapping, code table or contract reads otherwise, and what hangs on it.

Deliveries are read from the archive (or from the landing, where they lie still), once; then every
slice that was made of a changed one is made again. Slices that are stale for another reason are
made again, too: a night would do that before its own work. What was decided and sent stays. With
--dry-run it only says what it would do.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping

from jobs.intake import archive, redelivery
from jobs.intake.landing import Landing
from jobs.intake.redelivery import Deliveries
from jobs.plan import night as plan
from jobs.runtime import parallel as side_by_side
from jobs.runtime import preview, walk
from jobs.runtime import session as runtime
from jobs.runtime.progress import Progress, padded
from jobs.warehouse.ledger import Ledger
from jobs.warehouse.lineage import Lineage
from schemas.config import Config
from schemas.contract import Contract
from schemas.errors import ConfigError
from schemas.window import Window, grouped

EXAMPLES = """examples:
  python -m jobs.repair --dry-run
  python -m jobs.repair --source voice,message
exit codes: 0 done, 2 arguments or configuration, 3 data quality, 4 input missing, 1 other"""
WHY = "would be read otherwise now"


def _repair(argv: list[str] | None) -> None:
    parser = runtime.bare_parser("python -m jobs.repair", __doc__, EXAMPLES, "landing", "push")
    parser.add_argument(
        "--source",
        metavar="a,b",
        help="read only these sources again (default: every one whose slices are out of date)",
    )
    parser.add_argument("--dry-run", action="store_true", help="say what it would do, and stop")
    args = parser.parse_args(argv)
    conf, contracts = walk.configuration(runtime.conf_folders(args.conf))
    names = _names(args.source, conf)
    asked = runtime.Invocation(
        None, runtime.conf_folders(args.conf), args.landing, args.warehouse, args.push
    )
    known = preview.known(args.warehouse, conf)
    _note(known, names, conf, contracts)
    if not any(known.stale.values()):
        print("nothing is out of date")
        return
    steps = tuple(
        step
        for step in plan.night(conf)
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
    with walk.opened(asked, conf, contracts, steps) as wh:
        _note(wh.ledger, names, conf, contracts)
        deliveries = Deliveries(conf, contracts, wh.ledger, wh.landing)
        progress = Progress(len(steps))

        def work(step: plan.Step) -> None:
            progress.begin(step.name, step.title)
            rows, days = walk.remade(
                step, wh, conf, progress, lambda: _stale(step, deliveries, wh.lineage), strict=True
            )
            progress.end(step.name, f"{rows:,} rows, {days} days" if days else "nothing stale")

        side_by_side.run(steps, work, conf.runtime.parallel.steps)


def _names(asked: str | None, conf: Config) -> list[str]:
    if asked is None:
        return list(conf.sources)
    names = [name.strip() for name in asked.split(",") if name.strip()]
    unknown = [name for name in names if name not in conf.sources]
    if unknown or not names:
        raise ConfigError(
            f"--source: no source '{', '.join(unknown)}'; the configuration has: "
            f"{', '.join(sorted(conf.sources))}"
        )
    return names


def _note(known: Ledger, names: list[str], conf: Config, contracts: Mapping[str, Contract]) -> None:
    """Note as stale what the sources would be read otherwise."""
    for name in names:
        for day in redelivery.outdated_days(conf, contracts, known, name):
            known.outdate(conf.sources[name].record, str(day), name, WHY)


def _stale(step: plan.Step, deliveries: Deliveries, lineage: Lineage) -> list[Window]:
    """The windows in which a step makes its stale slices again."""
    if step.source is None:
        return lineage.windows(step)
    return grouped(deliveries.stale(step.source))


def main(argv: list[str] | None = None) -> int:
    """The command `python -m jobs.repair`; returns the exit code."""
    return runtime.guarded(lambda: _repair(argv))


if __name__ == "__main__":
    sys.exit(main())
