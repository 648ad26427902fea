"""Which subscriber could get which offer over which channel, with the facts for the rules."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from models.customer.identity import numbers_on
from models.frames.lookup import looked_up
from models.frames.validity import valid_at
from schemas.config import Campaign, Channel

WHOLE = "whole"  # the kind of whole alternatives in mart.package_match
WAYS = (
    "array<struct<campaign_id string, wave int, priority int, horizon_months int, channel string, "
    "place int, unit_cost decimal(18,6)>>"
)


@dataclass(frozen=True)
class Snapshots:
    """The tables that the candidates of a day are built from.

    `match`: the last snapshot of mart.package_match. The others are the day's snapshots of
    dw.subscriber, dw.subscription, dw.subscriber_identity and mart.channel_preference.
    """

    match: DataFrame
    subscribers: DataFrame
    subscriptions: DataFrame
    identity: DataFrame
    preference: DataFrame


def candidates(
    tables: Snapshots,
    *,
    campaigns: Sequence[Campaign],
    channels: Mapping[str, Channel],
    open_offers: Mapping[str, Collection[str]],
    data_date: date,
) -> DataFrame:
    """One row per customer × subscriber × campaign × offer × channel × wave.

    Every match row is combined with every channel of every campaign that is valid on `data_date`,
    except whole alternatives without a new bundle: each of their changes has a row of its own. The
    offer of an alternative is its id; it is open if all of its new packages are, and owned if the
    customer has them all.
    `open_offers`: packages that may be ordered on the day → the brands that may order them (empty:
    every brand).

    Other columns: priority, saving (yuan a month), match_rank, preference_rank, place (order of the
    channel), value, and the facts offer_open, recommended, match_reasons, active, has_number,
    willing, owned. A fact is false if it is not known.
    value (yuan) = saving × horizon in months × preference score − unit cost of the contact. The
    score is used as the probability that the customer accepts the offer over the channel.
    """
    facts = (
        tables.match.drop("data_date", "months")
        .withColumnRenamed("package_id", "offer")
        .withColumnRenamed("rank", "match_rank")
        .withColumnRenamed("reasons", "match_reasons")
        .where(~_has_rows_of_its_own())
        .withColumn(
            "wanted", F.when(_is_whole(), F.col("new_packages")).otherwise(F.col("packages"))
        )
        .join(_people(tables.subscribers), "subscriber_id")
        .join(_held(tables.subscriptions, data_date), "subscriber_id", "left")
        .join(_reachable(tables.identity, data_date), "subscriber_id", "left")
        .withColumn("_way", F.explode(_ways(campaigns, channels, data_date)))
        .select("*", "_way.*")
        .join(
            tables.preference.select(
                "customer_id", "channel", "score", F.col("rank").alias("preference_rank")
            ),
            ["customer_id", "channel"],
            "left",
        )
    )
    worth = F.col("saving") * F.col("horizon_months") * F.coalesce("score", F.lit(0))
    return facts.select(
        "customer_id",
        "subscriber_id",
        "campaign_id",
        "offer",
        "channel",
        "wave",
        "priority",
        "saving",
        "match_rank",
        "preference_rank",
        "place",
        (worth - F.col("unit_cost")).cast("decimal(18,6)").alias("value"),
        _is_open(open_offers).alias("offer_open"),
        "recommended",
        "match_reasons",
        F.coalesce(F.col("status") == "active", F.lit(False)).alias("active"),
        F.coalesce("has_number", F.lit(False)).alias("has_number"),
        F.coalesce(F.col("consent_marketing") & ~F.col("do_not_disturb"), F.lit(False)).alias(
            "willing"
        ),
        F.coalesce(
            F.forall("wanted", lambda one: F.array_contains("held", one)), F.lit(False)
        ).alias("owned"),
    )


def _is_whole() -> Column:
    return F.col("kind") == WHOLE


def _has_rows_of_its_own() -> Column:
    """Whether each change of a whole alternative has a row of its own, or nothing changes."""
    return _is_whole() & (
        F.array_contains("match_reasons", "SEPARATE") | F.col("match_rank").isNull()
    )


def _people(subscribers: DataFrame) -> DataFrame:
    return subscribers.select(
        "subscriber_id", "customer_id", "brand", "status", "do_not_disturb", "consent_marketing"
    )


def _held(subscriptions: DataFrame, data_date: date) -> DataFrame:
    """(subscriber_id, held): the packages in force on the day."""
    return (
        subscriptions.where(valid_at(F.lit(data_date)))
        .groupBy("subscriber_id")
        .agg(F.collect_set("package_id").alias("held"))
    )


def _reachable(identity: DataFrame, data_date: date) -> DataFrame:
    return numbers_on(identity, data_date).select("subscriber_id", F.lit(True).alias("has_number"))


def _ways(
    campaigns: Sequence[Campaign], channels: Mapping[str, Channel], data_date: date
) -> Column:
    """The channels of all valid campaigns as one array; NULL if no campaign is valid."""
    ways = [
        F.struct(
            F.lit(campaign.id),
            F.lit(campaign.wave),
            F.lit(campaign.priority),
            F.lit(campaign.horizon_months),
            F.lit(name),
            F.lit(channels[name].order),
            F.lit(channels[name].unit_cost).cast("decimal(18,6)"),
        )
        for campaign in campaigns
        if campaign.valid_on(data_date)
        for name in campaign.channels
    ]
    return (F.array(*ways) if ways else F.lit(None)).cast(WAYS)


def _is_open(open_offers: Mapping[str, Collection[str]]) -> Column:
    """Whether all wanted packages are open on the day for the subscriber's brand."""
    brands = {offer: ",".join(sorted(of)) for offer, of in open_offers.items()}

    def is_open(package: Column) -> Column:
        allowed = looked_up(package, brands, "string")
        of_brand = F.array_contains(F.split(allowed, ","), F.col("brand"))
        return F.coalesce((allowed == "") | of_brand, F.lit(False))

    return F.forall("wanted", is_open)
