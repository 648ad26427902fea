"""Walking the steps of a plan in one Spark session."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import date
from pathlib import Path
from typing import NamedTuple

from jobs.intake import archive, redelivery
from jobs.intake.landing import Landing
from jobs.intake.redelivery import Deliveries
from jobs.outbox.folder import Outbox
from jobs.plan.step import Step, due_days, tables_of
from jobs.runtime import contract_changes, parallel
from jobs.runtime.arguments import Invocation
from jobs.runtime.context import Run
from jobs.runtime.few_rows import reads_few_rows
from jobs.runtime.lock import logged, run_of
from jobs.runtime.progress import Progress
from jobs.runtime.session import for_few_rows, spark_session
from jobs.runtime.stopping import Stopped
from jobs.warehouse import delta_log
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


def configuration(
    folders: tuple[Path, ...], tried: Mapping[str, Path] | None = None
) -> Configuration:
    """The checked configuration; every problem is a ConfigError before Spark starts.

    `tried`: files that are laid over the folders, by the name of what they are like (policy).
    """
    conf, contracts = without_prices(folders, tried)
    return Configuration(conf, contracts, catalogue.load(conf.tariffs.values()))


def without_prices(
    folders: tuple[Path, ...], tried: Mapping[str, Path] | None = None
) -> tuple[Config, Mapping[str, Contract]]:
    """The same for a command that prices nothing: what tariffs mean is not checked."""
    contracts = contract.load()
    conf = config.load(folders, contracts, tried)
    return conf, contract.in_currency(contracts, conf.runtime.currency)


def walk(
    steps: tuple[Step, ...], window: Window, invocation: Invocation, configured: Configuration
) -> None:
    """Run the steps for the window, with progress, lock, log and ledger."""
    with opened(invocation, configured, steps, window) as run:
        progress = _run_all(steps, run, window)
    print(ending(progress, {step.name for step in steps}, window.last, invocation))


@contextmanager
def opened(
    invocation: Invocation,
    configured: Configuration,
    steps: tuple[Step, ...],
    window: Window | None = None,
) -> Iterator[Run]:
    """A run of the steps: locked, logged, with Spark started and the steps' tables created.

    Contracts are compared with their tables first, and the deliveries of the window are inspected:
    a table that cannot follow, or a missing delivery, stops the run at once.
    """
    conf, contracts, tariffs = configured
    declared = tables_of(steps) & set(contracts)
    with run_of(invocation.warehouse) as run_id:
        contract_changes.require_fit(invocation.warehouse, conf, contracts, declared)
        kept = archive.below(invocation.warehouse, invocation.landing)
        landing = Landing(invocation.landing, kept)
        for step in steps:
            if step.source is not None and window is not None:
                days = due_days(conf, step.source, window)
                landing.files(step.source, conf.sources[step.source], days)
        local = "://" not in invocation.warehouse
        judge = Judge(Path(invocation.warehouse) / "_docs" if local else None, run_id)
        few_rows = window is not None and reads_few_rows(
            steps, window, conf, contracts, landing, invocation.warehouse
        )
        with spark_session(conf, invocation.conf, few_rows=few_rows) as spark:
            # pyspark is imported once the inputs are in order
            from jobs.warehouse.tables import Tables
            from jobs.warehouse.warehouse import Warehouse

            ledger = Ledger(run_id, conf.fingerprint, invocation.accept_rejects)
            other = for_few_rows(spark, conf, invocation.conf)
            tables = Tables(spark, invocation.warehouse, contracts, run_id, other)
            warehouse = Warehouse(tables, contracts, conf, ledger, judge)
            warehouse.open(declared)
            outbox = Outbox(invocation.push)
            try:
                try:
                    yield Run(conf, tariffs, warehouse, landing, outbox, ledger, judge)
                finally:
                    warehouse.close()
            except Stopped as stopped:
                stopped.committed = committed(ledger)
                raise


def committed(ledger: Ledger) -> str:
    """What the run has committed, in words."""
    commits = ledger.own_commits()
    tables = len({entry.table for entry in commits})
    return (
        f"committed until then: {len(commits):,} slices of {tables} tables"
        if commits
        else "nothing of this run is committed"
    )


@contextmanager
def reading(invocation: Invocation, configured: Configuration, step: Step) -> Iterator[Run]:
    """A run that only reads what is committed now: it needs no lock, also while a night goes on.

    InputError where no night has run into the warehouse yet.
    """
    conf, contracts, tariffs = configured
    contract_changes.require_currency(invocation.warehouse, contracts)
    entries = delta_log.entries(invocation.warehouse)
    versions = delta_log.committed_versions(invocation.warehouse, step.reads, entries)
    with (
        logged(invocation.warehouse) as run_id,
        spark_session(conf, invocation.conf) as spark,
    ):
        from jobs.warehouse.tables import CommittedTables
        from jobs.warehouse.warehouse import Warehouse

        ledger, judge = Ledger(run_id, conf.fingerprint), Judge(None, run_id)
        ledger.learn(entries)
        tables = CommittedTables(spark, invocation.warehouse, contracts, versions)
        warehouse = Warehouse(tables, contracts, conf, ledger, judge)
        kept = archive.below(invocation.warehouse, invocation.landing)
        landing = Landing(invocation.landing, kept, read_only=True)
        try:
            yield Run(conf, tariffs, warehouse, landing, Outbox(invocation.push), ledger, judge)
        finally:
            warehouse.close()


def cut_short(run: Run) -> None:
    """End the jobs of the steps under way, once a signal has stopped the run."""
    run.ledger.stopped = "stopped by a signal"
    with suppress(Exception):  # Java may have got the signal too
        run.warehouse.tables.spark.sparkContext.cancelAllJobs()


def _run_all(steps: tuple[Step, ...], run: Run, window: Window) -> Progress:
    """Each step: first for earlier windows that are stale or newly delivered, then for its own."""
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
            return rebuild_earlier(
                step,
                run,
                progress,
                lambda: redelivery.earlier_windows(step, deliveries, warehouse.lineage, window),
            )

        rows, days = earlier_days()
        ran = has_work(step)  # an earlier step of this run may have made its slice stale
        if ran:
            rows += _run_step(step, run, window)
            if step.looks_ahead:  # the step may have found that new rows belong to earlier days
                more_rows, more_days = earlier_days()
                rows, days = rows + more_rows, days + more_days
        progress.end(step.name, _outcome(rows, days, step, ran=ran, due=step.due(window, conf)))

    try:
        parallel.run(steps, work, conf.runtime.parallel.steps, lambda: cut_short(run))
    except BaseException:
        progress.stop()
        raise
    return progress


def _outcome(rows: int, days: int, step: Step, *, ran: bool, due: bool) -> str:
    """What a step did, in a few words."""
    if ran or days:
        return f"{rows:,} rows" + (f", {days} earlier days" if days else "")
    return "unchanged" if due else f"not due ({step.cadence})"


def _run_step(step: Step, run: Run, window: Window, *, rebuild: bool = False) -> int:
    """Run one step for one window; the rows that it wrote."""
    tables, contracts = run.warehouse.tables, run.warehouse.contracts
    with run.warehouse.step(step, window, rebuild=rebuild) as activity:
        few = reads_few_rows([step], window, run.conf, contracts, run.landing, tables.root)
        tables.suit(step.name, few_rows=few)
        importlib.import_module(step.module).run(run.context(step, window, rebuild=rebuild))
    return activity.rows_out


def rebuild_earlier(
    step: Step,
    run: Run,
    progress: Progress,
    find: Callable[[], list[Window]],
    *,
    strict: bool = False,
) -> tuple[int, int]:
    """Run a step again for the earlier windows that `find` returns; the rows written, and days.

    `find` is called until it returns nothing new, because a delivery that is read again may touch
    a later day of its source.
    `strict`: an error of a delivery stops the run. Without it the delivery is reported and left:
    what was ingested before stays valid.
    """
    rows, tried = 0, []
    while todo := [window for window in find() if window not in tried]:
        tried.append(todo[0])
        try:
            rows += _run_step(step, run, todo[0], rebuild=True)
        except ChudianError as error:
            if strict or step.source is None:
                raise
            progress.say(f"not ingested again: {error}; what was ingested before stays valid")
    return rows, sum(len(window.days()) for window in tried)


def ending(progress: Progress, names: set[str], day: date, invocation: Invocation) -> str:
    """What a person wants to know at the end of a run: how long it took, and where to look."""
    tables = invocation.warehouse
    slowest = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in progress.slowest(3))
    places = [
        ("files of the channels", f"{invocation.push}/<channel>/{day}", "push"),
        ("report, and every check", f"{tables}/_docs/report_{day}.html", "report"),
    ]
    lines = [f"done in {progress.seconds:.0f} s; longest: {slowest}", "look at"]
    lines += [f"  {what:<25} {place}" for what, place, step in places if step in names]
    return "\n".join(
        [
            *lines,
            f"  {'tables':<25} {tables}/<layer>/<table>",
            f"  {'logs of the run and Spark':<25} {tables}/_logs",
        ]
    )
