"""Random bundles × random months: packages of several services, priced as by the reference rater.

Hypothesis draws packages of two or three services with pools that messages and calls share, caps
and tiers by service, bands, and fees that are due only where the package was used. Each price is
compared to the last unit with the reference rater, which knows no cube.
"""

import random
from fractions import Fraction

import pytest

from models.reference import bill as reference_bill
from models.reference import rater as reference_rater
from tests.given import event_records
from tests.given.random_tariffs import (
    EVERY_SERVICE,
    HOLIDAYS,
    MONTHS,
    bundles_of,
    drawn,
    months_of_events,
)

BUNDLES, CUSTOMERS = 40, 120


def priced(spark, bundles, customers, **how):
    """(customer, bundle) → the evaluated row and the reference rater's bill."""
    rows = event_records.evaluated(spark, customers, bundles, holidays=HOLIDAYS, **how)
    raters = {name: reference_rater.Rater(one, HOLIDAYS) for name, one in bundles.items()}
    return {
        (number, name): (rows[number, name], rater.rate_month(events, month, joined))
        for number, (month, joined, events) in customers.items()
        for name, rater in raters.items()
    }


def customers_of(count, start=0):
    months = drawn(months_of_events(EVERY_SERVICE), count, start)
    return dict(enumerate(months, start=1))


def differing(found):
    return [
        (key, row.rated, bill.total, row.reason)
        for key, (row, bill) in found.items()
        if not row.comparable
        or Fraction(row.rated) != reference_bill.rounded(bill.total, 6, "half_up")
    ]


@pytest.fixture(scope="module")
def bundles():
    return bundles_of(BUNDLES)


@pytest.fixture(scope="module")
def customers():
    return customers_of(CUSTOMERS)


@pytest.fixture(scope="module")
def found(spark, bundles, customers):
    return priced(spark, bundles, customers, partitions=2)


def test_every_price_of_a_bundle_equals_the_reference(found):
    assert len(found) == BUNDLES * CUSTOMERS
    assert differing(found) == []


def test_the_draw_has_each_kind_of_bundle(bundles, found):
    shared = [one for one in bundles.values() if any(p.get("exchange") for p in one["pools"])]
    assert len(shared) >= 5
    assert sum(one.get("fee_when") == "used" for one in bundles.values()) >= 5
    assert sum(len(one["caps"]) > 1 for one in bundles.values()) >= 3
    replayed = [key for key, (row, _) in found.items() if row.replayed]
    assert len(replayed) > 100
    parts = [
        line
        for _, bill in found.values()
        for line in bill.lines.values()
        if Fraction(line.free_units).denominator > 1
    ]
    assert parts, "no message was free in part"


def test_order_of_rows_partitions_and_nights_changes_no_bundle(spark, bundles, customers, found):
    few = {number: customers[number] for number in random.Random(1).sample(sorted(customers), 25)}
    some = {name: bundles[name] for name in random.Random(1).sample(sorted(bundles), 12)}
    again = priced(spark, some, few, shuffled=7, partitions=3, nights=2)
    assert again == {key: found[key] for key in again}
    assert len(again) == 12 * 25


def test_months_of_a_customer_hand_on_the_units_of_a_bundle(spark, bundles):
    carrying = {
        name: one
        for name, one in bundles.items()
        if any(pool.get("carry_over") for pool in one["pools"])
    }
    assert len(carrying) > 3
    busy = [one for one in drawn(months_of_events(EVERY_SERVICE), 200) if len(one[2]) > 4]
    by_month = zip(*([one for one in busy if one[0] == month] for month in MONTHS), strict=False)
    quarters = {
        number: (MONTHS, None, [event for _, _, events in three for event in events])
        for number, three in enumerate(by_month, start=1)
    }
    assert len(quarters) > 10
    rows = event_records.evaluated_months(spark, quarters, carrying, holidays=HOLIDAYS)
    wrong = []
    for name, one in carrying.items():
        rater = reference_rater.Rater(one, HOLIDAYS)
        for number, (months, _, events) in quarters.items():
            carried = {}
            for month in months:
                bill = rater.rate_month(events, month, None, carried)
                carried = {pool: use.carry_out for pool, use in bill.pools.items()}
                row = rows[number, month, name]
                wanted = reference_bill.rounded(bill.total, 6, "half_up")
                if not row.comparable or Fraction(row.rated) != wanted:
                    wrong.append((number, month, name, row.rated, wanted))
    assert wrong == []


@pytest.mark.soak
@pytest.mark.parametrize("start", range(1, 26))
def test_two_thousand_other_prices_of_bundles_equal_the_reference(spark, start):
    print(f"drawn from {start}")
    found = priced(spark, bundles_of(80, start), customers_of(25, start))
    assert len(found) == 2000
    assert differing(found) == []
