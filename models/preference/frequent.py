"""Which channel each customer prefers 渠道偏好 (M2-01, M2-02).

The channels of a frequent customer are ranked by the customer's own contacts. All other customers
get the prior: how often each channel is the first preference of the frequent customers of the same
segment (brand).
"""

from collections.abc import Mapping, Sequence
from datetime import date

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from models.contact.view import KIND_COUNTS
from schemas.config import Channel


def channel_preference(
    view: DataFrame,
    subscribers: DataFrame,
    *,
    channels: Mapping[str, Channel],
    frequent_above: int,
    kinds: Sequence[str],
    data_date: date,
) -> DataFrame:
    """mart.channel_preference: every channel ranked for every customer.

    `view`: one snapshot of dw.contact_view; `subscribers`: one snapshot of dw.subscriber. Customers
    of either are ranked. `channels`: those that logs name.
    A customer is frequent with more than `frequent_above` contacts of the `kinds` over all
    channels. The score of a channel is its share of these contacts (0 to 1).
    Rank 1: the used channel with the highest score and no complaint about it. If there are
    complaints about every used channel: the highest score. The others follow in order of score.
    Ties: the later last contact, then the lower unit cost, then the channel order.
    """
    counted = sum((F.col(KIND_COUNTS[kind]) for kind in kinds), F.lit(0))
    used = view.select(
        "customer_id",
        "channel",
        counted.cast("bigint").alias("contacts"),
        F.col("complaints_about").alias("complaints"),
        "last_contact_at",
    )
    totals = used.groupBy("customer_id").agg(F.sum("contacts").alias("total"))
    vectors = (
        _customers(subscribers, totals)
        .withColumn("_entry", F.explode(_entries(channels)))
        .select("*", "_entry.*")
        .drop("_entry")
        .join(used, ["customer_id", "channel"], "left")
        .fillna(0, ["contacts", "complaints"])
        .withColumn("frequent", F.col("total") > frequent_above)
    )
    own = _ranked(
        vectors.where("frequent")
        .withColumn("weight", F.col("contacts"))
        .withColumn("weights", F.col("total"))
        .withColumn("basis", F.lit("frequent"))
    ).withColumn("reason", _own_reason())
    prior = _ranked(
        _with_prior(vectors.where("not frequent"), own, len(channels)).withColumn(
            "basis", F.lit("prior")
        )
    ).withColumn("reason", _prior_reason())
    columns = [
        "customer_id",
        "channel",
        "rank",
        "score",
        "contacts",
        "complaints",
        "last_contact_at",
        "basis",
        "reason",
    ]
    return (
        own.select(*columns)
        .unionByName(prior.select(*columns))
        .select(F.lit(data_date).alias("data_date"), "*")
    )


def _customers(subscribers: DataFrame, totals: DataFrame) -> DataFrame:
    """(customer_id, segment, total); segment: the brand of the subscriber who joined first."""
    joined_first = F.struct(F.coalesce("join_date", F.lit(date.max)), F.col("subscriber_id"))
    segments = subscribers.groupBy("customer_id").agg(
        F.min_by("brand", joined_first).alias("segment")
    )
    return segments.join(totals, "customer_id", "full").fillna(0, ["total"])


def _entries(channels: Mapping[str, Channel]) -> Column:
    """One struct (channel, place, unit_cost) per channel of the configuration."""
    return F.array(
        *(
            F.struct(
                F.lit(channel.id).alias("channel"),
                F.lit(channel.order).alias("place"),
                F.lit(channel.unit_cost).cast("decimal(18,6)").alias("unit_cost"),
            )
            for channel in channels.values()
        )
    )


def _ranked(vectors: DataFrame) -> DataFrame:
    """`vectors` with `rank` and `score` = weight / weights; the preferred channel has rank 1."""
    ties = (
        F.col("weight").desc(),
        F.col("last_contact_at").desc_nulls_last(),
        F.col("unit_cost"),
        F.col("place"),
    )
    # An unused channel has no complaints either, but it is no preference: used ones come first.
    first = F.when(F.col("weight") == 0, 2).when(F.col("complaints") > 0, 1).otherwise(0)
    by_customer = Window.partitionBy("customer_id")
    return (
        vectors.withColumn("_first", F.first("channel").over(by_customer.orderBy(first, *ties)))
        .withColumn(
            "rank",
            F.row_number().over(by_customer.orderBy((F.col("channel") != F.col("_first")), *ties)),
        )
        # No row has weights of 0, but Spark may divide constants before it filters rows.
        .withColumn(
            "score",
            F.round(
                F.try_divide(
                    F.col("weight").cast("decimal(18,0)"), F.col("weights").cast("decimal(18,0)")
                ),
                6,
            ).cast("decimal(9,6)"),
        )
        .drop("_first")
    )


def _with_prior(vectors: DataFrame, own: DataFrame, channels: int) -> DataFrame:
    """`vectors` with `weight`, `weights` and `group`.

    `weight` of `weights` frequent customers of the segment have the channel as first preference. A
    segment without frequent customers gets the figures of all segments. Without any frequent
    customer every channel has the same weight. `group` names the customers in words.
    """
    firsts = own.where("rank = 1").groupBy("segment", "channel").agg(F.count("*").alias("_count"))
    segments = firsts.groupBy("segment").agg(F.sum("_count").alias("_of_segment"))
    everywhere = firsts.groupBy("channel").agg(F.sum("_count").alias("_in_all"))
    everybody = firsts.agg(F.sum("_count").alias("_of_all"))
    in_segment, in_all = (F.coalesce(name, F.lit(0)) for name in ("_count", "_in_all"))
    of_segment, of_all = F.col("_of_segment"), F.col("_of_all")
    return (
        vectors.join(F.broadcast(firsts), ["segment", "channel"], "left")
        .join(F.broadcast(segments), "segment", "left")
        .join(F.broadcast(everywhere), "channel", "left")
        .crossJoin(F.broadcast(everybody))
        .withColumn(
            "weight",
            F.when(of_segment.isNotNull(), in_segment)
            .when(of_all.isNotNull(), in_all)
            .otherwise(1),
        )
        .withColumn("weights", F.coalesce(of_segment, of_all, F.lit(channels)))
        .withColumn(
            "group",
            F.when(of_segment.isNotNull(), F.concat(F.lit("segment "), "segment")).when(
                of_all.isNotNull(), F.lit("all segments")
            ),
        )
    )


def _own_reason() -> Column:
    return F.format_string("%d of %d contacts, %s", "contacts", "total", _complaints_in_words())


def _prior_reason() -> Column:
    learnt = F.format_string(
        "first preference of %d of %d frequent customers of %s, %s",
        "weight",
        "weights",
        "group",
        _complaints_in_words(),
    )
    unknown = F.format_string("no frequent customer to learn from, %s", _complaints_in_words())
    return F.when(F.col("group").isNull(), unknown).otherwise(learnt)


def _complaints_in_words() -> Column:
    count = F.col("complaints")
    return (
        F.when(count == 0, F.lit("no complaint"))
        .when(count == 1, F.lit("1 complaint about it"))
        .otherwise(F.format_string("%d complaints about it", count))
    )
