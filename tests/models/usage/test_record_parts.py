"""Records of one event are merged before rounding, also across nights."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from random import Random

import pytest

from models.usage import cube as usage_cube
from models.usage import events as usage_events
from models.usage import record_parts
from tests.given.event_records import CHINA, increments, owners
from tests.given.rows import frame

DAY = date(2009, 5, 1)
GAP, LOOKBACK = 24, 7
MEASURES = (
    increments("data", 1, 1024, 1024),
    increments("voice", 1, 60, 60),
    increments("wlan", 1, 60, 60),
)


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

    def made(parts, nights=None, table="ods.data_session", mode="add"):
        parts = list(parts)
        delivered = sorted({one["batch_date"] for one in parts})
        runs = [[day] for day in delivered] if nights is None else nights
        found = []
        for run in runs:
            since = min(run) - timedelta(days=LOOKBACK)
            tonight = [one for one in parts if one["batch_date"] in run]
            before = [one for one in parts if since <= one["batch_date"] < min(run)]
            added = record_parts.contributions(
                {table: frame(spark, table, *tonight)},
                {table: frame(spark, table, *before)},
                record_parts.Joining({"data": mode}, GAP, {"data": LOOKBACK}),
            )
            people = owners(spark, {int(one["msisdn"][1:]) for one in parts})
            guided = usage_events.guide(added, people, {}, ())
            found.append(usage_cube.by_day(guided, MEASURES))
        together = found[0]
        for other in found[1:]:
            together = together.union(other)
        return together

    return made


def wlan(seconds, at="2009-05-01 10:00:00", night=0, **changes):
    """A row of ods.wlan_session of one session, delivered `night` days after the first of May."""
    row = part(at, 0, night, seconds, **changes)
    return {name: row[name] for name in row if name not in ("gateway", "bytes_up", "bytes_down")}


def leg(seconds, at="2009-05-01 10:00:00", night=0, **changes):
    """A row of ods.voice_call: a leg of one call."""
    row = wlan(seconds, at, night)
    fee, number = row.pop("fee"), row.pop("session_no")
    return {**row, "call_no": number, "airtime_fee": fee, **changes}


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
            for row in usage_cube.by_month(frame, months, MEASURES).collect()
        }

    at_once = month(slices([{**one, "batch_date": DAY} for one in parts]))
    assert month(slices(parts)) == at_once
    assert month(slices(parts, [days])) == at_once
    cells = [cell for found in at_once.values() for cell in found]
    assert 30 < sum(cell.events for cell in cells) < len(parts)
    assert sum(cell.quantity for cell in cells) == sum(
        one["bytes_up"] + one["bytes_down"] for one in parts
    )


def test_interim_records_hold_what_was_used_so_far(slices):
    """600, 1,200 and 1,500 s so far are 1,500 s, in whatever order and night they come."""
    for nights in ([0, 0, 0], [0, 1, 2], [2, 0, 1]):
        parts = [
            wlan(seconds, night=night, row_no=place)
            for place, (seconds, night) in enumerate(zip((600, 1200, 1500), nights, strict=True), 1)
        ]
        found = rows(slices(parts, table="ods.wlan_session", mode="cumulative"))
        assert sum(row[2] for row in found) == 1
        assert sum(row[4] for row in found) == 1500
        assert sum(row[6] for row in found) == cents(1)


def test_part_numbers_decide_which_record_is_the_last(slices):
    """A counter that was set back: the record with the highest number counts, not the longest."""
    parts = [wlan(900, part_no=2), wlan(700, part_no=3, night=1), wlan(300, part_no=1, night=2)]
    found = rows(slices(parts, table="ods.wlan_session", mode="cumulative"))
    assert sum(row[4] for row in found) == 700


def test_a_session_number_that_comes_again_on_another_day_is_another_session(slices):
    parts = [wlan(660), wlan(1500, at="2009-05-03 09:00:00", night=2)]
    for mode in ("add", "cumulative", "last"):
        found = rows(slices(parts, table="ods.wlan_session", mode=mode))
        assert sum(row[4] for row in found) == 2160
        assert sum(row[2] for row in found) == 2


def test_two_containers_of_one_opening_time_add_up(slices):
    found = rows(slices([part(size=21_000), part(size=70_500)]))
    assert [(row[2], row[4]) for row in found] == [(1, 91_500)]


def test_a_correction_takes_the_place_of_what_it_corrects_with_its_facts(slices):
    parts = [
        leg(600, roaming="home"),
        leg(60, night=1, roaming="intl"),
    ]
    slices_ = slices(parts, table="ods.voice_call", mode="last")
    by_night = rows(slices_)
    assert sum(row[4] for row in by_night) == 60
    assert sorted(row[4] for row in by_night) == [-600, 60, 600]


def test_the_legs_of_a_call_are_one_event(slices):
    """One connect fee and one rounding: 83 s in two rows are one call of 83 s."""
    legs = [leg(60), leg(23, "2009-05-01 10:01:00")]
    assert [row[2:6] for row in rows(slices(legs, table="ods.voice_call"))] == [(1, 1, 83, 120)]
    apart = [leg(60), leg(23, "2009-05-01 10:01:00", direction="mt")]
    assert sum(row[2] for row in rows(slices(apart, table="ods.voice_call"))) == 2
    unnumbered = [leg(60, call_no=None), leg(23, "2009-05-01 10:01:00", call_no=None)]
    assert sum(row[2] for row in rows(slices(unnumbered, table="ods.voice_call"))) == 2


def test_part_numbers_that_lack_are_counted(spark):
    delivered = [part(part_no=number, row_no=number) for number in (2, 3, 6)]
    whole = [part(part_no=number, row_no=number, session_no="c2") for number in (4, 5)]
    records = {"ods.data_session": frame(spark, "ods.data_session", *delivered, *whole)}
    joining = record_parts.Joining({"data": "add"}, GAP, {"data": LOOKBACK})
    assert sorted(row.missing for row in record_parts.merged(records, joining).collect()) == [0, 2]
