"""From records to the usage cube: guiding 指引 resolves each record's rating cell once.

A rating cell is one combination of the facts that can decide a price (dw.rating_cell); a measure is
one way to round an event's quantity (dw.rating_measure). Rounding is per event and before every
sum, so whatever is priced from the cube later is exact. Quantities are integers in base units
(seconds, bytes, messages), fees of guided records integers in 厘 (thousandths of a yuan).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, timedelta
from functools import reduce
from typing import NamedTuple

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from models.tariff.measure import FACTS, FEES, Measure
from models.tariff.package import DAY_SECONDS
from models.usage.data_session import ADDED
from models.usage.measure_column import laid_by_batch, value

EVENT_KEYS = ("batch_date", "msisdn", "occurred_at", "local_date", "local_second")
SATURDAY, SUNDAY = 7, 1


class Records(NamedTuple):
    """ods.voice_call, ods.message, the merged sessions of models.data_session, ods.wlan_session."""

    voice: DataFrame
    messages: DataFrame
    sessions: DataFrame
    wlan: DataFrame


def events(records: Records, identity: DataFrame, holidays: Collection[date]) -> DataFrame:
    """One row per event: who pays, when, the facts that can decide a price, quantity and fees.

    A `sign` of −1 says that the night takes the event (a data session) back. `identity` is one
    snapshot of dw.subscriber_identity, joined as of the instant of the record. A number nobody
    held then keeps a null subscriber_id. Missed calls have quantity 0. `airtime_fee` is the basic
    fee of the service: airtime, message or volume. A day in `holidays` is a holiday, else Saturday
    and Sunday are weekend.
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
    held = (
        (F.col("msisdn") == F.col("owned"))
        & (F.col("valid_from") <= F.col("occurred_at"))
        & (F.col("valid_to").isNull() | (F.col("occurred_at") < F.col("valid_to")))
    )
    return together.join(owners, held, "left").drop("msisdn", "owned", "valid_from", "valid_to")


def guide(
    records: Records,
    identity: DataFrame,
    cuts: Mapping[str, Sequence[int]],
    holidays: Collection[date],
) -> DataFrame:
    """The events as `events` has them, each with its rating cell; fees in 厘.

    A number nobody held keeps a null subscriber_id (counted by the caller, left out by `by_day`).
    `cuts` are the local seconds at which the catalogue's bands change, by service.
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
            "local_date",
            "local_second",
            "cell_id",
            *FACTS,
            "sign",
            "quantity",
            *((F.col(fee) * 1000).cast("bigint").alias(fee) for fee in FEES),
        )
    )


def first_delivery(month: date) -> date:
    """The first delivery that may hold an event of a month: of the day before the month begins,
    since ingest accepts an event up to one day after its delivery."""
    return month - timedelta(days=1)


def cells(guided: DataFrame) -> DataFrame:
    """The distinct rating cells of guided records (dw.rating_cell)."""
    return guided.where("subscriber_id IS NOT NULL").select("cell_id", *FACTS).distinct()


def by_day(
    guided: DataFrame, measures: Sequence[Measure], holidays: Collection[date] = ()
) -> DataFrame:
    """dw.usage_day: guided records added up by delivery, subscriber, local day and cell.

    `billed` holds, by measure_no of the cell's service, the sum of what the measure makes of each
    event. Records of unknown numbers are left out, and what an event taken back leaves of nothing.
    """
    services = sorted({measure.service for measure in measures})
    deepest = max((measure.measure_no for measure in measures), default=0)
    service_no = F.coalesce(
        *(F.when(F.col("service") == name, no) for no, name in enumerate(services)), F.lit(-1)
    )
    events = guided.where("subscriber_id IS NOT NULL").select(
        "batch_date",
        "subscriber_id",
        "local_date",
        "local_second",
        "cell_id",
        "sign",
        "quantity",
        service_no.alias("service_no"),
        *FEES,
    )
    laid = laid_by_batch(measures, services, holidays)
    if laid is not None:
        events = events.withColumn("laid", laid)
    sums = [
        F.sum(value(measures, services, no) * F.col("sign")).alias(f"billed_{no}")
        for no in range(1, deepest + 1)
    ]
    # Only integers in the keys: grouping by the strings of a cell costs two and a half times more.
    # Shuffled before they are added up: a subscriber's calls of a day are too few for sums made
    # before the shuffle to be fewer. A cell is of one service, so that is no key.
    grouped = (
        events.repartition("subscriber_id")
        .groupBy("batch_date", "subscriber_id", "local_date", "cell_id")
        .agg(
            F.max("service_no").alias("service_no"),
            F.sum("sign").alias("events"),
            F.sum(F.when(F.col("quantity") > 0, F.col("sign")).otherwise(0)).alias("billed_events"),
            F.sum(F.col("quantity") * F.col("sign")).alias("quantity"),
            *sums,
            *(F.sum(F.col(fee) * F.col("sign")).alias(fee) for fee in FEES),
        )
        .where(_any_left(deepest))
    )
    depth = F.coalesce(
        *(
            F.when(F.col("service_no") == no, sum(m.service == name for m in measures))
            for no, name in enumerate(services)
        ),
        F.lit(0),
    )
    return grouped.select(
        "batch_date",
        "subscriber_id",
        "local_date",
        "cell_id",
        "events",
        "billed_events",
        "quantity",
        _billed_array([F.col(f"billed_{no}") for no in range(1, deepest + 1)], depth),
        *FEES,
    )


def by_month(
    usage_day: DataFrame, months: Collection[date], measures: Sequence[Measure]
) -> DataFrame:
    """dw.usage_month: the days of the months (first days) added up, one row per subscriber.

    Cells stand in order of cell_id. Where a day lacks a measure that was registered after it, the
    month lacks it too: its array is as long as the shortest of its days. A cell of which late
    parts of sessions have taken everything back is left out.
    """
    wanted = [F.col("local_date").between(month, _last_day(month)) for month in sorted(months)]
    return added_up(
        usage_day.where(_any_of(wanted)).withColumn("month", F.trunc("local_date", "month")),
        measures,
    )


def added_up(usage_day: DataFrame, measures: Sequence[Measure]) -> DataFrame:
    """`by_month` of days that say to which `month` (or part of one) they belong."""
    deepest = max((measure.measure_no for measure in measures), default=0)
    # One shuffle serves both groupings.
    by_cell = (
        usage_day.repartition("subscriber_id")
        .groupBy("month", "subscriber_id", "cell_id")
        .agg(
            F.sum("events").alias("events"),
            F.sum("billed_events").alias("billed_events"),
            F.sum("quantity").alias("quantity"),
            F.min(F.size("billed")).alias("depth"),
            *(
                F.sum(F.get("billed", F.lit(no - 1))).alias(f"billed_{no}")
                for no in range(1, deepest + 1)
            ),
            *(F.sum(fee).alias(fee) for fee in FEES),
        )
        .where(_any_left(deepest))
    )
    billed = _billed_array([F.col(f"billed_{no}") for no in range(1, deepest + 1)], F.col("depth"))
    measured = F.struct("cell_id", "events", "billed_events", "quantity", billed, *FEES)
    return by_cell.groupBy("month", "subscriber_id").agg(
        F.sort_array(F.collect_list(measured)).alias("cells")
    )


def depths(usage_month: DataFrame, rating_cells: DataFrame) -> DataFrame:
    """Rows (month, service, depth): the shortest array `billed` (see measure.refuse_lacking)."""
    used = usage_month.select("month", F.explode("cells").alias("cell")).select(
        "month", "cell.cell_id", F.size("cell.billed").alias("depth")
    )
    services = F.broadcast(rating_cells.select("cell_id", "service"))
    return (
        used.groupBy("month", "cell_id")
        .agg(F.min("depth").alias("depth"))
        .join(services, "cell_id")
        .groupBy("month", "service")
        .agg(F.min("depth").alias("depth"))
    )


def _calls(voice: DataFrame) -> DataFrame:
    return voice.select(
        *EVENT_KEYS,
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
    return sessions.select(
        *EVENT_KEYS,
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
    """Counted in seconds; at another operator's hot spot the customer is abroad."""
    return sessions.select(
        *EVENT_KEYS,
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
    return F.lit(0).cast("decimal(12,3)").alias(name)


def _day_type(holidays: Collection[date]) -> Column:
    weekend = F.dayofweek("local_date").isin(SATURDAY, SUNDAY)
    ordinary = F.when(weekend, "weekend").otherwise("workday")
    if not holidays:
        return ordinary
    return F.when(F.col("local_date").isin(*sorted(holidays)), "holiday").otherwise(ordinary)


def _slot(cuts: Mapping[str, Sequence[int]]) -> dict[str, Column]:
    """The slot [slot_from, slot_to) between two cuts of the service in which the event began."""
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


def _any_left(deepest: int) -> Column:
    """Whether anything is left in a sum of what was added and taken back."""
    sums = (
        "events",
        "billed_events",
        "quantity",
        *FEES,
        *(f"billed_{no}" for no in range(1, deepest + 1)),
    )
    return _any_of([F.coalesce(F.col(name) != 0, F.lit(False)) for name in sums])


def _billed_array(sums: Sequence[Column], depth: Column) -> Column:
    if not sums:
        return F.array().cast("array<bigint>").alias("billed")
    return F.slice(F.array(*sums), F.lit(1), depth).alias("billed")


def _last_day(month: date) -> date:
    return (month.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)


def _any_of(conditions: Sequence[Column]) -> Column:
    return reduce(lambda left, right: left | right, conditions, F.lit(False))
