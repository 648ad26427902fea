"""Which subscriber could get which offer over which channel, with the facts for value and rules."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from models.customer.identity import numbers_on
from models.frames.lookup import looked_up
from models.frames.money import AMOUNT_TYPE
from models.frames.validity import valid_at
from schemas.config import Campaign, Channel

WHOLE = "whole"  # the kind of whole alternatives in mart.package_match
WAYS = (
    "array<struct<campaign_id string, wave int, priority int, horizon_months int, channel string, "
    "place int, known_as string>>"
)
OFFERS = f"array<struct<offer string, saving {AMOUNT_TYPE}, income_change {AMOUNT_TYPE}>>"
# What a candidate says of its offer, whether a match or the campaign tells it.
OFFER = (
    "subscriber_id",
    "offer",
    "wanted",
    "saving",
    "income_change",
    "present_cost",
    "match_rank",
    "recommended",
    "match_reasons",
    "_way",
)


@dataclass(frozen=True)
class Snapshots:
    """The tables that the candidates of a day are built from.

    `match`: the last snapshot of mart.package_match. The others are the day's snapshots of
    dw.subscriber, dw.subscription, dw.subscriber_identity, mart.channel_preference and mart.target.
    `serving`: (subscriber_id, serving) with the channels whose required fact is known of the
    subscriber; None if no channel requires one.
    """

    match: DataFrame
    subscribers: DataFrame
    subscriptions: DataFrame
    identity: DataFrame
    preference: DataFrame
    targets: DataFrame
    serving: DataFrame | None = None


def candidates(
    tables: Snapshots,
    *,
    campaigns: Sequence[Campaign],
    channels: Mapping[str, Channel],
    open_offers: Mapping[str, Collection[str]],
    data_date: date,
) -> DataFrame:
    """One row per customer × subscriber × campaign × offer × channel × wave.

    A campaign with `offers` meets the subscribers of its target; every other campaign meets the
    rows of the match, those of its target only if it has one. Each is combined with every channel
    of every wave that is due for the customer on `data_date`.
    Of whole alternatives without a new bundle each change has a row of its own. The offer of an
    alternative is its id; it is open if all of its new packages are, and owned if the customer has
    them all.
    `open_offers`: packages that may be ordered on the day → the brands that may order them (empty:
    every brand).

    Other columns: priority, horizon_months, saving, income_change and present_cost (yuan a month),
    match_rank, brand, branch, preference_rank and score (of the channel; NULL: not ranked), place
    (order of the channel), and the facts offer_open, recommended, match_reasons, active,
    has_number, served (the channel has what it requires of the customer), owned. A fact is false
    if it is not known.
    """
    matched = [one for one in campaigns if not one.offers]
    offering = [one for one in campaigns if one.offers]
    of_target = _of_target(tables.targets)
    rows = (
        _matched(tables.match, matched, of_target, channels, data_date)
        .unionByName(_offering(tables.match, offering, of_target, channels, data_date))
        .join(_people(tables.subscribers), "subscriber_id")
        .join(_held(tables.subscriptions, data_date), "subscriber_id", "left")
        .join(_reachable(tables.identity, data_date), "subscriber_id", "left")
        .join(_preferences(tables.preference), "customer_id", "left")
        .transform(_with_serving, tables.serving)
        .select("*", "_way.*")
        .withColumn("_liked", F.col("preferred")[F.col("known_as")])
    )
    of_campaign = F.col("campaign_id").isin([one.id for one in offering])
    return rows.select(
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
        (of_campaign | _is_open(open_offers)).alias("offer_open"),
        "recommended",
        "match_reasons",
        F.coalesce(_may_be_contacted(campaigns), F.lit(False)).alias("active"),
        F.coalesce("has_number", F.lit(False)).alias("has_number"),
        _is_served(channels).alias("served"),
        F.coalesce(
            F.forall("wanted", lambda one: F.array_contains("held", one)), F.lit(False)
        ).alias("owned"),
    )


def _may_be_contacted(campaigns: Sequence[Campaign]) -> Column:
    """Active subscribers; care also reaches those in arrears, such as a reminder to pay."""
    care = [one.id for one in campaigns if one.type == "care"]
    in_arrears = F.col("campaign_id").isin(care) & (F.col("status") == "arrears")
    return (F.col("status") == "active") | in_arrears


def _of_target(targets: DataFrame) -> DataFrame:
    """(subscriber_id, due): the campaigns and waves whose target the subscriber meets."""
    wave = F.concat_ws("|", "campaign_id", "wave")
    return (
        targets.select(F.explode("subscriber_ids").alias("subscriber_id"), wave.alias("_wave"))
        .groupBy("subscriber_id")
        .agg(F.collect_set("_wave").alias("due"))
    )


def _is_due() -> Column:
    wave = F.concat_ws("|", F.col("_way.campaign_id"), F.col("_way.wave"))
    return F.coalesce(F.array_contains("due", wave), F.lit(False))


def _matched(
    match: DataFrame,
    campaigns: Sequence[Campaign],
    of_target: DataFrame,
    channels: Mapping[str, Channel],
    data_date: date,
) -> DataFrame:
    """The rows of the match for every way of the campaigns that offer packages (OFFER)."""
    everybody = [one.id for one in campaigns if one.target is None]
    return (
        match.drop("data_date", "months")
        .withColumnRenamed("package_id", "offer")
        .withColumnRenamed("rank", "match_rank")
        .withColumnRenamed("reasons", "match_reasons")
        .withColumnRenamed("mean_present_cost", "present_cost")
        .where(~_has_rows_of_its_own())
        .withColumn(
            "wanted", F.when(_is_whole(), F.col("new_packages")).otherwise(F.col("packages"))
        )
        .withColumn("_way", F.explode(_ways(campaigns, channels, data_date)))
        .join(of_target, "subscriber_id", "left")
        .where(F.col("_way.campaign_id").isin(everybody) | _is_due())
        .select(*OFFER)
    )


def _offering(
    match: DataFrame,
    campaigns: Sequence[Campaign],
    of_target: DataFrame,
    channels: Mapping[str, Channel],
    data_date: date,
) -> DataFrame:
    """The subscribers of the targets for every way of the campaigns that offer businesses (OFFER).

    The present bill is that of the match, as far as there is one.
    """
    bills = match.groupBy("subscriber_id").agg(F.max("mean_present_cost").alias("present_cost"))
    return (
        of_target.withColumn("_way", F.explode(_ways(campaigns, channels, data_date)))
        .where(_is_due())
        .withColumn("_offer", F.explode(_offers(campaigns)[F.col("_way.campaign_id")]))
        .select("*", "_offer.*")
        .join(bills, "subscriber_id", "left")
        .withColumn("wanted", F.array("offer"))
        .withColumn("match_rank", F.lit(None).cast("int"))
        .withColumn("recommended", F.lit(True))
        .withColumn("match_reasons", F.array().cast("array<string>"))
        .select(*OFFER)
    )


def _offers(campaigns: Sequence[Campaign]) -> Column:
    """Campaign → its offers (OFFERS)."""
    entries = [
        one
        for campaign in campaigns
        for one in (
            F.lit(campaign.id),
            F.array(
                *(
                    F.struct(F.lit(name), F.lit(offer.saving), F.lit(offer.margin))
                    for name, offer in sorted(campaign.offers.items())
                )
            ).cast(OFFERS),
        )
    ]
    if not entries:
        return F.lit(None).cast(f"map<string, {OFFERS}>")
    return F.create_map(*entries)


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


def _with_serving(rows: DataFrame, serving: DataFrame | None) -> DataFrame:
    if serving is None:
        return rows.withColumn("serving", F.array().cast("array<string>"))
    return rows.join(serving, "subscriber_id", "left")


def _is_served(channels: Mapping[str, Channel]) -> Column:
    """Whether the channel asks for no fact of the subscriber, or the fact is known."""
    asking = sorted(name for name, channel in channels.items() if channel.requires)
    known = F.coalesce(F.array_contains("serving", F.col("channel")), F.lit(False))
    return ~F.col("channel").isin(asking) | known


def _ways(
    campaigns: Sequence[Campaign], channels: Mapping[str, Channel], data_date: date
) -> Column:
    """The waves and channels of all valid campaigns as one array; NULL if there is none."""
    ways = [
        F.struct(
            F.lit(campaign.id),
            F.lit(wave),
            F.lit(campaign.priority),
            F.lit(campaign.horizon_months),
            F.lit(name),
            F.lit(channels[name].order),
            F.lit(channels[name].known_as),
        )
        for campaign in campaigns
        if campaign.valid_on(data_date)
        for wave, name in campaign.ways_on(data_date)
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
