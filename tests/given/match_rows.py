"""Rows around a tariff match for tests: evaluated months, bills, items, and who held what."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

from models.quote import bill_item, holding
from models.rating import evaluator as rating
from models.tariff.amounts import BUCKETS
from schemas import config
from tests.given.event_records import tariffs_of
from tests.given.frames import local_frame
from tests.given.paths import ROOT
from tests.given.rows import frame, named
from tests.given.tariff_examples import airtime, package

FEB, MARCH, APRIL = (date(2009, month, 1) for month in (2, 3, 4))
POLICY = config.load([ROOT / "conf"]).policy


def policy(**changes):
    """The default policy with other values under `rating`."""
    return replace(POLICY, rating=replace(POLICY.rating, **changes))


def catalogue_of(**packages):
    """Packages by id: kind, monthly fee and brands are all that a match asks of them."""
    rules = {
        "voice": [airtime("0"), airtime("0", component="toll")],
        "sms": [{"component": "message", "rate": "0", "per": "1msg", "increment": [1, 1]}],
        "gprs": [{"component": "volume", "rate": "0", "per": "1KB", "increment": ["1KB", "1KB"]}],
    }
    return tariffs_of(
        {
            name: package(kind, rules[kind], monthly_fee=fee, brands=brands)
            for name, (kind, fee, *brands) in packages.items()
        }
    ).packages


def subscribers(spark, *numbers):
    """Subscriber 1 is S1, and so on; all are gotone and joined long ago."""
    return people(spark, *((number, "gotone", date(2005, 1, 1)) for number in numbers))


def people(spark, *rows):
    """(subscriber, brand, day of joining) as dw.subscriber; subscriber 1 is S1, and so on."""
    known = (
        {
            "subscriber_id": number,
            "subscriber_no": f"S{number}",
            "brand": brand,
            "join_date": joined,
        }
        for number, brand, joined in rows
    )
    return frame(spark, "dw.subscriber", *known)


def evaluated(spark, *rows):
    """(subscriber, month, package, kind, rated or a reason, other amounts), in yuan, as
    rating.evaluate has them."""
    made = []
    for subscriber, month, name, kind, rated, *more in rows:
        amounts = dict.fromkeys(rating.AMOUNTS, Decimal(0)) | {
            column: Decimal(amount) for column, amount in (more[0] if more else {}).items()
        }
        reason = rated if rated in (rating.ORDER_OF_EVENTS,) or ":" in rated else None
        if reason is None:
            bucket = "local_airtime" if kind == "voice" else kind
            rest = sum(amounts[column] for column in BUCKETS)
            amounts |= {"rated": Decimal(rated), bucket: Decimal(rated) - rest}
        else:
            amounts = {}
        micros = [
            None if amounts.get(column) is None else int(amounts[column].scaleb(6))
            for column in rating.AMOUNTS
        ]
        made.append((subscriber, month, name, kind, *micros, reason is None, reason, 0, False))
    return local_frame(spark, made, rating.EVALUATED)


def evaluated_rows(spark, rows):
    """Collected rows of the evaluator, in yuan, as its frame again."""
    return local_frame(
        spark,
        [
            tuple(
                int(row[name].scaleb(6))
                if name in rating.AMOUNTS and row[name] is not None
                else row[name]
                for name in row.__fields__
            )
            for row in rows
        ],
        rating.EVALUATED,
    )


def passing(spark, people, packages, *items):
    """(subscriber_no, month, item, amount or (amount, package)) as bill_item.passing gives them."""
    rows = [
        (number, month, code, amount[1], Decimal(amount[0]))
        if isinstance(amount, tuple)
        else (number, month, code, None, Decimal(amount))
        for number, month, code, amount in items
    ]
    kinds = {name: one.kinds[0] for name, one in packages.items()}
    return bill_item.passing(items_of(spark, *rows), people, kinds, POLICY.bill_items)


def items_of(spark, *rows):
    """(subscriber_no, month, item, package, amount) as ods.bill_item."""
    columns = "subscriber_no month item_code package_id amount"
    return frame(spark, "ods.bill_item", *named(columns, *rows))


def actual(spark, people, *bills):
    """(subscriber_no, month, total) as bill_item.actual gives them."""
    rows = [(number, month, Decimal(total)) for number, month, total in bills]
    billed = frame(spark, "ods.bill", *named("subscriber_no month total", *rows))
    return bill_item.actual(billed, people)


def used(spark, *months):
    """(subscriber_id, month) of the months with usage."""
    return local_frame(spark, list(months), "subscriber_id long, month date")


def causes(spark, *rows):
    """(subscriber_id, month, cause) as mart.backtest."""
    return frame(spark, "mart.backtest", *named("subscriber_id month cause", *rows))


def months(spark, *rows):
    """(subscriber_id, month, joined or None)."""
    return local_frame(spark, list(rows), "subscriber_id long, month date, joined date")


def subscriptions_of(spark, *rows):
    """(subscriber, kind, package, from, to) as dw.subscription."""
    columns = "subscriber_id kind package_id valid_from valid_to"
    return frame(spark, "dw.subscription", *named(columns, *rows))


def holdings(spark, customers, subscriptions, defaults=None, packages=None):
    """(subscriber, kind, package, from, to) as holding.holdings gives them for some months."""
    held = subscriptions_of(spark, *subscriptions)
    return holding.holdings(customers, held, defaults or {}, packages or {})
