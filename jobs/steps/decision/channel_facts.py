"""Facts that channels name, and their tables as known at the end of the day; no step."""

from __future__ import annotations

from collections.abc import Iterable

from pyspark.sql import DataFrame

from jobs.runtime.context import Context
from schemas.config import Config
from schemas.config.channel import FACT_TABLES


def required_facts(conf: Config, names: Iterable[str]) -> dict[str, str]:
    """Of these channels, those that require a fact of a customer, and the fact."""
    return {name: fact for name in names if (fact := conf.channels[name].requires)}


def channel_facts(context: Context) -> dict[str, DataFrame]:
    """By the names of FACT_TABLES: those of a subscriber that the step of the run reads."""
    warehouse, day = context.warehouse, context.day
    found: dict[str, DataFrame] = {}
    for name in ("subscriber", "preference", "customer", "member"):
        table = FACT_TABLES[name]
        if table not in context.step.reads:
            continue
        if table.startswith("ods."):
            found[name] = warehouse.read(table, upto=day)
        else:
            found[name] = warehouse.read(table, on=day)
    return found
