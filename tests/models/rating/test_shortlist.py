"""Which packages of a customer leave the evaluator: the best K of a kind, and the own ones."""

from datetime import date
from types import SimpleNamespace

import numpy as np
import pytest

from models.rating import evaluator as rating
from models.rating import free_units
from models.rating.cube import Cube
from models.rating.shortlist import LARGEST_COST, Shortlist
from models.usage import cube as usage_cube
from models.usage import events as usage_events
from models.usage import register
from tests.given import event_records
from tests.given.event_records import tariffs_of
from tests.given.frames import local_frame
from tests.given.tariff_examples import airtime, call, message, package

FEB, MARCH = date(2009, 2, 1), date(2009, 3, 1)
FREE_TOLL = {"component": "toll", "rate": "0", "per": "60s", "increment": [60, 60]}


def voice(rate, fee="0", *brands, **changes):
    return package(
        "voice",
        [airtime(rate, **changes), FREE_TOLL],
        monthly_fee=fee,
        brands=list(brands) or ["gotone"],
    )


PACKAGES = {
    "dear": voice("1"),
    "fair": voice("0.50"),
    "cheap": voice("0.20"),
    "flat": voice("0", "2"),
    "young": voice("0.10", "0", "mzone"),
    "old": voice("9"),
    "partial": package(
        "voice",
        [
            airtime("0.01", match={"roaming": "home"}),
            FREE_TOLL,
            airtime("0.01", match={"roaming": "intl"}),
        ],
        otherwise="pass_through",
    ),
    "texts": package(
        "sms", [{"component": "message", "rate": "0.1", "per": "1msg", "increment": [1, 1]}]
    ),
}
OFFERED = tuple(name for name in PACKAGES if name != "old")


@pytest.fixture(scope="module")
def kept(spark):
    """The ids of the rows that leave, by customer: ten minutes a month, K as given."""
    tariffs = tariffs_of(PACKAGES)
    measures = register.measures_wanted((), tariffs)
    people = {1: ("gotone", ["old"]), 2: ("mzone", None), 3: (None, ["cheap", "old"])}
    events = {
        number: [
            call(300, f"2009-{month:02d}-03 12:00:00", key=(month, n))
            for month in (2, 3)
            for n in range(2)
        ]
        + [message()]
        for number in people
    }
    records = event_records.guided(spark, events, tariffs)
    months = usage_cube.by_month(usage_cube.by_day(records, measures), [FEB, MARCH], measures)
    frame = months.selectExpr("month", "subscriber_id", "CAST(NULL AS DATE) joined")
    about = local_frame(
        spark,
        [(number, *one) for number, one in people.items()],
        "subscriber_id long, brand string, own array<string>",
    )
    cube = Cube(frame, months, usage_events.cells(records).collect(), measures)
    sold = list(tariffs.packages.values())
    assert list(free_units.representatives(sold, "all")) == []

    def best(keep):
        rows = rating.evaluate_best(
            cube, sold, about, Shortlist(sold, OFFERED, keep), "all"
        ).collect()
        everything = {
            (row.subscriber_id, row.month, row.package_id): row
            for row in rating.evaluate(cube, sold, "all").collect()
        }
        assert all(row == everything[row.subscriber_id, row.month, row.package_id] for row in rows)
        return {
            number: {row.package_id for row in rows if row.subscriber_id == number}
            for number in people
        }

    return best


def test_the_best_of_each_kind_and_the_own_ones_are_kept(kept):
    # Ten minutes: partial .10, cheap 2.00, flat 2.00; a tie goes to the lower fee.
    assert kept(1)[1] == {"partial", "texts", "old"}
    assert kept(2)[1] == {"partial", "cheap", "texts", "old"}


def test_packages_of_the_own_brand_come_first_and_others_fill_up(kept):
    assert kept(1)[2] == {"young", "texts"}
    assert kept(2)[2] == {"young", "partial", "texts"}


def test_who_has_no_known_brand_is_shown_the_cheapest_of_all(kept):
    assert kept(1)[3] == {"partial", "texts", "cheap", "old"}


def test_nothing_offered_leaves_the_own_ones(kept):
    assert kept(0)[1] == {"old"}


def chosen(costs, comparable, keep=1, **fees):
    packages = [
        SimpleNamespace(
            id=f"p{no}",
            kind="voice",
            kinds=("voice",),
            brands=(),
            requires=(),
            excludes=(),
            former_of=None,
            monthly_fee=fees.get(f"p{no}", 0),
        )
        for no in range(len(costs))
    ]
    import pyarrow as pa

    kept = Shortlist(packages, [one.id for one in packages], keep).chosen(
        np.array(costs),
        np.array(comparable),
        np.array([0]),
        pa.array([None], pa.string()),
        pa.array([None], pa.list_(pa.string())),
    )
    return [no for no in range(len(costs)) if kept[no, 0]]


def test_more_comparable_months_come_before_a_lower_cost():
    assert chosen([[5, 5], [1, 0]], [[True, True], [True, False]]) == [0]


def test_a_package_without_a_comparable_month_comes_last():
    assert chosen([[0, 0], [9, 9]], [[False, False], [True, False]]) == [1]


def test_ties_go_to_the_lower_fee_then_to_the_id():
    assert chosen([[5], [5], [5]], [[True]] * 3, p0=3, p1=2, p2=2) == [1]


def test_costs_beyond_one_whole_number_are_ordered_too():
    huge = LARGEST_COST + 10
    assert chosen([[huge + 1], [huge]], [[True]] * 2) == [1]
    assert chosen([[huge, 0], [1, 0]], [[True, True], [True, False]]) == [0]
