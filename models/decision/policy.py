"""Contact policy 接触策略: which rules a candidate breaks, in the order of the stages.

Rules are applied in the order of STAGES. All broken rules are kept; the first one is the reason.
Per campaign and channel, targets = pushed + rows with a first reason.
"""

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from models.contact_policy import hold_out
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
# Reasons of mart.package_match that have a stage of their own (BRAND is part of ELIG).
OWN_STAGES = ("BACKTEST", "OWNED", "BRAND")


def judged(candidates: DataFrame, campaigns: Sequence[Campaign]) -> DataFrame:
    """`candidates` with `reasons`: the codes of all broken rules, before any competition.

    One row per customer × campaign × offer × channel × wave. If a customer has several subscribers,
    the row is that of the subscriber with the fewest reasons, then the greatest saving.
    The control group is drawn only from rows that break no rule, so HOLD_ACTIVITY is their only
    reason.
    """
    rules = _rules()
    broken = F.array_compact(
        F.array(*(F.when(rules[code], F.lit(code)) for code in STAGES if code in rules))
    )
    for_the_offer = Window.partitionBy(
        "customer_id", "campaign_id", "offer", "channel", "wave"
    ).orderBy(F.size("reasons"), F.col("saving").desc_nulls_last(), "subscriber_id")
    return (
        candidates.withColumn("reasons", broken)
        .withColumn("_subscriber", F.row_number().over(for_the_offer))
        .where("_subscriber = 1")
        .drop("_subscriber")
        .withColumn(
            "reasons",
            F.when(
                (F.size("reasons") == 0) & hold_out.of_campaign(campaigns, F.col("campaign_id")),
                F.array(F.lit("HOLD_ACTIVITY")),
            ).otherwise(F.col("reasons")),
        )
    )


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
