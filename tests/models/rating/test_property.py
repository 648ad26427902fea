"""Random packages × random months: the Spark path equals the plain reference rater.

Hypothesis draws packages and customer-months (the same in every run). All of them go through
guiding, days, months and evaluation in one Spark batch, and every price is compared to the last
unit with the reference rater, which sees the events one by one in order of time.
"""

import random
from collections import Counter
from fractions import Fraction

import pytest

from models.rating import evaluator as rating
from models.reference import bill as reference_bill
from models.reference import rater as reference_rater
from tests.given import event_records
from tests.given.random_tariffs import HOLIDAYS, MONTHS, catalogue_of, drawn, months_of_events

PACKAGES, SIMPLE, CUSTOMERS = 34, 6, 300


@pytest.fixture(scope="module")
def tariffs():
    """The packages by id."""
    return catalogue_of(PACKAGES, SIMPLE)


@pytest.fixture(scope="module")
def customers():
    """subscriber_id → (month, joined, events)."""
    return dict(enumerate(drawn(months_of_events(), CUSTOMERS), start=1))


@pytest.fixture(scope="module")
def evaluated(spark, tariffs, customers):
    return event_records.evaluated(spark, customers, tariffs, holidays=HOLIDAYS, partitions=2)


@pytest.fixture(scope="module")
def raters(tariffs):
    """The reference rater of each package."""
    return {name: reference_rater.Rater(one, HOLIDAYS) for name, one in tariffs.items()}


def bills(raters, customers):
    for number, (month, joined, events) in customers.items():
        for name, rater in raters.items():
            yield (number, name), rater.rate_month(events, month, joined)


def differing(raters, customers, evaluated):
    """Prices that are not those of the reference, to the last unit."""
    wrong = []
    for key, bill in bills(raters, customers):
        row = evaluated[key]
        wanted = reference_bill.rounded(bill.total, 6, "half_up")
        if not row.comparable or Fraction(row.rated) != wanted:
            wrong.append((key, row.rated, wanted, row.reason))
    return wrong


def test_every_price_equals_the_reference(raters, customers, evaluated):
    assert differing(raters, customers, evaluated) == []
    assert len(evaluated) == (PACKAGES + SIMPLE) * CUSTOMERS


@pytest.mark.soak
@pytest.mark.parametrize("start", range(1, 6))
def test_ten_thousand_other_prices_equal_the_reference(spark, start):
    print(f"drawn from {start}")
    tariffs = catalogue_of(45, 5, start)
    raters = {name: reference_rater.Rater(one, HOLIDAYS) for name, one in tariffs.items()}
    customers = dict(enumerate(drawn(months_of_events(), 200, start), start=1))
    evaluated = event_records.evaluated(spark, customers, tariffs, holidays=HOLIDAYS)
    assert differing(raters, customers, evaluated) == []
    assert len(evaluated) == 10000


def test_amounts_are_those_of_the_bill(raters, customers, evaluated):
    for key, bill in bills(raters, customers):
        row = evaluated[key]
        assert sum(row[name] for name in rating.BUCKETS) == row.rated
        exact = (
            Fraction(row.commitment) - bill.commitment,
            Fraction(row.cap_cut) - sum(bill.cap_cuts.values()),
        )
        assert all(abs(difference) <= Fraction(1, 10**6) for difference in exact)
        assert abs(Fraction(row.monthly_fee) - bill.fee) <= Fraction(1, 10**6)


def test_a_price_that_was_not_replayed_stands_in_any_order_of_events(raters, customers, evaluated):
    assert Counter(row.replayed for row in evaluated.values())[False] > 5000
    backwards = {number: in_order(*month, key=_last_first) for number, month in customers.items()}
    turned = dict(bills(raters, backwards))
    for key, bill in bills(raters, customers):
        if not evaluated[key].replayed:
            assert turned[key].total == bill.total


def test_replayed_means_that_some_order_changes_the_bill(raters, customers, evaluated):
    # Where an event draws on one pool at one price the rule of the classes is exact; beyond it is
    # careful.
    plain = {name: rater for name, rater in raters.items() if name.startswith("simple")}
    mixed = [key for key, row in evaluated.items() if row.replayed and key[1] in plain]
    assert len(mixed) > 50
    for number, name in mixed:
        shuffles = (in_order(*customers[number], key=_by_chance(seed)) for seed in range(40))
        lines = [
            plain[name].rate_month(events, month, joined).lines
            for month, joined, events in shuffles
        ]
        assert any(other != lines[0] for other in lines[1:])


def in_order(month, joined, events, key):
    """The same events in another order: who was first by `key` gets the earliest instant."""
    instants = sorted(event.at for event in events)
    places = sorted(events, key=key)
    return (
        month,
        joined,
        [
            event._replace(at=at, key=no)
            for no, (event, at) in enumerate(zip(places, instants, strict=True))
        ],
    )


def _by_chance(seed):
    chance = random.Random(seed)
    return lambda event: chance.random()


def _last_first(event):
    return -event.at, -event.key


def test_order_of_rows_partitions_and_nights_change_nothing(spark, tariffs, customers, evaluated):
    few = {number: customers[number] for number in range(1, 61)}
    again = event_records.evaluated(
        spark, few, tariffs, holidays=HOLIDAYS, shuffled=7, partitions=5, nights=3
    )
    assert again == {key: row for key, row in evaluated.items() if key[0] in few}


def test_what_a_month_leaves_is_free_in_the_next_one_once(spark, raters, tariffs):
    busy = [one for one in drawn(months_of_events(), 600) if len(one[2]) > 4]
    by_month = zip(*([one for one in busy if one[0] == month] for month in MONTHS), strict=False)
    quarters = {
        number: (MONTHS, None, [event for _, _, events in three for event in events])
        for number, three in enumerate(by_month, start=1)
    }
    assert len(quarters) > 50
    carrying = {
        name: one
        for name, one in tariffs.items()
        if any(pool["carry_over"] for pool in one["pools"])
    }
    assert len(carrying) > 5
    rows = event_records.evaluated_months(spark, quarters, carrying, holidays=HOLIDAYS)
    wrong = []
    for number, (months, _, events) in quarters.items():
        for name in carrying:
            carried = {}
            for month in months:
                bill = raters[name].rate_month(events, month, None, carried)
                carried = {pool: use.carry_out for pool, use in bill.pools.items()}
                row = rows[number, month, name]
                wanted = reference_bill.rounded(bill.total, 6, "half_up")
                if not row.comparable or Fraction(row.rated) != wanted:
                    wrong.append((number, month, name, row.rated, wanted))
    assert len(rows) == len(quarters) * len(MONTHS) * len(carrying)
    assert wrong == []
