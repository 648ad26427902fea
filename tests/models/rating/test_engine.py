"""The evaluator on tiny months computed by hand: pools, caps, fees, rounding, refusals.

Each case is a customer with one month and one package; all go through Spark in one batch.
"""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pyarrow as pa
import pytest

from models.rating import evaluator as rating
from models.rating import month_sums
from models.rating.cube import Cube
from models.rating.price_matrix import compile_prices
from models.reference.rater import Rater
from models.tariff.amounts import BUCKETS, round_over
from models.usage import cube as usage_cube
from models.usage import events as usage_events
from schemas.errors import ConfigError
from tests.given import event_records
from tests.given.event_records import increments
from tests.given.tariff_examples import airtime, call, message, package, pool, session, toll

MARCH, FEBRUARY = date(2009, 3, 1), date(2009, 2, 1)
PEAK = {"peak": [{"days": "all", "from": "08:00", "to": "20:00"}]}
NIGHT = "2009-03-03 22:00:00"
LINE, BILL = ({"at": at, "scale": 2, "mode": "half_up"} for at in ("line", "bill"))


@dataclass(frozen=True)
class Case:
    """A month under a package, the expected amounts, and whether its events must be replayed."""

    package: dict
    events: list
    amounts: dict = field(default_factory=dict)
    month: date = MARCH
    joined: date | None = None
    replayed: bool = False


def voice(*rules, **changes):
    """A voice package; toll is free unless the rules price it."""
    rules = [*rules, {"component": "toll", "rate": "0", "per": "60s", "increment": [60, 60]}]
    return package("voice", rules, **changes)


def two_bands(*pools, **changes):
    """Airtime at .40 by day and .24 otherwise; only calls by day draw on a pool called `day`."""
    listed = [one["id"] for one in pools]
    return voice(
        airtime("0.40", match={"band": "peak"}, pools=listed),
        airtime("0.24", pools=[name for name in listed if name != "day"]),
        bands=PEAK,
        pools=list(pools),
        **changes,
    )


def minutes(count, at="2009-03-03 12:00:00", **facts):
    return call(60 * count, at, key=(at, count), **facts)


def gprs(**changes):
    rule = {"component": "volume", "rate": "0.01", "per": "1KB", "increment": ["1KB", "1KB"]}
    free = pool(30 * 1024, "1KB", components=["volume"])
    return package("gprs", [rule | {"pools": ["free"]}], pools=[free], **changes)


CASES = {
    "trap 1: each call is rounded up before the sum: 100 × 61 s": Case(
        voice(airtime()), [call(61, key=n) for n in range(100)], {"rated": "80"}
    ),
    "trap 11: 61 s at [60, 45] are 105 s, not 90": Case(
        voice(airtime("1", increment=[60, 45])), [call(61)], {"rated": "1.75"}
    ),
    "trap 2: two components of one long-distance call of 61 s": Case(
        package("voice", [airtime(), toll()]),
        [call(61, toll="inter_prov")],
        {"local_airtime": "0.80", "toll": "0.77", "rated": "1.57"},
    ),
    "trap 3: by start a call from 07:59:30 for 60 s is all off-peak": Case(
        two_bands(), [call(60, "2009-03-03 07:59:30")], {"rated": "0.24"}
    ),
    "trap 29: roaming caller .60, called .40": Case(
        voice(
            airtime("0.60", match={"roaming": "inter_prov", "direction": "mo"}),
            airtime("0.40", match={"roaming": "inter_prov"}),
            airtime("0"),
        ),
        [minutes(1, roaming="inter_prov"), minutes(1, NIGHT, roaming="inter_prov", direction="mt")],
        {"roaming_airtime": "1.00", "local_airtime": "0", "rated": "1"},
    ),
    "a pool used exactly to its last block costs nothing": Case(
        two_bands(pool(3)), [minutes(2), minutes(1, NIGHT)], {"rated": "0"}
    ),
    "one block more, of one price: the block is paid": Case(
        two_bands(pool(3)), [minutes(2), minutes(2, "2009-03-04 09:00:00")], {"rated": "0.40"}
    ),
    "one block more, of two prices: the night comes second and pays": Case(
        two_bands(pool(3)), [minutes(2, NIGHT), minutes(2)], {"rated": "0.24"}, replayed=True
    ),
    "the same the other way round: the day comes second and pays": Case(
        two_bands(pool(3)),
        [minutes(2, NIGHT), minutes(2, "2009-03-04 12:00:00")],
        {"rated": "0.40"},
        replayed=True,
    ),
    "trap 5: 80 yuan with 200 minutes: 150 by day, then 100 by night": Case(
        two_bands(pool(200), monthly_fee="80"),
        [minutes(150), minutes(100, NIGHT)],
        {"rated": "92"},
        replayed=True,
    ),
    "trap 5: reversed": Case(
        two_bands(pool(200), monthly_fee="80"),
        [minutes(100, NIGHT), minutes(150, "2009-03-04 12:00:00")],
        {"rated": "100"},
        replayed=True,
    ),
    "two prices and a pool of size 0": Case(
        two_bands(pool(0)), [minutes(2), minutes(2, NIGHT)], {"rated": "1.28"}
    ),
    "one price on two lines, rounded by line: the later one is paid": Case(
        voice(
            airtime("0.24", match={"band": "peak"}, pools=["free"]),
            airtime("0.24", pools=["free"]),
            bands=PEAK,
            pools=[pool(3)],
            rounding=LINE,
        ),
        [minutes(2), minutes(2, NIGHT)],
        {"rated": "0.24"},
        replayed=True,
    ),
    "a call that the pool does not cover leaves it alone": Case(
        two_bands(pool(3, covers={"roaming": "home"})),
        [minutes(3), minutes(2, NIGHT, roaming="intl")],
        {"local_airtime": "0", "roaming_airtime": "0.48", "rated": "0.48"},
    ),
    "two pools in their order: the narrow one first, then the wide one": Case(
        two_bands(pool(5, id="wide", order=2), pool(2, id="day", order=1, covers={"band": "peak"})),
        [minutes(4), minutes(3, NIGHT)],
        {"rated": "0"},
    ),
    "two pools, the wide one overdrawn by one price": Case(
        two_bands(pool(1, id="wide", order=2), pool(2, id="day", order=1, covers={"band": "peak"})),
        [minutes(2), minutes(3, NIGHT)],
        {"rated": "0.48"},
    ),
    "one price, but only some of it may go on to the next pool": Case(
        voice(
            airtime(pools=["first", "next"]),
            pools=[
                pool(2, id="first", order=1),
                pool(5, id="next", order=2, covers={"roaming": "home"}),
            ],
        ),
        [minutes(2), minutes(2, NIGHT, roaming="intl")],
        {"rated": "0.80"},
        replayed=True,
    ),
    "a block may be partly free when the pool is drawn in base units": Case(
        voice(
            airtime("0.60", increment=[60, 60], pools=["free"]),
            pools=[pool(90, unit="1s", draw="base")],
        ),
        [call(61)],
        {"rated": "0.30"},
    ),
    "trap 9: 31 MB on 5 yuan with 30 MB": Case(
        gprs(monthly_fee="5"),
        [session(31 * 1024**2)],
        {"monthly_fee": "5", "gprs": "10.24", "rated": "15.24"},
    ),
    "trap 9: ten sessions of 512 bytes are ten KB": Case(
        package(
            "gprs",
            [{"component": "volume", "rate": "0.03", "per": "1KB", "increment": ["1KB", "1KB"]}],
        ),
        [session(512, key=n) for n in range(10)],
        {"gprs": "0.30", "rated": "0.30"},
    ),
    "usage up to the cap is not cut": Case(
        voice(airtime("0.50"), caps={"voice": "1"}), [minutes(2)], {"cap_cut": "0", "rated": "1"}
    ),
    "trap 26: the cut is its own amount, after free units and without the fee": Case(
        voice(
            airtime("0.50", pools=["free"]), pools=[pool(2)], caps={"voice": "1"}, monthly_fee="10"
        ),
        [minutes(5)],
        {"local_airtime": "1.50", "cap_cut": "-0.50", "rated": "11"},
    ),
    "trap 13: a connect fee is due on free seconds, not on missed calls, inside the cap": Case(
        voice(
            airtime("0.50", connect="0.30", pools=["free"]), pools=[pool(9)], caps={"voice": "0.50"}
        ),
        [minutes(1), minutes(2), call(0, key=("missed", 0))],
        {"connect": "0.60", "cap_cut": "-0.10", "local_airtime": "0", "rated": "0.50"},
    ),
    "trap 15: round once, on the exact value: .2 + .1 + 60 × (.05/60), not .3498": Case(
        voice(
            {
                "component": "airtime",
                "connect": "0.20",
                "groups": [
                    {"start": 0, "rate": "0.10", "per": "60s", "increment": 60},
                    {"start": 60, "rate": "0.05", "per": "60s", "increment": 1},
                ],
            },
            rounding=BILL | {"scale": 4, "mode": "down"},
        ),
        [minutes(2)],
        {"rated": "0.35"},
    ),
    "trap 27: the minimum commitment counts fee and usage": Case(
        voice(airtime("0.50"), monthly_fee="10", min_commitment="12"),
        [minutes(1)],
        {"commitment": "1.50", "rated": "12"},
    ),
    "a commitment just reached adds nothing": Case(
        voice(airtime("0.50"), monthly_fee="10", min_commitment="10.50"),
        [minutes(1)],
        {"commitment": "0", "rated": "10.50"},
    ),
    "trap 22: joined on the 16th: half the fee, half the minutes down to whole ones": Case(
        voice(
            airtime("0.50", pools=["free"]),
            pools=[pool(5)],
            monthly_fee="58",
            partial_month="half_month",
        ),
        [minutes(3)],
        {"monthly_fee": "29", "local_airtime": "0.50", "rated": "29.50"},
        joined=date(2009, 3, 16),
    ),
    "trap 22: joined on the 15th: all of it": Case(
        voice(airtime("0.50"), monthly_fee="58", partial_month="half_month"),
        [],
        {"monthly_fee": "58", "rated": "58"},
        joined=date(2009, 3, 15),
    ),
    "trap 22: by day: joined on the 8th of February, 21 of 28 days": Case(
        voice(airtime(), monthly_fee="28", partial_month="daily", min_commitment="40"),
        [],
        {"monthly_fee": "21", "commitment": "9", "rated": "30"},
        FEBRUARY,
        date(2009, 2, 8),
    ),
    "trap 22: joined in an earlier month: all of it": Case(
        voice(airtime(), monthly_fee="28", partial_month="daily"),
        [],
        {"rated": "28"},
        joined=date(2009, 2, 8),
    ),
    "no usage at all costs the fee": Case(
        voice(airtime(), monthly_fee="58"), [], {"monthly_fee": "58", "rated": "58"}
    ),
    "trap 18: rounding at line: 3 × .333 and .333 are 1.00 and .33": Case(
        voice(airtime("0.333", match={"direction": "mo"}), airtime("0.333"), rounding=LINE),
        [minutes(3), minutes(1, direction="mt")],
        {"rated": "1.33"},
    ),
    "trap 18: rounding of the bill: 5 × .333": Case(
        voice(airtime("0.333", match={"direction": "mo"}), airtime("0.333"), rounding=BILL),
        [minutes(3), minutes(2, direction="mt")],
        {"rated": "1.67"},
    ),
    "trap 16: half up at a tie: 1.005, in binary floats 1.00": Case(
        voice(airtime("1.005"), rounding=LINE), [minutes(1)], {"rated": "1.01"}
    ),
    "half even at a tie: 1.005": Case(
        voice(airtime("1.005"), rounding=LINE | {"mode": "half_even"}),
        [minutes(1)],
        {"rated": "1.00"},
    ),
    "down: 1.009": Case(
        voice(airtime("1.009"), rounding=LINE | {"mode": "down"}), [minutes(1)], {"rated": "1.00"}
    ),
    "up: 1.001": Case(
        voice(airtime("1.001"), rounding=LINE | {"mode": "up"}), [minutes(1)], {"rated": "1.01"}
    ),
    "a line of home and roaming calls is rounded once": Case(
        voice(airtime("0.333"), rounding=LINE),
        [minutes(1), minutes(1, roaming="intl")],
        {"local_airtime": "0.33", "roaming_airtime": "0.34", "rated": "0.67"},
    ),
    "a month of messages": Case(
        package(
            "sms", [{"component": "message", "rate": "0.10", "per": "1msg", "increment": [1, 1]}]
        ),
        [message(key=n) for n in range(7)],
        {"sms": "0.70", "rated": "0.70"},
    ),
    "trap 32: services that a package does not cover pass by": Case(
        voice(airtime()), [message(), session(1024), minutes(1)], {"sms": "0", "rated": "0.40"}
    ),
}


@pytest.fixture(scope="module")
def row_of_case(spark):
    """Case in words → its row."""
    numbers = dict(enumerate(CASES.items(), start=1))
    rows = event_records.evaluated(
        spark,
        {number: (case.month, case.joined, case.events) for number, (_, case) in numbers.items()},
        {f"package_{number}": case.package for number, (_, case) in numbers.items()},
    )
    return {words: rows[number, f"package_{number}"] for number, (words, _) in numbers.items()}


@pytest.mark.parametrize("words", CASES)
def test_month(row_of_case, words):
    row, case = row_of_case[words], CASES[words]
    assert row.reason is None
    assert row.comparable
    assert row.replayed == case.replayed
    assert {name: row[name] for name in case.amounts} == {
        name: Decimal(amount) for name, amount in case.amounts.items()
    }
    assert sum(row[name] for name in BUCKETS) == row.rated
    bill = Rater(case.package).rate_month(case.events, case.month, case.joined)
    assert Fraction(row.rated) == bill.total


FEES = ("1.000", "0.500", "0.070")  # basic, toll, information


def evaluated_fees(spark, tariff, events, toll_rerated="ip_only"):
    rows = event_records.evaluated(
        spark,
        {1: (MARCH, None, events)},
        {"one": tariff},
        toll_rerated,
        fees=dict.fromkeys(events, FEES),
    )
    return {name: str(rows[1, "one"][name]) for name in ("rated", *rating.RECORDED)}


def test_fees_of_the_records_pass_each_once(spark):
    """Trap 21: calls to 12593 are known by their dial type. Each fee is in one place only."""
    far = {"toll": "inter_prov"}
    tariff = package("voice", [airtime(), toll()])
    calls = [
        call(60, key="ip", dial="ip17951", **far),  # both components are re-rated
        call(60, key="direct", **far),  # its toll passes through as recorded (S2-R4)
        call(60, key="12593", dial="ip12593", **far),  # passes through entirely (S2-R5)
        call(60, key="group", in_group=True),  # left out (S2-07): its recorded cost passes through
    ]
    assert evaluated_fees(spark, tariff, calls) == {
        "rated": "1.500000",
        "d12593": "1.570000",
        "other_fees": "0.210000",
        "direct_toll": "1.000000",
        "unrated_fees": "1.000000",
    }
    assert evaluated_fees(spark, tariff, calls, "all") == {
        "rated": "2.200000",
        "d12593": "1.570000",
        "other_fees": "0.210000",
        "direct_toll": "0.000000",
        "unrated_fees": "1.500000",
    }


def test_direct_toll_passes_beside_every_package_or_beside_none(spark):
    """An SMS package does not price calls: with `all` the toll of calls is still on the bill."""
    tariff = package(
        "sms", [{"component": "message", "rate": "0.10", "per": "1msg", "increment": [1, 1]}]
    )
    calls = [call(60, key="direct", toll="inter_prov")]
    assert evaluated_fees(spark, tariff, calls)["direct_toll"] == "0.500000"
    assert evaluated_fees(spark, tariff, calls, "all")["direct_toll"] == "0.000000"


def test_what_a_package_passes_through_costs_what_the_records_say(spark):
    """Trap 32, within the package's own service."""
    tariff = package(
        "voice", [airtime(match={"roaming": "home"}), toll()], otherwise="pass_through"
    )
    calls = [call(60, key="home"), call(60, key="away", roaming="intl")]
    passed = evaluated_fees(spark, tariff, calls, "all")
    assert (passed["rated"], passed["unrated_fees"]) == ("0.400000", "2.000000")


def test_an_sms_package_leaves_voice_fees_to_the_bill(spark):
    """Trap 32: they pass through on both sides of a comparison."""
    tariff = package(
        "sms", [{"component": "message", "rate": "0.10", "per": "1msg", "increment": [1, 1]}]
    )
    assert evaluated_fees(spark, tariff, [call(60), message(), message(direction="mt")]) == {
        "rated": "0.100000",
        "d12593": "0.000000",
        "other_fees": "0.210000",
        "direct_toll": "0.500000",
        "unrated_fees": "1.000000",
    }


MINUTE = increments("voice", 1, 60, 60)
TARIFF = voice(airtime(match={"band": "peak"}), airtime("0.24"), bands=PEAK, monthly_fee="5")


@pytest.fixture
def month_of(spark):
    """One customer's March in the cube: its rows, cells and packages."""

    def made(events, tariff=TARIFF, cuts_of=None):
        tariffs = event_records.tariffs_of({"one": tariff})
        cuts = event_records.tariffs_of({"one": cuts_of or tariff})
        guided = event_records.guided(spark, {1: events}, cuts)
        months = usage_cube.by_month(usage_cube.by_day(guided, [MINUTE]), [MARCH], [MINUTE])
        return months, usage_events.cells(guided).collect(), list(tariffs.packages.values())

    return made


def cube_of(usage_month, cells, measures):
    months = usage_month.selectExpr("month", "subscriber_id", "CAST(NULL AS DATE) joined")
    return Cube(months, usage_month, cells, measures)


def test_a_cell_that_nobody_registered_is_named_and_not_priced(month_of):
    months, cells, packages = month_of([minutes(1), minutes(1, NIGHT)])
    lost = cells.pop()
    (row,) = rating.evaluate(cube_of(months, cells, [MINUTE]), packages).collect()
    assert (row.comparable, row.reason) == (False, f"unknown cell: {lost.cell_id}")


def test_a_slot_across_the_edge_of_a_band_is_named_and_not_priced(month_of):
    # The cube was guided before any tariff had a band at 8 o'clock.
    months, cells, packages = month_of([minutes(1), minutes(1, NIGHT)], cuts_of=voice(airtime()))
    (row,) = rating.evaluate(cube_of(months, cells, [MINUTE]), packages).collect()
    assert row.reason == "unknown cell: voice mo home local direct workday 0-86400 s"
    assert (row.comparable, row.unpriced_events) == (False, 2)


def test_a_measure_newer_than_the_month_is_not_priced(month_of):
    months, cells, packages = month_of([minutes(1)], voice(airtime(increment=[60, 6])))
    newer = [MINUTE, increments("voice", 2, 60, 6)]
    (row,) = rating.evaluate(cube_of(months, cells, newer), packages).collect()
    assert (row.comparable, row.reason) == (False, "measure missing")
    with pytest.raises(ConfigError, match="one: the usage cube has no measure .*60,.*6.* of voice"):
        rating.evaluate(cube_of(months, cells, [MINUTE]), packages)


def batch(matrix, *months, other_fee=0):
    """Customer-months with their sums as Arrow rows; each has one cell (5) with billed seconds."""
    numbers = pa.list_(pa.int64())
    split = pa.struct(
        [("signature", pa.string()), ("paid", numbers), ("left", numbers), ("rounded", numbers)]
    )
    cell = {
        "cell_id": [5],
        "billed_events": [1],
        "events": [1],
        "airtime_fee": [0],
        "toll_fee": [0],
        "other_fee": [other_fee],
    }
    rows = len(months)
    added = month_sums.add_up_batch(
        matrix,
        pa.record_batch(
            {
                "month": pa.array([MARCH] * rows, pa.date32()),
                "subscriber_id": pa.array(range(rows), pa.int64()),
                "billed": pa.array([[[units]] for units in months], pa.list_(numbers)),
                **{
                    name: pa.array([cell[name]] * rows, numbers)
                    for name in matrix.fields
                    if name != "billed"
                },
            }
        ),
    )
    return pa.record_batch(
        dict(zip(added.schema.names, added.columns, strict=True))
        | {
            "joined": pa.array([None] * rows, pa.date32()),
            "splits": pa.array([None] * rows, pa.list_(split)),
        }
    )


class HomeCall:
    cell_id, service, direction, roaming, toll, dial = 5, "voice", "mo", "home", "local", "direct"
    in_group, message_kind, day_type, slot_from, slot_to = False, None, "workday", 0, 86400


def matrix_of(tariff):
    packages = event_records.tariffs_of({"one": tariff}).packages
    return compile_prices(list(packages.values()), [HomeCall], [MINUTE])


def test_an_amount_beyond_exact_64_bits_is_refused_for_its_month_only():
    dear = matrix_of(voice(airtime("99999.99")))
    many, absurd = 120 * 10**6, 2**60
    (rows,) = rating.price_batch(dear, batch(dear, 60, many, absurd, 120))
    assert rows["comparable"].to_pylist() == [True, False, False, True]
    assert rows["reason"].to_pylist() == [None, "amount too large", "amount too large", None]
    assert rows["rated"].to_pylist() == [99_999_990_000, None, None, 199_999_980_000]


def test_recorded_fees_are_passed_on_to_the_micro_yuan_up_to_a_limit():
    free = matrix_of(voice(airtime("0")))
    for fees in (400_001, 17 * (10**15 - 1)):  # seventeen of the largest records
        (rows,) = rating.price_batch(free, batch(free, 60, other_fee=fees))
        assert (rows["other_fees"].to_pylist(), rows["reason"].to_pylist()) == ([fees], [None])
    (rows,) = rating.price_batch(free, batch(free, 60, other_fee=2**54))
    assert rows["reason"].to_pylist() == ["amount too large"]


def test_the_largest_month_of_the_dearest_package_that_loads_is_priced():
    """Ten calls at a time for 31 days are 446,400 minutes.

    At 224,000 yuan a minute the amount fits; at 224,100 it does not, and the package is refused.
    """
    month = 10 * 31 * 86400
    dear = matrix_of(voice(airtime("224000")))
    (rows,) = rating.price_batch(dear, batch(dear, month))
    assert rows["rated"].to_pylist() == [446_400 * 224_000 * 10**6]
    with pytest.raises(ConfigError, match=r"rules\[0\].rate: may reach 100,038,240,000 yuan"):
        matrix_of(voice(airtime("224100")))


def test_sums_beyond_exact_floats_are_added_as_integers():
    # A thousand months of 2^43 seconds are more than 2^53 together.
    free = matrix_of(voice(airtime("0.000001", increment=[60, 60])))
    units = [2**43 + 60 * n + 1 for n in range(1100)]
    (rows,) = rating.price_batch(free, batch(free, *units))
    (alone,) = rating.price_batch(free, batch(free, units[7]))
    assert rows["rated"].to_pylist()[7] == alone["rated"].to_pylist()[0]
    assert alone["rated"].to_pylist()[0] == (2 * units[7] + 60) // 120  # half up


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("half_up", [-2, -1, -1, 0, 0, 0, 1, 1, 2]),
        ("half_even", [-2, -1, 0, 0, 0, 0, 0, 1, 2]),
        ("up", [-2, -1, -1, -1, 0, 1, 1, 1, 2]),
        ("down", [-1, -1, 0, 0, 0, 0, 0, 1, 1]),
    ],
)
def test_rounding_modes_at_ties_and_below_zero(mode, expected):
    sixths = np.array([-9, -6, -3, -2, 0, 2, 3, 6, 9])
    assert round_over(sixths, 6, mode).tolist() == expected
