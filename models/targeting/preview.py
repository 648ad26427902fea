"""What a campaign would meet on a night: whom it may contact over which channel, and why not.

Only this campaign is looked at: other campaigns of the night compete for the same slots.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from schemas.config import Campaign

UNIVERSAL, CONTROL, TREATED = "universal", "control", "treated"
NOT_SERVED = "CHANNEL"  # the rule of mart.decision


@dataclass(frozen=True)
class Preview:
    """Counts of customers.

    - `reached`: of the target; `ordered`: of these, who took up a package of late
    - `reasons`, `caps`: by channel and rule or cap, how many it keeps from a contact
    - `groups`: by (arm, channels that are free of all rules)
    """

    reached: int
    ordered: int
    reasons: dict[tuple[str, str], int]
    caps: dict[tuple[str, str], int]
    groups: dict[tuple[str, tuple[str, ...]], int]


def candidates(members: DataFrame, campaign: Campaign) -> DataFrame:
    """(customer_id, campaign_id, offer, channel): each customer over each channel; no offer yet."""
    return (
        members.select("customer_id")
        .distinct()
        .select(
            "customer_id",
            F.lit(campaign.id).alias("campaign_id"),
            F.lit(None).cast("string").alias("offer"),
            F.explode(F.array(*map(F.lit, campaign.channels))).alias("channel"),
        )
    )


def with_channel_rule(
    judged: DataFrame, members: DataFrame, serving: DataFrame, asking: Collection[str]
) -> DataFrame:
    """`judged` with the rule CHANNEL first: a channel of `asking` serves no number of the customer.

    `members`: (customer_id, subscriber_id). `serving`: (subscriber_id, serving), the channels that
    know what they require of the subscriber.
    """
    by_customer = (
        members.join(serving, "subscriber_id", "left")
        .groupBy("customer_id")
        .agg(F.array_distinct(F.flatten(F.collect_list("serving"))).alias("serving"))
    )
    unknown = ~F.array_contains("serving", F.col("channel"))
    broken = F.col("channel").isin(sorted(asking)) & unknown
    found = F.when(broken, F.array(F.lit(NOT_SERVED))).otherwise(F.array().cast("array<string>"))
    return (
        judged.join(by_customer, "customer_id", "left")
        .withColumn("contact_reasons", F.concat(found, "contact_reasons"))
        .drop("serving")
    )


def preview(
    members: DataFrame, subscriptions: DataFrame, judged: DataFrame, universal: Column, own: Column
) -> Preview:
    """The counts of a campaign.

    `members`: (customer_id, subscriber_id). `subscriptions`: those taken up of late. `judged`: the
    candidates after the contact policy. `universal`, `own`: whether a customer is held out of all
    campaigns, or of this one.
    """
    people = members.select("customer_id").distinct()
    ordered = members.join(subscriptions, "subscriber_id", "left_semi").select("customer_id")
    reasons = judged.select("channel", F.explode("contact_reasons").alias("code"))
    full = judged.select("channel", F.explode("room").alias("room")).where("room.left <= 0")
    arm = F.when(universal, UNIVERSAL).when(own, CONTROL).otherwise(TREATED)
    free = F.when(F.size("contact_reasons") == 0, F.col("channel"))
    groups = (
        judged.groupBy("customer_id", "campaign_id")
        .agg(F.array_sort(F.collect_set(free)).alias("free"))
        .select(arm.alias("arm"), "free")
        .groupBy("arm", "free")
        .count()
    )
    return Preview(
        people.count(),
        ordered.distinct().count(),
        _counts(reasons.groupBy("channel", "code").count()),
        _counts(full.groupBy("channel", "room.cap").count()),
        {(row[0], tuple(row[1])): row[2] for row in groups.collect()},
    )


def _counts(frame: DataFrame) -> dict[tuple[str, str], int]:
    return {(row[0], row[1]): row[2] for row in frame.collect()}
