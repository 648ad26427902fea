"""Feedback and booked orders: about whom they are, and why one counts for no campaign."""

from __future__ import annotations

from collections.abc import Collection

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from models.customer.identity import customer_then, keyed_id
from models.feedback.assignment import placed

FEEDBACK, ORDER = "feedback", "order"
# Columns of ods.campaign_feedback and of ods.campaign_order that say what happened.
ANSWER = {
    "contacted": "boolean",
    "viewed": "boolean",
    "accepted": "boolean",
    "handled": "boolean",
    "refusal": "string",
    "order_no": "string",
    "package_id": "string",
    "state": "string",
}
# Who made the contact, where the channel tells it. Two reports that differ in it are one.
CLERK = {"employee": "string"}
REASONS = (
    "unknown_campaign",
    "unknown_customer",
    "not_assigned",
    "before_assignment",
    "after_window",
    "late",
    "doubled",
)
UNMATCHED = (
    "batch_date",
    "kind",
    "source",
    "record_no",
    "campaign_id",
    "wave",
    "customer_id",
    "channel",
    "local_date",
    "reason",
)


def reports(feedback: DataFrame, orders: DataFrame, identity: DataFrame, key: str) -> DataFrame:
    """One row per feedback and per booked order, with the customer of that time, or NULL.

    `feedback`, `orders`: ods.campaign_feedback and ods.campaign_order. `identity`: a snapshot of
    dw.subscriber_identity. What a kind does not know is NULL.
    """
    told = _of_kind(feedback, FEEDBACK, "feedback_no").unionByName(
        _of_kind(orders, ORDER, "order_no")
    )
    subscriber = keyed_id("subscriber", F.col("subscriber_no"), key=key)
    rows = told.withColumn("subscriber_id", subscriber).drop("subscriber_no")
    return customer_then(rows, identity)


def judged(told: DataFrame, cohort: DataFrame, campaigns: Collection[str]) -> DataFrame:
    """`told` with `place` (models.feedback.assignment) and the first `reason` against it, or NULL.

    `campaigns`: the ids of those that are still judged.
    """
    place, day = F.col("place"), F.col("local_date")
    same = Window.partitionBy(
        "kind", "campaign_id", "wave", "customer_id", "channel", "local_date", *ANSWER
    ).orderBy("batch_date", "source", "record_no")
    found = (
        ~F.col("campaign_id").isin(sorted(campaigns)),
        F.col("customer_id").isNull(),
        place.isNull(),
        day <= place["assigned_on"],
        day > place["closes_on"],
        F.col("batch_date") > place["told_until"],
        F.row_number().over(same) > 1,
    )
    reasons = (F.when(is_so, name) for name, is_so in zip(REASONS, found, strict=True))
    return placed(told, cohort).withColumn("reason", F.coalesce(*reasons))


def unmatched(reported: DataFrame, in_window: Column) -> DataFrame:
    """dw.unmatched_response of the deliveries in the window."""
    return reported.where(in_window & F.col("reason").isNotNull()).select(*UNMATCHED)


def _of_kind(rows: DataFrame, kind: str, number: str) -> DataFrame:
    """Records of one table in the columns of both."""
    known = set(rows.columns)
    answers = (
        (F.col(name) if name in known else F.lit(None).cast(of)).alias(name)
        for name, of in {**ANSWER, **CLERK}.items()
    )
    return rows.select(
        F.lit(kind).alias("kind"),
        "source",
        F.col(number).alias("record_no"),
        "batch_date",
        "campaign_id",
        "wave",
        "subscriber_no",
        "channel",
        F.col("occurred_at").alias("happened_at"),
        "local_date",
        *answers,
    )
