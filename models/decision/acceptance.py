"""How often offers are accepted, learnt from feedback 接受率 (S1-08, S2-05).

In two levels, each a Beta-binomial. Per campaign × channel, the rate of orders among contacts is
drawn towards the acceptance that the campaign configures, as if that had been seen in `weight`
contacts more. Per campaign × offer × channel × segment (brand), it is drawn towards that pooled
rate in the same way: a campaign of many offers learns from all of them. Counts grow by the night;
nothing is read twice.
"""

from collections.abc import Sequence
from datetime import date

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from models.decision.value import ACCEPTANCE_TYPE, configured
from schemas.config import Campaign

CELL = ("campaign_id", "offer", "channel", "segment")


def acceptance(
    previous: DataFrame,
    history: DataFrame,
    outcomes: DataFrame,
    subscribers: DataFrame,
    *,
    campaigns: Sequence[Campaign],
    weight: int,
    data_date: date,
) -> DataFrame:
    """mart.acceptance as known at the end of `data_date`.

    `previous`: mart.acceptance of the day before, or no rows. `history`: dw.contact_history of the
    days since: a reservation that a report ended, on the day on which the contact was made, is one
    contact of its offer. `outcomes`: dw.contact_outcome of the same days. `subscribers`: the day's
    snapshot of dw.subscriber; its brand is the segment.
    """
    cell = ["customer_id", "campaign_id", "channel"]
    made = history.where("state = 'made' AND campaign_id IS NOT NULL").select(*cell).distinct()
    accepted = (
        outcomes.where("outcome = 'accepted' AND campaign_id IS NOT NULL")
        .select(*cell, F.lit(True).alias("accepted"))
        .distinct()
    )
    fresh = (
        history.where("state = 'freed' AND source != 'expiry' AND offer IS NOT NULL")
        .select(*cell, "offer", "contact_id")
        .join(made, cell)
        .join(accepted, cell, "left")
        .join(_segments(subscribers), "customer_id", "left")
        .groupBy(*cell[1:], "offer", F.coalesce("segment", F.lit("unknown")).alias("segment"))
        .agg(
            F.count(F.lit(1)).alias("contacts"),
            F.count_if(F.coalesce("accepted", F.lit(False))).alias("orders"),
        )
    )
    known = [one.id for one in campaigns]
    counted = (
        previous.select(*CELL, "contacts", "orders")
        .unionByName(fresh.select(*CELL, "contacts", "orders"))
        .where(F.col("campaign_id").isin(known))
        .groupBy(*CELL)
        .agg(F.sum("contacts").alias("contacts"), F.sum("orders").alias("orders"))
        .withColumn("prior", configured(campaigns))
        .where("prior IS NOT NULL")
    )
    orders, contacts = (F.col(name).cast("decimal(18,0)") for name in ("orders", "contacts"))
    together = Window.partitionBy("campaign_id", "channel")
    all_orders, all_contacts = (
        F.sum(name).over(together).cast("decimal(18,0)") for name in ("orders", "contacts")
    )
    pooled = (all_orders + F.col("prior") * weight) / (all_contacts + weight)
    drawn = (orders + F.col("pooled_rate") * weight) / (contacts + weight)
    return counted.withColumn("pooled_rate", pooled.cast(ACCEPTANCE_TYPE)).select(
        F.lit(data_date).alias("data_date"),
        *CELL,
        "contacts",
        "orders",
        (orders / contacts).cast(ACCEPTANCE_TYPE).alias("rate"),
        "prior",
        "pooled_rate",
        drawn.cast(ACCEPTANCE_TYPE).alias("shrunk_rate"),
    )


def _segments(subscribers: DataFrame) -> DataFrame:
    """(customer_id, segment): the brand of the subscriber who joined first."""
    joined_first = Window.partitionBy("customer_id").orderBy(
        F.coalesce("join_date", F.lit(date.max)), "subscriber_id"
    )
    return (
        subscribers.withColumn("_place", F.row_number().over(joined_first))
        .where("_place = 1")
        .select("customer_id", F.col("brand").alias("segment"))
    )
