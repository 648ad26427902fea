"""Calls across a change of the clock: bands are in local time, and each second lasts a second.

New York puts its clocks forward on 2009-03-08 at 2:00 to 3:00, and back on 2009-11-01 at 2:00 to
1:00. The values are by hand; engine and reference rater find the change each in a way of its own.
"""

import random
from datetime import date, datetime
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest

from models.reference.rater import Rater
from tests.given import event_records
from tests.given.tariff_examples import airtime, call, package, pool

NEW_YORK, LORD_HOWE = "America/New_York", "Australia/Lord_Howe"
SECONDS = {"per": "1s", "increment": [1, 1]}
FREE_TOLL = {"component": "toll", "rate": "0", "per": "60s", "increment": [60, 60]}
BY_EVENT = {"at": "event", "scale": 2, "mode": "half_up"}


def banded(begin, end, how=SECONDS, **changes):
    """A second costs .001 from `begin` to `end` and .01 else."""
    return package(
        "voice",
        [airtime("0.001", match={"band": "low"}, **how), airtime("0.01", **how), FREE_TOLL],
        bands={"low": [{"days": "all", "from": begin, "to": end}]},
        band_policy="split",
        **changes,
    )


def at(clock, seconds, zone=NEW_YORK, fold=0):
    """A call that is answered at a local time; `fold` 1: at the second of two such times."""
    local = datetime.fromisoformat(clock).replace(tzinfo=ZoneInfo(zone), fold=fold)
    kind = "weekend" if local.weekday() >= 5 else "workday"
    return call(seconds, clock, f"{clock} {fold}", int(local.timestamp()), day_type=kind)


FORWARD, BACK = "2009-03-08", "2009-11-01"
CASES = {
    "a band ends in the missing hour, at its end": (
        banded("00:00", "03:00"),
        at(f"{FORWARD} 01:59:30", 120),
        "0.93",  # 30 × .001 + 90 × .01
    ),
    "a band ends within the missing hour": (
        banded("00:00", "02:30"),
        at(f"{FORWARD} 01:59:30", 120),
        "0.93",
    ),
    "a band that lies within the missing hour never holds": (
        banded("02:00", "03:00"),
        at(f"{FORWARD} 01:59:00", 120),
        "1.20",
    ),
    "a band begins where the clock is put back, but not the first time": (
        banded("02:00", "08:00"),
        at(f"{BACK} 01:59:30", 120),
        "1.20",
    ),
    "the second time the band begins": (
        banded("02:00", "08:00"),
        at(f"{BACK} 01:59:30", 120, fold=1),
        "0.39",  # 30 × .01 + 90 × .001
    ),
    "the band of the doubled hour lasts two hours": (
        banded("01:00", "02:00"),
        at(f"{BACK} 00:59:30", 7260),
        "7.80",  # 30 × .01 + 7,200 × .001 + 30 × .01
    ),
    "an increment that has begun is finished across the change": (
        banded("00:00", "03:00", {"per": "1s", "increment": [60, 60]}),
        at(f"{FORWARD} 01:59:30", 61),
        "0.66",  # 60 × .001 + 60 × .01
    ),
    "half an hour is put back": (
        banded("01:30", "02:00"),  # on 2009-04-05, from 2:00 to 1:30
        at("2009-04-05 01:29:00", 3720, LORD_HOWE),
        "4.80",  # 60 × .01 + 3,600 × .001 + 60 × .01
    ),
}


def zone_of(case):
    return LORD_HOWE if case.startswith("half an hour") else NEW_YORK


@pytest.mark.parametrize("case", CASES)
def test_the_reference_rater_goes_on_in_the_new_local_time(case):
    tariff, event, cost = CASES[case]
    rater = Rater(tariff, zone=zone_of(case))
    assert rater.rate_month([event], event.local_date.replace(day=1)).total == Fraction(cost)


@pytest.mark.parametrize("zone", [NEW_YORK, LORD_HOWE])
def test_the_engine_goes_on_in_the_new_local_time(spark, zone):
    names = {f"case_{no}": case for no, case in enumerate(CASES) if zone_of(case) == zone}
    customers = {
        no: (CASES[case][1].local_date.replace(day=1), None, [CASES[case][1]])
        for no, case in enumerate(names.values())
    }
    tariffs = {name: CASES[case][0] for name, case in names.items()}
    rows = event_records.evaluated(spark, customers, tariffs, zone=zone)
    totals = {case: rows[no, name].rated for no, (name, case) in enumerate(names.items())}
    assert totals == {case: Fraction(CASES[case][2]) for case in names.values()}


PACKAGES = {
    "plain": banded("01:30", "03:15"),
    "in_minutes": banded("00:00", "02:30", {"per": "60s", "increment": [60, 45]}),
    "with_pool": banded("01:00", "02:00") | {"pools": [pool(9000, "1s")]},
    "by_event": banded("01:59", "03:01", rounding=BY_EVENT),
}
for rule in PACKAGES["with_pool"]["rules"][:2]:
    rule["pools"] = ["free"]


def near_the_change(chance, day, zone):
    """Calls of one or two days around a change, in real time."""
    noon = datetime.fromisoformat(f"{day} 12:00:00").replace(tzinfo=ZoneInfo(zone))
    found = []
    for number in range(12):
        instant = int(noon.timestamp()) - chance.randrange(40_000)
        local = datetime.fromtimestamp(instant, ZoneInfo(zone))
        length = chance.choice((1, 59, 60, 61, 600, 3601, 7300, 50_000, 86_400))
        kind = "weekend" if local.weekday() >= 5 else "workday"
        found.append(call(length, f"{local:%Y-%m-%d %H:%M:%S}", number, instant, day_type=kind))
    return found


@pytest.mark.parametrize(
    ("zone", "days"),
    [(NEW_YORK, (FORWARD, BACK)), (LORD_HOWE, ("2009-04-05", "2009-10-04"))],
)
def test_engine_and_reference_rater_agree_on_days_of_23_and_25_hours(spark, zone, days):
    chance = random.Random(zone)
    customers = {}
    for number in range(8):
        day = date.fromisoformat(days[number % 2])
        events = near_the_change(chance, day, zone)
        kept = [one for one in events if one.local_date.month == day.month]
        customers[number] = (day.replace(day=1), None, sorted(kept, key=lambda one: one.at))
    rows = event_records.evaluated(spark, customers, PACKAGES, zone=zone)
    raters = {name: Rater(one, zone=zone) for name, one in PACKAGES.items()}
    found = {key: row.rated for key, row in rows.items()}
    assert found == {
        (number, name): rater.rate_month(events, month).total
        for number, (month, _, events) in customers.items()
        for name, rater in raters.items()
    }
    naive = {name: Rater(one) for name, one in PACKAGES.items()}
    assert any(
        rater.rate_month(events, month).total != found[number, name]
        for number, (month, _, events) in customers.items()
        for name, rater in naive.items()
    )
