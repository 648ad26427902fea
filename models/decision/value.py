"""What a contact is worth, in yuan, with its parts 价值 (S2-05, 8-08).

value = acceptance × worth + preference_value − cost, where worth is the saving_value and the
margin, weighted as the campaign says. Every amount is an exact decimal.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from models.frames.lookup import looked_up
from models.frames.money import AMOUNT_TYPE
from schemas.config import Campaign, Channel
from schemas.config.decision_policy import ChannelRule, Weights

ACCEPTANCE_TYPE = "decimal(9,6)"


def valued(
    candidates: DataFrame,
    learnt: DataFrame,
    *,
    campaigns: Sequence[Campaign],
    channels: Mapping[str, Channel],
    rule: ChannelRule,
) -> DataFrame:
    """`candidates` with acceptance, saving_value, margin, preference_value, cost and value.

    `learnt`: mart.acceptance. Its shrunk rate goes before the pooled rate of its campaign and
    channel, and that before the acceptance that the campaign configures. A customer whose bill is
    not known counts as ordinary.
    """
    known = learnt.select(
        "campaign_id",
        "offer",
        "channel",
        F.col("segment").alias("brand"),
        F.col("shrunk_rate").alias("_learnt"),
    )
    pooled = learnt.groupBy("campaign_id", "channel").agg(F.max("pooled_rate").alias("_pooled"))
    rows = candidates.join(
        F.broadcast(known), ["campaign_id", "offer", "channel", "brand"], "left"
    ).join(F.broadcast(pooled), ["campaign_id", "channel"], "left")
    months = F.col("horizon_months")
    costs = {name: channel.unit_cost for name, channel in channels.items()}
    rows = rows.withColumns(
        {
            "acceptance": F.coalesce("_learnt", "_pooled", configured(campaigns)).cast(
                ACCEPTANCE_TYPE
            ),
            "saving_value": (F.col("saving") * months).cast(AMOUNT_TYPE),
            "margin": (F.col("income_change") * months).cast(AMOUNT_TYPE),
            "preference_value": (_weight(rule, "preference") * F.coalesce("score", F.lit(0))).cast(
                AMOUNT_TYPE
            ),
            "cost": (looked_up(F.col("channel"), costs, AMOUNT_TYPE) * _weight(rule, "cost")).cast(
                AMOUNT_TYPE
            ),
        }
    )
    gained = (F.col("acceptance") * worth(campaigns)).cast(AMOUNT_TYPE)
    value = gained + F.col("preference_value") - F.col("cost")
    return rows.withColumn("value", value.cast(AMOUNT_TYPE)).drop("_learnt", "_pooled")


def configured(campaigns: Sequence[Campaign]) -> Column:
    """The acceptance that the row's campaign configures for the row's channel."""
    shares = {
        f"{campaign.id}|{channel}": share
        for campaign in campaigns
        for channel, share in campaign.acceptance.items()
    }
    return looked_up(F.concat_ws("|", "campaign_id", "channel"), shares, ACCEPTANCE_TYPE)


def worth(campaigns: Sequence[Campaign]) -> Column:
    """The weighted saving and margin. A part of weight 0 counts nothing, known or not."""
    parts = []
    for part, column in (("saving", "saving_value"), ("margin", "margin")):
        weights = {one.id: getattr(one.worth, part) for one in campaigns}
        weight = looked_up(F.col("campaign_id"), weights, ACCEPTANCE_TYPE)
        amount = F.when(weight == 0, F.lit(0)).otherwise(F.col(column))
        parts.append((weight * amount).cast(AMOUNT_TYPE))
    return (parts[0] + parts[1]).cast(AMOUNT_TYPE)


def _weight(rule: ChannelRule, name: str) -> Column:
    """The weight of preference or cost for the row's customer (8-08)."""

    def of(weights: Weights) -> Decimal:
        weight: Decimal = getattr(weights, name)
        return weight

    high = F.col("present_cost") >= F.lit(rule.high_value_from)
    return (
        F.when(high, F.lit(of(rule.high_value)))
        .otherwise(F.lit(of(rule.ordinary)))
        .cast(ACCEPTANCE_TYPE)
    )
