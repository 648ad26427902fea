"""Which subscriber could get which offer over which channel, with the facts for value and rules."""

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
    "place int, known_as string>>"
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

    Other columns: priority, horizon_months, saving, income_change and present_cost (yuan a month),
    match_rank, brand, branch, preference_rank and score (of the channel; NULL: not ranked), place
    (order of the channel), and the facts offer_open, recommended, match_reasons, active,
    has_number, owned. A fact is false if it is not known.
    """
    facts = (
        tables.match.drop("data_date", "months")
        .withColumnRenamed("package_id", "offer")
        .withColumnRenamed("rank", "match_rank")
        .withColumnRenamed("reasons", "match_reasons")
        .withColumnRenamed("mean_present_cost", "present_cost")
        .where(~_has_rows_of_its_own())
        .withColumn(
            "wanted", F.when(_is_whole(), F.col("new_packages")).otherwise(F.col("packages"))
        )
        .join(_people(tables.subscribers), "subscriber_id")
        .join(_held(tables.subscriptions, data_date), "subscriber_id", "left")
        .join(_reachable(tables.identity, data_date), "subscriber_id", "left")
        .join(_preferences(tables.preference), "customer_id", "left")
        .withColumn("_way", F.explode(_ways(campaigns, channels, data_date)))
        .select("*", "_way.*")
        .withColumn("_liked", F.col("preferred")[F.col("known_as")])
    )
    return facts.select(
        "customer_id",
        "subscriber_id",
        "campaign_id",
        "offer",
        "channel",
        "wave",
        "priority",
        "horizon_months",
        "saving",
        "income_change",
        "present_cost",
        "match_rank",
        "brand",
        "branch",
        F.col("_liked.rank").alias("preference_rank"),
        F.col("_liked.score").alias("score"),
        "place",
        _is_open(open_offers).alias("offer_open"),
        "recommended",
        "match_reasons",
        F.coalesce(F.col("status") == "active", F.lit(False)).alias("active"),
        F.coalesce("has_number", F.lit(False)).alias("has_number"),
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
    return subscribers.select("subscriber_id", "customer_id", "brand", "branch", "status")


def _held(subscriptions: DataFrame, data_date: date) -> DataFrame:
    """(subscriber_id, held): the packages in force on the day."""
    return (
        subscriptions.where(valid_at(F.lit(data_date)))
        .groupBy("subscriber_id")
        .agg(F.collect_set("package_id").alias("held"))
    )


def _reachable(identity: DataFrame, data_date: date) -> DataFrame:
    return numbers_on(identity, data_date).select("subscriber_id", F.lit(True).alias("has_number"))


def _preferences(preference: DataFrame) -> DataFrame:
    """(customer_id, preferred): channel → rank and score, so that no row is joined per channel."""
    entry = F.struct("channel", F.struct("rank", "score"))
    return preference.groupBy("customer_id").agg(
        F.map_from_entries(F.collect_list(entry)).alias("preferred")
    )


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
            F.lit(channels[name].known_as),
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
