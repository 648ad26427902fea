"""The largest values that the contracts of usage and bills allow, from records to back-test."""

import re
from datetime import date
from decimal import Decimal
from fractions import Fraction
from itertools import product

import pytest

from models.quote import backtest, package_quote
from models.rating import evaluator as rating
from models.reference.rater import Rater
from tests.given import event_records
from tests.given import match_rows as rows
from tests.given.event_records import tariffs_of
from tests.given.match_rows import MARCH
from tests.given.rows import CONTRACTS
from tests.given.tariff_examples import airtime, call, message, online, package, pool, session

LONG_AGO = date(2008, 1, 1)
TOLLS = ("local", "intra_prov", "inter_prov", "hkmotw", "intl")


def amount(table, column):
    """The largest amount of a column: nines only."""
    digits, scale = re.findall(r"\d+", CONTRACTS[table].column(column).type)
    return Decimal("9" * int(digits)).scaleb(-int(scale))


def most(table, *columns):
    """The largest values of some columns of a contract, added up."""
    return sum(int(CONTRACTS[table].column(name).max) for name in columns)


CALL = call(most("ods.voice_call", "duration_s"), "2009-03-01 00:00:00", day_type="weekend")
SESSION = session(most("ods.data_session", "bytes_up", "bytes_down"))
ONLINE = online(most("ods.wlan_session", "duration_s"))
TEXT = message()
FEE, ITEM, TOTAL = (
    amount("ods.voice_call", "airtime_fee"),
    amount("ods.bill_item", "amount"),
    amount("ods.bill", "total"),
)
PEAK = {"peak": [{"days": "all", "from": "08:00", "to": "20:00"}]}
FREE = {"component": "toll", "rate": "0", "per": "60s", "increment": [60, 60]}
PACKAGES = {
    "talk": package(
        rules=[
            airtime("0.40", match={"band": "peak"}, pools=["free"]),
            airtime("0.24", pools=["free"]),
            FREE,
        ],
        bands=PEAK,
        band_policy="split",
        pools=[pool(600)],
    ),
    "surf": package(
        "gprs",
        [{"component": "volume", "rate": "0.01", "per": "1KB", "increment": ["1KB", "1KB"]}],
    ),
    "air": package("wlan", [airtime("0.05")]),
    "text": package(
        "sms", [{"component": "message", "rate": "0.10", "per": "1msg", "increment": [1, 1]}]
    ),
}
# 31 days: 31 × 720 minutes by day and as many by night; the first ten hours, of which two by day,
# are free. 2 TB are 1,953,125,000 KB. 366 days are 527,040 minutes.
COSTS = {
    "talk": (31 * 720 - 120) * Fraction("0.40") + (31 * 720 - 480) * Fraction("0.24"),
    "surf": Fraction("19531250.00"),
    "air": Fraction("26352.00"),
    "text": Fraction("0.10"),
}
ZONES = list(
    product(("home", "intra_prov", "inter_prov", "hkmotw", "intl"), TOLLS, ("mo", "mt", "fwd"))
)


def texts(count):
    return [message(key=number) for number in range(count)]


def calls(each):
    """So many calls of a minute of every kind."""
    return [
        call(60, roaming=roaming, toll=toll, direction=direction, key=number)
        for roaming, toll, direction in ZONES
        for number in range(each)
    ]


EVENTS = {
    1: [CALL, SESSION, ONLINE, TEXT],
    15: texts(15),
    40: texts(40),
    15 * len(ZONES): calls(15),
}


@pytest.fixture(scope="module")
def found(spark):
    """(number of events, package) → row; every fee of every record is the largest."""
    months = {number: (MARCH, None, events) for number, events in EVENTS.items()}
    fees = {event: (FEE, FEE, FEE) for events in EVENTS.values() for event in events}
    return event_records.evaluated(spark, months, PACKAGES, fees=fees)


@pytest.mark.parametrize("name", PACKAGES)
def test_one_event_of_the_largest_quantity(found, name):
    row = found[1, name]
    assert (row.comparable, row.reason, Fraction(row.rated)) == (True, None, COSTS[name])
    assert Rater(PACKAGES[name]).rate_month(EVENTS[1], MARCH).total == COSTS[name]


def test_fees_of_a_month_are_exact_or_the_month_is_not_compared(found):
    """Information fees: one of a call and one of a message, or one of each event."""
    assert found[1, "surf"].other_fees == 2 * FEE
    assert found[15, "surf"].other_fees == 15 * FEE
    reasons = set()
    for number in list(EVENTS)[2:]:
        for name in PACKAGES:
            row = found[number, name]
            reasons.add(row.reason)
            assert row.other_fees == (number * FEE if row.comparable else None)
    assert reasons <= {None, rating.TOO_LARGE}
    assert found[40, "text"].reason == rating.TOO_LARGE


def test_quotes_and_back_test_of_the_largest_bill(spark, found):
    """Records of the largest fees, and a bill of the largest items and total."""
    evaluated = rows.evaluated_rows(spark, [found[1, name] for name in PACKAGES])
    people = rows.subscribers(spark, 1)
    kinds = tariffs_of(PACKAGES).packages
    held = rows.holdings(
        spark,
        rows.months(spark, (1, MARCH, None)),
        [(1, one.kind, name, LONG_AGO, None) for name, one in kinds.items()],
    )
    codes = ("local_voice", "gprs", "info", "vas", "vpmn_rent")
    passed = rows.passing(spark, people, kinds, *(("S1", MARCH, code, ITEM) for code in codes))
    quotes = package_quote.quotes(
        evaluated, passed, held, kinds, rows.policy(vpmn_rent_mode="add").rating
    )
    # Of the records two information fees (R6), and for talk the toll of a local call, which it does
    # not price; of the bill the VPMN fee (R8) and, of local_voice, gprs and vas, what the package
    # does not replace (R7).
    assert {row.package_id: Fraction(row.total) for row in quotes.collect()} == {
        "talk": COSTS["talk"] + 3 * Fraction(FEE) + 3 * Fraction(ITEM),
        "surf": COSTS["surf"] + 2 * Fraction(FEE) + 3 * Fraction(ITEM),
        "air": COSTS["air"] + 2 * Fraction(FEE) + 4 * Fraction(ITEM),
        "text": COSTS["text"] + 2 * Fraction(FEE) + 4 * Fraction(ITEM),
    }
    (tested,) = backtest.backtest(
        rows.months(spark, (1, MARCH, None)),
        evaluated,
        held,
        passed,
        rows.actual(spark, people, ("S1", MARCH, TOTAL)),
        Decimal("0.01"),
        tuple(one.kind for one in kinds.values()),
    ).collect()
    # Of the bill only vas and the fee of the VPMN pass: the packages replace the others.
    kept = 3 * Fraction(FEE) + 2 * Fraction(ITEM)
    assert Fraction(tested.rated) == sum(COSTS.values()) + kept
    assert (tested.actual, tested.difference) == (TOTAL, tested.rated - TOTAL)
