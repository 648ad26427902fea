"""Orders of what was offered, and the one campaign that gets the credit of each (S2-11, S1-08).

An order may be booked, reported by a channel, and seen in the subscriptions or in a transaction.
Numbers tell orders apart. Evidence without a number, of the same customer and offer, belongs to the
orders at most a month away: a package often begins in the next month.
"""

from __future__ import annotations

from collections.abc import Mapping

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from models.feedback.assignment import KEY
from models.feedback.report import FEEDBACK, ORDER
from models.frames.lookup import looked_up

APART_DAYS = 31


def inferred(cohort: DataFrame, subscriptions: DataFrame, events: DataFrame) -> DataFrame:
    """Orders that nobody reported: a package that begins, a transaction of an offered business.

    `subscriptions`: a snapshot of dw.subscription. `events`: dw.contact_event. They are known of
    treated and control alike. A subscription tells only its first day: the order counts at its end.
    """
    asked = cohort.select(*KEY, "subscriber_id", "assigned_on", "closes_on", "offers").withColumn(
        "item", F.explode("offers")
    )

    def inside(day: str) -> Column:
        return (F.col(day) > F.col("assigned_on")) & (F.col(day) <= F.col("closes_on"))

    begun = subscriptions.select(
        "subscriber_id", F.col("package_id").alias("item"), "valid_from", "valid_to"
    )
    end_of_day = F.date_add("valid_from", 1).cast("timestamp") - F.make_dt_interval(secs=F.lit(1))
    ended = F.when(F.col("valid_to") <= F.col("closes_on"), F.col("valid_to"))
    packages = (
        asked.join(begun, ["subscriber_id", "item"])
        .where(inside("valid_from"))
        .select(
            "customer_id",
            "item",
            end_of_day.alias("at"),
            F.lit(None).cast("date").alias("told_on"),
            ended.alias("back_on"),
        )
    )
    done = events.where("kind = 'transaction' AND coalesce(result, 'success') = 'success'").select(
        "customer_id",
        F.col("business_code").alias("item"),
        "occurred_at",
        "local_date",
        "batch_date",
    )
    businesses = (
        asked.join(done, ["customer_id", "item"])
        .where(inside("local_date"))
        .select(
            "customer_id",
            "item",
            F.col("occurred_at").alias("at"),
            F.col("batch_date").alias("told_on"),
            F.lit(None).cast("date").alias("back_on"),
        )
    )
    return packages.unionByName(businesses).distinct()


def orders(reported: DataFrame, seen: DataFrame) -> DataFrame:
    """One row per order: customer_id, order_id, item, named, at, told_on and back_on.

    `reported`: report.judged. `seen`: of `inferred`. `named`: the campaign that an order or its
    feedback names, if it counts there. `back_on`: when it was known that it was given back.
    """
    known = reported.where(
        F.col("customer_id").isNotNull() & ~F.col("reason").eqNullSafe("doubled")
    )
    cancelled = F.col("state").eqNullSafe("cancelled")
    booked = known.where(F.col("kind") == ORDER)
    handled = known.where((F.col("kind") == FEEDBACK) & F.col("handled") & F.col("reason").isNull())
    told = booked.unionByName(handled).select(
        "customer_id",
        "order_no",
        F.col("package_id").alias("item"),
        F.get("place.offers", F.lit(0)).alias("offered"),
        F.when(F.col("reason").isNull(), F.col("campaign_id")).alias("named"),
        F.col("happened_at").alias("at"),
        F.col("batch_date").alias("told_on"),
        F.when(cancelled, F.col("batch_date")).alias("back_on"),
    )
    numbered = (
        told.where("order_no IS NOT NULL")
        .groupBy("customer_id", "order_no")
        .agg(
            F.coalesce(F.max("item"), F.max("offered")).alias("item"),
            F.min("named").alias("named"),
            F.min("at").alias("at"),
            F.min("told_on").alias("told_on"),
            F.min("back_on").alias("back_on"),
        )
    )
    plain = told.where("order_no IS NULL").withColumn("item", F.col("offered")).drop("offered")
    unnumbered = seen.withColumns(
        {name: F.lit(None).cast("string") for name in ("order_no", "named")}
    )
    return _told_apart(numbered.unionByName(plain).unionByName(unnumbered))


def _told_apart(evidence: DataFrame) -> DataFrame:
    """Evidence without a number joins the orders near it; without such it is one order."""
    of_item = Window.partitionBy("customer_id", "item").orderBy("at", "order_no")
    gap = F.col("at") - F.make_dt_interval(days=F.lit(APART_DAYS)) > F.lag("at").over(of_item)
    near = Window.partitionBy("customer_id", "item", "_group")
    return (
        evidence.withColumn("_gap", F.coalesce(gap, F.lit(False)).cast("int"))
        .withColumn("_group", F.sum("_gap").over(of_item))
        .withColumn("_numbered", F.max(F.col("order_no").isNotNull()).over(near))
        .where(F.col("order_no").isNotNull() | ~F.col("_numbered"))
        .groupBy("customer_id", "item", "_group", "order_no")
        .agg(
            F.min("named").alias("named"),
            F.min("at").alias("at"),
            F.min("told_on").alias("told_on"),
            F.min("back_on").alias("back_on"),
        )
        .withColumn(
            "order_id",
            F.concat_ws("|", F.coalesce("item", F.lit("")), "_group", "order_no"),
        )
    )


def claims(cohort: DataFrame, ordered: DataFrame, priorities: Mapping[str, int]) -> DataFrame:
    """Each order in each assignment that may claim it: `returned`, `credit`, and `before`.

    `cohort`: the assignments with `contacts`, the instants of their contacts in order. `ordered`:
    of `orders`. `priorities`: of the campaigns. `before`: how many contacts came before the order.
    An order is claimed by who offered it, or is named by it, in the window. The credit goes to one
    claim that had a contact before: the named one, else the one with the last contact.
    """
    rows = cohort.select(*KEY, "offers", "assigned_on", "closes_on", "told_until", "contacts").join(
        ordered, "customer_id"
    )
    day = F.to_date("at")
    is_named = F.col("named").eqNullSafe(F.col("campaign_id"))
    is_ours = is_named | F.coalesce(F.array_contains("offers", F.col("item")), F.lit(False))
    in_time = (
        (day > F.col("assigned_on"))
        & (day <= F.col("closes_on"))
        & (F.coalesce("told_on", day) <= F.col("told_until"))
    )
    before = F.filter("contacts", lambda one: one <= F.col("at"))
    rows = (
        rows.where(is_ours & in_time)
        .withColumn("returned", F.coalesce(F.col("back_on") <= F.col("told_until"), F.lit(False)))
        .withColumn("before", F.coalesce(F.size(before), F.lit(0)))
        .withColumn("_last", F.array_max(before))
        .withColumn("_named", is_named)
    )
    best = Window.partitionBy("customer_id", "order_id").orderBy(
        F.col("_last").isNull(),
        F.col("_named").desc(),
        F.col("_last").desc(),
        looked_up(F.col("campaign_id"), priorities, "int"),
        "campaign_id",
        F.col("wave").desc(),
    )
    deserved = (F.row_number().over(best) == 1) & F.col("_last").isNotNull() & ~F.col("returned")
    return rows.withColumn("credit", deserved)
