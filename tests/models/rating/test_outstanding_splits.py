"""Which splits of free units are valid at a month's close, and which must be replayed."""

from datetime import date

import pytest

from models.rating import free_units
from tests.given.event_records import tariffs_of
from tests.given.frames import local_frame
from tests.given.tariff_examples import airtime, package, pool

APRIL, JOINED, LATER = date(2009, 4, 1), date(2009, 4, 10), date(2009, 4, 20)
WANTED = "subscriber_id long, month date, joined date, wanted array<int>"
STORED = (
    "subscriber_id long, month date, joined date, signature string, paid array<long>, "
    "left array<long>, rounded array<long>"
)


@pytest.fixture(scope="module")
def packages():
    """Two signatures without carry-over and one with it, in the order of their places."""
    sold = tariffs_of(
        {
            name: package(
                rules=[airtime(pools=["free"])],
                pools=[pool(amount, carry_over=carries)],
                otherwise="pass_through",
            )
            for name, amount, carries in (
                ("ten", 10, False),
                ("twenty", 20, False),
                ("on", 5, True),
            )
        }
    )
    found = free_units.representatives(list(sold.packages.values()), "all")
    return dict(sorted(found.items(), key=lambda one: one[1].pools[0].carry_over))


def outcome(spark, packages, wanted, stored):
    """{(subscriber, joined): places to replay}, and the valid (subscriber, place) pairs."""
    names = list(packages)
    rows = [
        (who, APRIL, joined, name if isinstance(name, str) else names[name], [1], [0], [])
        for who, joined, name in stored
    ]
    to_do, valid = free_units.outstanding(
        local_frame(
            spark, [(who, APRIL, joined, places) for who, joined, places in wanted], WANTED
        ),
        local_frame(spark, rows, STORED),
        packages,
    )
    return (
        {(row.subscriber_id, row.joined): row.wanted for row in to_do.collect()},
        {(row.subscriber_id, names.index(row.signature)) for row in valid.collect()},
    )


@pytest.mark.parametrize(
    ("case", "wanted", "stored", "to_do", "valid"),
    [
        (
            "all are there",
            [(1, JOINED, [0, 1])],
            [(1, JOINED, 0), (1, JOINED, 1)],
            {},
            {(1, 0), (1, 1)},
        ),
        (
            "one of two is there",
            [(1, JOINED, [0, 1])],
            [(1, JOINED, 1)],
            {(1, JOINED): [0]},
            {(1, 1)},
        ),
        ("none is there", [(1, JOINED, [0])], [], {(1, JOINED): [0]}, set()),
        (
            "the day of joining is unknown, then and now",
            [(1, None, [0])],
            [(1, None, 0)],
            {},
            {(1, 0)},
        ),
        (
            "the day of joining was corrected",
            [(1, LATER, [0])],
            [(1, JOINED, 0)],
            {(1, LATER): [0]},
            set(),
        ),
        (
            "the day of joining has become known",
            [(1, JOINED, [0])],
            [(1, None, 0)],
            {(1, JOINED): [0]},
            set(),
        ),
        ("no longer wanted", [(1, JOINED, [1])], [(1, JOINED, 0), (1, JOINED, 1)], {}, {(1, 1)}),
        (
            "of a package that is sold no more",
            [(1, JOINED, [0])],
            [(1, JOINED, "f" * 16)],
            {(1, JOINED): [0]},
            set(),
        ),
        ("of another subscriber", [(2, JOINED, [0])], [(1, JOINED, 0)], {(2, JOINED): [0]}, set()),
        (
            "units are carried over: the chain begins in another month now",
            [(1, JOINED, [0, 2])],
            [(1, JOINED, 0), (1, JOINED, 2)],
            {(1, JOINED): [2]},
            {(1, 0)},
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_stored_split_stands_while_it_says_the_same(
    spark, packages, case, wanted, stored, to_do, valid
):
    assert outcome(spark, packages, wanted, stored) == (to_do, valid), case
