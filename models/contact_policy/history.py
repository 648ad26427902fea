"""dw.contact_history: contacts that were made, and the slots that pushed lists reserve.

Each night adds the states that it learns; none is changed later. So a repeated night writes equal
rows, and its cost follows the night and the life of a list.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from models.contact_policy import reports
from models.contact_policy.compiled import Compiled
from models.customer.identity import keyed_id
from models.frames.lookup import looked_up
from schemas.window import Window

COLUMNS = (
    "batch_date",
    "contact_id",
    "customer_id",
    "class",
    "way",
    "channel",
    "campaign_id",
    "wave",
    "offer",
    "happened_at",
    "until",
    "state",
    "source",
)
PUSHED = "push"
EXPIRED = "expiry"


def contact_history(
    reported: DataFrame,
    pushed: DataFrame,
    policy: Compiled,
    *,
    classes: Mapping[str, str],
    window: Window,
    key: str,
) -> DataFrame:
    """dw.contact_history of the days of the window.

    `reported`: reports.reports of the window and the `list_days` of the policy before it.
    `pushed`: data_date, campaign_id, wave, customer_id, subscriber_id, offer and channel of what
    was pushed in these days; a list of one night is reserved from the next day on. `classes`: of
    the campaigns.
    """
    within = F.col("batch_date").between(F.lit(window.first), F.lit(window.last))
    made = reports.made(reported).where(within)
    made = made.withColumns({"offer": F.lit(None).cast("string"), "state": F.lit("made")})
    reserved = _reserved(pushed, policy, classes, key)
    freed = _freed(reserved, reported).where(within)
    rows = made.withColumn("until", F.lit(None).cast("timestamp")).select(*COLUMNS)
    return rows.unionByName(reserved.where(within).select(*COLUMNS)).unionByName(
        freed.select(*COLUMNS)
    )


def standing(history: DataFrame) -> DataFrame:
    """The contacts that were made and the reservations that are open, of a part of the history."""
    freed = history.where("state = 'freed'").select("contact_id")
    reserved = history.where("state = 'reserved'").join(freed, "contact_id", "left_anti")
    return history.where("state = 'made'").unionByName(reserved.select(*history.columns))


def outcomes(told: DataFrame) -> DataFrame:
    """(customer_id, outcome, happened_at): each outcome of dw.contact_outcome once."""
    return (
        told.groupBy("customer_id", "outcome", "campaign_id", "channel", "local_date")
        .agg(F.min("happened_at").alias("happened_at"))
        .select("customer_id", "outcome", "happened_at")
    )


def _reserved(
    pushed: DataFrame, policy: Compiled, classes: Mapping[str, str], key: str
) -> DataFrame:
    """The reservations, also `expires_at`: when the channel has had time to report."""
    lists = policy.lists

    def seconds(of: Mapping[str, int]) -> Column:
        return F.make_dt_interval(secs=looked_up(F.col("channel"), of, "int"))

    midnight = F.date_add("data_date", 1).cast("timestamp")
    return (
        pushed.where(F.col("channel").isin(sorted(lists)))
        .withColumn("batch_date", F.date_add("data_date", 1))
        .withColumn(
            "contact_id",
            keyed_id(
                "push",
                F.col("channel"),
                F.col("campaign_id"),
                F.col("wave"),
                F.col("data_date"),
                F.col("subscriber_id"),
                key=key,
            ),
        )
        .withColumn(
            "class",
            F.coalesce(
                looked_up(F.col("campaign_id"), classes, "string"),
                F.lit(policy.class_of_kind["marketing"]),
            ),
        )
        .withColumn("way", looked_up(F.col("channel"), policy.ways, "string"))
        .withColumn("_midnight", midnight)
        .withColumn(
            "happened_at",
            F.col("_midnight") + seconds({name: one.at for name, one in lists.items()}),
        )
        .withColumn(
            "until",
            F.col("happened_at") + seconds({name: one.length for name, one in lists.items()}),
        )
        .withColumn(
            "expires_at",
            F.col("until") + seconds({name: one.report for name, one in lists.items()}),
        )
        .withColumn("state", F.lit("reserved"))
        .withColumn("source", F.lit(PUSHED))
    )


def _freed(reserved: DataFrame, reported: DataFrame) -> DataFrame:
    """The end of each reservation, on the night that learns of it: a report, or expiry.

    A report is about the newest list of its customer, campaign and channel. Feedback ends a
    reservation, whether it reached the customer or not. A log ends it by a contact: a channel may
    try again after an attempt.
    """
    final = reported.where(F.col("reached") | ~F.col("from_log")).select(
        F.col("batch_date").alias("_told"),
        F.col("contact_id").alias("_report"),
        F.col("happened_at").alias("_at"),
        F.col("source").alias("_source"),
        "customer_id",
        "campaign_id",
        "channel",
    )
    within = (F.col("_at") >= F.col("_midnight")) & (F.col("_at") < F.col("expires_at"))
    of_report = (
        reserved.join(final, ["customer_id", "campaign_id", "channel"])
        .where(within)
        .groupBy("_report")
        .agg(
            F.max_by("contact_id", F.struct("happened_at", "contact_id")).alias("contact_id"),
            F.first("_told").alias("_told"),
            F.first("_at").alias("_at"),
            F.first("_source").alias("_source"),
        )
        .groupBy("contact_id")
        .agg(F.min(F.struct("_told", "_at", "_source")).alias("_first"))
    )
    expiry_day = F.to_date(F.col("expires_at") - F.make_dt_interval(secs=F.lit(1)))
    in_time = F.coalesce(F.col("_first._told") <= expiry_day, F.lit(False))
    return reserved.join(of_report, "contact_id", "left").withColumns(
        {
            "batch_date": F.when(in_time, F.greatest("batch_date", "_first._told")).otherwise(
                expiry_day
            ),
            "happened_at": F.when(in_time, F.col("_first._at")).otherwise(F.col("expires_at")),
            "source": F.when(in_time, F.col("_first._source")).otherwise(F.lit(EXPIRED)),
            "until": F.lit(None).cast("timestamp"),
            "state": F.lit("freed"),
        }
    )


def days_before(window: Window, days: int) -> Window:
    """The window with so many days before it."""
    return Window(window.first - timedelta(days=days), window.last)
