"""Bundles by hand: packages of several services, by the reference rater and by the engine."""

from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest

from models.reference.bill import rounded
from models.reference.rater import rate_month
from models.tariff import money_limit
from tests.given import event_records
from tests.given.tariff_examples import MARCH, airtime, call, message, package, session

SHARED = {
    "id": "shared",
    "covers": {"service": ["voice", "sms", "mms"], "roaming": "home"},
    "components": ["airtime", "message"],
    "amount": 100,
    "unit": "60s",
    "order": 1,
    "exchange": {"sms": "60s", "mms": "180s"},
}


def text(kind, rate, **changes):
    """The price of a message."""
    rule = {"component": "message", "match": {"service": kind}, "rate": rate}
    return rule | {"per": "1msg", "increment": ["1msg", "1msg"]} | changes


def bundle(**changes):
    """100 minutes, of which a short message takes one and a picture message three, for 30 yuan."""
    rules = [
        airtime("0.20", pools=["shared"]),
        {"component": "toll", "rate": "0", "per": "60s", "increment": [60, 60]},
        text("sms", "0.10", pools=["shared"]),
        text("mms", "0.30", pools=["shared"]),
        {"component": "volume", "rate": "0.01", "per": "1KB", "increment": ["1KB", "1KB"]},
    ]
    found = package(rules=rules, monthly_fee="30", pools=[SHARED])
    del found["kind"]
    return found | {"services": ["voice", "sms", "mms", "gprs"]} | changes


def at(minute):
    return f"2009-03-03 12:{minute:02d}:00"


BY_GB = [
    airtime("3.50", increment=[1, 1]),
    {"component": "toll", "rate": "0.07", "per": "7s", "increment": [7, 7]},
    {"component": "volume", "rate": "200", "per": "1GB", "increment": ["1KB", "1KB"]},
]
CALLS = call(98 * 60, at(0), "a")
CASES = {
    "messages take their minutes in order of time": (
        {},
        [CALLS, *(message(at(n), f"m{n}") for n in (1, 2, 3))],
        "30.10",
    ),
    "a message before the last minutes leaves the call to pay": (
        {},
        [*(message(at(n), f"m{n}") for n in (1, 2, 3)), call(98 * 60, at(9), "z")],
        "30.20",
    ),
    "a picture with two of its three minutes left pays a third": (
        {},
        [CALLS, message(at(1), "m", "mms")],
        "30.10",
    ),
    "what one service has over its cap is cut, and no other service pays for it": (
        {"caps": {"voice": "5", "gprs": "2"}, "pools": []},
        [call(40 * 60), message(at(1), "m"), session(300 * 1024)],
        "37.10",
    ),
    "the commitment is on all services together": (
        {"min_commitment": "50"},
        [session(1000 * 1024)],
        "50",
    ),
    "usage above the commitment counts from all services": (
        {"min_commitment": "50", "pools": []},
        [session(1500 * 1024), call(60 * 60)],
        "57",
    ),
    "used: a month without usage owes nothing": ({"fee_when": "used"}, [], "0"),
    "used: nor a month in which nobody answered": (
        {"fee_when": "used", "min_commitment": "50"},
        [call(0)],
        "0",
    ),
    "used: nor one of received messages, which the bundle does not price": (
        {"fee_when": "used"},
        [message(direction="mt")],
        "0",
    ),
    "used: one second is usage": ({"fee_when": "used"}, [call(1)], "30"),
    "held: a month without usage owes the fee": ({}, [], "30"),
    # 1 s costs 7/120, 1 KB 25/131,072: over one denominator, micro-yuan would exceed 64 bits.
    "a price per GB beside one per minute, rounded by line": (
        {"services": ["voice", "gprs"], "rules": BY_GB, "pools": [], "rounding": {"at": "line"}},
        [call(1), session(5 * 1024)],
        "30.06",
    ),
    "and not rounded but to the millionth": (
        {"services": ["voice", "gprs"], "rules": BY_GB, "pools": []},
        [call(1), session(5 * 1024)],
        "30.059287",
    ),
}


@pytest.fixture(scope="module")
def evaluated(spark):
    """What the engine makes of all cases at once: each customer has the events of one case."""
    numbers = {name: no for no, name in enumerate(CASES, start=1)}
    tariffs = {f"case_{no}": without_unused(CASES[name][0]) for name, no in numbers.items()}
    joined = date(2009, 1, 1)  # so that a month without usage is priced
    customers = {no: (MARCH, joined, CASES[name][1]) for name, no in numbers.items()}
    rows = event_records.evaluated(spark, customers, tariffs)
    return {name: rows[no, f"case_{no}"] for name, no in numbers.items()}


def without_unused(changes):
    """The bundle; without pools, its rules name none."""
    found = bundle(**changes)
    if not found["pools"]:
        for rule in found["rules"]:
            rule.pop("pools", None)
    return found


@pytest.mark.parametrize("name", CASES)
def test_a_bundle_costs_what_a_person_works_out(evaluated, name):
    changes, events, wanted = CASES[name]
    total = rate_month(without_unused(changes), events, MARCH).total
    assert rounded(total, 6, "half_up") == Fraction(wanted)
    row = evaluated[name]
    assert (row.comparable, row.rated) == (True, Decimal(wanted)), row.reason


def test_a_denominator_that_holds_no_micro_yuan_is_taken_only_where_it_must_be():
    tariffs = event_records.tariffs_of(
        {"minutes": bundle(), "gigabytes": bundle(**CASES[next(reversed(CASES))][0])}
    ).packages
    assert money_limit.settling_denominator(tariffs["minutes"]) % 10**6 == 0
    assert money_limit.settling_denominator(tariffs["gigabytes"]) == 2**27 * 3 * 25


def test_the_bill_says_which_part_of_a_picture_was_free():
    bill = rate_month(bundle(), [CALLS, message(at(1), "m", "mms")], MARCH)
    line = bill.lines["mms", "message", 3]
    assert (line.units, line.free_units, line.charged) == (1, Fraction(2, 3), Fraction(1, 10))
    assert bill.pools["shared"].used == 6000
