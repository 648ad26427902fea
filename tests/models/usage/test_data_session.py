"""Parts of data sessions are merged before rounding, also across nights."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from random import Random

import pytest

from models.usage import cube as usage_cube
from models.usage import data_session
from models.usage import events as usage_events
from tests.given.event_records import CHINA, frames, increments, owners
from tests.given.rows import frame

DAY = date(2009, 5, 1)
GAP, LOOKBACK = 24, 7
KILOBYTES = (increments("data", 1, 1024, 1024),)


def part(at="2009-05-01 10:00:00", size=512, night=0, lasting=60, **changes):
    """A row of ods.data_session: a part that arrived `night` days after the first of May."""
    began = datetime.strptime(at, "%Y-%m-%d %H:%M:%S").replace(tzinfo=CHINA)
    return {
        "source": "data",
        "gateway": "g1",
        "session_no": "c1",
        "msisdn": "n1",
        "occurred_at": began,
        "local_date": began.date(),
        "local_second": began.hour * 3600 + began.minute * 60 + began.second,
        "duration_s": lasting,
        "bytes_up": size // 3,
        "bytes_down": size - size // 3,
        "fee": Decimal("0.010"),
        "row_no": 1,
        "batch_date": DAY + timedelta(days=night),
        **changes,
    }


@pytest.fixture
def slices(spark):
    """The slices of dw.usage_day; each night knows only the parts delivered so far."""

    def made(parts, nights=None):
        parts = list(parts)
        delivered = sorted({one["batch_date"] for one in parts})
        runs = [[day] for day in delivered] if nights is None else nights
        found = []
        for run in runs:
            since = min(run) - timedelta(days=LOOKBACK)
            tonight = [one for one in parts if one["batch_date"] in run]
            before = [one for one in parts if since <= one["batch_date"] < min(run)]
            added = data_session.contributions(
                frame(spark, "ods.data_session", *tonight),
                frame(spark, "ods.data_session", *before),
                GAP,
                {"data": LOOKBACK},
            )
            voice, messages, _, wlan = frames(spark, [])
            people = owners(spark, {int(one["msisdn"][1:]) for one in parts})
            guided = usage_events.guide(
                usage_events.Records(voice, messages, added, wlan), people, {}, ()
            )
            found.append(usage_cube.by_day(guided, KILOBYTES))
        together = found[0]
        for other in found[1:]:
            together = together.union(other)
        return together

    return made


def rows(frame):
    return sorted(
        (
            row.batch_date.day,
            row.local_date.day,
            row.events,
            row.billed_events,
            row.quantity,
            row.billed[0],
            row.airtime_fee,
        )
        for row in frame.collect()
    )


def cents(number):
    return 10_000 * number  # micro-yuan


def test_two_parts_of_512_bytes_are_one_kilobyte(slices):
    """Trap 10."""
    parts = [part(), part("2009-05-01 10:01:00")]
    assert rows(slices(parts)) == [(1, 1, 1, 1, 1024, 1024, cents(2))]


def test_a_part_of_the_next_night_adds_the_difference_and_nothing_twice(slices):
    parts = [part("2009-05-01 23:59:00"), part("2009-05-02 00:00:00", night=1)]
    assert rows(slices(parts)) == [
        (1, 1, 1, 1, 512, 1024, cents(1)),
        (2, 1, 0, 0, 512, 0, cents(1)),
    ]


def test_the_first_part_coming_last_moves_the_session_to_its_own_day(slices):
    parts = [part("2009-05-02 00:00:00", night=1), part("2009-05-01 23:59:00", night=2)]
    assert rows(slices(parts)) == [
        (2, 2, 1, 1, 512, 1024, cents(1)),
        (3, 1, 1, 1, 1024, 1024, cents(2)),
        (3, 2, -1, -1, -512, -1024, cents(-1)),
    ]


def test_a_part_between_two_makes_one_session_of_them(slices):
    parts = [
        part("2009-05-01 00:00:00"),
        part("2009-05-02 23:00:00", night=1),
        part("2009-05-01 23:30:00", night=2),
    ]
    summed = rows(slices(parts))
    assert summed[-2:] == [
        (3, 1, 0, 0, 1024, 1024, cents(2)),
        (3, 2, -1, -1, -512, -1024, cents(-1)),
    ]


@pytest.mark.parametrize(
    ("begins", "sessions"), [("2009-05-02 10:01:00", 1), ("2009-05-02 10:01:01", 2)]
)
def test_a_charging_id_that_comes_again_later_is_another_session(slices, begins, sessions):
    # The first part ended at 10:01:00 of the day before.
    found = rows(slices([part(), part(begins)]))
    assert sum(row[2] for row in found) == sessions
    assert sum(row[5] for row in found) == sessions * 1024


@pytest.mark.parametrize(("night", "billed"), [(LOOKBACK, 1024), (LOOKBACK + 1, 2048)])
def test_a_night_looks_for_the_other_parts_as_far_as_the_look_back(slices, night, billed):
    found = rows(slices([part(), part("2009-05-01 10:01:00", night=night)]))
    assert sum(row[5] for row in found) == billed


def test_other_gateways_numbers_and_sources_are_other_sessions(slices):
    others = [
        part(),
        part(gateway="g2"),
        part(gateway=None),
        part(msisdn="n2"),
        part(session_no="c2"),
        part(source="data", session_no="c3", gateway=None),
    ]
    assert sum(row[2] for row in rows(slices(others))) == 6


def test_parts_split_into_nights_or_all_at_once_make_the_same_month(spark, slices):
    """Thirty numbers with a few sessions each, cut into parts that come in any order."""
    chance = Random(2009)
    parts = []
    for number in range(1, 31):
        for session in range(chance.randrange(1, 4)):
            start = datetime(2009, 4, 30, 20, tzinfo=CHINA) + timedelta(
                minutes=chance.randrange(3000)
            )
            for _ in range(chance.randrange(1, 5)):
                parts.append(
                    part(
                        f"{start:%Y-%m-%d %H:%M:%S}",
                        chance.randrange(3000),
                        chance.randrange(3),
                        chance.randrange(600),
                        msisdn=f"n{number}",
                        session_no=f"c{session % 2}",
                        row_no=len(parts) + 1,
                        roaming=chance.choice(["home", "intl"]),
                    )
                )
                start += timedelta(seconds=chance.randrange(1, 40_000))
    days = sorted({one["batch_date"] for one in parts})
    months = [date(2009, 4, 1), date(2009, 5, 1)]

    def month(frame):
        return {
            (row.month, row.subscriber_id): row.cells
            for row in usage_cube.by_month(frame, months, KILOBYTES).collect()
        }

    at_once = month(slices([{**one, "batch_date": DAY} for one in parts]))
    assert month(slices(parts)) == at_once
    assert month(slices(parts, [days])) == at_once
    cells = [cell for found in at_once.values() for cell in found]
    assert 30 < sum(cell.events for cell in cells) < len(parts)
    assert sum(cell.quantity for cell in cells) == sum(
        one["bytes_up"] + one["bytes_down"] for one in parts
    )
