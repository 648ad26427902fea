"""The rules that a candidate breaks, in the order of the stages 接触策略.

All broken rules are kept; the first one is the reason. Per campaign, wave and channel: targets =
pushed + rows with a first reason.
"""

from collections.abc import Collection, Sequence
from datetime import date

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from models.contact_policy import hold_out
from schemas.config import Campaign, HoldOut

STAGES = (
    "ELIG",
    "STATUS",
    "CHANNEL",
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


def offered(valued: DataFrame) -> DataFrame:
    """`valued` with `reasons` of the offer itself, those of `_rules`.

    One row per customer × campaign × offer × channel × wave. If a customer has several subscribers,
    the row is that of the subscriber with the fewest reasons, then the greatest saving.
    """
    rules = _rules()
    broken = F.array_compact(F.array(*(F.when(rules[code], F.lit(code)) for code in rules)))
    for_the_offer = Window.partitionBy(
        "customer_id", "campaign_id", "offer", "channel", "wave"
    ).orderBy(F.size("reasons"), F.col("saving").desc_nulls_last(), "subscriber_id")
    return (
        valued.withColumn("reasons", broken)
        .withColumn("_subscriber", F.row_number().over(for_the_offer))
        .where("_subscriber = 1")
        .drop("_subscriber", "offer_open", "recommended", "match_reasons", "active", "has_number")
        .drop("owned", "served")
    )


def judged(
    contacts: DataFrame,
    campaigns: Sequence[Campaign],
    universal: HoldOut,
    withheld: Collection[str],
    day: date,
) -> DataFrame:
    """`contacts` with all `reasons` before any competition.

    `contacts`: rows of `offered` with the `contact_reasons` of the contact policy. `withheld`: the
    campaigns whose class the universal hold-out covers. Only rows that break no other rule are held
    out, so that treated and control passed the same rules.
    """
    both = F.concat("reasons", "contact_reasons")
    held = F.array_compact(
        F.array(
            F.when(
                F.col("campaign_id").isin(sorted(withheld)) & hold_out.of_all(universal, day),
                F.lit("HOLD_UNIVERSAL"),
            ),
            F.when(hold_out.of_campaign(campaigns, F.col("campaign_id")), F.lit("HOLD_ACTIVITY")),
        )
    )
    return contacts.withColumn(
        "reasons",
        F.when(
            F.size(both) > 0,
            F.filter(F.array(*map(F.lit, STAGES)), lambda code: F.array_contains(both, code)),
        ).otherwise(held),
    ).drop("contact_reasons")


def _rules() -> dict[str, Column]:
    """Code → whether a candidate breaks the rule (S3-02, S2-05)."""
    own_stages = F.array(*map(F.lit, OWN_STAGES))
    no_saving_shown = F.size(F.array_except("match_reasons", own_stages)) > 0
    unexplained = ~F.col("recommended") & (F.size("match_reasons") == 0)
    return {
        "ELIG": ~F.col("offer_open"),
        "STATUS": ~(F.col("active") & F.col("has_number")),
        # The channel asks for a fact of the customer, such as a customer manager (7-01).
        "CHANNEL": ~F.col("served"),
        "OWNED": F.col("owned"),
        # Without a proven saving the customer gains nothing. With a value of 0 or less, the contact
        # costs at least as much as it is expected to bring.
        "NO_SAVING": (no_saving_shown | unexplained | F.coalesce(F.col("value") <= 0, F.lit(True))),
        "BACKTEST": F.array_contains("match_reasons", "BACKTEST"),
    }
