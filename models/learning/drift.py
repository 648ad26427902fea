"""Whether offers are accepted as often as was predicted when they were pushed (S1-08).

A prediction is itself learnt from so many contacts, so the orders of n contacts follow a
beta-binomial: its mean is what was predicted, and its width has both the chance of the orders and
what the prediction could not know. An alarm is an outcome that such chance hardly explains.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from scipy import stats

HIGHER, LOWER = ALARMS = ("accepted_more", "accepted_less")
CELL = ("campaign_id", "offer", "channel")


@dataclass(frozen=True)
class Drift:
    """A row of mart.acceptance_drift. `expected`: orders that were predicted."""

    data_date: date
    campaign_id: str
    offer: str
    channel: str
    contacts: int
    orders: int
    expected: Decimal
    low: int
    high: int
    p: Decimal
    alarm: str | None


def outcomes(history: DataFrame, told: DataFrame, choices: DataFrame) -> DataFrame:
    """By campaign, offer and channel: contacts, orders, and `expected` as predicted when pushed.

    `history`: dw.contact_history and `told`: dw.contact_outcome, of the nights that are looked at.
    A reservation that a report ended, on the day on which the contact was made, is one contact, as
    in mart.acceptance. `choices`: mart.rule_choice since the oldest list that they may report. The
    prediction is that of the last push before the report.
    """
    night = ["batch_date", "customer_id", "campaign_id", "channel"]
    made = history.where("state = 'made' AND campaign_id IS NOT NULL").select(*night).distinct()
    accepted = (
        told.where("outcome = 'accepted' AND campaign_id IS NOT NULL")
        .select(*night, F.lit(True).alias("accepted"))
        .distinct()
    )
    pushed = choices.where("pushed").select(
        "customer_id",
        *CELL,
        F.col("data_date").alias("pushed_on"),
        F.col("acceptance").alias("predicted"),
    )
    return (
        history.where("state = 'freed' AND source != 'expiry' AND offer IS NOT NULL")
        .select(*night, "offer", "contact_id")
        .join(made, night)
        .join(accepted, night, "left")
        .join(pushed, ["customer_id", *CELL])
        .where(F.col("pushed_on") < F.col("batch_date"))
        .groupBy("contact_id", *CELL)
        .agg(
            F.max(F.coalesce("accepted", F.lit(False))).alias("accepted"),
            F.max_by("predicted", "pushed_on").alias("predicted"),
        )
        .groupBy(*CELL)
        .agg(
            F.count(F.lit(1)).alias("contacts"),
            F.count_if("accepted").alias("orders"),
            F.sum("predicted").alias("expected"),
        )
    )


def drifts(
    found: Sequence[Mapping[str, Any]],
    known: Mapping[tuple[str, str, str], int],
    *,
    weight: int,
    least: int,
    level: Decimal,
    data_date: date,
) -> list[Drift]:
    """mart.acceptance_drift of the cells of `outcomes` with at least `least` contacts.

    `known`: contacts of each cell from which the predictions were learnt. `weight`: contacts that
    the configured acceptance stands for. `level`: the share of nights without any drift that have
    an alarm at most; it is divided among the cells.
    """
    cells = sorted(
        (one for one in found if one["contacts"] >= least),
        key=lambda one: tuple(one[name] for name in CELL),
    )
    rows = []
    for one in cells:
        campaign, offer, channel = (one[name] for name in CELL)
        learnt = known.get((campaign, offer, channel), 0) + weight
        share = float(level) / len(cells)
        low, high, p = judged(one["contacts"], one["orders"], float(one["expected"]), learnt, share)
        more = one["orders"] > one["expected"]
        alarm = (HIGHER if more else LOWER) if p < share else None
        rows.append(
            Drift(
                data_date,
                campaign,
                offer,
                channel,
                one["contacts"],
                one["orders"],
                Decimal(one["expected"]),
                int(low),
                int(high),
                round(Decimal(repr(float(p))), 9),
                alarm,
            )
        )
    return rows


def judged(contacts: Any, orders: Any, expected: Any, learnt: Any, share: float) -> tuple:
    """The fewest and most orders without an alarm, and the two-sided p of `orders`.

    Each may be an array of many trials. `learnt`: contacts behind the prediction.
    """
    mean = np.clip(np.divide(expected, contacts), 1e-9, 1 - 1e-9)
    chance = stats.betabinom(contacts, mean * learnt, (1 - mean) * learnt)
    p = 2 * np.minimum(chance.cdf(orders), chance.sf(np.subtract(orders, 1)))
    return chance.ppf(share / 2), chance.isf(share / 2), np.minimum(p, 1.0)
