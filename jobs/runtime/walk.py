"""Walking the steps of a plan in one Spark session."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from jobs.intake import archive, redelivery
from jobs.intake.landing import Landing
from jobs.intake.redelivery import Deliveries
from jobs.outbox.folder import Outbox
from jobs.plan.step import Step, due_days
from jobs.runtime import parallel as side_by_side
from jobs.runtime import session as runtime
from jobs.runtime.context import Run
from jobs.runtime.progress import Progress
from jobs.warehouse.judge import Judge
from jobs.warehouse.ledger import Ledger
from models.tariff import catalogue
from models.tariff.catalogue import Catalogue
from schemas import config, contract
from schemas.config import Config
from schemas.contract import Contract
from schemas.errors import ChudianError
from schemas.window import Window


class Configuration(NamedTuple):
    """What a run is configured by: settings, contracts of the tables, tariff packages."""

    conf: Config
    contracts: Mapping[str, Contract]
    catalogue: Catalogue


def configuration(folders: tuple[Path, ...]) -> Configuration:
    """The checked configuration; every problem is a ConfigError before Spark starts."""
    contracts = contract.load()
    conf = config.load(folders, contracts)
    return Configuration(conf, contracts, catalogue.load(conf.tariffs.values()))


def walk(steps: tuple[Step, ...], asked: runtime.Invocation, configured: Configuration) -> None:
    """Run the steps for the window, with progress, lock, log and ledger."""
    with opened(asked, configured, steps) as run:
        progress = _steps(steps, run, asked.window)
    print(ending(progress, {step.name for step in steps}, asked))


@contextmanager
def opened(
    asked: runtime.Invocation, configured: Configuration, steps: tuple[Step, ...]
) -> Iterator[Run]:
    """A run of the steps: locked, logged, its deliveries inspected, Spark started."""
    conf, contracts, tariffs = configured
    with runtime.run_of(asked.warehouse) as run_id:
        landing = Landing(asked.landing, archive.below(asked.warehouse, asked.landing))
        for step in steps:
            if step.source is not None and asked.window is not None:
                landing.files(
                    step.source,
                    conf.sources[step.source],
                    due_days(conf, step.source, asked.window),
                )
        docs = None if "://" in asked.warehouse else Path(asked.warehouse) / "_docs"
        judge = Judge(docs, run_id)
        with runtime.session(conf, asked.conf) as spark:
            # pyspark is imported once the inputs are in order
            from jobs.warehouse.tables import Tables
            from jobs.warehouse.warehouse import Warehouse

            ledger = Ledger(run_id, conf.fingerprint, asked.accept_rejects)
            tables = Tables(spark, asked.warehouse, contracts, run_id)
            warehouse = Warehouse(tables, contracts, conf, ledger, judge)
            declared = {table for step in steps for table in (*step.reads, *step.writes)}
            warehouse.open(declared & set(contracts))
            try:
                yield Run(conf, tariffs, warehouse, landing, Outbox(asked.push), ledger, judge)
            finally:
                warehouse.close()


def _steps(steps: tuple[Step, ...], run: Run, window: Window) -> Progress:
    """Each step for what is stale or came anew of earlier days, then for the window."""
    print(f"night of {window}: {len(steps)} steps")
    conf, warehouse = run.conf, run.warehouse
    deliveries = Deliveries(conf, warehouse.contracts, run.ledger, run.landing)
    progress = Progress(len(steps))

    def has_work(step: Step) -> bool:
        return step.due(window, conf) and (
            step.source is None or not deliveries.unchanged(step.source, window)
        )

    warehouse.announce(filter(has_work, steps), window)

    def work(step: Step) -> None:
        progress.begin(step.name, step.title)

        def earlier_days() -> tuple[int, int]:
            return remade(
                step,
                run,
                progress,
                lambda: redelivery.earlier(step, deliveries, warehouse.lineage, window),
            )

        rows, days = earlier_days()
        ran = has_work(step)  # an earlier step of this run may have made its slice stale
        if ran:
            rows += _made(step, run, window)
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


def _said(rows: int, days: int, step: Step, ran: bool, due: bool) -> str:
    """What a step did, in a few words."""
    if ran or days:
        return f"{rows:,} rows" + (f", {days} earlier days" if days else "")
    return "unchanged" if due else f"not due ({step.cadence})"


def _made(step: Step, run: Run, window: Window, *, rebuild: bool = False) -> int:
    with run.warehouse.step(step, window, rebuild=rebuild) as activity:
        importlib.import_module(step.module).run(run.context(step, window, rebuild=rebuild))
    return activity.rows_out


def remade(
    step: Step,
    run: Run,
    progress: Progress,
    find: Callable[[], list[Window]],
    *,
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
            rows += _made(step, run, todo[0], rebuild=True)
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
