"""Contact policy 接触策略: which rules a candidate breaks, in the order of the stages.

Rules are applied in the order of STAGES. All broken rules are kept; the first one is the reason.
Per activity and channel, targets = pushed + rows with a first reason.
"""

import math
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from models.frames.lookup import looked_up
from schemas.config import Campaign

STAGES = (
    "ELIG",
    "STATUS",
    "CONSENT",
    "SENSITIVE",
    "OWNED",
    "FIT_C",
    "NO_SAVING",
    "BACKTEST",
    "SUPPRESSED",
    "CAP_CHANNEL",
    "CAP_ALL",
    "CONFLICT",
    "QUIET",
    "HOLD_UNIVERSAL",
    "HOLD_ACTIVITY",
    "LOST_PRIORITY",
    "LOST_CAPACITY",
)
HASH_BITS = 60
# Reasons of mart.package_match that have a stage of their own (BRAND is part of ELIG).
OWN_STAGES = ("BACKTEST", "OWNED", "BRAND")


def judged(candidates: DataFrame, campaigns: Sequence[Campaign]) -> DataFrame:
    """`candidates` with `reasons`: the codes of all broken rules, before any competition.

    One row per customer × activity × offer × channel × wave. If a customer has several subscribers,
    the row is that of the subscriber with the fewest reasons, then the greatest saving.
    The control group is drawn only from rows that break no rule, so HOLD_ACTIVITY is their only
    reason.
    """
    rules = _rules()
    broken = F.array_compact(
        F.array(*(F.when(rules[code], F.lit(code)) for code in STAGES if code in rules))
    )
    for_the_offer = Window.partitionBy(
        "customer_id", "activity", "offer", "channel", "wave"
    ).orderBy(F.size("reasons"), F.col("saving").desc_nulls_last(), "subscriber_id")
    return (
        candidates.withColumn("reasons", broken)
        .withColumn("_subscriber", F.row_number().over(for_the_offer))
        .where("_subscriber = 1")
        .drop("_subscriber")
        .withColumn(
            "reasons",
            F.when(
                (F.size("reasons") == 0) & in_control_group(campaigns),
                F.array(F.lit("HOLD_ACTIVITY")),
            ).otherwise(F.col("reasons")),
        )
    )


def in_control_group(campaigns: Sequence[Campaign]) -> Column:
    """Whether the row's customer_id is held out of the row's activity.

    A customer is held out if the first 60 bits of sha2-256 of `salt|customer_id` are below control
    share × 2^60, compared as whole numbers. So anybody can recompute the group exactly.
    """
    salts = {campaign.id: campaign.salt for campaign in campaigns}
    bounds = {campaign.id: control_bound(campaign.control_share) for campaign in campaigns}
    text = F.concat(
        looked_up(F.col("activity"), salts, "string"),
        F.lit("|"),
        F.col("customer_id").cast("string"),
    )
    drawn = F.conv(F.substring(F.sha2(text, 256), 1, HASH_BITS // 4), 16, 10).cast("bigint")
    return drawn < looked_up(F.col("activity"), bounds, "bigint")


def control_bound(share: Decimal) -> int:
    """The smallest number of 60 bits that is not held out; `share` is exact, from 0 to 1."""
    return math.ceil(Fraction(share) * 2**HASH_BITS)


def _rules() -> dict[str, Column]:
    """Code → whether a candidate breaks the rule (S3-02, S2-05)."""
    own_stages = F.array(*map(F.lit, OWN_STAGES))
    no_saving_shown = F.size(F.array_except("match_reasons", own_stages)) > 0
    unexplained = ~F.col("recommended") & (F.size("match_reasons") == 0)
    return {
        "ELIG": ~F.col("offer_open"),
        "STATUS": ~(F.col("active") & F.col("has_number")),
        "CONSENT": ~F.col("willing"),
        "OWNED": F.col("owned"),
        # Without a proven saving the customer gains nothing. With a value of 0 or less, the contact
        # costs at least as much as it is expected to bring.
        "NO_SAVING": (no_saving_shown | unexplained | F.coalesce(F.col("value") <= 0, F.lit(True))),
        "BACKTEST": F.array_contains("match_reasons", "BACKTEST"),
    }
