"""One offer per customer, within the daily capacity of each channel 渠道承载能力.

A customer gets one offer: from the campaign with the lowest priority number, then with the greatest
saving. Channels are filled in rounds. In round r, every customer without a place requests channel r
of the customer's own ranking. A channel admits up to its capacity, first those whose value would
drop most on their next channel. The order of rows and the number of partitions change nothing.
"""

from collections.abc import Mapping, Sequence
from datetime import date

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from models.frames.lookup import looked_up
from schemas.config import Campaign, Channel
from schemas.errors import ConfigError


def decision(
    judged: DataFrame,
    *,
    campaigns: Sequence[Campaign],
    channels: Mapping[str, Channel],
    data_date: date,
) -> DataFrame:
    """mart.decision: every candidate with its fate.

    `judged`: the rows of policy.judged. Fates:
    - pushed
    - held_out: control group. Its row with the single reason HOLD_ACTIVITY is the withheld offer on
      the customer's first channel
    - dropped: by a rule, or because the customer got another offer or channel
    - spilled: the channel was full

    `price` is not computed yet and is NULL.
    Raises ConfigError if a channel of a campaign has no capacity (a capacity of 0 means never).
    """
    capacities = _capacities(campaigns, channels)
    contested = _contested(judged)
    rounds = max((len(campaign.channels) for campaign in campaigns), default=0)
    assigned = _assigned(contested, capacities, rounds, data_date)
    taken = F.col("taken")
    lost = (
        F.when(F.col("rivals") == "other offer", F.lit("LOST_PRIORITY"))
        .when(F.col("held") & (F.col("choice") > 1), F.lit("LOST_PRIORITY"))
        .when(F.col("open") & (taken.isNull() | (F.col("choice") < taken)), F.lit("LOST_CAPACITY"))
        .when(F.col("open") & (F.col("choice") > taken), F.lit("LOST_PRIORITY"))
    )
    return (
        contested.join(assigned, "customer_id", "left")
        .withColumn("reasons", F.array_compact(F.array_append("reasons", lost)))
        .withColumn("first_reason", F.get("reasons", F.lit(0)))
        .withColumn("fate", _fate())
        .select(
            F.lit(data_date).alias("data_date"),
            "customer_id",
            "subscriber_id",
            "campaign_id",
            "offer",
            "channel",
            "wave",
            "value",
            "fate",
            "first_reason",
            "reasons",
            F.lit(None).cast("decimal(18,6)").alias("price"),
            F.when(F.col("fate") == "pushed", F.col("runner_up")).alias("runner_up"),
        )
    )


def _capacities(campaigns: Sequence[Campaign], channels: Mapping[str, Channel]) -> dict[str, int]:
    """Contacts a day for every channel of the campaigns."""
    capacities = {}
    for campaign in campaigns:
        for name in campaign.channels:
            capacity = channels[name].capacity
            if capacity is None:
                raise ConfigError(
                    f"channels.yml: {name}: no capacity, but campaign {campaign.id} pushes on it; "
                    "give the contacts a day (0: never)"
                )
            capacities[name] = capacity
    return capacities


def _contested(judged: DataFrame) -> DataFrame:
    """`judged` with the columns open, held, rivals and choice.

    `open`: the row breaks no rule. `held`: the row is in the control group. `rivals` is
    'other offer' for an open or held row whose customer gets another offer. `choice` numbers the
    rows of the chosen offer by the customer's channel ranking. The offer of a held-out customer is
    chosen separately, within the campaign that holds the customer out.
    """
    held = F.array_contains("reasons", "HOLD_ACTIVITY")
    side = F.when(F.size("reasons") == 0, F.lit("open")).when(
        held, F.concat(F.lit("held out of "), "campaign_id")
    )
    offer = F.struct("campaign_id", "wave", "offer")
    of_customer = Window.partitionBy("customer_id", "_side")
    best_first = of_customer.orderBy(
        "priority",
        F.col("saving").desc(),
        F.col("match_rank").asc_nulls_last(),
        "offer",
        "campaign_id",
    )
    own_ranking = Window.partitionBy("customer_id", "_side", "rivals").orderBy(
        F.col("preference_rank").asc_nulls_last(), "place"
    )
    return (
        judged.withColumn("open", F.size("reasons") == 0)
        .withColumn("held", held)
        .withColumn("_side", side)
        .withColumn("_best", F.first(offer).over(best_first))
        .withColumn(
            "rivals",
            F.when(F.col("_side").isNotNull() & (offer != F.col("_best")), F.lit("other offer")),
        )
        .withColumn("choice", F.row_number().over(own_ranking))
        .drop("_best", "_side")
    )


def _assigned(
    contested: DataFrame, capacities: Mapping[str, int], rounds: int, data_date: date
) -> DataFrame:
    """(customer_id, taken, runner_up): the choice that each customer with an open row got.

    `taken` is NULL if all the customer's channels were full. One row per customer, so a round
    shuffles little data. Equal margins are ordered by a hash of the date and the customer.
    """
    customers = (
        contested.where("open AND rivals IS NULL")
        .groupBy("customer_id")
        .agg(F.sort_array(F.collect_list(F.struct("choice", "channel", "value"))).alias("choices"))
        .withColumn("lot", F.xxhash64(F.lit(str(data_date)), "customer_id"))
        .withColumn("taken", F.lit(None).cast("int"))
    )
    for number in range(1, rounds + 1):
        customers = _round(customers, number, capacities)
    return customers.select(
        "customer_id", "taken", _choice(F.col("taken") + 1)["channel"].alias("runner_up")
    )


def _round(customers: DataFrame, number: int, capacities: Mapping[str, int]) -> DataFrame:
    """One round: every customer without a place requests the choice of that number.

    Customers who already have a place on the channel come before those who request one. The row
    number within the channel is therefore the capacity used so far.
    """
    waiting = F.col("taken").isNull()
    requested, following = _choice(F.lit(number)), _choice(F.lit(number + 1))
    at_desk = Window.partitionBy("_desk").orderBy(
        waiting, F.col("_margin").desc(), "lot", "customer_id"
    )
    admitted = F.row_number().over(at_desk) <= looked_up(F.col("_desk"), capacities, "int")
    return (
        customers.withColumn(
            "_desk",
            F.when(waiting, requested["channel"]).otherwise(_choice(F.col("taken"))["channel"]),
        )
        .withColumn("_margin", requested["value"] - F.coalesce(following["value"], F.lit(0)))
        .withColumn("taken", F.coalesce("taken", F.when(admitted, F.lit(number))))
        .drop("_desk", "_margin")
    )


def _choice(number: Column) -> Column:
    """The customer's choice of that number, counted from 1; NULL beyond the last."""
    return F.get("choices", number - 1)


def _fate() -> Column:
    reason = F.col("first_reason")
    return (
        F.when(reason.isNull(), "pushed")
        .when(reason == "HOLD_ACTIVITY", "held_out")
        .when(reason == "LOST_CAPACITY", "spilled")
        .otherwise("dropped")
    )
