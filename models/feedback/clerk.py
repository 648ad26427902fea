"""mart.clerk_credit: the contacts of clerks, and the orders that they led to (B2, 9-03)."""

from __future__ import annotations

from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from models.feedback.assignment import KEY
from models.feedback.report import FEEDBACK

OF_CLERK = ("campaign_id", "channel", "employee")


def credits(told: DataFrame, responses: DataFrame, data_date: date) -> DataFrame:
    """mart.clerk_credit: one row per campaign, channel and clerk who reached somebody.

    `told`: report.judged of the feedback. `responses`: dw.campaign_response of `data_date`, which
    credits an order to one wave of one campaign. Its clerk is who made the last contact before the
    customer's first order in that wave; so an order is credited once. If nobody is named for that
    contact, no clerk gets the credit.
    """
    reached = told.where(
        (F.col("kind") == FEEDBACK) & F.col("contacted") & F.col("reason").isNull()
    ).select(
        "campaign_id",
        F.col("place.wave").alias("wave"),
        "customer_id",
        "channel",
        "employee",
        "happened_at",
        F.struct("happened_at", "source", "record_no").alias("_place"),
    )
    ordered = responses.where("credits > 0").select(*KEY, "ordered_at", "credits")
    earned = (
        reached.join(ordered, list(KEY))
        .where("happened_at <= ordered_at")
        .groupBy(*KEY)
        .agg(
            F.max_by(F.struct("channel", "employee"), "_place").alias("_by"),
            F.max("credits").alias("credits"),
        )
        .select("campaign_id", "_by.*", "credits")
        .where("employee IS NOT NULL")
        .groupBy(*OF_CLERK)
        .agg(F.sum("credits").alias("orders"))
    )
    return (
        reached.where("employee IS NOT NULL")
        .groupBy(*OF_CLERK)
        .agg(
            F.count(F.lit(1)).alias("contacts"),
            F.count_distinct("customer_id").alias("customers"),
        )
        .join(earned, list(OF_CLERK), "left")
        .select(
            F.lit(data_date).alias("data_date"),
            *OF_CLERK,
            "contacts",
            "customers",
            F.coalesce("orders", F.lit(0).cast("bigint")).alias("orders"),
        )
    )
