"""Months in which the order of events decides, although all free units have one price.

Each case breaks the rule "one price is enough": the same events in another order cost another
amount. With the cube alone the evaluator gives this reason; with a replay it equals the reference.
"""

from dataclasses import dataclass
from fractions import Fraction

import pytest

from models.rating import evaluator as rating
from models.reference.rater import Rater
from tests.given import event_records
from tests.given.tariff_examples import MARCH, airtime, call, package, pool, toll

PEAK = {"peak": [{"days": "all", "from": "08:00", "to": "20:00"}]}
FREE_TOLL = {"component": "toll", "rate": "0", "per": "60s", "increment": [60, 60]}
DAYS = ("2009-03-02", "2009-03-03")


@dataclass(frozen=True)
class Case:
    """Two events (seconds, clock, facts), and their cost in this order and in the other order."""

    package: dict
    events: tuple
    cost: str
    reversed: str
    ordered: bool = True


def voice(*rules, **changes):
    return package("voice", [*rules, FREE_TOLL], **changes)


def one_price(rate="1", **changes):
    """Airtime at one rate by day and by night, as two rules: two lines of the bill."""
    return voice(
        airtime(rate, match={"band": "peak"}, pools=["free"]),
        airtime(rate, pools=["free"]),
        bands=PEAK,
        **changes,
    )


DAY, NIGHT, FAR = "12:00:00", "22:00:00", {"toll": "inter_prov"}
BY_LINE = {"at": "line", "scale": 2, "mode": "half_up"}
BY_EVENT = {"at": "event", "scale": 2, "mode": "half_up"}
ABROAD = {"roaming": "intl"}

CASES = {
    "overlapping pools: two minutes anywhere, then five at home": Case(
        # Home calls first use up the wide pool, and the calls abroad have no other pool.
        voice(
            airtime(pools=["wide", "home"]),
            pools=[
                pool(2, id="wide", order=1),
                pool(5, id="home", order=2, covers={"roaming": "home"}),
            ],
        ),
        ((120, DAY, {}), (120, DAY, ABROAD)),
        "0.80",
        "0",
    ),
    "a monthly tier of airtime beside toll of the same price": Case(
        # Far first: a minute of airtime and one of toll are free, three of airtime at .50 are left;
        # local first: two of its airtime are free, two of airtime at 1 and one of toll are left.
        package(
            "voice",
            [
                airtime("1", pools=["free"]),
                toll("1", per="60s", increment=[60, 60], pools=["free"]),
            ],
            pools=[pool(2, components=["airtime", "toll"], both=True)],
            tiers=[
                {
                    "component": "airtime",
                    "mode": "volume",
                    "per": "60s",
                    "steps": [{"up_to": 2, "rate": "1"}, {"up_to": None, "rate": "0.50"}],
                }
            ],
        ),
        ((60, DAY, FAR), (180, DAY, {})),
        "1.50",
        "3",
    ),
    "line rounding: .335 once for two minutes, or twice for one each": Case(
        one_price("0.335", pools=[pool(1)], rounding=BY_LINE),
        ((60, DAY, {}), (120, NIGHT, {})),
        "0.67",
        "0.68",
    ),
    "groups: the free minute of a call is its first, and its second costs .30": Case(
        voice(
            {
                "component": "airtime",
                "pools": ["free"],
                "groups": [
                    {"start": 0, "rate": "0.10", "per": "60s", "increment": 60},
                    {"start": 60, "rate": "0.30", "per": "60s", "increment": 60},
                ],
            },
            pools=[pool(2)],
        ),
        ((60, DAY, {}), (120, DAY, {})),
        "0.30",
        "0.10",
    ),
    "split bands: a call has two prices": Case(
        voice(
            airtime("0.40", match={"band": "peak"}, pools=["free"]),
            airtime("0.24", pools=["free"]),
            bands=PEAK,
            band_policy="split",
            pools=[pool(1)],
        ),
        ((120, "07:59:00", {}), (60, DAY, {})),
        "0.80",
        "0.64",
    ),
    "rounding at event below the quantum: .125 a second": Case(
        voice(
            airtime("0.125", per="1s", increment=[1, 1], pools=["free"]),
            rounding=BY_EVENT,
            pools=[pool(1, "1s")],
        ),
        ((2, DAY, {}), (1, DAY, {})),
        "0.26",
        "0.25",
    ),
    "two prices: 150 minutes by day and 100 by night, 200 of them free (trap 5)": Case(
        voice(
            airtime("0.40", match={"band": "peak"}, pools=["free"]),
            airtime("0.24", pools=["free"]),
            bands=PEAK,
            pools=[pool(200)],
        ),
        ((9000, DAY, {}), (6000, NIGHT, {})),
        "12",
        "20",
    ),
    "one class: one price, one line, one pool": Case(
        voice(airtime("0.40", pools=["free"]), pools=[pool(3)], rounding=BY_LINE),
        ((120, DAY, {}), (180, NIGHT, ABROAD)),
        "0.80",
        "0.80",
        ordered=False,
    ),
    "a cap over all that one price makes": Case(
        # A package re-rates one service, so there is never a line outside its cap.
        voice(airtime("0.40", pools=["free"]), pools=[pool(1)], caps={"voice": "1"}),
        ((120, DAY, {}), (180, NIGHT, ABROAD)),
        "1",
        "1",
        ordered=False,
    ),
    "two prices, and the pool just suffices": Case(
        one_price(pools=[pool(5)]), ((120, DAY, {}), (180, NIGHT, {})), "0", "0", ordered=False
    ),
    "two prices, and a pool without units": Case(
        one_price(pools=[pool(0)]), ((120, DAY, {}), (180, NIGHT, {})), "5", "5", ordered=False
    ),
}


def in_time(events):
    return [
        call(seconds, f"{day} {clock}", key=number, **facts)
        for number, (day, (seconds, clock, facts)) in enumerate(zip(DAYS, events, strict=False))
    ]


@pytest.fixture(scope="module")
def months():
    """Number of a customer → (case in words, package, events, cost); each case in both orders."""
    made = []
    for words, case in CASES.items():
        made += [
            (words, case.package, in_time(case.events), case.cost),
            (words, case.package, in_time(case.events[::-1]), case.reversed),
        ]
    return dict(enumerate(made, start=1))


@pytest.fixture(scope="module")
def rows_of_order(spark, months):
    """(with or without replay, case in words) → the rows of both orders."""
    found = {}
    for replay in (True, False):
        rows = event_records.evaluated(
            spark,
            {number: (MARCH, None, events) for number, (_, _, events, _) in months.items()},
            {f"package_{number}": tariff for number, (_, tariff, _, _) in months.items()},
            replay=replay,
        )
        for number, (words, *_) in months.items():
            found.setdefault((replay, words), []).append(rows[number, f"package_{number}"])
    return found


@pytest.mark.parametrize("words", CASES)
def test_each_order_costs_what_it_costs_event_by_event(rows_of_order, months, words):
    mine = [one for one in months.values() if one[0] == words]
    expected = [Fraction(cost) for *_, cost in mine]
    assert [Fraction(row.rated) for row in rows_of_order[True, words]] == expected
    assert [
        Rater(tariff).rate_month(events, MARCH).total for _, tariff, events, _ in mine
    ] == expected
    assert {row.replayed for row in rows_of_order[True, words]} == {CASES[words].ordered}


@pytest.mark.parametrize("words", CASES)
def test_from_the_cube_alone_it_says_whether_order_decides(rows_of_order, words):
    reason = rating.ORDER_OF_EVENTS if CASES[words].ordered else None
    assert {row.reason for row in rows_of_order[False, words]} == {reason}
    assert {row.comparable for row in rows_of_order[False, words]} == {not CASES[words].ordered}


ROAMING = {"roaming": "inter_prov"}
SHARED = voice(airtime("1", pools=["free"]), pools=[pool(3)])
TWICE = voice(  # two prices, so the order of events decides and the month is replayed
    airtime("2", match={"band": "peak"}, pools=["free"]),
    airtime("1", pools=["free"]),
    bands=PEAK,
    pools=[pool(3)],
)
COLUMNS = {
    "one price, roaming first: the free minutes count for home": (
        SHARED,
        ((120, NIGHT, ROAMING), (120, NIGHT, {})),
        ("0", "1"),
    ),
    "one price, home first": (SHARED, ((120, NIGHT, {}), (120, NIGHT, ROAMING)), ("0", "1")),
    "one price, more at home than is free": (
        SHARED,
        ((240, NIGHT, {}), (120, NIGHT, ROAMING)),
        ("1", "2"),
    ),
    "replayed, roaming first: two of its minutes and one at home are free": (
        TWICE,
        ((120, NIGHT, ROAMING), (120, DAY, {})),
        ("2", "0"),
    ),
    "replayed, home first": (TWICE, ((120, DAY, {}), (120, NIGHT, ROAMING)), ("0", "1")),
}


def test_the_columns_of_home_and_roaming_mean_what_the_contract_says(spark):
    """By the order of events where it decides the bill; else the free units count for home."""
    cases = dict(enumerate(COLUMNS.values(), start=1))
    rows = event_records.evaluated(
        spark,
        {number: (MARCH, None, in_time(events)) for number, (_, events, _) in cases.items()},
        {f"package_{number}": tariff for number, (tariff, *_) in cases.items()},
    )
    for number, (tariff, events, columns) in cases.items():
        row = rows[number, f"package_{number}"]
        found = (Fraction(row.local_airtime), Fraction(row.roaming_airtime))
        assert found == tuple(map(Fraction, columns)), list(COLUMNS)[number - 1]
        assert row.replayed == (tariff is TWICE)
        assert sum(found) == Rater(tariff).rate_month(in_time(events), MARCH).total
