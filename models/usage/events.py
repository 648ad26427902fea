"""Guiding 指引: the rating cell of each usage event.

A rating cell is one combination of the facts that can decide a price (dw.rating_cell). It is found
once, when the record is ingested. Quantities are integers in base units (seconds, bytes, messages).
Fees of guided records are integers in micro-yuan (10⁻⁶ yuan), as exact as the records.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, timedelta

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from models.frames.validity import valid_at
from models.tariff.measure import FACTS, FEES
from models.tariff.package import DAY_SECONDS

SATURDAY, SUNDAY = 7, 1


def guide(
    events: DataFrame,
    identity: DataFrame,
    cuts: Mapping[str, Sequence[int]],
    holidays: Collection[date],
) -> DataFrame:
    """One row per event with the paying subscriber and its rating cell; fees are in micro-yuan.

    `events`: of record_parts. A `sign` of −1 means that the delivery takes the event back.
    `identity` is one snapshot of dw.subscriber_identity, joined as of the instant of the event. If
    nobody held the number then, subscriber_id is null and `unheld` is the number; the caller counts
    these rows and `cube.by_day` leaves them out. `cuts` holds by service the local seconds at which
    a band of the catalogue changes. A day in `holidays` is a holiday; any other Saturday or Sunday
    is a weekend day.
    """
    slot, friend = _slot(cuts), F.col("in_group")
    # Written out where the seconds of a slot and the two words are constants: read as columns they
    # would be made into text event by event.
    known = {**slot, "in_group": F.when(friend, "true").when(~friend, "false")}
    texts = (known.get(fact, F.col(fact)).cast("string") for fact in FACTS)
    return (
        _owned(events.withColumn("day_type", _day_type(holidays)), identity)
        .withColumns(slot)
        .withColumn("cell_id", F.xxhash64(*(F.coalesce(text, F.lit("")) for text in texts)))
        .select(
            "source",
            "batch_date",
            "subscriber_id",
            "unheld",
            "occurred_at",
            "event_key",
            "local_date",
            "local_second",
            "cell_id",
            *FACTS,
            "sign",
            "quantity",
            *FEES,
        )
    )


def _owned(events: DataFrame, identity: DataFrame) -> DataFrame:
    """The events with the subscriber who held the number at their instant, or with `unheld`."""
    owners = identity.select(
        F.col("msisdn").alias("owned"), "subscriber_id", "valid_from", "valid_to"
    )
    held = (F.col("msisdn") == F.col("owned")) & valid_at(F.col("occurred_at"))
    unheld = F.when(F.col("subscriber_id").isNull(), F.col("msisdn"))
    return (
        events.join(owners, held, "left")
        .withColumn("unheld", unheld)
        .drop("msisdn", "owned", "valid_from", "valid_to")
    )


def first_delivery(month: date) -> date:
    """The first delivery that may hold an event of a month: that of the day before the month.

    Ingest accepts an event up to one day after its delivery.
    """
    return month - timedelta(days=1)


def cells(guided: DataFrame) -> DataFrame:
    """The distinct rating cells of guided records (dw.rating_cell)."""
    return guided.where("subscriber_id IS NOT NULL").select("cell_id", *FACTS).distinct()


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
