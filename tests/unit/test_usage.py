"""Guiding records into rating cells and adding them up: tiny deliveries, the case in words."""
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from models import measure, usage
from models.measure import Measure
from schemas.errors import ConfigError, QualityError

CHINA = timezone(timedelta(hours=8))
EVENT = "batch_date date, msisdn string, occurred_at timestamp, local_date date, local_second int"
VOICE = (f"{EVENT}, direction string, roaming string, toll string, dial string, in_group boolean, "
         "outcome string, duration_s long, airtime_fee decimal(12,3), toll_fee decimal(12,3), "
         "info_fee decimal(12,3)")
MESSAGE = (f"{EVENT}, service string, direction string, roaming string, kind string, "
           "fee decimal(12,3), info_fee decimal(12,3)")
DATA = f"{EVENT}, roaming string, bytes_up long, bytes_down long, fee decimal(12,3)"
IDENTITY = "subscriber_id long, msisdn string, valid_from timestamp, valid_to timestamp"

MINUTES = Measure("voice", 1, 60, 60)
SIXTY_FORTYFIVE = Measure("voice", 2, 60, 45)
MESSAGES = Measure("sms", 1, 1, 1)
KILOBYTES = Measure("data", 1, 1024, 1024)
ALL = (MINUTES, SIXTY_FORTYFIVE, MESSAGES, KILOBYTES)
CUTS = {"voice": (0, 28800, 72000), "sms": (0,), "data": (0,)}


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=CHINA)


def event(when, msisdn="A", batch=None):
    midnight = when.replace(hour=0, minute=0, second=0)
    return (batch or when.date(), msisdn, when, when.date(), int((when - midnight).seconds))


def call(when, seconds, msisdn="A", *, direction="mo", outcome="answered", fees=(0, 0, 0),
         batch=None, dial="direct"):
    return (*event(at(when), msisdn, batch), direction, "home", "local", dial, False, outcome,
            seconds, *(Decimal(fee) for fee in fees))


@pytest.fixture
def guide(spark):
    def guided(calls=(), messages=(), sessions=(), holidays=(), cuts=CUTS, identity=None):
        owners = identity or [(1, "A", at("2008-01-01 00:00:00"), None)]
        return usage.guide(
            spark.createDataFrame(list(calls), VOICE),
            spark.createDataFrame(list(messages), MESSAGE),
            spark.createDataFrame(list(sessions), DATA),
            spark.createDataFrame(owners, IDENTITY), cuts, holidays,
        )
    return guided


def test_a_recycled_number_belongs_to_who_held_it_at_the_instant(guide):
    held = [
        (1, "A", at("2008-01-01 00:00:00"), at("2009-03-10 12:00:00")),
        (2, "A", at("2009-03-10 12:00:00"), at("2009-03-20 00:00:00")),
    ]
    moments = ["2009-03-10 11:59:59", "2009-03-10 12:00:00", "2009-03-20 00:00:00",
               "2007-12-31 23:59:59"]
    guided = guide([call(moment, 60) for moment in moments], identity=held)
    by_moment = {(row.local_date, row.slot_from): row.subscriber_id for row in guided.collect()}
    assert by_moment == {
        (date(2009, 3, 10), 28800): 2,
        (date(2009, 3, 20), 0): None,
        (date(2007, 12, 31), 72000): None,
    } or sorted(by_moment.items(), key=str)
    assert [row.subscriber_id for row in guided.orderBy("local_date", "quantity").collect()
            ].count(None) == 2


def test_records_of_unknown_numbers_are_kept_for_counting_but_not_added_up(guide):
    guided = guide([call("2009-03-02 10:00:00", 60, "nobody"), call("2009-03-02 10:00:00", 60)])
    assert guided.where("subscriber_id IS NULL").count() == 1
    assert usage.by_day(guided, ALL).count() == 1
    assert usage.cells(guided).count() == 1


def test_each_call_is_rounded_up_before_the_sum(guide):
    # 100 calls of 61 s are 200 minutes, not 102.
    calls = [call(f"2009-03-02 10:{n // 60:02d}:{n % 60:02d}", 61) for n in range(100)]
    (row,) = usage.by_day(guide(calls), ALL).collect()
    assert (row.events, row.billed_events, row.quantity) == (100, 100, 6100)
    assert row.billed == [100 * 120, 100 * 105]


@pytest.mark.parametrize("seconds, billed", [
    (0, [0, 0]), (1, [60, 60]), (60, [60, 60]), (61, [120, 105]), (105, [120, 105]),
    (106, [120, 150]),
])
def test_billed_units_at_the_edges_of_the_increments(guide, seconds, billed):
    (row,) = usage.by_day(guide([call("2009-03-02 10:00:00", seconds)]), ALL).collect()
    assert row.billed == billed


def test_a_missed_call_is_counted_and_never_charged(guide):
    calls = [call("2009-03-02 10:00:00", 25, direction="mt", outcome="missed"),
             call("2009-03-02 11:00:00", 61, direction="mt")]
    (row,) = usage.by_day(guide(calls), ALL).collect()
    assert (row.events, row.billed_events, row.quantity, row.billed) == (2, 1, 61, [120, 105])


def test_slots_begin_at_the_cuts_of_the_catalogue(guide):
    moments = ["07:59:59", "08:00:00", "19:59:59", "20:00:00"]
    guided = guide([call(f"2009-03-02 {moment}", 60) for moment in moments])
    slots = sorted((row.slot_from, row.slot_to) for row in guided.collect())
    assert slots == [(0, 28800), (28800, 72000), (28800, 72000), (72000, 86400)]


def test_a_service_without_cuts_has_one_slot(guide):
    sent = (*event(at("2009-03-02 21:00:00")), "sms", "mo", "home", "p2p", Decimal("0.1"), None)
    (row,) = guide(messages=[sent]).collect()
    assert (row.slot_from, row.slot_to) == (0, 86400)


def test_a_holiday_goes_before_the_weekend(guide):
    days = {"2009-04-03": "workday", "2009-04-04": "holiday", "2009-04-11": "weekend",
            "2009-04-12": "weekend"}
    guided = guide([call(f"{day} 10:00:00", 60) for day in days], holidays=(date(2009, 4, 4),))
    assert {str(row.local_date): row.day_type for row in guided.collect()} == days


def test_facts_that_differ_make_another_cell_and_only_they(guide):
    guided = guide([
        call("2009-03-02 10:00:00", 60), call("2009-03-03 11:00:00", 600),
        call("2009-03-02 10:00:00", 60, direction="mt"),
        call("2009-03-02 10:00:00", 60, dial="ip17951"),
    ])
    assert len({row.cell_id for row in guided.collect()}) == 3
    assert {row.dial for row in usage.cells(guided).collect()} == {"direct", "ip17951"}
    assert usage.cells(guided).count() == 3


def test_messages_and_sessions_have_their_own_measures(guide):
    start = event(at("2009-03-02 10:00:00"))
    messages = [(*start, "sms", "mo", "home", "p2p", Decimal("0.100"), Decimal("1.000"))] * 3
    # Three sessions of 512 bytes are three KB, not two.
    sessions = [(*start, "home", 212, 300, Decimal("0.03"))] * 3
    by_day = usage.by_day(guide(messages=messages, sessions=sessions), ALL)
    rows = {tuple(row.billed): row for row in by_day.collect()}
    assert rows[(3,)].quantity == 3
    assert rows[(3,)].airtime_fee == Decimal("0.300")
    assert rows[(3,)].other_fee == Decimal("3.000")
    assert rows[(3072,)].quantity == 1536


def test_fees_add_up_exactly(guide):
    calls = [call(f"2009-03-02 10:00:{n:02d}", 60, fees=("0.1", "0.077", "12345678.999"))
             for n in range(3)]
    (row,) = usage.by_day(guide(calls), ALL).collect()
    assert (row.airtime_fee, row.toll_fee, row.other_fee) == (
        Decimal("0.300"), Decimal("0.231"), Decimal("37037036.997"))


def test_a_month_is_cut_by_local_date_whatever_delivered_it(guide):
    guided = guide([
        call("2009-03-31 23:59:30", 90),
        call("2009-04-01 00:00:00", 60),
        call("2009-03-15 10:00:00", 60, batch=date(2009, 4, 2)),
    ])
    rows = usage.by_month(
        usage.by_day(guided, ALL), [date(2009, 3, 1), date(2009, 4, 1)], ALL
    ).collect()
    quantities = {row.month: sum(cell.quantity for cell in row.cells) for row in rows}
    assert quantities == {date(2009, 3, 1): 150, date(2009, 4, 1): 60}


def test_a_month_has_each_cell_once_in_order(guide):
    calls = [call(f"2009-03-{day:02d} {hour:02d}:00:00", 61, direction=direction)
             for day in (2, 3, 9) for hour in (7, 12, 21) for direction in ("mo", "mt")]
    (row,) = usage.by_month(usage.by_day(guide(calls), ALL), [date(2009, 3, 1)], ALL).collect()
    ids = [cell.cell_id for cell in row.cells]
    assert ids == sorted(set(ids)) and len(ids) == 6
    assert {cell.events for cell in row.cells} == {3}
    assert {tuple(cell.billed) for cell in row.cells} == {(360, 315)}


def test_a_month_lacks_a_measure_that_one_of_its_days_lacks(guide):
    early = usage.by_day(guide([call("2009-03-02 10:00:00", 61)]), (MINUTES,))
    late = usage.by_day(guide([call("2009-03-03 10:00:00", 61)]), (MINUTES, SIXTY_FORTYFIVE))
    months = usage.by_month(early.union(late), [date(2009, 3, 1)], (MINUTES, SIXTY_FORTYFIVE))
    (row,) = months.collect()
    assert [cell.billed for cell in row.cells] == [[240]]


class Wanted:
    """A catalogue that needs some increments."""

    def __init__(self, **increments):
        self.increments = increments

    def measures(self, service):
        return self.increments.get(service, ())


def test_new_increments_are_numbered_after_the_known_ones():
    wanted = Wanted(voice=[(60, 60), (6, 6), (1, 1)], sms=[(1, 1)])
    added = measure.measures_wanted((MINUTES, SIXTY_FORTYFIVE), wanted)
    assert added == (Measure("voice", 3, 1, 1), Measure("voice", 4, 6, 6), MESSAGES)
    assert measure.measures_wanted((MINUTES, SIXTY_FORTYFIVE) + added, wanted) == ()


def test_a_register_with_a_gap_is_refused():
    with pytest.raises(QualityError, match=r"dw.rating_measure: the numbers of voice are \[1, 3\]"):
        measure.register([MINUTES, Measure("voice", 3, 6, 6)])


def test_usage_older_than_a_measure_names_package_months_and_command(guide, package):
    guided = guide([call("2009-03-02 10:00:00", 61)])
    months = usage.by_month(usage.by_day(guided, (MINUTES,)), [date(2009, 3, 1)], ALL)
    depths = usage.depths(months, usage.cells(guided)).collect()
    old = package("old", increment=(60, 60))
    new = package("new", increment=(60, 45))
    measure.refuse_lacking(depths, [old], ALL)
    with pytest.raises(ConfigError) as refusal:
        measure.refuse_lacking(depths, [old, new], ALL)
    assert "tariff new: an increment is newer than the usage of 2009-03" in str(refusal.value)
    assert "python -m jobs.night --only usage_day,usage_month" in str(refusal.value)
