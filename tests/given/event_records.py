"""From the events of tests to delivered records, the usage cube, and every price of it."""

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from functools import reduce
from pathlib import Path
from random import Random

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from models.frames.money import yuan
from models.quote import holding, month_part
from models.rating import evaluator as rating
from models.rating import free_units
from models.rating.cube import Cube
from models.tariff import catalogue, measure
from models.tariff.segmentation import Segmentation, Steps
from models.usage import cube as usage_cube
from models.usage import events as usage_events
from models.usage import register
from models.usage.local_time import NEVER_CHANGED
from models.usage.register import Measure
from schemas.document import Document
from tests.given.frames import local_frame
from tests.given.rows import frame, named

CHINA = timezone(timedelta(hours=8))
TABLES = {"voice": "ods.voice_call", "message": "ods.message", "wlan": "ods.wlan_session"}
# What data_session.contributions gives: no table.
SESSIONS = (
    "batch_date date, msisdn string, occurred_at timestamp, local_date date, local_second int, "
    "roaming string, quantity long, sign int, fee decimal(15,6)"
)


def increments(service, measure_no, first, following):
    """The measure that adds up quantities rounded up per event to [first, following]."""
    segmentation = Segmentation.plain(Steps(first, ((0, following),)))
    return Measure(service, measure_no, measure.to_text(measure.Units(segmentation, ("", 0))))


def tariffs_of(packages):
    """The catalogue of some packages (plain mappings), keyed by the ids they get."""
    return catalogue.load(
        Document(Path(f"{name}.yml"), {**package, "id": name}, {})
        for name, package in packages.items()
    )


def guided(spark, customers, tariffs, holidays=(), fees=None, shuffled=None, partitions=1):
    """Guided records of customers (subscriber_id → events).

    `fees` maps an event to its recorded (basic, toll, info) fees. With `shuffled`, a seed, rows
    come in another order and are delivered on other days.
    """
    chance = None if shuffled is None else Random(shuffled)
    rows = [
        row
        for number, events in customers.items()
        for event in events
        for row in [record(number, event, (fees or {}).get(event, (0, 0, 0)), chance)]
    ]
    if chance:
        chance.shuffle(rows)
    cuts = {service: tariffs.cuts(service) for service in measure.SERVICES}
    records = [one.repartition(partitions) for one in frames(spark, rows)]
    return usage_events.guide(
        usage_events.Records(*records), owners(spark, customers), cuts, holidays
    )


def frames(spark, rows):
    """Rows of `record` as usage.Records: voice, messages, data sessions and WLAN."""
    of = {name: [row for kind, row in rows if kind == name] for name in (*TABLES, "data")}
    voice, messages, wlan = (frame(spark, table, *of[name]) for name, table in TABLES.items())
    sessions = local_frame(spark, [tuple(row.values()) for row in of["data"]], SESSIONS)
    return [voice, messages, sessions, wlan]


def owners(spark, numbers):
    """dw.subscriber_identity: subscriber 1 has the number n1 for good, and so on."""
    since = datetime(2008, 1, 1, tzinfo=CHINA)
    return held(spark, *((number, f"n{number}", since, None) for number in numbers))


def held(spark, *rows):
    """(subscriber, number, from, to) as dw.subscriber_identity."""
    columns = "subscriber_id msisdn valid_from valid_to"
    return frame(spark, "dw.subscriber_identity", *named(columns, *rows))


def evaluated(spark, customers, packages, toll_rerated="all", partitions=1, **how):
    """Every customer-month under every package through the whole path.

    `customers`: subscriber_id → (month, joined, events). Result: (subscriber_id, package_id) → row.
    """
    several = {number: ([month], *more) for number, (month, *more) in customers.items()}
    rows = evaluated_months(spark, several, packages, toll_rerated, partitions, **how)
    return {(number, name): row for (number, _, name), row in rows.items()}


def evaluated_months(
    spark,
    customers,
    packages,
    toll_rerated="all",
    partitions=1,
    nights=1,
    replay=True,
    zone=NEVER_CHANGED,
    **how,
):
    """As `evaluated`, for customers of several months: subscriber_id → (months, joined, events).

    Result: (subscriber_id, month, package_id) → row.
    """
    tariffs = tariffs_of(packages)
    records = guided(
        spark,
        {number: one[2] for number, one in customers.items()},
        tariffs,
        partitions=partitions,
        **how,
    )
    known = {number: one[:2] for number, one in customers.items()}
    return rated(
        spark,
        records,
        known,
        tariffs,
        toll_rerated,
        partitions,
        how.get("holidays", ()),
        nights,
        replay,
        zone,
    )


def rated(
    spark,
    records,
    customers,
    tariffs,
    toll_rerated="all",
    partitions=1,
    holidays=(),
    nights=1,
    replay=True,
    zone=NEVER_CHANGED,
):
    """Guided records under every package of a catalogue, as `evaluated_months` has the rows.

    `customers`: subscriber_id → (months, joined). With `nights` the records are added up in so many
    runs, as deliveries of so many nights would be. Without `replay` the cube is all there is.
    """
    measures = register.measures_wanted((), tariffs)
    days = by_nights(records, measures, holidays, nights, zone)
    used = {month for listed, _ in customers.values() for month in listed}
    months = usage_cube.by_month(days, used, measures)
    known = local_frame(
        spark,
        [
            (number, month, joined)
            for number, (listed, joined) in customers.items()
            for month in listed
        ],
        "subscriber_id long, month date, joined date",
    )
    cells, sold = usage_events.cells(records).collect(), list(tariffs.packages.values())
    cube = Cube(known.repartition(partitions), months, cells, measures)
    if replay:
        some = free_units.representatives(sold, toll_rerated)
        wanted = free_units.wanted(cube, some, toll_rerated)
        splits = free_units.split(records, wanted, cells, some, toll_rerated, holidays, zone)
        cube = replace(cube, splits=splits)
    priced = rating.evaluate(cube, sold, toll_rerated).withColumns(
        {name: yuan(F.col(name)) for name in rating.AMOUNTS}
    )
    return {(row.subscriber_id, row.month, row.package_id): row for row in priced.collect()}


def parts_priced(spark, customers, subscriptions, defaults, tariffs, toll_rerated="all", **how):
    """The months of customers in which a package or tariff changed, priced part by part, in yuan.

    `customers`: subscriber_id → (months, joined, events); `subscriptions` as dw.subscription has
    them. Result: (subscriber_id, month, kind) → row of month_part.priced, and the frame itself.
    """
    months = local_frame(
        spark,
        [
            (number, month, joined)
            for number, (listed, joined, _) in customers.items()
            for month in listed
        ],
        "subscriber_id long, month date, joined date",
    )
    held = holding.holdings(months, subscriptions, defaults, tariffs.packages)
    parts = month_part.parts(months, held, subscriptions, defaults, tariffs.packages)
    _, kinds, priced_as = month_part.months_of(parts)
    records = guided(spark, {number: one[2] for number, one in customers.items()}, tariffs, **how)
    measures = register.measures_wanted((), tariffs)
    days = month_part.Days(
        usage_cube.by_day(records, measures),
        usage_events.cells(records).collect(),
        measures,
        records,
        how.get("holidays", ()),
    )
    packages = tariffs.packages | month_part.by_days(tariffs.packages)
    priced = month_part.priced(
        parts, kinds, days, [packages[name] for name in priced_as], toll_rerated
    )
    rows = (
        []
        if priced is None
        else priced.withColumns(
            {name: yuan(F.col(name)) for name in ("rated", *rating.RECORDED)}
        ).collect()
    )
    return {(row.subscriber_id, row.month, row.kind): row for row in rows}, priced


def by_nights(records, measures, holidays=(), nights=1, zone=NEVER_CHANGED):
    """dw.usage_day after so many runs, each with the records of some days of delivery."""
    turn = F.dayofyear("batch_date") % nights
    found = [
        usage_cube.by_day(records.where(turn == night), measures, holidays, zone)
        for night in range(nights)
    ]
    return reduce(DataFrame.union, found)


def record(number, event, fees=(0, 0, 0), chance=None):
    """(record kind, row by column) of an event of a subscriber's number."""
    late = chance.randrange(4) if chance else 0
    instant = datetime.fromtimestamp(event.at, CHINA)
    start = {
        "batch_date": event.local_date + timedelta(days=late),
        "msisdn": f"n{number}",
        "occurred_at": instant,
        "local_date": event.local_date,
        "local_second": event.local_second,
    }
    basic, toll, info = (Decimal(fee) for fee in fees)
    key = {"record_key": _record_key(event.key)}
    if event.service == "voice":
        return "voice", {
            **start,
            **key,
            "direction": event.direction,
            "roaming": event.roaming,
            "toll": event.toll,
            "dial": event.dial,
            "in_group": event.in_group,
            "outcome": "answered" if event.quantity else "missed",
            "duration_s": event.quantity,
            "airtime_fee": basic,
            "toll_fee": toll,
            "info_fee": info,
        }
    if event.service == "data":
        volume = {"roaming": event.roaming, "quantity": event.quantity, "sign": 1, "fee": basic}
        return "data", {**start, **volume}
    if event.service == "wlan":
        carrier = None if event.roaming == "home" else "another"
        return "wlan", {
            **start,
            **key,
            "roaming_carrier": carrier,
            "duration_s": event.quantity,
            "fee": basic,
        }
    return "message", {
        **start,
        **key,
        "service": event.service,
        "direction": event.direction,
        "roaming": event.roaming,
        "kind": event.message_kind,
        "fee": basic,
        "info_fee": info,
    }


def _record_key(key):
    """The key of an event as a number; numbers and texts keep their order."""
    if isinstance(key, int):
        return key
    text = key if isinstance(key, str) else " ".join(map(str, key))
    return int.from_bytes(text.encode()[:7].ljust(7, b" "))
