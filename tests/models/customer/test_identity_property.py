"""Intervals of numbers: sixty random histories of customer files, each delivered in three ways.

One Spark pass: the history and the way of its delivery are part of every number.
"""

import itertools
from datetime import date, timedelta
from random import Random

import pytest

from models.customer import identity
from tests.given.rows import frame
from tests.models.customer.test_identity import DAY, KEY, at, expected_id, subscriber_row

HISTORIES, WAYS = 60, 3
LONG = 10_000  # the day of an interval that does not end


def history(chance: Random) -> list[tuple]:
    """Changes (subscriber, number, from, to, changed) of few subscribers and fewer numbers."""
    changes = []
    for changed in range(chance.randrange(1, 12)):
        start = chance.randrange(40)
        end = chance.choice([None, start + chance.randrange(0, 25)])
        changes.append((f"s{chance.randrange(4)}", f"n{chance.randrange(3)}", start, end, changed))
    return changes


def owned(changes: list[tuple]) -> dict[str, list[tuple]]:
    """Number → (subscriber, from, to) in order: the last change of an interval counts, and of the
    intervals of a number each ends where the next begins."""
    last = {
        (who, start): (who, number, start, end, changed)
        for who, number, start, end, changed in sorted(changes, key=lambda one: one[-1])
    }
    found: dict[str, list[tuple]] = {}
    kept = sorted(last.values(), key=lambda one: (one[2], one[4]))
    for who, number, start, end, _ in kept:
        if end is not None and end <= start:
            continue
        mine = found.setdefault(number, [])
        if mine and (mine[-1][2] is None or mine[-1][2] > start):
            mine[-1] = (*mine[-1][:2], start)
        mine.append((who, start, end))
    return {number: [one for one in mine if one[1] != one[2]] for number, mine in found.items()}


@pytest.fixture(scope="module")
def cases(spark):
    """The histories, and what became of each number in each way of its delivery."""
    chance, histories, rows = Random(2009), [], []
    for case in range(HISTORIES):
        histories.append(history(chance))
        for way in range(WAYS):
            order = list(histories[-1])
            chance.shuffle(order)
            for place, (who, number, start, end, changed) in enumerate(order):
                day = date(2009, 2, 20) + timedelta(days=chance.randrange(way * 5 + 1))
                rows.append(
                    subscriber_row(
                        f"{case}/{way}/{who}",
                        f"{case}/{way}/{number}",
                        start,
                        end,
                        changed=changed,
                        batch=day,
                        row=place,
                    )
                )
    made = identity.subscriber_identity(
        frame(spark, "ods.subscriber", *rows), None, key=KEY, data_date=DAY
    )
    found: dict[tuple, list[tuple]] = {}
    for row in made.collect():
        case, way, number = row.msisdn.split("/")
        found.setdefault((int(case), int(way), number), []).append(row)
    return histories, found


def test_any_delivery_of_the_same_changes_gives_the_intervals_of_plain_python(cases):
    histories, found = cases
    compared = 0
    for case, changes in enumerate(histories):
        expected = owned(changes)
        for way in range(WAYS):
            for number in ("n0", "n1", "n2"):
                rows = sorted(found.get((case, way, number), []), key=lambda one: one.valid_from)
                told = [
                    (
                        row.subscriber_id,
                        row.valid_from.timestamp(),
                        row.valid_to and row.valid_to.timestamp(),
                    )
                    for row in rows
                ]
                assert told == [
                    (
                        expected_id("subscriber", f"{case}/{way}/{who}"),
                        at(start).timestamp(),
                        None if end is None else at(end).timestamp(),
                    )
                    for who, start, end in expected.get(number, [])
                ], (case, way, number)
                compared += len(told)
    assert compared > HISTORIES * WAYS


def test_intervals_never_overlap_and_fill_no_time_that_no_file_claims(cases):
    histories, found = cases
    recycled = 0
    for (case, way, number), rows in found.items():
        rows.sort(key=lambda one: one.valid_from)
        for one, following in itertools.pairwise(rows):
            assert one.valid_to is not None
            assert one.valid_to <= following.valid_from
            recycled += one.subscriber_id != following.subscriber_id
        claimed = {
            (expected_id("subscriber", f"{case}/{way}/{who}"), at(start).timestamp()): LONG
            if end is None
            else end
            for who, its, start, end, _ in histories[case]
            if its == number
        }
        for row in rows:
            end = max(
                end
                for (who, start), end in claimed.items()
                if (who, start) == (row.subscriber_id, row.valid_from.timestamp())
            )
            assert row.valid_to is None or row.valid_to.timestamp() <= at(end).timestamp()
    assert recycled > HISTORIES
