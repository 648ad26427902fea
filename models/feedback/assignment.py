"""Who was assigned to the treated or the control group of a campaign (S2-05, item 5; S2-12).

A treated customer was pushed. A control customer was held out of the campaign and would have found
a place: at the prices of the night his offer was worth no less than nothing. Who is held out of all
offers is in no arm of a campaign.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from models.campaign.read_out import EVERY, SETTLE_DAYS
from models.contact_policy.hold_out import CAMPAIGN, UNIVERSAL
from models.customer.identity import customer_then, keyed_id
from models.frames.lookup import looked_up
from schemas.config import Campaign

TREATED, CONTROL = "treated", "control"
KEY = ("campaign_id", "wave", "customer_id")


def assigned(
    decisions: DataFrame,
    withheld: DataFrame,
    others: DataFrame | None,
    campaigns: Sequence[Campaign],
    of_all: Collection[str] = (),
) -> DataFrame:
    """One row per campaign, wave and customer: arm, first night, window and what was offered.

    `decisions`: mart.decision, `withheld`: mart.hold_out, both of the nights since the campaigns
    began. `others`: of `of_others`, or None. `of_all`: the campaigns that all offers of a
    quarter consist of; with them, `campaigns` has the quarters (read_out.programs). The first night
    decides the arm, and the window is the days after it.
    """
    treated = decisions.where("fate = 'pushed'").withColumn("arm", F.lit(TREATED))
    kept = withheld.where(F.coalesce("reduced_value", F.lit(0)) >= 0).withColumn(
        "arm", F.lit(CONTROL)
    )
    control = kept.where(F.col("scope") == CAMPAIGN)
    columns = ["data_date", *KEY, "subscriber_id", "offer", "channel", "arm"]
    rows = (
        treated.select(*columns)
        .unionByName(control.select(*columns))
        .unionByName(_of_quarters(treated, kept, of_all).select(*columns))
    )
    if others is not None:
        rows = rows.unionByName(others.where("customer_id IS NOT NULL").select(*columns))
    first = F.min(F.struct("data_date", "arm", "subscriber_id", "channel"))
    parts = F.flatten(F.collect_set(F.split("offer", r"\+")))
    days = {one.id: one.within_days for one in campaigns}
    closes_on = F.date_add("assigned_on", looked_up(F.col("campaign_id"), days, "int"))
    return (
        rows.where(F.col("campaign_id").isin(sorted(days)))
        .groupBy(*KEY)
        .agg(first.alias("_first"), F.array_sort(F.array_distinct(parts)).alias("offers"))
        .select(
            *KEY,
            "_first.subscriber_id",
            "_first.arm",
            F.col("_first.data_date").alias("assigned_on"),
            "offers",
            "_first.channel",
        )
        .withColumn("closes_on", closes_on)
        .withColumn("told_until", F.date_add("closes_on", SETTLE_DAYS))
    )


def _of_quarters(treated: DataFrame, kept: DataFrame, of_all: Collection[str]) -> DataFrame:
    """The same nights seen as one campaign a quarter, whose control is the universal hold-out.

    Who was held out of one campaign only belongs to the treated: others could reach him.
    """
    is_control = F.col("scope") == UNIVERSAL
    rows = treated.withColumn("scope", F.lit(None).cast("string")).unionByName(
        kept, allowMissingColumns=True
    )
    quarter = F.concat(F.lit(EVERY), F.year("data_date"), F.lit("q"), F.quarter("data_date"))
    return rows.where(F.col("campaign_id").isin(sorted(of_all))).withColumns(
        {
            "campaign_id": quarter,
            "wave": F.lit(1),
            "channel": F.lit(None).cast("string"),
            "arm": F.when(is_control, F.lit(CONTROL)).otherwise(F.lit(TREATED)),
        }
    )


def of_others(told: DataFrame, identity: DataFrame, key: str) -> DataFrame:
    """The assignments of other systems; `customer_id` is NULL where nobody knows the subscriber.

    `told`: ods.campaign_assignment. `identity`: a snapshot of dw.subscriber_identity.
    """
    rows = told.select(
        F.col("local_date").alias("data_date"),
        "campaign_id",
        "wave",
        keyed_id("subscriber", F.col("subscriber_no"), key=key).alias("subscriber_id"),
        "arm",
        "offer",
        "channel",
        F.col("occurred_at").alias("happened_at"),
    )
    return customer_then(rows, identity).drop("happened_at")


def placed(rows: DataFrame, cohort: DataFrame) -> DataFrame:
    """`rows` with `place`: the assignment that a row with campaign, customer and day is about.

    It is the wave that the row names; without a name, the last wave that was assigned before the
    day, else the first one. NULL: the customer was not assigned.
    """
    of_campaign = ["campaign_id", "customer_id"]
    waves = cohort.groupBy(*of_campaign).agg(
        F.sort_array(
            F.collect_list(F.struct("assigned_on", "wave", "closes_on", "told_until", "offers"))
        ).alias("_waves")
    )
    named = F.filter("_waves", lambda one: one["wave"] == F.col("wave"))
    begun = F.filter("_waves", lambda one: one["assigned_on"] < F.col("local_date"))
    first = F.lit(0)
    place = F.when(F.col("wave").isNotNull(), F.get(named, first)).otherwise(
        F.coalesce(F.get(F.reverse(begun), first), F.get("_waves", first))
    )
    return rows.join(waves, of_campaign, "left").withColumn("place", place).drop("_waves")


def overlapping(cohort: DataFrame) -> DataFrame:
    """`cohort` with `other_campaigns`: how many others treated the customer in his window.

    A quarter overlaps with none: it consists of them.
    """
    of_quarter = F.col("campaign_id").startswith(EVERY)
    treated = (
        cohort.where((F.col("arm") == TREATED) & ~of_quarter)
        .groupBy("customer_id")
        .agg(F.collect_list(F.struct("campaign_id", "assigned_on", "closes_on")).alias("_treated"))
    )
    others = F.filter(
        "_treated",
        lambda one: (
            (one["campaign_id"] != F.col("campaign_id"))
            & (one["assigned_on"] <= F.col("closes_on"))
            & (one["closes_on"] >= F.col("assigned_on"))
        ),
    )
    names = F.array_distinct(F.transform(others, lambda one: one["campaign_id"]))
    return (
        cohort.join(treated, "customer_id", "left")
        .withColumn(
            "other_campaigns", F.when(of_quarter, 0).otherwise(F.coalesce(F.size(names), F.lit(0)))
        )
        .drop("_treated")
    )
