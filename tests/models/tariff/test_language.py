"""Prices beyond one price per event, through the cube, on months computed by hand."""

from datetime import date
from fractions import Fraction

import pytest

from models.reference.rater import Rater
from tests.given import event_records
from tests.given.tariff_examples import MARCH, airtime, call, message, package, pool, session, toll

APRIL = date(2009, 4, 1)
PEAK = {"peak": [{"days": "all", "from": "08:00", "to": "20:00"}]}
WEEKEND = {"weekend": [{"days": ["weekend"], "from": "00:00", "to": "24:00"}]}
FREE_TOLL = {"component": "toll", "rate": "0", "per": "60s", "increment": [60, 60]}


def by_second(rate, **changes):
    return airtime(rate, per="1s", increment=[1, 1], **changes)


def voice(*rules, **changes):
    return package("voice", [*rules, FREE_TOLL], **changes)


def steps(*prices, **changes):
    """Price steps by the second: (start, rate, increment)."""
    groups = [
        {"start": start, "rate": rate, "per": "1s", "increment": size}
        for start, rate, size in prices
    ]
    return {"component": "airtime", "groups": groups, **changes}


def texts(count):
    return [message(key=number) for number in range(count)]


def tiered(mode, *prices, **changes):
    tier = {
        "component": "message",
        "mode": mode,
        "per": "1msg",
        **changes,
        "steps": [{"up_to": bound, "rate": rate, "flat": flat} for bound, rate, flat in prices],
    }
    rule = {"component": "message", "rate": "9", "per": "1msg", "increment": [1, 1]}
    return package("sms", [rule], tiers=[tier])


CENT_BY_EVENT = {"at": "event", "scale": 2, "mode": "half_up"}
CASES = {
    "trap 12: a started increment of 60 s is finished, so the step at 30 s is never reached": (
        voice(steps((0, "1", 60), (30, "2", 6))),
        [call(45)],
        "60",
    ),
    "trap 12: one minute begins at second 30 and is billed whole": (
        voice(steps((0, "0", 1), (30, "1", 60))),
        [call(60)],
        "60",
    ),
    "trap 12: free units are the first of the call, the step follows the position": (
        voice(steps((0, "1", 1), (30, "2", 1), pools=["free"]), pools=[pool(40, "1s")]),
        [call(50)],
        "20",
    ),
    "equal sums of minutes, other prices: 1 + 5 minutes are not 3 + 3": (
        voice(steps((0, "1", 60), (120, "0", 60))),
        [call(60), call(300, key="b")],
        "180",
    ),
    "trap 3: split at eight o'clock": (
        voice(
            by_second("0.06", match={"band": "peak"}),
            by_second("0.01"),
            bands=PEAK,
            band_policy="split",
        ),
        [call(60, "2009-03-03 07:59:10")],
        "1.10",
    ),
    "split: a minute begun off peak is finished off peak": (
        voice(
            airtime("0.40", match={"band": "peak"}),
            airtime("0.24"),
            bands=PEAK,
            band_policy="split",
        ),
        [call(90, "2009-03-03 07:59:30")],
        "0.64",
    ),
    "split over midnight into the weekend: Friday 23:59:50": (
        voice(
            by_second("0", match={"band": "weekend"}),
            by_second("0.10"),
            bands=WEEKEND,
            band_policy="split",
        ),
        [call(60, "2009-03-06 23:59:50")],
        "1",
    ),
    "split out of the weekend: Sunday 23:59:50": (
        voice(
            by_second("0", match={"band": "weekend"}),
            by_second("0.10"),
            bands=WEEKEND,
            band_policy="split",
        ),
        [call(60, "2009-03-08 23:59:50", day_type="weekend")],
        "5",
    ),
    "split: only the seconds of the band draw on its pool": (
        voice(
            by_second("0.06", match={"band": "peak"}, pools=["free"]),
            by_second("0.01"),
            bands=PEAK,
            band_policy="split",
            pools=[pool(5, "1s", covers={"band": "peak"})],
        ),
        [call(60, "2009-03-03 07:59:10")],
        "0.80",
    ),
    "trap 28: fifteen messages": (
        tiered("volume", (15, "10", "0"), (None, "5", "0")),
        texts(15),
        "150",
    ),
    "trap 28: the sixteenth makes all of them cheaper": (
        tiered("volume", (15, "10", "0"), (None, "5", "0")),
        texts(16),
        "80",
    ),
    "graduated: each step prices its own, and its flat falls due on entering it": (
        tiered("graduated", (10, "10", "2"), (20, "5", "3"), (None, "5", "3")),
        texts(11),
        "110",
    ),
    "a flat is not due without usage": (
        tiered("graduated", (10, "1", "2"), (None, "5", "3")),
        [],
        "0",
    ),
    "a flat below zero is a discount of who gets so far": (
        tiered("graduated", (10, "1", "0"), (None, "1", "-3")),
        texts(12),
        "9",
    ),
    "unless the tier says so": (
        tiered("graduated", (10, "1", "2"), (None, "5", "3"), flat_at_zero=True),
        [],
        "2",
    ),
    "a tier prices what the pool leaves": (
        tiered("volume", (2, "1", "0"), (None, "0.5", "0"))
        | {
            "pools": [pool(3, "1msg", components=["message"])],
            "rules": [
                {
                    "component": "message",
                    "rate": "9",
                    "per": "1msg",
                    "increment": [1, 1],
                    "pools": ["free"],
                }
            ],
        },
        texts(5),
        "2",
    ),
    "increments by month: three times 400 bytes are two KB": (
        package(
            "gprs",
            [
                {
                    "component": "volume",
                    "rate": "1",
                    "per": "1KB",
                    "increment": ["1KB", "1KB"],
                    "increment_at": "month",
                }
            ],
        ),
        [session(400, key=number) for number in range(3)],
        "2",
    ),
    "and are rounded before the pool": (
        package(
            "gprs",
            [
                {
                    "component": "volume",
                    "rate": "1",
                    "per": "1KB",
                    "increment": ["1KB", "1KB"],
                    "increment_at": "month",
                    "pools": ["free"],
                }
            ],
            pools=[pool(1, "1KB", components=["volume"])],
        ),
        [session(400, key=number) for number in range(3)],
        "1",
    ),
    "trap 18: by event, two calls of .125 are .13 each": (
        voice(by_second("0.125"), rounding=CENT_BY_EVENT),
        [call(1), call(1, key="b")],
        "0.26",
    ),
    "trap 18: all components of an event are rounded together": (
        package(
            "voice",
            [by_second("0.004"), toll("0.004", per="1s", increment=[1, 1])],
            rounding=CENT_BY_EVENT,
        ),
        [call(1, toll="intra_prov")],
        "0.01",
    ),
    "by event, with the free second first": (
        voice(by_second("0.125", pools=["free"]), rounding=CENT_BY_EVENT, pools=[pool(1, "1s")]),
        [call(2), call(1, "2009-03-04 10:00:00", key="b")],
        "0.26",
    ),
    "two components of one event draw on one pool, the airtime first": (
        package(
            "voice",
            [
                airtime("0.40", pools=["free"]),
                toll("0.70", per="60s", increment=[60, 60], pools=["free"]),
            ],
            pools=[pool(3, components=["airtime", "toll"], both=True)],
        ),
        [call(120, toll="inter_prov")],
        "0.70",
    ),
    "trap 6: the narrow pool first": (
        voice(
            airtime("1", pools=["free", "night"]),
            bands=PEAK,
            pools=[pool(2, order=2), pool(2, id="night", order=1, covers={"band": "off_peak"})],
        ),
        [call(120, "2009-03-03 22:00:00"), call(180, "2009-03-04 12:00:00", key="b")],
        "1",
    ),
    "trap 6: the other way round: the wide pool is gone when the day comes": (
        voice(
            airtime("1", pools=["free", "night"]),
            bands=PEAK,
            pools=[pool(2, order=1), pool(2, id="night", order=2, covers={"band": "off_peak"})],
        ),
        [call(120, "2009-03-03 22:00:00"), call(180, "2009-03-04 12:00:00", key="b")],
        "3",
    ),
}


@pytest.fixture(scope="module")
def row_of_package(spark):
    """Case in words → its row."""
    numbers = dict(enumerate(CASES.items(), start=1))
    rows = event_records.evaluated(
        spark,
        {number: (MARCH, None, case[1]) for number, (_, case) in numbers.items()},
        {f"package_{number}": case[0] for number, (_, case) in numbers.items()},
    )
    return {words: rows[number, f"package_{number}"] for number, (words, _) in numbers.items()}


@pytest.mark.parametrize("words", CASES)
def test_month(row_of_package, words):
    tariff, events, expected = CASES[words]
    row = row_of_package[words]
    assert (row.reason, Fraction(row.rated)) == (None, Fraction(expected))
    assert Rater(tariff).rate_month(events, MARCH).total == Fraction(expected)


def test_what_march_leaves_is_used_first_in_april_and_only_once(spark):
    """Trap 6: carried units first."""
    tariff = voice(airtime("1", pools=["free"]), pools=[pool(10, carry_over=True)])
    used = {1: (4, 13), 2: (4, 17), 3: (0, 0)}  # minutes of March and April
    months = {
        number: (
            (MARCH, APRIL),
            None,
            [call(60 * march, key="m"), call(60 * april, "2009-04-02 09:00:00", key="a")],
        )
        for number, (march, april) in used.items()
    }
    rows = event_records.evaluated_months(spark, months, {"one": tariff})
    costs = {number: rows[number, APRIL, "one"].rated for number in used}
    assert costs == {1: 0, 2: 1, 3: 0}
    assert {rows[number, MARCH, "one"].rated for number in used} == {0}
