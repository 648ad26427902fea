"""Walking the steps of a plan in one Spark session."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path

from jobs.intake import archive, redelivery
from jobs.intake.landing import Landing
from jobs.intake.redelivery import Deliveries
from jobs.outbox.folder import Outbox
from jobs.plan import night as plan
from jobs.runtime import parallel as side_by_side
from jobs.runtime import session as runtime
from jobs.runtime.progress import Progress
from jobs.warehouse.judge import Judge
from jobs.warehouse.ledger import Ledger
from models.tariff import catalogue
from schemas import config, contract
from schemas.config import Config
from schemas.errors import ChudianError
from schemas.window import Window


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
                landing.files(
                    step.source,
                    conf.sources[step.source],
                    plan.due_days(conf, step.source, asked.window),
                )
        docs = None if "://" in asked.warehouse else Path(asked.warehouse) / "_docs"
        judge = Judge(docs, run_id)
        with runtime.session(conf, asked.conf) as spark:
            from jobs.warehouse.warehouse import (
                Warehouse,  # pyspark is imported once the inputs are in order
            )

            wh = Warehouse(
                spark,
                asked.warehouse,
                contracts,
                conf,
                Ledger(run_id, conf.fingerprint, asked.accept_rejects),
                judge,
                landing,
                Outbox(asked.push),
            )
            wh.open(
                {
                    table
                    for step in steps
                    for table in (*step.reads, *step.writes)
                    if table in contracts
                }
            )
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
            step.source is None or not deliveries.unchanged(step.source, window)
        )

    wh.announce(filter(has_work, steps), window)

    def work(step: plan.Step) -> None:
        progress.begin(step.name, step.title)

        def earlier_days() -> tuple[int, int]:
            return remade(
                step,
                wh,
                conf,
                progress,
                lambda: redelivery.earlier_windows(step, deliveries, wh.lineage, window),
            )

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


def remade(
    step: plan.Step,
    wh,
    conf: Config,
    progress: Progress,
    find: Callable[[], list[Window]],
    strict: bool = False,
) -> tuple[int, int]:
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
    places = [
        ("files of the channels", f"{asked.push}/<channel>/{day}", "push"),
        ("report, and every check", f"{tables}/_docs/report_{day}.html", "report"),
    ]
    lines = [f"done in {progress.seconds:.0f} s; longest: {slowest}", "look at"]
    lines += [f"  {what:<25} {place}" for what, place, step in places if step in names]
    return "\n".join(
        [
            *lines,
            f"  {'tables':<25} {tables}/<layer>/<table>",
            f"  {'what Spark had to say':<25} {tables}/_logs",
        ]
    )
