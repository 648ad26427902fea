"""The edges of bands, increments, steps, pools, tiers, caps and months: at, one below, one above.

Each value is a customer's month under the package. The engine and the reference rater must both
give the cost computed by hand.
"""

from datetime import date
from fractions import Fraction

import pytest

from models.reference.rater import Rater
from tests.given import event_records
from tests.given.tariff_examples import MARCH, airtime, call, message, package, pool, session

PEAK = {"peak": [{"days": "all", "from": "08:00", "to": "20:00"}]}
WEEKEND = {"weekend": [{"days": ["weekend"], "from": "00:00", "to": "24:00"}]}
FREE_TOLL = {"component": "toll", "rate": "0", "per": "60s", "increment": [60, 60]}
SPLIT = {"bands": PEAK, "band_policy": "split"}


def voice(*rules, **changes):
    return package("voice", [*rules, FREE_TOLL], **changes)


def day_and_night(**how):
    """.40 from 8 to 20 h and .24 else, unless it is by the second: .06 and .01."""
    peak, off_peak = ("0.06", "0.01") if how else ("0.40", "0.24")
    return airtime(peak, match={"band": "peak"}, **how), airtime(off_peak, **how)


SECONDS = {"per": "1s", "increment": [1, 1]}
BUNDLE = {"component": "volume", "rate": "0.01", "per": "1KB", "increment": ["1KB", "1KB"]}
SMS = {"component": "message", "rate": "0.10", "per": "1msg", "increment": [1, 1]}
KILOBYTES = package("gprs", [BUNDLE])


def lasting(seconds):
    return [call(seconds)]


def at(clock, seconds=60):
    return [call(seconds, f"2009-03-03 {clock}")]


def on(day, clock, **facts):
    return [call(60, f"{day} {clock}", **facts)]


def texts(count):
    return [message(key=number) for number in range(count)]


def tiers(mode, *steps):
    return package(
        "sms",
        [SMS],
        tiers=[
            {
                "component": "message",
                "mode": mode,
                "per": "1msg",
                "steps": [
                    dict(zip(("up_to", "rate", "flat"), step, strict=False)) for step in steps
                ],
            }
        ],
    )


def each(of, costs):
    """(events, cost) of each value."""
    return [(of(value), cost) for value, cost in costs.items()]


EDGES = {
    "a band begins": (
        voice(*day_and_night(), bands=PEAK),
        each(at, {"07:59:59": "0.24", "08:00:00": "0.40", "08:00:01": "0.40"}),
    ),
    "a band ends": (
        voice(*day_and_night(), bands=PEAK),
        each(at, {"19:59:59": "0.40", "20:00:00": "0.24", "20:00:01": "0.24"}),
    ),
    "midnight belongs to the day that begins": (
        voice(*day_and_night(), bands={"peak": [{"days": "all", "from": "00:00", "to": "01:00"}]}),
        each(at, {"23:59:59": "0.24", "00:00:00": "0.40", "00:59:59": "0.40", "01:00:00": "0.24"}),
    ),
    "split: ten seconds end just when the band begins": (
        voice(*day_and_night(**SECONDS), **SPLIT),
        each(
            lambda clock: at(clock, 10),
            {"07:59:49": "0.10", "07:59:50": "0.10", "07:59:51": "0.15"},
        ),
    ),
    "split: the second minute begins when the band does": (
        voice(*day_and_night(), **SPLIT),
        each(
            lambda clock: at(clock, 61),
            {"07:58:59": "0.48", "07:59:00": "0.64", "07:59:01": "0.64"},
        ),
    ),
    "the weekend begins and ends": (
        voice(airtime("0", match={"band": "weekend"}), airtime(), bands=WEEKEND),
        [
            (on("2009-03-06", "23:59:59"), "0.40"),
            (on("2009-03-07", "00:00:00", day_type="weekend"), "0"),
            (on("2009-03-08", "23:59:59", day_type="weekend"), "0"),
            (on("2009-03-09", "00:00:00"), "0.40"),
        ],
    ),
    "an increment of a minute": (
        voice(airtime()),
        each(
            lasting,
            {0: "0", 1: "0.40", 59: "0.40", 60: "0.40", 61: "0.80", 120: "0.80", 121: "1.20"},
        ),
    ),
    "first 60, then 6 seconds": (
        voice(airtime("0.60", increment=[60, 6])),
        each(lasting, {59: "0.60", 60: "0.60", 61: "0.66", 65: "0.66", 66: "0.66", 67: "0.72"}),
    ),
    "a kilobyte": (
        KILOBYTES,
        each(
            lambda size: [session(size)],
            {0: "0", 1: "0.01", 1023: "0.01", 1024: "0.01", 1025: "0.02"},
        ),
    ),
    "a step inside the call": (
        voice(
            {
                "component": "airtime",
                "groups": [
                    {"start": 0, "rate": "0.60", "per": "60s", "increment": 60},
                    {"start": 120, "rate": "0.30", "per": "60s", "increment": 60},
                ],
            }
        ),
        each(lasting, {119: "1.20", 120: "1.20", 121: "1.50", 180: "1.50", 181: "1.80"}),
    ),
    "a pool of two minutes, in blocks": (
        voice(airtime(pools=["free"]), pools=[pool(2)]),
        each(lasting, {119: "0", 120: "0", 121: "0.40"}),
    ),
    "a pool of ninety seconds, by the second": (
        voice(airtime("0.06", pools=["free"], **SECONDS), pools=[pool(90, "1s")]),
        each(lasting, {89: "0", 90: "0", 91: "0.06"}),
    ),
    "a pool of ninety seconds under minutes, in base units": (
        voice(airtime("0.60", pools=["free"]), pools=[pool(90, "1s", draw="base")]),
        each(lasting, {60: "0", 61: "0.30", 120: "0.30", 121: "0.90"}),
    ),
    "a pool of three messages": (
        package(
            "sms", [SMS | {"pools": ["free"]}], pools=[pool(3, "1msg", components=["message"])]
        ),
        each(texts, {2: "0", 3: "0", 4: "0.10"}),
    ),
    "the second pool begins where the first ends": (
        voice(
            airtime(pools=["one", "two"]),
            pools=[pool(1, id="one", order=1), pool(2, id="two", order=2)],
        ),
        each(lasting, {60: "0", 61: "0", 180: "0", 181: "0.40"}),
    ),
    "a volume tier": (
        tiers("volume", (15, "10", "0"), (None, "5", "0")),
        each(texts, {14: "140", 15: "150", 16: "80"}),
    ),
    "a graduated tier": (
        tiers("graduated", (10, "1", "0"), (None, "0.50", "0")),
        each(texts, {9: "9", 10: "10", 11: "10.50"}),
    ),
    "a flat on entering a step": (
        tiers("graduated", (2, "1", "3"), (None, "1", "7")),
        each(texts, {0: "0", 1: "4", 2: "5", 3: "13"}),
    ),
    "a cap": (
        voice(airtime("0.50"), caps={"voice": "1"}),
        each(lasting, {60: "0.50", 120: "1", 180: "1"}),
    ),
    "a minimum commitment": (
        voice(airtime("0.50"), monthly_fee="1", min_commitment="2"),
        each(lasting, {60: "2", 120: "2", 180: "2.50"}),
    ),
    "half a cent, rounded at line": (
        voice(airtime("0.001", **SECONDS), rounding={"at": "line", "scale": 2, "mode": "half_up"}),
        each(lasting, {4: "0", 5: "0.01", 6: "0.01", 14: "0.01", 15: "0.02"}),
    ),
    "a month begins and ends": (
        voice(airtime()),
        [
            (on("2009-02-28", "23:59:59", day_type="weekend"), "0"),
            (on("2009-03-01", "00:00:00", day_type="weekend"), "0.40"),
            (on("2009-03-31", "23:59:59"), "0.40"),
            (on("2009-04-01", "00:00:00"), "0"),
        ],
    ),
}
VALUES = [(words, number) for words, (_, values) in EDGES.items() for number in range(len(values))]


@pytest.fixture(scope="module")
def row_of_edge(spark):
    """(edge in words, number of the value) → its row."""
    packages = {words: f"package_{number}" for number, words in enumerate(EDGES)}
    months = {
        number: ([MARCH], None, EDGES[words][1][value][0])
        for number, (words, value) in enumerate(VALUES, start=1)
    }
    rows = event_records.evaluated_months(
        spark, months, {packages[words]: tariff for words, (tariff, _) in EDGES.items()}
    )
    return {
        value: rows[number, MARCH, packages[value[0]]]
        for number, value in enumerate(VALUES, start=1)
    }


@pytest.mark.parametrize(("words", "number"), VALUES)
def test_an_edge(row_of_edge, words, number):
    tariff, values = EDGES[words]
    events, cost = values[number]
    row = row_of_edge[words, number]
    assert (row.reason, Fraction(row.rated)) == (None, Fraction(cost))
    assert Rater(tariff).rate_month(events, MARCH).total == Fraction(cost)


JOINED = {15: ("58", "0"), 16: ("29", "1"), 17: ("29", "1")}  # day of March: fee, usage


@pytest.fixture(scope="module")
def joiners(spark):
    tariff = voice(
        airtime("0.50", pools=["free"]),
        pools=[pool(3)],
        monthly_fee="58",
        partial_month="half_month",
    )
    months = {day: (MARCH, date(2009, 3, day), [call(180)]) for day in JOINED}
    return tariff, event_records.evaluated(spark, months, {"one": tariff})


@pytest.mark.parametrize("day", JOINED)
def test_the_day_from_which_on_a_month_is_half(joiners, day):
    """Half of three free minutes is one whole minute, so two of three minutes are paid."""
    tariff, rows = joiners
    fee, usage = JOINED[day]
    row = rows[day, "one"]
    assert (Fraction(row.monthly_fee), Fraction(row.local_airtime)) == (
        Fraction(fee),
        Fraction(usage),
    )
    bill = Rater(tariff).rate_month([call(180)], MARCH, date(2009, 3, day))
    assert bill.total == Fraction(fee) + Fraction(usage)
