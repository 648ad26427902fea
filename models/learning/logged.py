"""Logged choices with what came of them, added up for each rule (S2-12).

Only a customer's first contact in a wave counts: dw.campaign_response tells what came of it. A
credited order of several contacts of one night is shared among them alike.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np
from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from models.campaign.read_out import SETTLE_DAYS
from models.feedback.assignment import TREATED
from models.frames.lookup import looked_up
from models.frames.money import AMOUNT_TYPE
from models.learning.off_policy import MODEL, PRODUCTS, because, estimates, log_of
from schemas.config import Campaign

WEIGHED = "decimal(24,6)"
NO_VARIANCE = "no_variance"


@dataclass(frozen=True)
class PolicyValue:
    """A row of mart.policy_value; amounts in yuan."""

    data_date: date
    rule: str
    estimator: str
    nights: int
    contacts: int
    support: Decimal
    made: int
    made_by_lot: int
    value: Decimal | None
    low: Decimal | None
    high: Decimal | None
    because: str | None


def judged(
    choices: DataFrame, responses: DataFrame, campaigns: Sequence[Campaign], data_date: date
) -> DataFrame:
    """`choices` whose window has closed by `data_date`, with `earned` and `expected` in yuan.

    `choices`: mart.rule_choice. `responses`: dw.campaign_response of the day. `campaigns`: those
    that it still tells of. Dropped: who had been assigned to the wave before, and who was pushed
    and is not in the responses any more.
    """
    wave = ["customer_id", "campaign_id", "wave"]
    told = responses.where(F.col("arm") == TREATED).select(*wave, "assigned_on", "credited")
    days = {one.id: one.within_days + SETTLE_DAYS for one in campaigns}
    closed = F.date_add("data_date", looked_up(F.col("campaign_id"), days, "int"))
    of_night = Window.partitionBy("data_date", *wave)
    first = F.when(F.col("pushed"), F.col("assigned_on") == F.col("data_date")).otherwise(
        F.coalesce(F.col("assigned_on") >= F.col("data_date"), F.lit(True))
    )
    shared = F.greatest(F.count_if("pushed").over(of_night), F.lit(1))
    order = (F.col("worth") / shared).cast(AMOUNT_TYPE)
    return (
        choices.where(closed <= F.lit(data_date))
        .withColumn("_order", order)
        .join(told, wave, "left")
        .where(first)
        .withColumn(
            "earned",
            F.when(F.col("credited"), F.col("_order")).otherwise(F.lit(Decimal(0))) - F.col("cost"),
        )
        .withColumn(
            "expected",
            (F.col("acceptance") * F.col("worth")).cast(AMOUNT_TYPE) - F.col("cost"),
        )
        .select(
            "data_date",
            "customer_id",
            "rules",
            "pushed",
            "propensity",
            "acceptance",
            *(F.col(name).cast(AMOUNT_TYPE).alias(name) for name in ("earned", "expected")),
        )
    )


def sums(rows: DataFrame) -> DataFrame:
    """The log of each rule (off_policy.Log), exact, with nights, `made` and `made_by_lot`.

    `rows`: of `judged`.
    """
    possible = F.col("propensity") > 0
    made = possible & F.col("pushed")
    by_lot = possible & (F.col("propensity") < F.lit(Decimal("0.5")))
    weight = (F.lit(Decimal(1)) / F.nullif("propensity", F.lit(Decimal(0)))).cast(AMOUNT_TYPE)
    rest = F.col("earned") - F.col("expected")

    def added(condition: Column, value: Column) -> Column:
        return F.sum(F.when(condition, value).otherwise(F.lit(Decimal(0))).cast(WEIGHED))

    of_customer = (
        rows.select("*", F.explode("rules").alias("rule"))
        .groupBy("rule", "customer_id")
        .agg(
            F.count_if(possible).alias("n"),
            added(made, weight).alias("w"),
            added(made, weight * F.col("earned")).alias("a"),
            (added(possible, F.col("expected")) + added(made, weight * rest)).alias("z"),
            F.count(F.lit(1)).alias("contacts"),
            F.sum("expected").alias("expected"),
            F.count_if(by_lot).alias("lot_contacts"),
            added(by_lot, F.col("propensity") * F.col("acceptance")).alias("lot_orders"),
            F.count_if(made).alias("made"),
            F.count_if(made & by_lot).alias("made_by_lot"),
        )
    )
    narrow = {name: F.col(name).cast(AMOUNT_TYPE) for name in ("n", "w", "a", "z")}
    counted = ("n", "w", "a", "z", "contacts", "expected", "lot_contacts", "lot_orders")
    return of_customer.groupBy("rule").agg(
        F.count_if(F.col("n") > 0).alias("customers"),
        *(F.sum(name).alias(name) for name in (*counted, "made", "made_by_lot")),
        *(F.sum(narrow[a] * narrow[b]).alias(name) for name, (a, b) in PRODUCTS.items()),
    )


def policy_values(
    added: Sequence[Mapping[str, Any]], nights: int, data_date: date
) -> list[PolicyValue]:
    """mart.policy_value: of each rule a row for each estimator. `added`: rows of `sums`."""
    rows = []
    for one in sorted(added, key=lambda one: one["rule"]):
        log = log_of(one)
        reason = because(log)
        support = round(Decimal(one["n"]) / one["contacts"], 6)
        fixed = (nights, one["contacts"], support, one["made"], one["made_by_lot"])
        for estimator, effect in estimates(log).items():
            said: tuple
            if estimator == MODEL:
                said = (_yuan(effect.estimate), None, None, None)
            elif reason or np.isnan(effect.low):
                said = (None, None, None, reason or NO_VARIANCE)
            else:
                said = (*map(_yuan, (effect.estimate, effect.low, effect.high)), None)
            rows.append(PolicyValue(data_date, one["rule"], estimator, *fixed, *said))
    return rows


def _yuan(value: float) -> Decimal:
    return round(Decimal(repr(float(value))), 6)
