"""Repeated lines: which of them stays, whatever the order of files, days and runs."""

import random
from datetime import UTC, date, datetime, timedelta

import pytest

from schemas.render.spark import struct_type
from tests.given.delivered_lines import DAY, line, source
from tests.given.frames import local_frame


def test_of_duplicates_the_lowest_day_file_and_row_stays(judged):
    def at(day, **changes):
        return line(start=f"{DAY:%Y%m%d}101500", **changes), DAY + timedelta(days=day)

    placed = [  # case, key, (day, file, row), stays
        ("within a file", "a", (0, "1.txt", 5), False),
        ("within a file", "a", (0, "1.txt", 2), True),
        ("another file of the day", "b", (0, "2.txt", 1), False),
        ("another file of the day", "b", (0, "1.txt", 9), True),
        ("the last day of the look-back", "c", (0, "1.txt", 11), True),
        ("the last day of the look-back", "c", (7, "1.txt", 1), False),
        ("a day beyond the look-back", "d", (0, "1.txt", 12), True),
        ("a day beyond the look-back", "d", (8, "1.txt", 1), True),
        ("a repeat of what was no repeat", "e", (0, "1.txt", 13), True),
        ("a repeat of what was no repeat", "e", (7, "1.txt", 14), False),
        ("a repeat of what was no repeat", "e", (8, "1.txt", 14), True),
        ("a repeat of what was no repeat", "e", (10, "1.txt", 14), False),
    ]
    rows = [
        (at(day, other=key)[0], f"{day}/{file}", row, at(day)[1])
        for _, key, (day, file, row), _ in placed
    ]
    seen = judged(rows, source(lookback_days=7, max_age_days=20))
    for case, _, (day, file, row), stays in placed:
        assert ((f"{day}/{file}", row) in seen.accepted) == stays, case
    assert not seen.rejected
    assert seen.counts[DAY]["duplicate"] == 2


def test_what_is_no_duplicate(judged):
    rows = [
        (line(no="V1"), "a", 1, DAY),
        (line(no="V2"), "a", 2, DAY),
        (line(no="V1", other=""), "a", 3, DAY),
        (line(no="V2", other=""), "a", 4, DAY),
        (line(other="bad first", fee="x"), "a", 5, DAY),
        (line(other="bad first"), "a", 6, DAY),
        (line(other="twice bad", fee="x"), "a", 7, DAY),
        (line(other="twice bad", fee="x"), "a", 8, DAY),
    ]
    seen = judged(rows, source())
    assert {row for _, row in seen.accepted} == {1, 2, 3, 4, 6}
    assert {row for _, row in seen.rejected} == {5, 7, 8}  # a rejected row takes no one's place
    assert not seen.duplicate


def test_a_record_number_tells_records_of_one_day_apart(judged):
    """Calls with a day but no time and no other party: only their numbers differ."""
    rows = [
        (line(no=f"V{number}", other="", start="20090503000000"), "a", place, DAY)
        for place, number in enumerate((1, 2, 2, 3), start=1)
    ]
    seen = judged(rows, source())
    assert {row for _, row in seen.accepted} == {1, 2, 4}
    assert {row for _, row in seen.duplicate} == {3}


def test_without_record_numbers_the_length_of_a_call_is_part_of_its_key(judged):
    mapping = {k: v for k, v in source().mapping.items() if k != "call_no"}
    rows = [
        (line(seconds="61"), "a", 1, DAY),
        (line(seconds="62"), "a", 2, DAY),
        (line(seconds="62"), "a", 3, DAY),
    ]
    seen = judged(rows, source(mapping=mapping))
    assert {row for _, row in seen.accepted} == {1, 2}
    assert {row for _, row in seen.duplicate} == {3}


def test_the_same_key_with_other_content_is_rejected_with_its_line(judged):
    late = DAY + timedelta(days=2)
    rows = [
        (line(), "a", 1, DAY),
        (line(seconds="75"), "a", 2, DAY),
        (line(city=""), "a", 3, DAY),
        (line(), "a", 4, DAY),
        (line(fee="0.500"), "b", 1, late),
        (line(), "b", 2, late),
    ]
    seen = judged(rows, source(max_age_days=20))
    reason = "record: its key is that of an accepted record with other content"
    assert set(seen.accepted) == {("a", 1)}
    assert seen.duplicate == {("a", 4), ("b", 2)}
    refused = {("a", 2): rows[1][0], ("a", 3): rows[2][0], ("b", 1): rows[4][0]}
    assert {place: row.raw_line for place, row in seen.rejected.items()} == refused
    assert all(row.reasons == [reason] for row in seen.rejected.values())
    told = [seen.counts[day] for day in (DAY, late)]
    names = ("delivered", "accepted", "rejected", "duplicate", "conflict", "part", "correction")
    assert [[one[name] for name in names] for one in told] == [
        [4, 1, 2, 1, 2, 0, 0],
        [2, 0, 1, 1, 1, 0, 0],
    ]
    assert [one[f"check_{seen.checks.index(reason)}"] for one in told] == [2, 1]


@pytest.mark.parametrize(
    ("parts", "counted"), [("add", "part"), ("cumulative", "part"), ("last", "correction")]
)
def test_a_source_with_parts_keeps_rows_of_one_key_and_drops_true_repeats(judged, parts, counted):
    late = DAY + timedelta(days=1)
    rows = [
        (line(seconds="600"), "a", 1, DAY),
        (line(seconds="1200"), "a", 2, DAY),
        (line(seconds="1200"), "a", 3, DAY),
        (line(seconds="600"), "b", 1, late),
        (line(seconds="1500"), "b", 2, late),
        (line(no="V2"), "b", 3, late),
    ]
    seen = judged(rows, source(parts=parts))
    assert set(seen.accepted) == {("a", 1), ("a", 2), ("b", 2), ("b", 3)}
    assert seen.duplicate == {("a", 3), ("b", 1)}
    assert [seen.counts[day][counted] for day in (DAY, late)] == [1, 1]


def test_an_hour_that_occurs_twice_may_hold_two_calls_of_one_local_time(judged):
    """New York puts its clock back at 06:00 UTC: 01:30 comes twice, a row does not say which."""
    day = date(2009, 11, 1)
    rows = [
        (line(no=no, start="20091101013000"), "a", place, day)
        for place, no in enumerate(["", "", "V1", "V2", "V2"], start=1)
    ]
    changed = int(datetime(2009, 11, 1, 6, tzinfo=UTC).timestamp())
    of = source(timezone="America/New_York")
    seen = judged(rows, of, repeated_hours=[(changed - 3600, changed)])
    assert set(seen.accepted) == {("a", 1), ("a", 3), ("a", 4)}
    assert set(seen.rejected) == {("a", 2)}
    assert seen.duplicate == {("a", 5)}  # its record number tells that it repeats
    assert "local time occurs twice" in seen.rejected[("a", 2)].reasons[0]


def test_without_a_look_back_only_the_same_day_counts(judged):
    rows = [(line(), "a", 1, DAY), (line(), "a", 2, DAY), (line(), "b", 1, DAY + timedelta(1))]
    seen = judged(rows, source(lookback_days=0))
    assert set(seen.accepted) == {("a", 1), ("b", 1)}


def stays(history, lookback):
    """Plain Python: which places of a key's history stay, night by night."""
    kept, last = [], None
    for place in sorted(history):
        if last is None or (place[0] - last).days > lookback:
            kept.append(place)
            last = place[0]
    return kept


def test_one_pass_keeps_what_night_by_night_would(judged, spark, contracts):
    """Random histories of many keys, in one pass and cut in two with what was accepted before."""
    chance, lookback = random.Random(2009), 3
    history = {
        f"k{key}": sorted(
            {
                (
                    DAY + timedelta(days=chance.randrange(14)),
                    f"{chance.randrange(2)}.txt",
                    key * 100 + chance.randrange(99),
                )
                for _ in range(chance.randrange(1, 9))
            }
        )
        for key in range(60)
    }
    expected = {place for places in history.values() for place in stays(places, lookback)}
    rows = [
        (line(other=key), file, row, day)
        for key, places in history.items()
        for day, file, row in places
    ]
    of = source(lookback_days=lookback, max_age_days=40)
    whole = judged(rows, of)
    assert whole.kept() == expected

    cut = DAY + timedelta(days=6)
    before = [
        row
        for row in whole.accepted.values()
        if cut - timedelta(days=lookback) <= row.batch_date < cut
    ]
    assert before
    earlier = local_frame(
        spark,
        before + before[:3],  # a key twice must not double a row
        struct_type(contracts["ods.voice_call"]),
    )
    second = judged([row for row in rows if row[3] >= cut], of, earlier=earlier)
    assert second.kept() == {place for place in expected if place[0] >= cut}
    assert len(second.all) == sum(row[3] >= cut for row in rows)
