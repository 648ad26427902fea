"""A condition as columns: whether it holds for a subscriber, and which parts of it do."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from functools import reduce
from operator import and_, or_

from pyspark.sql import Column
from pyspark.sql import functions as F

from schemas.config.targeting.facts import DAY, FACTS, SET
from schemas.config.targeting.target import (
    Asked,
    Condition,
    EventCondition,
    FactCondition,
    Group,
    described,
)

Columns = Mapping[Asked, str]


def holds(condition: Condition, columns: Columns, day: date) -> Column:
    """Whether the condition holds, never NULL: on a fact that is not known it does not hold."""
    if isinstance(condition, Group):
        parts = [holds(part, columns, day) for part in condition.parts]
        if condition.kind == "not":
            return ~parts[0]
        return reduce(and_ if condition.kind == "and" else or_, parts)
    if isinstance(condition, EventCondition):
        return F.coalesce(_happened(condition, columns), F.lit(False))
    return F.coalesce(_compared(condition, F.col(columns[condition.asked]), day), F.lit(False))


def because(condition: Condition, columns: Columns, day: date) -> Column:
    """The parts that hold, in words, where the condition does: of an `or` only those that do."""
    if not isinstance(condition, Group) or condition.kind == "not":
        return F.array(F.lit(described(condition)))
    none = F.array().cast("array<string>")
    parts = [
        because(part, columns, day)
        if condition.kind == "and"
        else F.when(holds(part, columns, day), because(part, columns, day)).otherwise(none)
        for part in condition.parts
    ]
    return F.concat(*parts)


def _happened(condition: EventCondition, columns: Columns) -> Column:
    asked = condition.asked
    first = F.col(columns[asked[0]])
    if condition.event == "tariff_contact":
        return first >= condition.times
    other = F.col(columns[asked[1]])
    if condition.event == "roaming_without":
        held = F.arrays_overlap(other, F.array(*map(F.lit, condition.packages)))
        return (first >= condition.times) & ~held
    # last × months against factor × sum: a mean would have to be rounded.
    scaled, limit = first * condition.months, other * F.lit(condition.factor)
    return scaled > limit if condition.event == "bill_rise" else scaled < limit


def _compared(condition: FactCondition, value: Column, day: date) -> Column:
    kind, values = condition.comparison, [F.lit(one) for one in condition.values]
    if FACTS[condition.asked.fact].type == SET:
        return F.arrays_overlap(value, F.array(*values))
    if FACTS[condition.asked.fact].type == DAY and kind != "between":
        return _of_day(condition, value, day)
    return {
        "is": lambda: value == values[0],
        "in": lambda: value.isin(*condition.values),
        "at_least": lambda: value >= values[0],
        "at_most": lambda: value <= values[0],
        "above": lambda: value > values[0],
        "below": lambda: value < values[0],
        "between": lambda: value.between(values[0], values[1]),
    }[kind]()


def _of_day(condition: FactCondition, value: Column, day: date) -> Column:
    """The last N days include the data date; a day N or more days ago is not among them."""
    since = F.lit(day - timedelta(days=int(condition.values[0])))  # type: ignore[arg-type]
    if condition.comparison == "at_least_days_ago":
        return value <= since
    return (value > since) & (value <= F.lit(day))
