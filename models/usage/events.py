"""Guiding 指引: the events of all usage records, each with its rating cell.

A rating cell is one combination of the facts that can decide a price (dw.rating_cell). It is found
once, when the record is ingested. Quantities are integers in base units (seconds, bytes, messages).
Fees of guided records are integers in micro-yuan (10⁻⁶ yuan), as exact as the records.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, timedelta
from typing import NamedTuple

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from models.frames.money import micro_yuan
from models.frames.validity import valid_at
from models.tariff.measure import FACTS, FEES
from models.tariff.package import DAY_SECONDS
from models.usage.data_session import ADDED

EVENT_KEYS = ("batch_date", "msisdn", "occurred_at", "local_date", "local_second")
SATURDAY, SUNDAY = 7, 1


class Records(NamedTuple):
    """The usage records of some deliveries.

    `voice` is ods.voice_call, `messages` ods.message, `wlan` ods.wlan_session. `sessions` are the
    merged data sessions (`data_session.merged` or `data_session.contributions`).
    """

    voice: DataFrame
    messages: DataFrame
    sessions: DataFrame
    wlan: DataFrame


def events(records: Records, identity: DataFrame, holidays: Collection[date]) -> DataFrame:
    """One row per event: the paying subscriber, the time, the facts, the quantity and the fees.

    A `sign` of −1 means that the delivery takes the event (a data session) back. `identity` is one
    snapshot of dw.subscriber_identity, joined as of the instant of the record. If nobody held the
    number then, subscriber_id is null. A missed call has quantity 0. `event_key` orders the events
    of one instant; it follows from the record alone and never from the catalogue. `airtime_fee` is
    the basic fee of the service: airtime, message or volume. A day in `holidays` is a holiday; any
    other Saturday or Sunday is a weekend day.
    """
    together = (
        _calls(records.voice)
        .unionByName(_messages(records.messages))
        .unionByName(_sessions(records.sessions))
        .unionByName(_wlan(records.wlan))
        .withColumn("day_type", _day_type(holidays))
    )
    owners = identity.select(
        F.col("msisdn").alias("owned"), "subscriber_id", "valid_from", "valid_to"
    )
    held = (F.col("msisdn") == F.col("owned")) & valid_at(F.col("occurred_at"))
    return together.join(owners, held, "left").drop("msisdn", "owned", "valid_from", "valid_to")


def guide(
    records: Records,
    identity: DataFrame,
    cuts: Mapping[str, Sequence[int]],
    holidays: Collection[date],
) -> DataFrame:
    """The rows of `events`, each with its rating cell; fees are integers in micro-yuan.

    If nobody held the number, subscriber_id is null; the caller counts these rows and `cube.by_day`
    leaves them out. `cuts` holds by service the local seconds at which a band of the catalogue
    changes.
    """
    slot, friend = _slot(cuts), F.col("in_group")
    # Written out where the seconds of a slot and the two words are constants: read as columns they
    # would be made into text event by event.
    known = {**slot, "in_group": F.when(friend, "true").when(~friend, "false")}
    texts = (known.get(fact, F.col(fact)).cast("string") for fact in FACTS)
    return (
        events(records, identity, holidays)
        .withColumns(slot)
        .withColumn("cell_id", F.xxhash64(*(F.coalesce(text, F.lit("")) for text in texts)))
        .select(
            "batch_date",
            "subscriber_id",
            "occurred_at",
            "event_key",
            "local_date",
            "local_second",
            "cell_id",
            *FACTS,
            "sign",
            "quantity",
            *(micro_yuan(F.col(fee)).alias(fee) for fee in FEES),
        )
    )


def first_delivery(month: date) -> date:
    """The first delivery that may hold an event of a month: that of the day before the month.

    Ingest accepts an event up to one day after its delivery.
    """
    return month - timedelta(days=1)


def cells(guided: DataFrame) -> DataFrame:
    """The distinct rating cells of guided records (dw.rating_cell)."""
    return guided.where("subscriber_id IS NOT NULL").select("cell_id", *FACTS).distinct()


def _calls(voice: DataFrame) -> DataFrame:
    return voice.select(
        *EVENT_KEYS,
        F.col("record_key").alias("event_key"),
        F.lit("voice").alias("service"),
        "direction",
        "roaming",
        "toll",
        "dial",
        "in_group",
        F.lit(None).cast("string").alias("message_kind"),
        F.when(F.col("outcome") == "missed", 0)
        .otherwise(F.col("duration_s"))
        .cast("bigint")
        .alias("quantity"),
        _added(),
        "airtime_fee",
        "toll_fee",
        F.col("info_fee").alias("other_fee"),
    )


def _messages(messages: DataFrame) -> DataFrame:
    return messages.select(
        *EVENT_KEYS,
        F.col("record_key").alias("event_key"),
        "service",
        "direction",
        "roaming",
        *_without("toll", "dial"),
        F.lit(None).cast("boolean").alias("in_group"),
        F.col("kind").alias("message_kind"),
        F.lit(1).cast("bigint").alias("quantity"),
        _added(),
        F.col("fee").alias("airtime_fee"),
        _no_fee("toll_fee"),
        F.col("info_fee").alias("other_fee"),
    )


def _sessions(sessions: DataFrame) -> DataFrame:
    """Data sessions. They are merged from records, so what decides their price is their key."""
    return sessions.select(
        *EVENT_KEYS,
        F.xxhash64("roaming", "quantity").alias("event_key"),
        F.lit("data").alias("service"),
        "roaming",
        *_without("direction", "toll", "dial", "message_kind"),
        F.lit(None).cast("boolean").alias("in_group"),
        "quantity",
        "sign",
        F.col("fee").alias("airtime_fee"),
        _no_fee("toll_fee"),
        _no_fee("other_fee"),
    )


def _wlan(sessions: DataFrame) -> DataFrame:
    """WLAN sessions, counted in seconds. At another operator's hot spot the customer is abroad."""
    return sessions.select(
        *EVENT_KEYS,
        F.col("record_key").alias("event_key"),
        F.lit("wlan").alias("service"),
        F.when(F.col("roaming_carrier").isNull(), "home").otherwise("intl").alias("roaming"),
        *_without("direction", "toll", "dial", "message_kind"),
        F.lit(None).cast("boolean").alias("in_group"),
        F.col("duration_s").cast("bigint").alias("quantity"),
        _added(),
        F.col("fee").alias("airtime_fee"),
        _no_fee("toll_fee"),
        _no_fee("other_fee"),
    )


def _added() -> Column:
    return F.lit(ADDED).alias("sign")


def _without(*facts: str) -> list[Column]:
    return [F.lit(None).cast("string").alias(fact) for fact in facts]


def _no_fee(name: str) -> Column:
    return F.lit(0).cast("decimal(15,6)").alias(name)


def _day_type(holidays: Collection[date]) -> Column:
    weekend = F.dayofweek("local_date").isin(SATURDAY, SUNDAY)
    ordinary = F.when(weekend, "weekend").otherwise("workday")
    if not holidays:
        return ordinary
    return F.when(F.col("local_date").isin(*sorted(holidays)), "holiday").otherwise(ordinary)


def _slot(cuts: Mapping[str, Sequence[int]]) -> dict[str, Column]:
    """The slot [slot_from, slot_to) in which the event began: between two cuts of its service."""
    start, end = F.lit(0), F.lit(DAY_SECONDS)
    for service, seconds in sorted(cuts.items()):
        inner = sorted(second for second in set(seconds) if 0 < second < DAY_SECONDS)
        if not inner:
            continue
        lower, upper = F.lit(0), F.lit(DAY_SECONDS)
        for second in inner:
            lower = F.when(F.col("local_second") >= second, second).otherwise(lower)
        for second in reversed(inner):
            upper = F.when(F.col("local_second") < second, second).otherwise(upper)
        here = F.col("service") == service
        start, end = F.when(here, lower).otherwise(start), F.when(here, upper).otherwise(end)
    return {"slot_from": start.cast("int"), "slot_to": end.cast("int")}
