"""Conservation: no usage is lost or counted twice on its way to a price.

Rated units equal guided units. Free and paid units add up to the billed units. Each event is priced
or passed through exactly once. Lines add up to totals. Random packages × random months; the
reference rater counts billed, free and paid units.
"""

from collections import Counter
from fractions import Fraction
from functools import partial

import numpy as np
import pyarrow as pa
import pytest

from models.rating import cube as rating_cube
from models.rating import free_units, month_sums
from models.rating.pools import draw_pools
from models.rating.price_matrix import compile_prices
from models.reference.rater import Rater
from models.usage import cube as usage_cube
from models.usage import events as usage_events
from models.usage import register
from tests.given import event_records
from tests.given.frames import local_frame
from tests.given.random_tariffs import HOLIDAYS, catalogue_of, drawn, months_of_events
from tests.given.tariff_examples import airtime, package, toll

PACKAGES, SIMPLE, CUSTOMERS, START = 16, 4, 120, 11
HOME, ABROAD = {"roaming": "home"}, {"roaming": ["inter_prov", "intl"]}
LEAVING = {
    "leaves_roaming": package("voice", [airtime(match=HOME), toll()], otherwise="pass_through"),
    "leaves_toll": package(
        "voice", [airtime(), toll(match={"dial": "ip17951"})], otherwise="pass_through"
    ),
    "leaves_sp": package(
        "sms",
        [
            {
                "component": "message",
                "match": {"message_kind": "p2p"},
                "rate": "0.10",
                "per": "1msg",
                "increment": [1, 1],
            }
        ],
        otherwise="pass_through",
    ),
    "leaves_home_data": package(
        "gprs",
        [
            {
                "component": "volume",
                "match": ABROAD,
                "rate": "0.01",
                "per": "1KB",
                "increment": ["1KB", "1KB"],
            }
        ],
        otherwise="pass_through",
    ),
}


@pytest.fixture(scope="module")
def tariffs():
    return catalogue_of(PACKAGES, SIMPLE, START) | LEAVING


@pytest.fixture(scope="module")
def raters(tariffs):
    return {name: Rater(one, HOLIDAYS) for name, one in tariffs.items()}


@pytest.fixture(scope="module")
def customers():
    """subscriber_id → (month, joined, events); some calls are in-group and some over 12593."""

    def changed(event):
        if event.service != "voice" or event.key % 4:
            return event
        return event._replace(in_group=True) if event.key % 8 else event._replace(dial="ip12593")

    return {
        number: (month, joined, [changed(event) for event in events])
        for number, (month, joined, events) in enumerate(
            drawn(months_of_events(), CUSTOMERS, START), start=1
        )
    }


def rerated(events):
    """The events that a candidate re-rates (S2-07, S2-R5)."""
    return [event for event in events if not event.in_group and event.dial != "ip12593"]


@pytest.fixture(scope="module")
def bills(raters, customers):
    """(subscriber_id, package) → the bill of the reference rater."""
    return {
        (number, name): rater.rate_month(rerated(events), month, joined)
        for number, (month, joined, events) in customers.items()
        for name, rater in raters.items()
    }


class Cube:
    """The usage of the customers, added up as in a night, and the months as one batch."""

    def __init__(self, spark, tariffs, customers):
        catalogue = event_records.tariffs_of(tariffs)
        self.sold = list(catalogue.packages.values())
        self.measures = register.measures_wanted((), catalogue)
        self.guided = event_records.guided(
            spark,
            {number: events for number, (_, _, events) in customers.items()},
            catalogue,
            HOLIDAYS,
        )
        self.days = usage_cube.by_day(self.guided, self.measures, HOLIDAYS)
        months = {month for month, _, _ in customers.values()}
        self.months = usage_cube.by_month(self.days, months, self.measures)
        self.cells = usage_events.cells(self.guided).collect()
        self.known = local_frame(
            spark,
            [(number, month, joined) for number, (month, joined, _) in customers.items()],
            "subscriber_id long, month date, joined date",
        )
        cube = rating_cube.Cube(self.known, self.months, self.cells, self.measures)
        self.matrix = compile_prices(self.sold, self.cells, self.measures, "all")
        table = cube.by_customer(self.matrix).toArrow().sort_by("subscriber_id")
        self.batch = pa.RecordBatch.from_arrays(
            [column.combine_chunks() for column in table.columns], names=table.column_names
        )
        self.some = free_units.representatives(self.sold, "all")
        wanted = free_units.wanted(cube, self.some, "all")
        self.splits = free_units.split(
            self.guided, wanted, self.cells, self.some, "all", HOLIDAYS
        ).collect()


@pytest.fixture(scope="module")
def cube(spark, tariffs, customers):
    return Cube(spark, tariffs, customers)


def test_the_cube_holds_every_event_and_unit_that_was_guided(cube, customers):
    """Events, events with a billed quantity, and units: by day and by month."""
    given = Counter()
    for number, (_, _, events) in customers.items():
        for event in events:
            given.update(
                {
                    (number, "events"): 1,
                    (number, "quantity"): event.quantity,
                    (number, "billed_events"): event.quantity > 0,
                }
            )
    names = ("events", "billed_events", "quantity")
    by_day, by_month = Counter(), Counter()
    for row in cube.days.collect():
        by_day.update({(row.subscriber_id, name): row[name] for name in names})
    for row in cube.months.collect():
        for cell in row.cells:
            by_month.update({(row.subscriber_id, name): cell[name] for name in names})
    assert +by_day == +by_month == +given
    assert len(given) > CUSTOMERS


def free_of(pool_id, line):
    return line.free_by_pool.get(pool_id, 0)


def of_lines(rater, bill, count, by_event=False):
    """A sum over the lines of rules; with `by_event` without rules that round by month."""
    return sum(
        count(line)
        for (_, _, no), line in bill.lines.items()
        if no >= 0 and not (by_event and no in rater.monthly)
    )


def test_rated_units_are_guided_units(cube, raters, bills):
    """The units of all price groups of a package equal the billed units of its events."""
    sums = month_sums.MonthSums(cube.matrix, cube.batch).sums
    for prices in cube.matrix.packages:
        groups = [group.units for group in prices.groups if group.monthly is None]
        rated = sums.these(groups).sum(axis=0)
        billed = [
            of_lines(
                raters[prices.id], bills[number, prices.id], lambda line: line.units, by_event=True
            )
            for number in cube.batch.column("subscriber_id").to_pylist()
        ]
        assert rated.tolist() == billed, prices.id


def test_free_and_paid_units_are_the_billed_ones(cube, raters, bills):
    """From the cube alone, for months that it can split; all pools and lines together."""
    sums = month_sums.MonthSums(cube.matrix, cube.batch).sums
    numbers, parts = (
        cube.batch.column("subscriber_id").to_pylist(),
        rating_cube.parts_of(cube.batch),
    )
    known = some_free = 0
    for prices in cube.matrix.packages:
        units = sums.these([group.units for group in prices.groups])
        drawn_units = draw_pools(prices, units, parts)
        for row in np.flatnonzero(~drawn_units.ordered).tolist():
            bill, rater = bills[numbers[row], prices.id], raters[prices.id]
            billed, free = (
                of_lines(rater, bill, count)
                for count in (lambda line: line.units, lambda line: line.free_units)
            )
            used = sum(pool.size for pool in bill.pools.values()) - drawn_units.left[:, row].sum()
            assert drawn_units.paid[:, row].sum() + used == billed
            assert used == free == sum(pool.used for pool in bill.pools.values())
            known, some_free = known + 1, some_free + (free > 0)
    assert known > CUSTOMERS * PACKAGES // 2
    assert some_free > 200


def test_free_and_paid_units_are_the_billed_ones_where_they_are_replayed(cube, raters, bills):
    """Row by row of dw.free_unit_split, and pool by pool."""
    for row in cube.splits:
        name = cube.some[row.signature].id
        bill, rater = bills[row.subscriber_id, name], raters[name]
        billed = of_lines(rater, bill, lambda line: line.units, by_event=True)
        pools = sorted(cube.some[row.signature].pools, key=lambda pool: pool.order)
        used = [bill.pools[pool.id].size - left for pool, left in zip(pools, row.left, strict=True)]
        assert sum(row.paid) + sum(used) == billed
        assert used == [
            of_lines(rater, bill, partial(free_of, pool.id), by_event=True) for pool in pools
        ]
    assert len(cube.splits) > 100


def fees_of(event):
    """Recorded fees in yuan: each is its own power of two within the month.

    So each sum of fees shows which fees it contains.
    """
    return 4**event.key, 2 * 4**event.key if event.service == "voice" else 0, 0


def test_every_event_is_priced_or_passed_exactly_once(spark, tariffs, raters, customers):
    """By component: a fee passes through once if the reference rater finds no price, else never."""
    fees = {event: fees_of(event) for _, _, events in customers.values() for event in events}
    rows = event_records.evaluated(spark, customers, tariffs, holidays=HOLIDAYS, fees=fees)
    priced_and_passed = Counter()
    for number, (month, _, events) in customers.items():
        over_12593 = sum(sum(fees[event]) for event in events if event.dial == "ip12593")
        for name, rater in raters.items():
            row = rows[number, name]
            mine = [event for event in events if event.service == rater.services[0]]
            whole = sum(sum(fees[event]) for event in mine)
            priced = sum(priced_fees(rater, month, event, fees[event]) for event in rerated(mine))
            passed = row.unrated_fees + (row.d12593 if rater.services[0] == "voice" else 0)
            assert row.comparable
            assert row.d12593 == over_12593
            assert passed == whole - priced, (number, name)
            priced_and_passed.update(priced=priced > 0, passed=passed > 0)
    assert min(priced_and_passed.values()) > 300


def priced_fees(rater, month, event, fees):
    """The recorded fees of those components of an event that have a price."""
    basic, of_toll, _ = fees
    lines = rater.rate_month([event], month).lines
    priced = {component for (_, component, no), line in lines.items() if no >= 0 and line.events}
    return sum(of_toll if component == "toll" else basic for component in priced)


def test_lines_add_up_to_the_total(bills):
    """The lines, the fee, the cut of a cap, the added commitment and the rounding of the bill."""
    for bill in bills.values():
        lines = sum((line.charged for line in bill.lines.values()), Fraction(0))
        cuts = sum(bill.cap_cuts.values())
        assert lines + bill.fee + cuts + bill.commitment + bill.rounding == bill.total
