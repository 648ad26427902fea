"""How many rows a step reads, as far as that is known before Spark starts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from jobs.intake.landing import Landing
from jobs.plan.step import Step, due_days
from jobs.warehouse import delta_log
from schemas.config import Config
from schemas.contract import Contract
from schemas.window import Window


def reads_few_rows(
    steps: Iterable[Step],
    window: Window,
    conf: Config,
    contracts: Mapping[str, Contract],
    landing: Landing,
    warehouse: str,
) -> bool:
    """Whether the steps read no more than the configured number of rows, all together.

    What was delivered counts for a step that ingests a source; else all rows of the tables that it
    reads. Of tables that are not in a local folder nothing is known: then the answer is no.
    """
    limit = conf.runtime.spark.few_rows
    if limit is None or "://" in warehouse:
        return False
    wanted = list(steps)
    tables = {table for step in wanted if step.source is None for table in step.reads}
    rows = sum(
        file.rows
        for table in tables & set(contracts)
        for file in delta_log.files(warehouse, contracts[table]) or []
    )
    for step in wanted:
        if step.source is not None:
            source, days = conf.sources[step.source], due_days(conf, step.source, window)
            rows += sum(file.rows for file in landing.files(step.source, source, days))
    return rows <= limit.rows
