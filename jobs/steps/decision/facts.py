"""What target definitions read: each table of the registry of facts once, as far back as asked.

Shared by the step `target` and the command `jobs.targets`; no step.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta

from pyspark.sql import DataFrame

from jobs.runtime.context import Context
from models.targeting.measures import Measured, measured
from schemas.config.targeting.facts import EVENTS, FACTS, LAST_SNAPSHOT, MONTHS, TABLES
from schemas.config.targeting.target import Asked, Target
from schemas.window import Window, closed_months


def facts_of(context: Context, targets: Collection[Target]) -> Measured:
    """The facts that these definitions ask for, of all subscribers on the day of the run."""
    asked = list(dict.fromkeys(one for target in targets for one in target.asked))
    number = max((1 + (one.over_months or 0) for one in asked), default=1)
    close_day = context.conf.policy.month_close.day
    months = closed_months(context.day, number, close_day)
    tables = dict.fromkeys(table for target in targets for table in target.tables)
    frames = {table: _read(context, table, asked, months) for table in tables}
    return measured(asked, frames, context.day, months)


def _read(context: Context, table: str, asked: Collection[Asked], months: list) -> DataFrame:
    warehouse, day = context.warehouse, context.day
    read = TABLES[table].read if table in TABLES else ""
    if read == LAST_SNAPSHOT:
        return context.newest(table)
    if read == EVENTS:
        days = max(one.over_days or 1 for one in asked if FACTS[one.fact].table == table)
        window = Window(day - timedelta(days=days - 1), day)
        return warehouse.read(table, window=window, allow_missing=True)
    if read == MONTHS:
        return warehouse.read(table, upto=day, months=months)
    return warehouse.read(table, on=day) if read else warehouse.read(table)
