"""Which wave of a campaign is due for a customer 波次 (B4).

Each wave is a function of what came of the waves before: late outcomes and customers who fall out
of the target change it on the next night.
"""

from __future__ import annotations

from datetime import date

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from models.contact_policy import history
from schemas.config import Campaign


def due(
    members: DataFrame, campaign: Campaign, contacts: DataFrame, outcomes: DataFrame, day: date
) -> DataFrame:
    """`members` with the column `wave`; customers for whom no wave is due are left out.

    `members`: one row per customer who meets the target on the day. `contacts` and `outcomes`:
    dw.contact_history and dw.contact_outcome since the campaign began.
    Wave 1 is due for whoever was neither pushed nor contacted. While a list with the customer is
    open, no wave is due; after an order none ever is. Otherwise it is the first later wave, after
    the last one that was pushed, whose condition holds and which runs on the day.
    """
    if not campaign.later_waves:
        return members.withColumn("wave", F.lit(campaign.wave))
    known = _seen(contacts.where(F.col("campaign_id") == campaign.id)).join(
        _ordered(outcomes.where(F.col("campaign_id") == campaign.id)), "customer_id", "full"
    )
    rows = members.join(known, "customer_id", "left")
    columns = [*members.columns, "wave"]
    return rows.withColumn("wave", _wave(campaign, day)).where("wave IS NOT NULL").select(*columns)


def _seen(contacts: DataFrame) -> DataFrame:
    """(customer_id, last_wave, is_open, made): what was pushed, what is open, what was made."""
    standing = history.standing(contacts)
    is_open = standing.where("state = 'reserved'").select("customer_id").distinct()
    return (
        contacts.groupBy("customer_id")
        .agg(
            F.max(F.when(F.col("state") == "reserved", F.col("wave"))).alias("last_wave"),
            F.bool_or(F.col("state") == "made").alias("made"),
        )
        .join(is_open.withColumn("is_open", F.lit(True)), "customer_id", "left")
    )


def _ordered(outcomes: DataFrame) -> DataFrame:
    return (
        outcomes.where("outcome = 'accepted'")
        .select("customer_id", F.lit(True).alias("ordered"))
        .distinct()
    )


def _wave(campaign: Campaign, day: date) -> Column:
    def known(name: str) -> Column:
        return F.coalesce(name, F.lit(False))

    last, made = F.coalesce("last_wave", F.lit(0)), known("made")
    holds = {"touched": made, "not_reached": ~made & (last > 0)}
    later = [
        F.when(holds[one.reaches] & (last < one.wave), F.lit(one.wave))
        for one in campaign.later_waves
        if one.valid_on(day)
    ]
    first = F.when((last == 0) & ~made, F.lit(campaign.wave))
    wave = F.coalesce(first, *later)
    return F.when(known("ordered") | known("is_open"), F.lit(None)).otherwise(wave).cast("int")
