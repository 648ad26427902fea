"""The facts that target definitions ask for, one column each: every table is scanned once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import reduce
from operator import and_

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from models.frames.validity import valid_at
from schemas.config.targeting.facts import (
    ACCOUNT,
    COUNT,
    DAY,
    FACTS,
    SET,
    SUBSCRIBER,
    TABLES,
    Fact,
)
from schemas.config.targeting.target import Asked

BASE = "dw.subscriber"
AMOUNT_TYPE = "decimal(22,6)"


@dataclass(frozen=True)
class Measured:
    """One row per subscriber: customer_id, subscriber_id, brand, branch, and the asked facts.

    `columns`: the column of each fact as it is asked. NULL: not known.
    """

    frame: DataFrame
    columns: Mapping[Asked, str]


def measured(
    asked: Iterable[Asked], tables: Mapping[str, DataFrame], day: date, months: Sequence[date]
) -> Measured:
    """The facts of all subscribers of `dw.subscriber` on a day.

    `tables`: by name, as facts.TABLES says how each is read. `months`: closed months, the newest
    last, as many as the facts need.
    """
    columns = {one: f"fact_{place}" for place, one in enumerate(dict.fromkeys(asked))}
    by_table: dict[str, list[Asked]] = {}
    for one in columns:
        by_table.setdefault(FACTS[one.fact].table, []).append(one)
    own = by_table.pop(BASE, [])
    frame = tables[BASE].select(
        "customer_id",
        SUBSCRIBER,
        ACCOUNT,
        "brand",
        "branch",
        *(F.col(FACTS[one.fact].column).alias(columns[one]) for one in own),
    )
    for table, wanted in by_table.items():
        owner = FACTS[wanted[0].fact].owner
        frame = frame.join(
            _of_owners(_rows(table, tables, day), wanted, columns, day, months), owner, "left"
        )
    filled = {columns[one]: _known(one, columns[one]) for one in columns}
    return Measured(frame.withColumns(filled).drop(ACCOUNT), columns)


def _rows(table: str, tables: Mapping[str, DataFrame], day: date) -> DataFrame:
    """The rows of a table with what is joined to them; subscriptions in force on the day only."""
    rows, joined = tables[table], TABLES[table].joined
    if joined:
        rows = rows.join(F.broadcast(tables[joined]), "cell_id")
    return rows.where(valid_at(F.lit(day))) if table == "dw.subscription" else rows


def _of_owners(
    rows: DataFrame,
    wanted: Sequence[Asked],
    columns: Mapping[Asked, str],
    day: date,
    months: Sequence[date],
) -> DataFrame:
    owner = FACTS[wanted[0].fact].owner
    longest = max((one.over_days or 0 for one in wanted), default=0)
    if longest:
        rows = rows.where(_within(FACTS[wanted[0].fact].day, longest, day))
    return rows.groupBy(owner).agg(
        *(_added_up(one, FACTS[one.fact], day, months).alias(columns[one]) for one in wanted)
    )


def _added_up(one: Asked, fact: Fact, day: date, months: Sequence[date]) -> Column:
    """The value of a fact over the rows of one owner."""
    counts = [F.col(column).isin(*values) for column, values in one.of]
    counts += [F.expr(fact.where)] if fact.where else []
    counts += [_within(fact.day, one.over_days, day)] if one.over_days else []
    chosen = reduce(and_, counts) if counts else F.lit(True)
    if fact.how in ("last", "mean", "before"):
        return _of_months(fact, one, months)
    names = [name.strip() for name in fact.column.split(",")]
    value = F.when(chosen, F.struct(*names) if len(names) > 1 else F.col(names[0]))
    how = {
        "max": F.max,
        "min": F.min,
        "sum": F.sum,
        "count": F.count,
        "distinct": F.count_distinct,
        "set": F.collect_set,
    }[fact.how]
    return how(value)


def _of_months(fact: Fact, one: Asked, months: Sequence[date]) -> Column:
    """An amount of closed months: of the last, their mean, or the sum of those before the last."""
    number = one.over_months or 1
    chosen = months[-number:] if fact.how != "before" else months[-number - 1 : -1]
    is_of = F.col("month").isin(*chosen)
    total = F.sum(F.when(is_of, F.col(fact.column))).cast(AMOUNT_TYPE)
    there = F.count_distinct(F.when(is_of, F.col("month")))
    if fact.how == "mean":
        return F.when(there > 0, (total / there).cast(AMOUNT_TYPE))
    return F.when(there == len(chosen), total)


def _within(column: str, days: int, day: date) -> Column:
    """Whether a day or instant lies in the last `days` days, the data date included."""
    local = F.to_date(F.col(column))
    return (local > F.lit(day - timedelta(days=days))) & (local <= F.lit(day))


def _known(one: Asked, column: str) -> Column:
    """Counts without rows are 0, sets are empty; of instants the local day is compared."""
    fact, value = FACTS[one.fact], F.col(column)
    if fact.type == SET:
        return F.coalesce(value, F.array().cast("array<string>"))
    if fact.type == COUNT and fact.how in ("sum", "count", "distinct"):
        return F.coalesce(value, F.lit(0))
    return F.to_date(value) if fact.type == DAY else value
