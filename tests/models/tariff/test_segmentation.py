"""Events cut into segments: laid out one by one, counted in closed form, across changes of clocks.

The rival walks from increment to increment with the zone database of Python.
"""

import random
import time
import tracemalloc
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from models.tariff.package import DAY_SECONDS
from models.tariff.segmentation import Segmentation, Starts, Steps
from models.usage.local_time import LocalTime

ALL = ("holiday", "weekend", "workday")
DAY_AND_NIGHT = (("day", ALL, 8 * 3600, 20 * 3600),)
WORK_AND_NIGHT = (("night", ALL, 2 * 3600, 5 * 3600), ("work", ("workday",), 27000, 64800))
HOLIDAYS = (date(2009, 5, 1), date(2009, 10, 1))
ZONES = ("Asia/Shanghai", "America/New_York", "Australia/Lord_Howe", "America/St_Johns")
MONTH, YEAR = 30 * DAY_SECONDS, 366 * DAY_SECONDS


def by_band(calendar, *steps):
    """The bands of a calendar in order of their names, off_peak among them."""
    names = sorted({band for band, *_ in calendar} | {"off_peak"})
    return Segmentation(calendar, tuple(zip(names, steps, strict=True)))


MINUTES, SECONDS = Steps(60, ((0, 60),)), Steps(1, ((0, 1),))
SIXES, SEVENS = Steps(60, ((0, 6),)), Steps(7, ((0, 7),))
STEPPED = Steps(60, ((0, 60), (150, 30), (7200, 60)))
KINDS = {
    "one increment": by_band(DAY_AND_NIGHT, MINUTES, MINUTES),
    "another first one": by_band(DAY_AND_NIGHT, SIXES, MINUTES),
    "none that divides the day": by_band(WORK_AND_NIGHT, SEVENS, SEVENS, SEVENS),
    "steps": by_band(WORK_AND_NIGHT, STEPPED, MINUTES, STEPPED),
    "no bands": Segmentation.plain(STEPPED),
}


def starts(moments, zone):
    """The starts of events at instants (epoch seconds)."""
    there = [datetime.fromtimestamp(one, ZoneInfo(zone)) for one in moments]
    return Starts(
        np.array(moments),
        np.array([one.date() for one in there], dtype="datetime64[D]"),
        np.array([one.hour * 3600 + one.minute * 60 + one.second for one in there]),
    )


def walked(segmentation, moment, quantity, zone):
    """Billed units by part: each increment belongs to the band and the step at its beginning."""
    units, steps_of, position = dict.fromkeys(segmentation.parts, 0), dict(segmentation.steps), 0
    while position < quantity:
        now = datetime.fromtimestamp(moment + position, ZoneInfo(zone))
        second, day = now.hour * 3600 + now.minute * 60 + now.second, now.date()
        kind = "holiday" if day in HOLIDAYS else "weekend" if day.weekday() >= 5 else "workday"
        band = "off_peak" if segmentation.calendar else ""
        for name, days, begin, end in segmentation.calendar:
            if kind in days and begin <= second < end:
                band = name
        steps = steps_of[band]
        no = max(no for no, (start, _) in enumerate(steps.steps) if start <= position)
        size = steps.first if position == 0 else steps.steps[no][1]
        units[band, no] += size
        position += size
    return list(units.values())


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("kind", KINDS)
def test_events_are_laid_out_as_one_walks_through_them(kind, zone):
    segmentation, chance = KINDS[kind], random.Random(f"{kind} {zone}")
    local = LocalTime(HOLIDAYS, zone)
    changes, _ = local.changes(
        int(datetime(2008, 12, 1, tzinfo=UTC).timestamp()),
        int(datetime(2010, 1, 1, tzinfo=UTC).timestamp()),
    )
    first = int(datetime(2009, 1, 1, tzinfo=UTC).timestamp())
    near = [int(one) + chance.randrange(-9000, 4000) for one in changes for _ in range(8)]
    moments = near + [first + chance.randrange(YEAR) for _ in range(12)]
    lengths = [
        chance.choice((0, -5, 1, 59, 60, 61, 7200, 30000, 100_000, 300_000)) for _ in moments
    ]
    begun = starts(moments, zone)
    expected = [
        walked(segmentation, moment, length, zone)
        for moment, length in zip(moments, lengths, strict=True)
    ]
    assert segmentation.totals(np.array(lengths), begun, local).tolist() == expected
    segments = segmentation.cut(np.array(lengths), begun, local)
    laid_out = np.zeros((len(moments), len(segmentation.parts)), dtype=np.int64)
    np.add.at(laid_out, (segments.event, segments.part), segments.units)
    assert laid_out.tolist() == expected
    assert (np.diff(segments.event) >= 0).all()


def test_a_zone_whose_clock_is_never_changed_has_no_changes():
    instants, shifts = LocalTime(zone="Asia/Shanghai").changes(1_230_000_000, 1_262_000_000)
    assert (instants.tolist(), shifts.tolist()) == ([], [])


def test_changes_are_those_of_the_year_at_their_instants():
    instants, shifts = LocalTime(zone="Europe/Berlin").changes(1_230_000_000, 1_262_000_000)
    told = [str(datetime.fromtimestamp(one, UTC)) for one in instants.tolist()]
    assert told == ["2009-03-29 01:00:00+00:00", "2009-10-25 01:00:00+00:00"]
    assert shifts.tolist() == [3600, -3600]


@pytest.mark.parametrize("quantity", [MONTH, YEAR])
def test_memory_and_time_do_not_grow_with_the_length_of_calls(quantity):
    """Ten thousand calls of a month or a year: a batch of events as Spark hands it over."""
    segmentation, local = KINDS["one increment"], LocalTime(HOLIDAYS, "America/New_York")
    begin = int(datetime(2009, 1, 1, tzinfo=UTC).timestamp())
    begun = starts([begin + 977 * number for number in range(10_000)], "America/New_York")
    tracemalloc.start()
    before = time.process_time()
    units = segmentation.totals(np.full(10_000, quantity), begun, local)
    seconds = time.process_time() - before
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert units.sum(axis=1).tolist() == [quantity] * 10_000
    assert most < 16 * 2**20
    assert seconds < 5
