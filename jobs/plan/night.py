"""The whole night, in the order in which it runs.

Plain Python over the configuration. The command `jobs/night.py` walks this list in one session; the
DAG `dags/nightly.py` submits it group by group.
"""

from jobs.plan import decision, evaluation, ingest, rating, report, views
from jobs.plan.step import CAMPAIGN_LOG, OPS, Step
from schemas.config import Config
from schemas.errors import ConfigError


def night(conf: Config) -> tuple[Step, ...]:
    """Every step of the night, each after the steps whose tables it reads."""
    steps = (
        *ingest.steps(conf),
        *views.steps(conf),
        *rating.steps(),
        *decision.steps(conf),
        *evaluation.steps(conf),
        *report.steps(conf),
    )
    _check(steps, {table for source in conf.sources.values() for table in source.tables})
    return steps


def _check(steps: tuple[Step, ...], records: set[str]) -> None:
    """ConfigError for a table that is read before a step writes it.

    A step may read its own table as it was the day before, tables of `earlier` nights, and `ods`
    tables that no source feeds.
    """
    written = {*OPS, CAMPAIGN_LOG}
    for step in steps:
        written.update((*step.writes, *step.earlier))
        for table in step.reads:
            if table not in written and not (table.startswith("ods.") and table not in records):
                raise ConfigError(f"plan: {step.name} reads {table}, which no earlier step writes")
