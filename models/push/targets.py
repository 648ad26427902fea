"""The rows of push.<channel>: one per customer and offer pushed over the channel."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

import pyarrow as pa
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import StringType, StructField, StructType

from models.customer.identity import numbers_on
from models.drawing import bill_comparison
from models.frames.lookup import looked_up
from models.push import facts, message
from models.tariff.amounts import BUCKETS
from schemas.config import Campaign, Channel
from schemas.config.campaign_plan import questionnaire_text
from schemas.config.channel import MESSAGE_COLUMNS
from schemas.config.contact_policy import ContactChannel
from schemas.currency import Currency

# S2-10: both bills line by line, and a picture of them.
COMPARED = ("before_lines", "after_lines", "picture")
# How often an offer is repeated before it pauses. The source documents require the figure (9-07)
# but give none, so this one is assumed.
BEST_FREQUENCY = 3
WHOLE = "whole"  # the kind of whole alternatives in mart.package_match


@dataclass(frozen=True)
class Snapshots:
    """The tables that the rows of a channel are built from.

    `decisions`: mart.decision of the day. `match` and `quotes`: the last snapshots of
    mart.package_match and mart.package_quote. `identity`: the day's snapshot of
    dw.subscriber_identity. `contacts`: dw.contact_event up to the day. `others`: what facts need
    besides, by the names of FACT_TABLES.
    """

    decisions: DataFrame
    match: DataFrame
    quotes: DataFrame
    identity: DataFrame
    contacts: DataFrame
    others: Mapping[str, DataFrame] = field(default_factory=dict)


def targets(
    tables: Snapshots,
    *,
    campaigns: Sequence[Campaign],
    package_names: Mapping[str, str],
    channel: Channel,
    contact: ContactChannel | None,
    columns: Sequence[str],
    data_date: date,
    currency: Currency,
) -> DataFrame:
    """push.<channel>: one row per pushed decision of the channel, in the contract's `columns`.

    `contact`: when the channel works its list. `served` counts how often the customer was reached
    for the campaign over the channel.
    Costs are a month's, rounded half up to the minor unit of the currency; saving is their
    difference as printed. The name of an alternative is that of all its packages.
    """
    rows = (
        _offers(tables, channel.id, currency)
        .join(numbers_on(tables.identity, data_date), "subscriber_id")
        .withColumn("data_date", F.lit(data_date))
        .withColumn(
            "package_name",
            F.array_join(
                F.transform("packages", lambda one: looked_up(one, package_names, "string")), "+"
            ),
        )
        .withColumn("saving", (F.col("cost_before") - F.col("cost_after")).cast(_printed(currency)))
        .withColumn("valid_until", _valid_until(campaigns, channel.id, data_date))
        .withColumn(
            "reason",
            F.when(
                F.col("months").isNotNull(),
                F.format_string(
                    "近%d个月中有%d个月更省，平均每月节省%s%s",
                    "months",
                    "months_won",
                    F.col("saving").cast("string"),
                    F.lit(currency.name),
                ),
            ).otherwise(_of_campaign(campaigns)),
        )
        .withColumn("currency", F.lit(currency.name))
        .withColumn("script", _script(campaigns, channel.id))
        .withColumn("questionnaire", _questionnaire(campaigns, channel.id))
        .withColumn("knowledge_sms", _knowledge(campaigns))
    )
    if {"served", "best_frequency"} & set(columns):
        rows = (
            rows.join(_served(tables.contacts, channel), ["customer_id", "campaign_id"], "left")
            .fillna(0, ["served"])
            .withColumn("best_frequency", F.lit(BEST_FREQUENCY))
        )
    if "best_wave" in columns:
        rows = rows.withColumn("best_wave", _best_wave(campaigns))
    if set(COMPARED) & set(columns):
        rows = _compared(
            rows.join(_means(rows, tables.quotes), ["subscriber_id", "package_id"], "left"),
            currency,
        )
    if channel.push is not None:
        if channel.push.message is not None and set(MESSAGE_COLUMNS) & set(columns):
            rows = message.described(rows, channel.push.message, contact, data_date)
        known = {
            "decision": tables.decisions,
            "match": tables.match,
            "quote": tables.quotes,
            **tables.others,
        }
        rows = facts.joined(rows, channel.push.facts, known, channel.id)
    return rows.select(*columns)


def _printed(currency: Currency) -> str:
    """The type of an amount with the decimals that people get."""
    return f"decimal(18,{currency.minor_unit})"


def _offers(tables: Snapshots, channel: str, currency: Currency) -> DataFrame:
    """The pushed decisions of the channel with what their match says of the offer."""

    def rounded(cost: str) -> Column:
        return F.round(cost, currency.minor_unit).cast(_printed(currency))

    pushed = tables.decisions.where(
        (F.col("channel") == channel) & (F.col("fate") == "pushed")
    ).select(
        "campaign_id", "wave", "customer_id", "subscriber_id", F.col("offer").alias("package_id")
    )
    return pushed.join(
        tables.match.where("recommended").select(
            "subscriber_id",
            "package_id",
            "kind",
            "packages",
            "new_packages",
            "months",
            "months_won",
            "mean_present_cost",
            "mean_cost",
            rounded("mean_present_cost").alias("cost_before"),
            rounded("mean_cost").alias("cost_after"),
        ),
        ["subscriber_id", "package_id"],
        "left",
    ).withColumn("packages", F.coalesce("packages", F.split("package_id", r"\+")))


def _of_campaign(campaigns: Sequence[Campaign]) -> Column:
    """Why a customer gets an offer that is no package: the campaign whose target he is."""
    names = {campaign.id: f"符合活动目标：{campaign.name_cn}" for campaign in campaigns}
    return looked_up(F.col("campaign_id"), names, "string")


def _valid_until(campaigns: Sequence[Campaign], channel: str, data_date: date) -> Column:
    """The last day of the offer over the channel."""
    last_days = {campaign.id: campaign.last_day_on(channel, data_date) for campaign in campaigns}
    return looked_up(F.col("campaign_id"), last_days, "date")


def _script(campaigns: Sequence[Campaign], channel: str) -> Column:
    """The campaign's script for the channel with its {placeholders} filled.

    Bills and savings of an offer that is no package are not known; they stay empty.
    """
    texts = {campaign.id: campaign.script_on(channel) for campaign in campaigns}
    script = looked_up(F.col("campaign_id"), texts, "string")
    for place in (
        "cost_before",
        "cost_after",
        "saving",
        "currency",
        "months_won",
        "valid_until",
        "package_name",
    ):
        value = F.coalesce(F.col(place).cast("string"), F.lit(""))
        script = F.replace(script, F.lit("{" + place + "}"), value)
    return script


def _best_wave(campaigns: Sequence[Campaign]) -> Column:
    waves = {campaign.id: campaign.best_wave for campaign in campaigns}
    return looked_up(F.col("campaign_id"), waves, "int")


def _questionnaire(campaigns: Sequence[Campaign], channel: str) -> Column:
    """The campaign's questions for the channel; null without any."""
    texts = {
        campaign.id: questionnaire_text(campaign.questionnaires[channel])
        for campaign in campaigns
        if channel in campaign.questionnaires
    }
    return looked_up(F.col("campaign_id"), texts, "string")


def _knowledge(campaigns: Sequence[Campaign]) -> Column:
    """The knowledge message of the offer (B2); null: the offer has none."""
    texts = {
        f"{campaign.id}|{name}": offer.knowledge.on("{valid_until}")
        for campaign in campaigns
        for name, offer in campaign.offers.items()
        if offer.knowledge
    }
    text = looked_up(F.concat_ws("|", "campaign_id", "package_id"), texts, "string")
    return F.replace(text, F.lit("{valid_until}"), F.col("valid_until").cast("string"))


def _served(contacts: DataFrame, channel: Channel) -> DataFrame:
    """(customer_id, campaign_id, served): contacts over the channel that reached the customer."""
    reached = (F.col("channel") == channel.known_as) & ~F.col("result").eqNullSafe("not_reached")
    if channel.logged_as is not None:
        reached &= F.col("direction") == channel.logged_as.direction
    return (
        contacts.where(reached & F.col("customer_id").isNotNull())
        .groupBy("customer_id", F.col("campaign_id").alias("campaign_id"))
        .agg(F.count("*").cast("int").alias("served"))
    )


def _means(rows: DataFrame, quotes: DataFrame) -> DataFrame:
    """Per pushed (subscriber, offer): the mean of every line before and after the change.

    `priced_months` is the number of months in the mean. A month counts if it is comparable under
    each present package that is replaced, at least one, and under each new one. An alternative
    replaces the present packages that it does not keep.
    """
    quote = quotes.select(
        "subscriber_id",
        "month",
        "is_present",
        "comparable",
        F.col("package_id").alias("quoted"),
        F.col("kind").alias("quoted_kind"),
        *BUCKETS,
    )
    offers = rows.select(
        "subscriber_id", "package_id", "kind", "packages", "new_packages"
    ).distinct()
    whole = F.col("kind") == WHOLE
    after = F.array_contains("new_packages", F.col("quoted"))
    before = F.col("is_present") & F.when(
        whole, ~F.array_contains("packages", F.col("quoted"))
    ).otherwise(F.col("quoted_kind") == F.col("kind"))

    def lines(side: Column) -> Column:
        return F.struct(*(F.sum(F.when(side, F.col(line))).alias(line) for line in BUCKETS))

    return (
        offers.join(quote, "subscriber_id")
        .where(after | before)
        .groupBy("subscriber_id", "package_id", "month")
        .agg(
            F.every("comparable").alias("priced"),
            F.count_if(before).alias("replaced"),
            F.count_if(after).alias("found"),
            F.first(F.size("new_packages")).alias("wanted"),
            lines(before).alias("before"),
            lines(after).alias("after"),
        )
        .where("priced AND replaced > 0 AND found = wanted")
        .groupBy("subscriber_id", "package_id")
        .agg(
            F.count("*").alias("priced_months"),
            *(
                F.struct(*(F.avg(f"{side}.{line}").alias(line) for line in BUCKETS)).alias(side)
                for side in ("before", "after")
            ),
        )
    )


def _compared(rows: DataFrame, currency: Currency) -> DataFrame:
    """`rows` with the columns COMPARED.

    Pictures are drawn row by row in Python. Only channels that show pictures need them, which is
    some thousand rows a night.
    """
    schema = StructType(
        [*rows.schema.fields, *(StructField(name, StringType()) for name in COMPARED)]
    )
    return rows.mapInArrow(_drawn(rows.columns, currency), schema)


def _drawn(
    names: Sequence[str], currency: Currency
) -> Callable[[Iterable[pa.RecordBatch]], Iterable[pa.RecordBatch]]:
    needed = (
        "package_name",
        "months",
        "priced_months",
        "mean_present_cost",
        "mean_cost",
        "before",
        "after",
    )

    def draw(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            drawn = [_comparison(row, currency) for row in batch.select(needed).to_pylist()]
            added = zip(*drawn, strict=True) if drawn else [()] * len(COMPARED)
            yield pa.RecordBatch.from_arrays(
                [*batch.columns, *(pa.array(column, pa.string()) for column in added)],
                [*names, *COMPARED],
            )

    return draw


def _comparison(row: Mapping, currency: Currency) -> tuple[str | None, str | None, str | None]:
    """Both bills of a row as JSON with amounts as text, and their picture.

    An offer that is no package has none. If a compared month is not priced on both sides, only
    totals are shown: means of lines over fewer months would not add up to the total.
    """
    if row["months"] is None:
        return None, None, None
    itemised = row["priced_months"] == row["months"]
    before, after = (
        bill_comparison.stated(row[mean], row[lines] if itemised else None, currency)
        for mean, lines in (("mean_present_cost", "before"), ("mean_cost", "after"))
    )
    picture = bill_comparison.picture(
        f"换用{row['package_name']}：近{row['months']}个月平均每月费用",
        "平均每月",
        bill_comparison.Side("使用前", before),
        bill_comparison.Side("换用后", after),
        currency,
    )
    return _json(before), _json(after), picture


def _json(amounts: Mapping[str, Decimal]) -> str:
    return json.dumps(
        {line: str(amount) for line, amount in amounts.items()}, separators=(",", ":")
    )
