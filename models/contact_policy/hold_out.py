"""Hold-outs: who is kept without offers so that their effect can be measured, and the registry.

A customer is held out if the first 60 bits of sha2-256 of `salt|customer_id` are below share ×
2^60, compared as whole numbers. So anybody can recompute a group exactly. The universal group is
fixed for a quarter, because the quarter is part of its salt.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from models.frames.lookup import looked_up
from schemas.config import Campaign, HoldOut

HASH_BITS = 60
UNIVERSAL, CAMPAIGN = "universal", "campaign"
REASONS = ("HOLD_UNIVERSAL", "HOLD_ACTIVITY")


def bound(share: Decimal) -> int:
    """The smallest number of 60 bits that is not held out; `share` is exact, from 0 to 1."""
    return math.ceil(Fraction(share) * 2**HASH_BITS)


def of_campaign(campaigns: Sequence[Campaign], campaign: Column) -> Column:
    """Whether the row's customer_id is held out of the row's campaign."""
    salts = {one.id: one.salt for one in campaigns}
    bounds = {one.id: bound(one.control_share) for one in campaigns}
    return drawn(looked_up(campaign, salts, "string"), looked_up(campaign, bounds, "bigint"))


def of_all(universal: HoldOut, day: date) -> Column:
    """Whether the row's customer_id is held out of all offers in the quarter of the day."""
    return drawn(F.lit(quarter_salt(universal, day)), F.lit(bound(universal.share)))


def quarter_salt(universal: HoldOut, day: date) -> str:
    """The salt of the universal group in the quarter of the day, like `all-2009q2`."""
    return f"{universal.salt}-{day.year}q{(day.month + 2) // 3}"


def registry(decisions: DataFrame, match: DataFrame, data_date: date) -> DataFrame:
    """mart.hold_out of a night: what was withheld, from whom, and when it would have been offered.

    `decisions`: mart.decision of the night. The held-out row without another reason is the withheld
    offer on the channel that was worth most. It would have been made from the next day on.
    `match`: mart.package_match that was decided on, for the bills.
    """
    shown_first = F.struct("recommended", "kind")
    bills = match.groupBy("subscriber_id", F.col("package_id").alias("offer")).agg(
        F.max_by("mean_present_cost", shown_first).alias("present_bill"),
        F.max_by("mean_cost", shown_first).alias("forecast_bill"),
    )
    scope = F.when(F.array_contains("reasons", "HOLD_UNIVERSAL"), F.lit(UNIVERSAL)).otherwise(
        F.lit(CAMPAIGN)
    )
    others = F.array_except("reasons", F.array(*map(F.lit, REASONS)))
    withheld = decisions.where((F.col("fate") == "held_out") & (F.size(others) == 0))
    return withheld.join(bills, ["subscriber_id", "offer"], "left").select(
        F.lit(data_date).alias("data_date"),
        "customer_id",
        "subscriber_id",
        scope.alias("scope"),
        F.col("campaign_id").alias("campaign_id"),
        "wave",
        "offer",
        "channel",
        "value",
        "reduced_value",
        "present_bill",
        "forecast_bill",
        F.lit(data_date).alias("drawn_on"),
        F.lit(data_date + timedelta(days=1)).alias("would_be_date"),
    )


def contaminated(registered: DataFrame, history: DataFrame, classes: Collection[str]) -> DataFrame:
    """The contacts of `classes` that reached a customer who was held out then, each once.

    `registered`: rows of mart.hold_out. `history`: rows of dw.contact_history. A universal hold-out
    forbids every contact of these classes until its quarter ends, one of a campaign the contacts of
    that campaign.
    """
    made = history.where((F.col("state") == "made") & F.col("class").isin(sorted(classes)))
    entries = registered.select(
        F.col("customer_id").alias("_customer"),
        "scope",
        F.col("campaign_id").alias("_campaign"),
        "drawn_on",
    ).distinct()
    day = F.to_date("happened_at")
    in_quarter = F.date_trunc("quarter", day) == F.date_trunc("quarter", "would_be_date")
    entries = entries.withColumn("would_be_date", F.date_add("drawn_on", 1))
    forbidden = (
        (F.col("customer_id") == F.col("_customer"))
        & (day > F.col("drawn_on"))
        & F.when(F.col("scope") == UNIVERSAL, in_quarter).otherwise(
            F.col("campaign_id") == F.col("_campaign")
        )
    )
    return made.join(entries, forbidden, "left_semi")


def drawn(salt: Column, below: Column) -> Column:
    """Whether the row's customer_id is drawn: its hash with the salt is below the bound."""
    text = F.concat(salt, F.lit("|"), F.col("customer_id").cast("string"))
    digits = F.conv(F.substring(F.sha2(text, 256), 1, HASH_BITS // 4), 16, 10)
    return digits.cast("bigint") < below
