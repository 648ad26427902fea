"""What logs and feedback tell of contacts by the operator, and what customers answered.

A contact may be told twice: by the log of its channel and by the feedback of its campaign. Reports
of one customer, campaign, channel and local day are about the same contacts: those of the log, or
one if only feedback tells it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from models.contact_policy.compiled import Compiled
from models.customer.identity import customer_then, keyed_id
from models.frames.lookup import looked_up

CONTACT = ("customer_id", "campaign_id", "channel", "local_date")


@dataclass(frozen=True)
class Told:
    """The deliveries of a window and of the days before that may tell the same contacts.

    `events`: dw.contact_event, `calls`: ods.outbound_call, `feedback`: ods.campaign_feedback,
    `identity`: a snapshot of dw.subscriber_identity.
    """

    events: DataFrame
    calls: DataFrame
    feedback: DataFrame
    identity: DataFrame


def reports(told: Told, policy: Compiled, worked_as: Mapping[str, str], key: str) -> DataFrame:
    """One row per report: batch_date, contact_id, what it is about, reached, from_log and outcome.

    `reached`: the contact was made. An attempt that reached nobody is no contact. `outcome`: what
    the customer answered, or NULL. `customer_id` is NULL for feedback about a subscriber who was
    not known then. `worked_as`: the channel of the policy for contacts that logs and feedback know
    under another name.
    """
    answered = told.calls.select(
        "source", "batch_date", F.col("call_no").alias("source_record"), "outcome"
    )
    logged = (
        told.events.where((F.col("direction") == "out") & F.col("customer_id").isNotNull())
        .join(answered, ["source", "batch_date", "source_record"], "left")
        .select(
            "batch_date",
            "contact_id",
            "customer_id",
            looked_up(F.col("kind"), policy.class_of_kind, "string").alias("class"),
            "channel",
            "campaign_id",
            "wave",
            F.col("occurred_at").alias("happened_at"),
            "local_date",
            (~F.col("result").eqNullSafe("not_reached")).alias("reached"),
            F.lit(True).alias("from_log"),
            F.when(
                F.col("outcome").isin("accepted", "refused", "do_not_disturb"), F.col("outcome")
            ).alias("outcome"),
            "source",
        )
    )
    worked = F.coalesce(looked_up(F.col("channel"), worked_as, "string"), F.col("channel"))
    return (
        logged.unionByName(_feedback(told, policy, key))
        .withColumn("channel", worked)
        .withColumn("way", looked_up(F.col("channel"), policy.ways, "string"))
    )


def _feedback(told: Told, policy: Compiled, key: str) -> DataFrame:
    """The feedback as reports. A subscriber's customer is the one at the time of the contact."""
    answer = F.when(
        F.col("contacted"),
        F.when(F.col("accepted") | F.col("handled"), F.lit("accepted")).when(
            ~F.col("accepted") | F.col("refusal").isNotNull(), F.lit("refused")
        ),
    )
    rows = told.feedback.withColumn(
        "subscriber_id", keyed_id("subscriber", F.col("subscriber_no"), key=key)
    ).select(
        "batch_date",
        keyed_id("feedback", F.col("source"), F.col("feedback_no"), key=key).alias("contact_id"),
        "subscriber_id",
        F.lit(policy.class_of_kind["marketing"]).alias("class"),
        "channel",
        "campaign_id",
        "wave",
        F.col("occurred_at").alias("happened_at"),
        "local_date",
        F.col("contacted").alias("reached"),
        F.lit(False).alias("from_log"),
        answer.alias("outcome"),
        "source",
    )
    known = customer_then(rows, told.identity)
    return known.select(*(name for name in known.columns if name != "subscriber_id"))


def made(reported: DataFrame) -> DataFrame:
    """The reports that are a contact of their own; the others tell one of these again.

    What an earlier delivery told stays: later reports of the same contact add nothing.
    """
    same = Window.partitionBy(*CONTACT)
    in_order = Window.partitionBy(*CONTACT, "from_log").orderBy(
        "batch_date", "happened_at", "contact_id"
    )
    fed, logged = (
        F.min(F.when(F.col("from_log") == from_log, F.col("batch_date"))).over(same)
        for from_log in (False, True)
    )
    told_before = (F.col("_fed") < F.col("_logged")) & (F.col("_place") == 1)
    own = F.when(F.col("campaign_id").isNull(), F.lit(True)).otherwise(
        F.when(F.col("from_log"), ~F.coalesce(told_before, F.lit(False))).otherwise(
            (F.col("_place") == 1) & (F.col("_logged").isNull() | told_before)
        )
    )
    return (
        reported.where(F.col("reached") & F.col("customer_id").isNotNull())
        .withColumn("_fed", fed)
        .withColumn("_logged", logged)
        .withColumn("_place", F.row_number().over(in_order))
        .where(own)
        .drop("_fed", "_logged", "_place")
    )


def outcomes(reported: DataFrame, in_window: Column) -> DataFrame:
    """dw.contact_outcome of the deliveries in the window."""
    return (
        reported.where(in_window & F.col("outcome").isNotNull() & F.col("customer_id").isNotNull())
        .groupBy("batch_date", "customer_id", "outcome", "campaign_id", "channel", "local_date")
        .agg(F.min("happened_at").alias("happened_at"))
    )
