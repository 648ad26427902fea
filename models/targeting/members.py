"""Who meets a target definition and why; how many each of its conditions takes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import reduce
from operator import and_

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from models.targeting.conditions import because, holds
from models.targeting.measures import Measured
from schemas.config.targeting.target import Target, described


@dataclass(frozen=True)
class FunnelStep:
    """One condition: the subscribers that it takes away, and who is left after it.

    `alone`: subscribers for whom it holds, whatever the others say.
    """

    condition: str
    alone: int
    taken: int
    subscribers: int
    customers: int


def members(target: Target, facts: Measured, day: date) -> DataFrame:
    """(customer_id, subscriber_id, entered_because): one row per subscriber of the target."""
    return facts.frame.where(holds(target.where, facts.columns, day)).select(
        "customer_id",
        "subscriber_id",
        F.array_join(F.array_distinct(because(target.where, facts.columns, day)), "; ").alias(
            "entered_because"
        ),
    )


def by_customer(rows: DataFrame) -> DataFrame:
    """(customer_id, subscriber_ids, entered_because): the members of a target, once a customer."""
    return rows.groupBy("customer_id").agg(
        F.array_sort(F.collect_set("subscriber_id")).alias("subscriber_ids"),
        F.array_join(F.array_sort(F.collect_set("entered_because")), " | ").alias(
            "entered_because"
        ),
    )


def funnel(target: Target, facts: Measured, day: date) -> list[FunnelStep]:
    """Everybody first, then each condition in the order of the file."""
    own = [holds(step, facts.columns, day) for step in target.steps]
    so_far = [reduce(and_, own[: place + 1]) for place in range(len(own))]
    counted = [F.count(F.lit(1)), F.count_distinct("customer_id")]
    for alone, together in zip(own, so_far, strict=True):
        counted += [
            F.count_if(alone),
            F.count_if(together),
            F.count_distinct(F.when(together, F.col("customer_id"))),
        ]
    row = facts.frame.agg(*(one.alias(f"n{place}") for place, one in enumerate(counted))).first()
    numbers = [int(one) for one in row or ()]
    steps = [FunnelStep("all subscribers", numbers[0], 0, numbers[0], numbers[1])]
    for place, condition in enumerate(target.steps):
        hold, subscribers, customers = numbers[2 + 3 * place : 5 + 3 * place]
        taken = steps[-1].subscribers - subscribers
        steps.append(FunnelStep(described(condition), hold, taken, subscribers, customers))
    return steps


def by_branch_and_brand(target: Target, facts: Measured, day: date) -> DataFrame:
    """(branch, brand, subscribers, customers) of the target, in this order; NULL: not known."""
    return (
        facts.frame.where(holds(target.where, facts.columns, day))
        .groupBy("branch", "brand")
        .agg(
            F.count(F.lit(1)).alias("subscribers"),
            F.count_distinct("customer_id").alias("customers"),
        )
        .orderBy("branch", "brand")
    )
