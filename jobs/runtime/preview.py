"""What a run would read, replace and wait for, without Spark and without touching anything.

Deliveries are inspected as the run itself would inspect them; what is committed already is known
from the ledger.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from jobs.intake import archive, redelivery
from jobs.intake.landing import Landing
from jobs.intake.redelivery import Deliveries
from jobs.plan import night as plan
from jobs.runtime.progress import amount, padded
from jobs.runtime.session import Invocation
from jobs.warehouse import delta_log
from jobs.warehouse.ledger import Entry, Ledger
from jobs.warehouse.lineage import Lineage
from schemas.config import Config
from schemas.contract import APPEND_ONLY, Contract
from schemas.errors import InputError, QualityError

SHOWN = 3  # slices that are named one by one


def show(
    steps: Sequence[plan.Step], asked: Invocation, conf: Config, contracts: Mapping[str, Contract]
) -> None:
    """Print a line or two per step; InputError at the end when a delivery is not there."""
    window, stands = asked.window, known(asked.warehouse, conf)
    landing = Landing(asked.landing, archive.below(asked.warehouse, asked.landing), read_only=True)
    deliveries = Deliveries(conf, contracts, stands, landing)
    lineage = Lineage(conf, contracts, plan.night(conf), stands, lambda table, day: set())
    waiting: list[InputError | QualityError] = []
    print(f"night of {window}, dry run: nothing is written")
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
                reads = _delivered(landing, step.source, conf, asked)
            except (InputError, QualityError) as error:
                waiting.append(error)
                reads = f"cannot: {error}"
            else:
                if deliveries.unchanged(step.source, window):
                    print(f"{padded(step.name, 28)} {reads}: unchanged since it was taken in")
                    continue
        print(f"{padded(step.name, 28)} {reads}")
        for table in step.writes:
            before = stands.committed.get((table, step.source or ""), {})
            slices = plan.slices(conf, contracts[table], window, step.source)
            print(f"{'':<28} {_replaced(table, slices, before)}")
    if waiting:
        raise type(waiting[0])(f"{len(waiting)} deliveries would stop the run, first {waiting[0]}")


def known(warehouse: str, conf: Config) -> Ledger:
    """What stands and what is stale; nothing before a first night."""
    ledger = Ledger("", conf.fingerprint)
    if "://" in warehouse or Path(warehouse, "ops", "run_ledger").is_dir():
        ledger.learn(delta_log.entries(warehouse))
    return ledger


def _delivered(landing: Landing, name: str, conf: Config, asked: Invocation) -> str:
    files = landing.files(name, conf.sources[name], plan.due_days(conf, name, asked.window))
    rows, size = sum(file.rows for file in files), sum(file.bytes for file in files)
    return f"takes in {len(files)} files, {rows:,} rows, {amount(size)}"


def _replaced(table: str, slices: Sequence[str], before: Mapping[str, Entry]) -> str:
    if list(slices) == [APPEND_ONLY]:
        return f"adds to {table}"
    there = [slice_ for slice_ in slices if slice_ in before]
    named = (
        ", ".join(slices)
        if len(slices) <= SHOWN
        else f"{slices[0]} … {slices[-1]} ({len(slices)} slices)"
    )
    if not there:
        return f"writes {table} {named}"
    some = "" if len(there) == len(slices) else f"{len(there)} of them "
    return f"replaces {table} {named} ({some}committed by run {before[there[-1]].run_id})"
