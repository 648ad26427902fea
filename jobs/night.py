"""Run the night, or any part of it, in one Spark session.

Walks `jobs/plan.py`: each due step reads its declared tables, calls its model and replaces its
slices. Configuration, tariffs and deliveries are checked before Spark starts. Ends with where to
look.
"""
from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path

from jobs import acceptance, archive, plan, preview, redelivery, runtime, side_by_side
from jobs.landing import Landing
from jobs.ledger import Ledger
from jobs.outbox import Outbox
from jobs.progress import Progress, padded
from jobs.quality import Judge
from jobs.redelivery import Deliveries
from models import catalogue
from schemas import config, contract
from schemas.config import Config
from schemas.errors import ChudianError, ConfigError
from schemas.window import Window

EXAMPLES = """examples:
  python -m jobs.night --data-date 2009-05-03                   one night, every step
  python -m jobs.night --data-date 2009-05-03 --history 4       and the four months before it
  python -m jobs.night --data-date 2009-05-03 --only decide,push
  python -m jobs.night --from-date 2009-04-01 --to-date 2009-04-30 --only ingest
  python -m jobs.night --list                                   the plan, without Spark
  python -m jobs.night --data-date 2009-05-03 --dry-run         what it would read and replace
exit codes: 0 done, 2 arguments or configuration, 3 data quality, 4 input missing, 1 other"""


def main(argv: list[str] | None = None) -> int:
    """The command `python -m jobs.night`; returns the exit code."""
    return runtime.guarded(lambda: _night(argv))


def _night(argv: list[str] | None) -> None:
    parser = runtime.parser(__doc__, EXAMPLES)
    parser.prog = "python -m jobs.night"
    parser.add_argument("--list", action="store_true", help="print the plan and stop")
    parser.add_argument("--dry-run", action="store_true", help="say what the run would read, "
                        "replace and wait for, and stop")
    parser.add_argument("--only", metavar="a,b", help="only these steps (ingest names them all)")
    parser.add_argument("--from", dest="start", metavar="a", help="this step and all after it")
    acceptance.add_option(parser)
    args = parser.parse_args(argv)
    if args.list:
        conf, _ = configuration(runtime.conf_folders(args.conf))
        print(listing(plan.night(conf)))
        return
    if args.only and args.start:
        raise ConfigError("give --only or --from, not both")
    asked = runtime.invocation(args)
    conf, contracts = configuration(asked.conf)
    steps = plan.select(plan.night(conf), args.only, args.start)
    (preview.show if args.dry_run else walk)(steps, asked, conf, contracts)


def step_main(name: str) -> None:
    """The command `python -m jobs.<step>` (and `spark-submit jobs/<step>.py`): one step alone."""
    sys.exit(runtime.guarded(lambda: _one_step(name)))


def _one_step(name: str) -> None:
    module = importlib.import_module(f"jobs.{name}")
    parser = runtime.parser(
        module.__doc__, f"example: python -m jobs.{name} --data-date 2009-05-03"
        + (" --source voice" if name == "ingest" else ""))
    parser.prog = f"python -m jobs.{name}"
    if name == "ingest":
        parser.add_argument("--source", metavar="S", help="one source (default: every source)")
        acceptance.add_option(parser)
    args = parser.parse_args()
    asked = runtime.invocation(args)
    conf, contracts = configuration(asked.conf)
    source = getattr(args, "source", None)
    only = name if source is None else f"{name}.{source}"
    walk(plan.select(plan.night(conf), only), asked, conf, contracts)


def configuration(folders: tuple[Path, ...]):
    """The checked configuration and contracts; every problem is a ConfigError before Spark."""
    contracts = contract.load()
    conf = config.load(folders, contracts)
    catalogue.load(conf.tariffs.values())
    return conf, contracts


def walk(steps: tuple[plan.Step, ...], asked: runtime.Invocation, conf: Config, contracts) -> None:
    """Run the steps for the window, with progress, lock, log and ledger."""
    with opened(asked, conf, contracts, steps) as wh:
        progress = _steps(steps, wh, conf, asked.window)
    print(ending(progress, {step.name for step in steps}, asked))


@contextmanager
def opened(asked: runtime.Invocation, conf: Config, contracts, steps: tuple[plan.Step, ...]):
    """The warehouse of a run of the steps: locked, logged, its deliveries inspected, Spark up."""
    with runtime.run_of(asked.warehouse) as run_id:
        landing = Landing(asked.landing, archive.below(asked.warehouse, asked.landing))
        for step in steps:
            if step.source is not None and asked.window is not None:
                landing.files(step.source, conf.sources[step.source],
                              plan.due_days(conf, step.source, asked.window))
        docs = None if "://" in asked.warehouse else Path(asked.warehouse) / "_docs"
        judge = Judge(docs, run_id)
        with runtime.session(conf, asked.conf) as spark:
            from jobs.warehouse import Warehouse  # pyspark is imported once the inputs are in order

            wh = Warehouse(spark, asked.warehouse, contracts, conf,
                           Ledger(run_id, conf.fingerprint, asked.accept_rejects), judge,
                           landing, Outbox(asked.push))
            wh.open({table for step in steps for table in (*step.reads, *step.writes)
                     if table in contracts})
            try:
                yield wh
            finally:
                wh.close()


def _steps(steps: tuple[plan.Step, ...], wh, conf: Config, window: Window) -> Progress:
    """Each step for what is stale or came anew of earlier days, then for the window."""
    print(f"night of {window}: {len(steps)} steps")
    deliveries = Deliveries(conf, wh.contracts, wh.ledger, wh.landing)
    progress = Progress(len(steps))

    def has_work(step: plan.Step) -> bool:
        return step.due(window, conf) and (
            step.source is None or not deliveries.unchanged(step.source, window))

    wh.announce(filter(has_work, steps), window)

    def work(step: plan.Step) -> None:
        progress.begin(step.name, step.title)

        def earlier_days() -> tuple[int, int]:
            return remade(step, wh, conf, progress, lambda: redelivery.earlier(
                step, deliveries, wh.lineage, window))

        rows, days = earlier_days()
        ran = has_work(step)  # an earlier step of this run may have made its slice stale
        if ran:
            rows += _made(step, wh, conf, window)
            if step.looks_ahead:  # of what came it may have said what earlier days it belongs to
                more_rows, more_days = earlier_days()
                rows, days = rows + more_rows, days + more_days
        progress.end(step.name, _said(rows, days, step, ran, step.due(window, conf)))

    try:
        side_by_side.run(steps, work, conf.runtime.parallel.steps)
    except BaseException:
        progress.stop()
        raise
    return progress


def _said(rows: int, days: int, step: plan.Step, ran: bool, due: bool) -> str:
    """What a step did, in a few words."""
    if ran or days:
        return f"{rows:,} rows" + (f", {days} earlier days" if days else "")
    return "unchanged" if due else f"not due ({step.cadence})"


def _made(step: plan.Step, wh, conf: Config, window: Window, again: bool = False) -> int:
    with wh.step(step, window, again) as activity:
        importlib.import_module(step.module).run(window, wh, conf)
    return activity.rows_out


def remade(step: plan.Step, wh, conf: Config, progress: Progress,
           find: Callable[[], list[Window]], strict: bool = False) -> tuple[int, int]:
    """Run a step once more for the earlier windows that `find` finds; the rows written, and days.

    What is read again may touch a later day of its source, so it is looked for until there is
    nothing new. Unless `strict`, a delivery of an earlier day that is not in order stops nothing:
    what was taken in before it stands.
    """
    rows, tried = 0, []
    while todo := [window for window in find() if window not in tried]:
        tried.append(todo[0])
        try:
            rows += _made(step, wh, conf, todo[0], again=True)
        except ChudianError as error:
            if strict or step.source is None:
                raise
            progress.say(f"not taken in anew: {error}; what was taken in before stands")
    return rows, sum(len(window.days()) for window in tried)


def ending(progress: Progress, names: set[str], asked: runtime.Invocation) -> str:
    """What a person wants to know when a run is through: how long it took, and where to look."""
    day, tables = asked.window.last, asked.warehouse
    slowest = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in progress.slowest(3))
    places = [("files of the channels", f"{asked.push}/<channel>/{day}", "push"),
              ("report, and every check", f"{tables}/_docs/report_{day}.html", "report")]
    lines = [f"done in {progress.seconds:.0f} s; longest: {slowest}", "look at"]
    lines += [f"  {what:<25} {place}" for what, place, step in places if step in names]
    return "\n".join([*lines, f"  {'tables':<25} {tables}/<layer>/<table>",
                      f"  {'what Spark had to say':<25} {tables}/_logs"])


def listing(steps: tuple[plan.Step, ...]) -> str:
    """The plan as a table of contents."""
    lines = []
    for group, members in plan.groups(steps).items():
        lines.append(group)
        for step in members:
            lines.append(f"  {padded(step.name, 28)} {step.title} ({step.cadence})")
            reads = ", ".join(step.reads) or "the landing"
            lines.append(f"  {'':<28} {reads} → {', '.join(step.writes) or 'the report'}")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
