"""Guiding records into rating cells and adding them up: tiny deliveries, the case in words."""

from datetime import date, datetime

import pytest

from models.usage import cube as usage_cube
from models.usage import events as usage_events
from models.usage import register
from schemas.errors import ConfigError, QualityError
from tests.given import event_records
from tests.given.event_records import increments
from tests.given.tariff_examples import airtime, call, message, package, session

MARCH, APRIL = date(2009, 3, 1), date(2009, 4, 1)
MINUTES = increments("voice", 1, 60, 60)
SIXTY_FORTYFIVE = increments("voice", 2, 60, 45)
MESSAGES = increments("sms", 1, 1, 1)
KILOBYTES = increments("data", 1, 1024, 1024)
ALL = (MINUTES, SIXTY_FORTYFIVE, MESSAGES, KILOBYTES)


class Demand:
    """A catalogue as usage needs it: cuts and measures by service."""

    def __init__(self, *measures, cuts=(0, 28800, 72000)):
        self.wanted = measures
        self.voice_cuts = cuts

    def cuts(self, service):
        return self.voice_cuts if service == "voice" else (0,)

    def measures(self, service):
        return [measure.definition for measure in self.wanted if measure.service == service]


@pytest.fixture
def guide(spark):
    return lambda *events, **how: event_records.guided(spark, {1: events}, Demand(), **how)


def test_a_recycled_number_belongs_to_who_held_it_at_the_instant(spark):
    first, second, last = (
        datetime(*day, tzinfo=event_records.CHINA)
        for day in ((2008, 1, 1), (2009, 3, 10, 12), (2009, 3, 20))
    )
    identity = event_records.held(spark, (1, "n1", first, second), (2, "n1", second, last))
    moments = {
        "2009-03-10 11:59:59": 1,
        "2009-03-10 12:00:00": 2,
        "2009-03-19 23:59:59": 2,
        "2009-03-20 00:00:00": None,
        "2007-12-31 10:00:00": None,
    }
    calls = [call(number, moment) for number, moment in enumerate(moments, start=1)]
    frames = event_records.frames(spark, [event_records.record(1, event) for event in calls])
    guided = usage_events.guide(event_records.events_of(frames), identity, {"voice": (0,)}, ())
    owners = {row.quantity: row.subscriber_id for row in guided.collect()}
    assert list(moments.values()) == [owners[number] for number in range(1, 6)]


def test_records_of_unknown_numbers_are_kept_for_counting_but_not_added_up(spark):
    early = call(60, "2007-06-01 10:00:00")
    guided = event_records.guided(spark, {1: [early, call(60)]}, Demand())
    assert guided.where("subscriber_id IS NULL").count() == 1
    assert usage_cube.by_day(guided, ALL).count() == 1
    assert usage_events.cells(guided).count() == 1


def test_each_call_is_rounded_up_before_the_sum(guide):
    # 100 calls of 61 s are 200 minutes, not 102.
    calls = [call(61, f"2009-03-02 10:{n // 60:02d}:{n % 60:02d}") for n in range(100)]
    (row,) = usage_cube.by_day(guide(*calls), ALL).collect()
    assert (row.events, row.billed_events, row.quantity) == (100, 100, 6100)
    assert row.billed == [100 * 120, 100 * 105]


def test_billed_units_at_the_edges_of_the_increments(guide):
    edges = {
        0: [0, 0],
        1: [60, 60],
        60: [60, 60],
        61: [120, 105],
        105: [120, 105],
        106: [120, 150],
        121: [180, 150],
    }
    calls = [call(seconds, f"2009-03-{day:02d} 10:00:00") for day, seconds in enumerate(edges, 1)]
    rows = usage_cube.by_day(guide(*calls), ALL).orderBy("local_date").collect()
    assert [row.billed for row in rows] == list(edges.values())


def test_a_missed_call_is_counted_and_never_charged(spark):
    # Some exchanges write the ringing time of a missed call.
    kind, ringing = event_records.record(1, call(25, direction="mt"))
    missed = (kind, {**ringing, "outcome": "missed"})
    talked = event_records.record(1, call(61, direction="mt"))
    frames = event_records.frames(spark, [missed, talked])
    owners = event_records.owners(spark, [1])
    guided = usage_events.guide(event_records.events_of(frames), owners, {"voice": (0,)}, ())
    (row,) = usage_cube.by_day(guided, ALL).collect()
    assert (row.events, row.billed_events, row.quantity, row.billed) == (2, 1, 61, [120, 105])


def test_slots_begin_at_the_cuts_of_the_catalogue(guide):
    moments = ["07:59:59", "08:00:00", "19:59:59", "20:00:00"]
    guided = guide(*(call(60, f"2009-03-02 {moment}") for moment in moments))
    slots = sorted((row.slot_from, row.slot_to) for row in guided.collect())
    assert slots == [(0, 28800), (28800, 72000), (28800, 72000), (72000, 86400)]


def test_a_service_without_cuts_has_one_slot(guide):
    (row,) = guide(message("2009-03-02 21:00:00")).collect()
    assert (row.slot_from, row.slot_to) == (0, 86400)


def test_a_holiday_goes_before_the_weekend(guide):
    days = {
        "2009-04-03": "workday",
        "2009-04-04": "holiday",
        "2009-04-11": "weekend",
        "2009-04-12": "weekend",
    }
    calls = (call(60, f"{day} 10:00:00") for day in days)
    guided = guide(*calls, holidays=(date(2009, 4, 4),))
    assert {str(row.local_date): row.day_type for row in guided.collect()} == days


def test_facts_that_differ_make_another_cell_and_only_they(guide):
    guided = guide(
        call(60, "2009-03-02 10:00:00"),
        call(600, "2009-03-03 11:00:00"),
        call(60, "2009-03-02 10:00:00", direction="mt"),
        call(60, "2009-03-02 10:00:00", dial="ip17951"),
    )
    assert len({row.cell_id for row in guided.collect()}) == 3
    assert sorted((row.direction, row.dial) for row in usage_events.cells(guided).collect()) == [
        ("mo", "direct"),
        ("mo", "ip17951"),
        ("mt", "direct"),
    ]


def test_messages_and_sessions_have_their_own_measures(guide):
    # Three sessions of 512 bytes are three KB, not two.
    guided = guide(
        *[message()] * 3,
        *[session(512)] * 3,
        fees={message(): ("0.100", 0, "1.000"), session(512): ("0.03", 0, 0)},
    )
    rows = {tuple(row.billed): row for row in usage_cube.by_day(guided, ALL).collect()}
    assert set(rows) == {(3,), (3072,)}
    assert (rows[(3,)].quantity, rows[(3072,)].quantity) == (3, 1536)
    assert (rows[(3,)].airtime_fee, rows[(3,)].other_fee) == (
        100_000 * 3,
        1_000_000 * 3,
    )  # micro-yuan
    assert rows[(3072,)].airtime_fee == 30_000 * 3


def test_fees_add_up_exactly(guide):
    calls = [call(60, f"2009-03-02 10:00:{n:02d}") for n in range(3)]
    fees = dict.fromkeys(calls, ("0.1", "0.077", "12345678.999"))
    (row,) = usage_cube.by_day(guide(*calls, fees=fees), ALL).collect()
    assert (row.airtime_fee, row.toll_fee, row.other_fee) == (300_000, 231_000, 37_037_036_997_000)


def test_a_month_is_cut_by_local_date_whatever_delivered_it(guide):
    guided = guide(
        call(90, "2009-03-31 23:59:30"),
        call(60, "2009-04-01 00:00:00"),
        call(60, "2009-03-15 10:00:00"),
        shuffled=1,
    )
    rows = usage_cube.by_month(usage_cube.by_day(guided, ALL), [MARCH, APRIL], ALL).collect()
    quantities = {row.month: sum(cell.quantity for cell in row.cells) for row in rows}
    assert quantities == {MARCH: 150, APRIL: 60}


def test_a_month_has_each_cell_once_in_order(guide):
    calls = [
        call(61, f"2009-03-{day:02d} {hour:02d}:00:00", direction=direction)
        for day in (2, 3, 9)
        for hour in (7, 12, 21)
        for direction in ("mo", "mt")
    ]
    (row,) = usage_cube.by_month(usage_cube.by_day(guide(*calls), ALL), [MARCH], ALL).collect()
    ids = [cell.cell_id for cell in row.cells]
    assert ids == sorted(set(ids))
    assert len(ids) == 6
    assert {cell.events for cell in row.cells} == {3}
    assert {tuple(cell.billed) for cell in row.cells} == {(360, 315)}


def test_a_month_lacks_a_measure_that_one_of_its_days_lacks(guide):
    early = usage_cube.by_day(guide(call(61, "2009-03-02 10:00:00")), (MINUTES,))
    late = usage_cube.by_day(guide(call(61, "2009-03-03 10:00:00")), (MINUTES, SIXTY_FORTYFIVE))
    (row,) = usage_cube.by_month(early.union(late), [MARCH], (MINUTES, SIXTY_FORTYFIVE)).collect()
    assert [cell.billed for cell in row.cells] == [[240]]


def test_new_measures_are_numbered_after_the_known_ones():
    seconds, sixes = increments("voice", 3, 1, 1), increments("voice", 4, 6, 6)
    wanted = Demand(MINUTES, sixes, seconds, MESSAGES)
    added = register.measures_wanted((MINUTES, SIXTY_FORTYFIVE), wanted)
    assert added == (seconds, sixes, MESSAGES)
    assert register.measures_wanted((MINUTES, SIXTY_FORTYFIVE, *added), wanted) == ()


def test_a_register_with_a_gap_is_refused():
    with pytest.raises(QualityError, match=r"dw.rating_measure: the numbers of voice are \[1, 3\]"):
        register.from_rows([MINUTES, increments("voice", 3, 6, 6)])


def test_usage_older_than_a_measure_names_package_month_and_command(guide):
    guided = guide(call(61))
    months = usage_cube.by_month(usage_cube.by_day(guided, (MINUTES,)), [MARCH], ALL)
    depths = usage_cube.depths(months, usage_events.cells(guided)).collect()
    tariffs = event_records.tariffs_of(
        {
            "old": package(rules=[airtime(), airtime(component="toll")]),
            "new": package(rules=[airtime(increment=[60, 45]), airtime(component="toll")]),
        }
    ).packages
    register.require_measures(depths, register.depths_needed([tariffs["old"]], ALL))
    with pytest.raises(ConfigError) as refusal:
        register.require_measures(depths, register.depths_needed(list(tariffs.values()), ALL))
    assert "tariff new: an increment is newer than the usage of 2009-03" in str(refusal.value)
    assert "python -m jobs.night --only usage_day,usage_month" in str(refusal.value)
