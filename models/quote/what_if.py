"""Simulates the launch of a package 资费模拟: who would take it, and what it would cost.

Each customer is priced under the package from the usage cube, and compared with the present bills.
A customer counts as a taker if the package would be recommended.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from models.quote.whole_match import TOGETHER

BOUNDS = (-50, -20, -10, -5, 0, 5, 10, 20, 50)  # yuan a month, between steps of the distribution
NO_PACKAGE, NOTHING = "(no package)", "(nothing)"
MONEY = "decimal(30,6)"


def outcomes(matched: DataFrame, owned: DataFrame, matches: DataFrame) -> DataFrame:
    """One row per customer: saving, reasons, takes, present, instead_of.

    - `saving`: yuan a month, null if no month can be compared; `reasons`: what speaks against it;
    - `takes`: whether the package would be recommended;
    - `present`: the present package of the kind, of a bundle the packages of its kinds;
    - `instead_of`: what would be recommended first without the new one.

    `matched` is package_match of the package alone, `owned` is holding.held_on of its kinds, and
    `matches` are rows of mart.package_match of its kinds, for a bundle also those of kind `whole`.
    """
    held = F.sort_array(F.collect_set("package_id"))
    present = owned.groupBy("subscriber_id").agg(F.array_join(held, TOGETHER).alias("present"))
    others = (
        matches.where("recommended AND rank IS NOT NULL")
        .groupBy("subscriber_id")
        .agg(F.min_by("package_id", F.struct("rank", "package_id")).alias("instead_of"))
    )
    return (
        matched.join(present, "subscriber_id", "left")
        .join(others, "subscriber_id", "left")
        .select(
            "subscriber_id",
            "saving",
            "reasons",
            F.col("recommended").alias("takes"),
            F.coalesce("present", F.lit(NO_PACKAGE)).alias("present"),
            F.coalesce("instead_of", F.lit(NOTHING)).alias("instead_of"),
        )
    )


def totals(rows: DataFrame) -> DataFrame:
    """One row: customers, compared, takers, saved, income_change.

    `saved` is the takers' saving and `income_change` the operator's, both in yuan a month.
    """
    return rows.agg(
        F.count(F.lit(1)).alias("customers"),
        F.count("saving").alias("compared"),
        F.count_if("takes").alias("takers"),
        _money(F.sum(F.when(F.col("takes"), F.col("saving")))).alias("saved"),
        _money(-F.sum(F.when(F.col("takes"), F.col("saving")))).alias("income_change"),
    )


def distribution(rows: DataFrame) -> DataFrame:
    """(step, customers, takers): customers by saving.

    Step k holds savings from BOUNDS[k - 1], included, to BOUNDS[k], not included.
    """
    step = F.lit(len(BOUNDS))
    for place, bound in reversed(list(enumerate(BOUNDS))):
        step = F.when(F.col("saving") < bound, place).otherwise(step)
    return (
        rows.where("saving IS NOT NULL")
        .groupBy(step.alias("step"))
        .agg(F.count(F.lit(1)).alias("customers"), F.count_if("takes").alias("takers"))
        .orderBy("step")
    )


def steps() -> Sequence[str]:
    """The names of the steps of the distribution, in order."""
    inner = [f"{low} to {high}" for low, high in itertools.pairwise(BOUNDS)]
    return [f"below {BOUNDS[0]}", *inner, f"{BOUNDS[-1]} and more"]


def takers_by(rows: DataFrame, column: str) -> DataFrame:
    """(`column`, takers, income_change): takers by `present` or `instead_of`, the most first."""
    return (
        rows.where("takes")
        .groupBy(column)
        .agg(F.count(F.lit(1)).alias("takers"), _money(-F.sum("saving")).alias("income_change"))
        .orderBy(F.desc("takers"), column)
    )


def against(rows: DataFrame) -> DataFrame:
    """(reason, customers): the reasons against the package, the most frequent first."""
    return (
        rows.select(F.explode("reasons").alias("reason"))
        .groupBy("reason")
        .agg(F.count(F.lit(1)).alias("customers"))
        .orderBy(F.desc("customers"), "reason")
    )


def _money(amount: Column) -> Column:
    return F.coalesce(amount, F.lit(0)).cast(MONEY)
