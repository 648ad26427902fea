"""dw.campaign_response: what came of each assignment (S2-11, M1-09)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import reduce

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from models.feedback import order
from models.feedback.assignment import KEY, overlapping, placed
from models.feedback.report import FEEDBACK
from schemas.config import Campaign

TOUCH, VIEW, REFUSAL, COMPLAINT = "touch", "view", "refusal", "complaint"


@dataclass(frozen=True)
class Told:
    """What is known since the campaigns began.

    `reported`: report.judged. `history`: dw.contact_history, `outcomes`: dw.contact_outcome,
    `events`: dw.contact_event, `subscriptions`: a snapshot of dw.subscription.
    """

    reported: DataFrame
    history: DataFrame
    outcomes: DataFrame
    events: DataFrame
    subscriptions: DataFrame


def responses(
    touched: DataFrame, told: Told, campaigns: Sequence[Campaign], data_date: date
) -> DataFrame:
    """dw.campaign_response at the end of `data_date`. `touched`: of `touched`, read twice."""
    ordered = order.orders(told.reported, order.inferred(touched, told.subscriptions, told.events))
    claimed = (
        order.claims(touched, ordered, {one.id: one.priority for one in campaigns})
        .groupBy(*KEY)
        .agg(
            F.count_if(~F.col("returned")).alias("orders"),
            F.min(F.when(~F.col("returned"), F.col("at"))).alias("ordered_at"),
            F.max("returned").alias("returned"),
            F.count_if("credit").alias("credits"),
            F.min_by("before", F.when(~F.col("returned"), F.col("at"))).alias("before"),
        )
    )
    nothing, none = F.lit(0).cast("bigint"), F.lit(False)
    return (
        overlapping(touched)
        .join(claimed, list(KEY), "left")
        .select(
            F.lit(data_date).alias("data_date"),
            *KEY,
            "subscriber_id",
            "arm",
            "assigned_on",
            "closes_on",
            "told_until",
            "offers",
            "channel",
            (F.size("contacts") > 0).alias("contacted"),
            "viewed",
            F.col("ordered_at").isNotNull().alias("ordered"),
            F.coalesce("returned", none).alias("returned"),
            "refused",
            "complained",
            F.array_min("contacts").alias("first_contact_at"),
            "ordered_at",
            F.coalesce("orders", nothing).alias("orders"),
            F.coalesce("before", F.size("contacts")).cast("bigint").alias("touches"),
            (F.coalesce("credits", nothing) > 0).alias("credited"),
            F.coalesce("credits", nothing).alias("credits"),
            "other_campaigns",
        )
    )


def touched(cohort: DataFrame, told: Told) -> DataFrame:
    """The assignments with the instants of their `contacts`, `viewed`, `refused` and `complained`.

    `cohort`: assignment.assigned.
    """
    views = told.reported.where(
        (F.col("kind") == FEEDBACK) & F.col("viewed") & F.col("reason").isNull()
    ).select(
        "campaign_id",
        F.col("place.wave").alias("wave"),
        "customer_id",
        F.lit(VIEW).alias("fact"),
        F.col("happened_at").alias("at"),
    )
    parts = (_answers(told, cohort), views, _complaints(told.events, cohort))
    facts = (
        reduce(DataFrame.unionByName, parts)
        .groupBy(*KEY)
        .agg(
            F.sort_array(F.collect_set(F.when(F.col("fact") == TOUCH, F.col("at")))).alias(
                "_contacts"
            ),
            *(F.max(F.col("fact") == one).alias(f"_{one}") for one in (VIEW, REFUSAL, COMPLAINT)),
        )
    )
    none = F.lit(False)
    return (
        cohort.join(facts, list(KEY), "left")
        .withColumn("contacts", F.coalesce("_contacts", F.array().cast("array<timestamp>")))
        .withColumn("viewed", F.coalesce(f"_{VIEW}", none))
        .withColumn("refused", F.coalesce(f"_{REFUSAL}", none))
        .withColumn("complained", F.coalesce(f"_{COMPLAINT}", none))
        .drop("_contacts", f"_{VIEW}", f"_{REFUSAL}", f"_{COMPLAINT}")
    )


def _answers(told: Told, cohort: DataFrame) -> DataFrame:
    """Contacts and refusals in the windows of those who were assigned to their campaign."""
    made = told.history.where("state = 'made' AND campaign_id IS NOT NULL").select(
        "campaign_id",
        "wave",
        "customer_id",
        "batch_date",
        "happened_at",
        F.lit(TOUCH).alias("fact"),
    )
    refused = told.outcomes.where("outcome = 'refused' AND campaign_id IS NOT NULL").select(
        "campaign_id",
        F.lit(None).cast("int").alias("wave"),
        "customer_id",
        "batch_date",
        "happened_at",
        F.lit(REFUSAL).alias("fact"),
    )
    place, day = F.col("place"), F.col("local_date")
    rows = made.unionByName(refused).withColumn("local_date", F.to_date("happened_at"))
    return (
        placed(rows, cohort)
        .where(
            (day > place["assigned_on"])
            & (day <= place["closes_on"])
            & (F.col("batch_date") <= place["told_until"])
        )
        .select(
            "campaign_id",
            place["wave"].alias("wave"),
            "customer_id",
            "fact",
            F.col("happened_at").alias("at"),
        )
    )


def _complaints(events: DataFrame, cohort: DataFrame) -> DataFrame:
    told = events.where("kind = 'complaint' AND customer_id IS NOT NULL").select(
        "customer_id", "local_date", F.col("occurred_at").alias("at")
    )
    within = (F.col("local_date") > F.col("assigned_on")) & (
        F.col("local_date") <= F.col("closes_on")
    )
    return (
        cohort.select(*KEY, "assigned_on", "closes_on")
        .join(told, "customer_id")
        .where(within)
        .select(*KEY, F.lit(COMPLAINT).alias("fact"), "at")
    )
