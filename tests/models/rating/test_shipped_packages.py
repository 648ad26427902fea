"""Each package of the configuration has the same price by the engine and by the reference rater.

The months are drawn with a seed: calls, messages and sessions at the edges of bands and increments,
enough to exhaust the pools. There are three months in a row, because some packages carry units
over.
"""

import random
from collections import defaultdict
from datetime import date, datetime, timedelta
from fractions import Fraction

import pytest

from models.reference import bill as reference_bill
from models.reference.rater import Rater
from models.reference.tariff import Event
from tests.given import event_records

CUSTOMERS = 24
MONTHS = (date(2009, 3, 1), date(2009, 4, 1), date(2009, 5, 1))
CHINA = event_records.CHINA
CLOCKS = (
    "00:00:00",
    "07:59:30",
    "08:00:00",
    "12:00:00",
    "19:59:59",
    "20:00:00",
    "20:59:10",
    "21:00:00",
    "21:59:50",
    "22:00:00",
    "23:59:30",
)
SECONDS = (0, 1, 6, 45, 59, 60, 61, 106, 170, 181, 600, 3599)
PLACES = ("home",) * 6 + ("intra_prov", "inter_prov", "hkmotw", "intl")
TOLLS = ("local",) * 4 + ("intra_prov", "inter_prov", "hkmotw", "intl")


def month_of_events(chance, month, holidays, numbers):
    """The events of a customer in a month; the amount of usage differs by customer."""

    def events(service, count, quantities, **facts):
        for _ in range(chance.randrange(count + 1)):
            day = month + timedelta(days=chance.randrange(28))
            clock = chance.choice(CLOCKS)
            at = datetime.strptime(f"{day} {clock}", "%Y-%m-%d %H:%M:%S").replace(tzinfo=CHINA)
            number = next(numbers)
            known = {
                "direction": None,
                "toll": None,
                "dial": None,
                "in_group": None,
                "message_kind": None,
                "roaming": PLACES,
                **facts,
            }
            drawn = {
                name: chance.choice(one) if isinstance(one, tuple) else one
                for name, one in known.items()
            }
            day_type = (
                "holiday" if day in holidays else "weekend" if day.isoweekday() > 5 else "workday"
            )
            yield Event(
                number,
                service,
                drawn["direction"],
                drawn["roaming"],
                drawn["toll"],
                drawn["dial"],
                drawn["in_group"],
                drawn["message_kind"],
                int(at.timestamp()) + number % 997 / 1024,
                day,
                sum(
                    int(part) * size
                    for part, size in zip(clock.split(":"), (3600, 60, 1), strict=False)
                ),
                day_type,
                chance.choice(quantities),
            )

    much = chance.choice((4, 40, 160))
    written = {"direction": ("mo", "mo", "mo", "mt"), "message_kind": ("p2p", "p2p", "sp")}
    return [
        *events(
            "voice",
            much,
            SECONDS,
            direction=("mo", "mo", "mo", "mt", "fwd"),
            toll=TOLLS,
            dial=("direct", "direct", "ip17951", "ip12593"),
            in_group=(False, False, False, True),
        ),
        *events(
            "voice",
            much // 3,
            (7200, 14399),
            direction="mo",
            toll=TOLLS,
            roaming=("home", "home", "intra_prov"),
            dial=("direct", "ip17951"),
            in_group=False,
        ),
        *events("sms", 8 * much, (1,), **written),
        *events("mms", 3 * much, (1,), **written),
        *events("data", much, (0, 1, 1024, 10_241, 90_000, 200_000)),
        *events("data", chance.choice((0, 1, much // 4)), (31_457_281, 700_000_000)),
        *events("wlan", much, (0, 1, 60, 61, 600, 7199, 7201), roaming=("home",) * 5 + ("intl",)),
        *events("wlan", chance.choice((0, 0, much // 2)), (20_000,), roaming="home"),
    ]


@pytest.fixture(scope="module")
def customers(conf):
    """subscriber_id → (months, joined, events)."""
    chance, numbers = random.Random(2009), iter(range(10**6))
    holidays = conf.policy.calendar.holidays
    return {
        number: (
            MONTHS,
            chance.choice((None, None, date(2009, 3, 10), date(2009, 3, 16))),
            [
                event
                for month in MONTHS
                for event in month_of_events(chance, month, holidays, numbers)
            ],
        )
        for number in range(1, CUSTOMERS + 1)
    }


def rerated(events):
    """The events without those that no package re-rates: in-group (S2-07) and 12593 (S2-R5)."""
    return [event for event in events if not event.in_group and event.dial != "ip12593"]


def test_every_shipped_package_costs_what_the_reference_rater_says(spark, conf, customers):
    tariffs = {name: found.data for name, found in conf.tariffs.items()}
    holidays = conf.policy.calendar.holidays
    rows = event_records.evaluated_months(spark, customers, tariffs, holidays=holidays)
    assert len(rows) == CUSTOMERS * len(MONTHS) * len(tariffs)
    assert sum(row.replayed for row in rows.values()) > 100
    wrong, totals, emptied = [], defaultdict(set), set()
    for name, tariff in tariffs.items():
        rater = Rater(tariff, holidays)
        for number, (months, joined, events) in customers.items():
            carried = {}
            for month in months:
                bill = rater.rate_month(rerated(events), month, joined, carried)
                carried = {pool: use.carry_out for pool, use in bill.pools.items()}
                totals[name].add(bill.total)
                emptied.update(
                    (name, pool)
                    for pool, use in bill.pools.items()
                    if use.used == use.size + use.carried > 0
                )
                row = rows[number, month, name]
                wanted = reference_bill.rounded(bill.total, 6, "half_up")
                if not row.comparable or Fraction(row.rated) != wanted:
                    wrong.append((number, month, name, row.rated, wanted, row.reason))
    assert wrong == []
    # The months are a real test: none costs only its fee or its cap, and nearly all pools ran out.
    assert min(len(different) for different in totals.values()) > 20
    in_group = {("gotone_group", "in_group_minutes"), ("easyown_family", "family_minutes")}
    pools = {
        (name, pool["id"]) for name, tariff in tariffs.items() for pool in tariff.get("pools", ())
    }
    assert pools - emptied == in_group
