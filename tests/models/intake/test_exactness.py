"""A number is held as it was delivered, rounded as its source says, or refused."""

import json
from decimal import (
    ROUND_CEILING,
    ROUND_DOWN,
    ROUND_FLOOR,
    ROUND_HALF_EVEN,
    ROUND_HALF_UP,
    Context,
    Decimal,
)

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyspark.sql import functions as F

from models.intake import delivery_metrics, typed_value
from schemas.contract import column_type
from schemas.contract.column import Column
from tests.given.delivered_lines import DAY, line, source
from tests.given.frames import local_frame

PYTHONS = {
    "ceil": ROUND_CEILING,
    "floor": ROUND_FLOOR,
    "down": ROUND_DOWN,
    "half_up": ROUND_HALF_UP,
    "half_even": ROUND_HALF_EVEN,
}
TYPES = ("bigint", "int", "decimal(12,3)", "decimal(15,6)")
GIVEN = {"text": "string", "number": "decimal(38,18)", "float": "double"}
EXACT = Context(prec=100)
UNFIT_S, UNFIT_FEE = (
    "duration_s: does not fit bigint exactly",
    "airtime_fee: does not fit decimal(15,6) exactly",
)
UNREAD_S = "duration_s: present but not readable as bigint"

# Text of seconds and of a fee, both as they are held, or the reasons.
TEXTS = [
    ("61", "0.400", 61, "0.4"),
    ("61.0", "0.4000000", 61, "0.4"),
    ("+61", ".4", 61, "0.4"),
    ("6.1E1", "4e-1", 61, "0.4"),
    ("61.", "-0.0", 61, "0"),
    ("0000000000000000000061", "000000000000.4", 61, "0.4"),
    ("61.000000000000000000000000", "0.40000000000000000000000000000", 61, "0.4"),
    ("6.9", "0.0000004", [UNFIT_S, UNFIT_FEE], None),
    ("61.0000000000000000000000001", "0.4", [UNFIT_S], None),
    ("61", "0.30000000000000004", [UNFIT_FEE], None),
    ("9223372036854775808", "1000000000", [UNFIT_S, UNFIT_FEE], None),
    ("1e300", "1e-300", [UNFIT_S, UNFIT_FEE], None),
    ("6l", "0,4", [UNREAD_S, "airtime_fee: present but not readable as decimal(15,6)"], None),
    ("NaN", "0.4", [UNREAD_S], None),
    ("Infinity", "0.4", [UNREAD_S], None),
    ("1e9999999", "0.4", [UNREAD_S], None),
    ("0x1F", "0.4", [UNREAD_S], None),
    ("６1", "0.4", [UNREAD_S], None),
    ("6 1", "0.4", [UNREAD_S], None),
]


def lines(texts):
    return [
        (line(no=f"V{n}", other=f"139{n}", seconds=seconds, fee=fee), "a", n, DAY)
        for n, (seconds, fee, *_) in enumerate(texts)
    ]


def test_a_text_is_one_number_exactly_or_none(judged):
    seen = judged(lines(TEXTS), source())
    for n, (seconds, fee, *expected) in enumerate(TEXTS):
        if isinstance(expected[0], list):
            assert seen.rejected["a", n].reasons == expected[0], (seconds, fee)
        else:
            row = seen.accepted["a", n]
            assert (row.duration_s, row.airtime_fee) == (expected[0], Decimal(expected[1]))
    assert seen.counts[DAY]["accepted"] == 7


def test_a_double_is_the_number_that_it_is_the_nearest_to(judged):
    mapping = {
        **source().mapping,
        "duration_s": "try_cast(seconds as double)",
        "airtime_fee": "try_cast(fee as double)",
    }
    seen = judged(
        lines([("61", "0.4"), ("6.9", "0.4"), ("7", "0.3"), ("7", "0.0000004"), ("x", "0.1")]),
        source(mapping={**mapping, "toll_fee": "try_cast(fee as double) * 3"}),
    )
    assert {n: row.airtime_fee for (_, n), row in seen.accepted.items()} == {}
    assert seen.rejected["a", 1].reasons == [
        UNFIT_S,
        "toll_fee: does not fit decimal(15,6) exactly",
    ]
    seen = judged(
        lines([("61", "0.4"), ("6.9", "0.4"), ("7", "0.3"), ("7", "0.0000004"), ("x", "0.1")]),
        source(mapping=mapping),
    )
    assert {n: row.airtime_fee for (_, n), row in seen.accepted.items()} == {
        0: Decimal("0.4"),
        2: Decimal("0.3"),
    }
    assert [seen.rejected["a", n].reasons for n in (1, 3, 4)] == [
        [UNFIT_S],
        [UNFIT_FEE],
        [UNREAD_S],
    ]


def test_what_rounding_added_is_summed_over_the_accepted_rows(judged):
    of = source(rounding={"duration_s": "ceil", "airtime_fee": "half_up"})
    texts = [
        ("6.9", "0.0000004"),
        ("7", "0.0000005"),
        ("7.25", "1"),
        ("-0.5", "0.0000007"),
        ("7", "x"),
    ]
    rows = lines(texts)
    repeated = (rows[0][0], "b", 1, DAY)
    seen = judged([*rows, repeated, (line(no="W", way="XX", seconds="1.5"), "b", 2, DAY)], of)
    assert [(r.duration_s, r.airtime_fee) for _, r in sorted(seen.accepted.items())] == [
        (7, Decimal(0)),
        (7, Decimal("0.000001")),
        (8, Decimal(1)),
        (0, Decimal("0.000001")),
    ]
    counts = seen.counts
    assert (counts[DAY]["rejected"], counts[DAY]["duplicate"]) == (2, 1)
    told = delivery_metrics.by_slice({DAY: 7}, counts)[str(DAY)]["rounding"]
    assert json.loads(told) == {"airtime_fee": "0.0000004", "duration_s": "1.35"}


def test_a_source_that_rounds_nothing_tells_nothing(judged):
    seen = judged([(line(), "a", 1, DAY)], source())
    assert delivery_metrics.by_slice({DAY: 1}, seen.counts)[str(DAY)]["rounding"] is None


def test_a_value_that_is_too_large_is_refused_also_when_it_is_rounded(judged):
    of = source(rounding={"duration_s": "floor"})
    seen = judged(lines([("1e19", "0.4")]), of)
    assert seen.rejected["a", 0].reasons == [
        "duration_s: does not fit bigint also when rounded by floor"
    ]


numbers = st.builds(
    lambda digits, places, negative: Decimal((int(negative), tuple(digits), -places)),
    st.lists(st.integers(0, 9), min_size=1, max_size=16),
    st.integers(0, 18),
    st.booleans(),
)


def column_of(kind):
    parsed = column_type.parse(kind)
    return Column("x", kind, parsed, "数", "A number.", None)


@pytest.fixture(scope="module")
def read(spark):
    """Texts → by way of giving, type and rule: (value, fits, rounding) of each text."""

    def run(texts):
        frame = local_frame(spark, list(enumerate(texts)), "n int, text string")
        ways = {
            (way, kind, rule): typed_value.typed(
                F.col("text").try_cast(given),
                frame.select(F.col("text").try_cast(given)).schema[0].dataType,
                column_of(kind),
                (),
                rule,
            )
            for way, given in GIVEN.items()
            for kind in TYPES
            for rule in (None, *PYTHONS)
        }
        parts = [
            F.struct(
                one.value.alias("value"),
                (F.lit(0) if one.rounding is None else one.rounding).alias("added"),
            ).alias(f"w{place}")
            for place, one in enumerate(ways.values())
        ]
        rows = frame.select("n", *parts).orderBy("n").collect()
        return {way: [row[f"w{place}"] for row in rows] for place, way in enumerate(ways)}

    return run


@settings(max_examples=4, deadline=None)
@given(st.lists(numbers, min_size=60, max_size=60))
def test_what_is_held_and_what_rounding_added_are_those_of_pythons_decimal(read, drawn):
    found = read([f"{one:f}" for one in drawn])
    for (way, kind, rule), rows in found.items():
        parsed = column_type.parse(kind)
        scale = Decimal(1).scaleb(-parsed.scale)
        total = told = Decimal(0)
        for delivered, row in zip(drawn, rows, strict=True):
            meant = Decimal(repr(float(delivered))) if way == "float" else delivered
            held = meant.quantize(scale, PYTHONS[rule or "half_up"], EXACT)
            exact = held == meant or (way == "float" and float(held) == float(delivered))
            limit = (
                2 ** (column_type.INTEGERS[kind] - 1) - (held >= 0)
                if kind in column_type.INTEGERS
                else Decimal(10) ** (parsed.precision - parsed.scale) - scale
            )
            fine = -meant.normalize(EXACT).as_tuple().exponent > typed_value.DECIMALS
            if abs(held) > limit or (rule is None and not exact) or (fine and not exact):
                assert row.value is None, (way, kind, rule, delivered)
                continue
            assert row.value == held, (way, kind, rule, delivered)
            total += held - meant
            told += row.added
        assert told == total, (way, kind, rule)
