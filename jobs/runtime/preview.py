"""What a run would read, replace and wait for, without Spark and without touching anything.

Deliveries are inspected as the run itself would inspect them. What is already committed is known
from the ledger.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from jobs.intake import archive, redelivery
from jobs.intake.landing import Landing
from jobs.intake.redelivery import Deliveries
from jobs.plan.night import night
from jobs.plan.slices import slices
from jobs.plan.step import Step, due_days, tables_of
from jobs.runtime import contract_changes
from jobs.runtime.arguments import Invocation
from jobs.runtime.progress import amount, padded
from jobs.warehouse.ledger import Entry
from jobs.warehouse.ledger_summary import known_ledger
from jobs.warehouse.lineage import Lineage
from schemas.config import Config
from schemas.contract import APPEND_ONLY, Contract
from schemas.errors import InputError, QualityError
from schemas.window import Window

SHOWN = 3  # slices that are named one by one


def show(
    steps: Sequence[Step],
    window: Window,
    invocation: Invocation,
    conf: Config,
    contracts: Mapping[str, Contract],
) -> None:
    """Print a line or two per step; InputError at the end when a delivery is missing."""
    declared = tables_of(steps) & set(contracts)
    following = contract_changes.require_fit(invocation.warehouse, conf, contracts, declared)
    ledger = known_ledger(invocation.warehouse, conf)
    kept = archive.below(invocation.warehouse, invocation.landing)
    landing = Landing(invocation.landing, kept, read_only=True)
    deliveries = Deliveries(conf, contracts, ledger, landing)
    lineage = Lineage(conf, contracts, night(conf), ledger, lambda table, day: set())
    waiting: list[InputError | QualityError] = []
    print(f"night of {window}, dry run: nothing is written")
    _print_following(following)
    for step in steps:
        due = step.due(window, conf)
        for one in redelivery.earlier_windows(step, deliveries, lineage, window):
            print(f"{padded(step.name, 28)} once more for {one}")
        if not due:
            print(f"{padded(step.name, 28)} not due ({step.cadence})")
            continue
        if step.source is None:
            reads = f"reads {', '.join(step.reads)}"
        else:
            try:
                reads = _delivered(landing, step.source, conf, window)
            except (InputError, QualityError) as error:
                waiting.append(error)
                reads = f"cannot: {error}"
            else:
                if deliveries.unchanged(step.source, window):
                    print(f"{padded(step.name, 28)} {reads}: unchanged since they were ingested")
                    continue
        print(f"{padded(step.name, 28)} {reads}")
        for table in step.writes:
            before = ledger.committed.get((table, step.source or ""), {})
            written = slices(conf, contracts[table], window, step.source)
            print(f"{'':<28} {_replaced(table, written, before)}")
    if waiting:
        raise type(waiting[0])(f"{len(waiting)} deliveries would stop the run, first {waiting[0]}")


def _print_following(changes: Mapping[str, str]) -> None:
    for table, words in changes.items():
        print(f"{table} follows its contract: {words}")


def _delivered(landing: Landing, name: str, conf: Config, window: Window) -> str:
    files = landing.files(name, conf.sources[name], due_days(conf, name, window))
    rows, size = sum(file.rows for file in files), sum(file.bytes for file in files)
    return f"ingests {len(files)} files, {rows:,} rows, {amount(size)}"


def _replaced(table: str, written: Sequence[str], before: Mapping[str, Entry]) -> str:
    if list(written) == [APPEND_ONLY]:
        return f"adds to {table}"
    there = [slice_ for slice_ in written if slice_ in before]
    named = (
        ", ".join(written)
        if len(written) <= SHOWN
        else f"{written[0]} … {written[-1]} ({len(written)} slices)"
    )
    if not there:
        return f"writes {table} {named}"
    some = "" if len(there) == len(written) else f"{len(there)} of them "
    return f"replaces {table} {named} ({some}committed by run {before[there[-1]].run_id})"
