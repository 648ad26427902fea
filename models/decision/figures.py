"""The figures of a night's decision: the funnel, the prices of what is scarce, and what adds up."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from models.assignment.summary import Summary
from models.decision.policy import STAGES
from models.frames.lookup import looked_up

PUSHED, TOTAL = "PUSHED", "TOTAL"
GROUP = ("campaign_id", "wave", "channel")


def funnel(decisions: DataFrame, data_date: date) -> DataFrame:
    """mart.decision_funnel of mart.decision of one night."""
    stages = {code: place for place, code in enumerate((*STAGES, PUSHED), start=1)}
    reason = F.when(F.col("fate") == "pushed", F.lit(PUSHED)).otherwise(F.col("first_reason"))
    return (
        decisions.groupBy(*GROUP, reason.alias("reason"))
        .agg(
            F.count(F.lit(1)).alias("rows"),
            F.count_distinct("customer_id").alias("customers"),
            F.sum("value").cast("decimal(24,6)").alias("value"),
        )
        .select(
            F.lit(data_date).alias("data_date"),
            *GROUP,
            looked_up(F.col("reason"), stages, "int").alias("stage"),
            "reason",
            "rows",
            "customers",
            "value",
        )
    )


def targets(candidates: DataFrame) -> DataFrame:
    """(campaign_id, wave, channel, targets): the candidates before any rule."""
    return candidates.groupBy(*GROUP).agg(F.count(F.lit(1)).alias("targets"))


def unexplained(targets: DataFrame, decisions: DataFrame) -> DataFrame:
    """(campaign_id, wave, channel, unexplained): targets that the decisions do not account for.

    A decision is explained if it is pushed and breaks no rule, or names its first reason. 0 rows:
    everything is explained.
    """
    pushed = (F.col("fate") == "pushed") & F.col("first_reason").isNull()
    dropped = (F.col("fate") != "pushed") & F.col("first_reason").isin(list(STAGES))
    explained = decisions.groupBy(*GROUP).agg(F.count_if(pushed | dropped).alias("explained"))
    left = F.coalesce("targets", F.lit(0)) - F.coalesce("explained", F.lit(0))
    return (
        targets.join(explained, [*GROUP], "full")
        .withColumn("unexplained", left)
        .where("unexplained != 0")
        .select(*GROUP, "unexplained")
    )


@dataclass(frozen=True)
class CapacityPrice:
    """A row of mart.capacity_price; what a row does not have is None."""

    data_date: date
    resource: str
    unit: str
    used: int
    capacity: int | None = None
    price: Decimal | None = None
    value_plus_one: Decimal | None = None
    value_minus_one: Decimal | None = None
    primal: Decimal | None = None
    bound: Decimal | None = None
    gap: Decimal | None = None
    value: Decimal | None = None
    value_greedy: Decimal | None = None
    value_naive: Decimal | None = None
    value_margin_order: Decimal | None = None
    churn: Decimal | None = None
    kept: int | None = None
    moved: int | None = None
    gone: int | None = None
    new: int | None = None


def capacity_prices(summary: Summary, data_date: date) -> list[CapacityPrice]:
    """mart.capacity_price of a night: a row per resource, and the row TOTAL."""
    units = {one.resource: one for one in summary.unit_values}
    rows = [
        CapacityPrice(
            data_date,
            use.resource.name,
            use.resource.unit,
            use.used,
            use.resource.capacity,
            use.price,
            units[use.resource.name].more if use.resource.name in units else None,
            units[use.resource.name].less if use.resource.name in units else None,
        )
        for use in summary.uses
    ]
    churn = summary.churn
    had = churn.kept + churn.moved + churn.gone
    changed = Decimal(churn.moved + churn.gone) / had if had else Decimal(0)
    total = CapacityPrice(
        data_date,
        TOTAL,
        "contacts",
        summary.assigned,
        primal=summary.primal,
        bound=summary.bound,
        gap=summary.gap,
        value=summary.value,
        value_greedy=summary.rivals["greedy"],
        value_naive=summary.rivals["naive"],
        value_margin_order=summary.rivals["margin_order"],
        churn=round(changed, 6),
        kept=churn.kept,
        moved=churn.moved,
        gone=churn.gone,
        new=churn.new,
    )
    return [*rows, total]
