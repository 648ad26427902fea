"""Row rules at their boundaries, on frames of one column's cases."""

from datetime import date
from decimal import Decimal

import pytest
from pyspark.sql import functions as F
from pyspark.sql import types as T

from schemas.errors import ConfigError
from schemas.render import spark as rendered

SETS = {"channels": ["hall", "it's"]}

# column, rule, case in words, value, whether the row breaks the rule
CASES = [
    ("subscriber_no", "required", "missing", None, True),
    ("subscriber_no", "required", "empty text is a value", "", False),
    ("direction", "allowed", "first of the list", "mo", False),
    ("direction", "allowed", "with an apostrophe", "m't", False),
    ("direction", "allowed", "in capitals", "MO", True),
    ("direction", "allowed", "with a blank", "mo ", True),
    ("direction", "allowed", "missing breaks only required", None, False),
    ("channel", "allowed", "of the configured set", "it's", False),
    ("channel", "allowed", "not of the configured set", "wap", True),
    ("channel", "allowed", "missing", None, False),
    ("duration_s", "range", "one below min", -1, True),
    ("duration_s", "range", "min", 0, False),
    ("duration_s", "range", "max", 86400, False),
    ("duration_s", "range", "one above max", 86401, True),
    ("duration_s", "range", "missing breaks only required", None, False),
    ("fee", "range", "one thousandth below min", Decimal("-0.501"), True),
    ("fee", "range", "min", Decimal("-0.500"), False),
    ("fee", "range", "max", Decimal("99.999"), False),
    ("fee", "range", "one thousandth above max", Decimal("100.000"), True),
    ("joined_on", "range", "the day before min", date(1987, 11, 17), True),
    ("joined_on", "range", "min", date(1987, 11, 18), False),
    ("joined_on", "range", "no max", date(9999, 12, 31), False),
    ("month", "month", "first day", date(2009, 4, 1), False),
    ("month", "month", "second day", date(2009, 4, 2), True),
    ("month", "month", "last day", date(2009, 4, 30), True),
    ("call_no", "pattern", "whole match", "V12", False),
    ("call_no", "pattern", "something before", "xV12", True),
    ("call_no", "pattern", "something after", "V12x", True),
    ("call_no", "pattern", "a line end after", "V12\n", True),
    ("call_no", "pattern", "the letter of the class only", "Vd", True),
    ("call_no", "pattern", "missing", None, False),
    ("note", "max_length", "longest", "一二三四五", False),
    ("note", "max_length", "one character more", "一二三四五六", True),
    ("note", "max_length", "missing", None, False),
]


@pytest.fixture(scope="module")
def verdicts(spark, call):
    """Of every case the rules that its row breaks, as (column, code), in one job."""
    rules = rendered.row_rules(call, SETS)
    example = rendered.example_row(call)
    rows = [{**example, column: value} for column, _, _, value, _ in CASES] + [example]
    nullable = T.StructType(
        [T.StructField(field.name, field.dataType) for field in rendered.struct_type(call)]
    )
    frame = spark.createDataFrame(rows, nullable)
    found = frame.select(F.array(*[one.violated for one in rules]).alias("broken")).collect()
    return [
        [(one.column, one.code) for one, broken in zip(rules, row["broken"], strict=True) if broken]
        if None not in row["broken"]
        else None
        for row in found
    ]


@pytest.mark.parametrize("place", range(len(CASES)), ids=[f"{c[0]} {c[1]}: {c[2]}" for c in CASES])
def test_boundary(verdicts, place):
    column, code, _, _, breaks = CASES[place]
    assert ((column, code) in verdicts[place]) == breaks
    others = {("subscriber_no", "required"), ("direction", "required"), ("duration_s", "required")}
    assert set(verdicts[place]) - {(column, code)} <= others


def test_the_example_breaks_no_rule(verdicts):
    assert verdicts[-1] == []


def test_a_missing_required_value_breaks_required_alone(verdicts):
    place = next(
        place for place, case in enumerate(CASES) if case[0] == "duration_s" and case[3] is None
    )
    assert verdicts[place] == [("duration_s", "required")]


def test_an_empty_configured_set_allows_only_a_missing_value(spark, call):
    rule = next(
        one for one in rendered.row_rules(call, {"channels": []}) if one.column == "channel"
    )
    frame = spark.createDataFrame([("hall",), (None,)], "channel string")
    assert [row[0] for row in frame.select(rule.violated).collect()] == [True, False]


def test_a_set_that_nobody_configured_is_refused(spark, call):
    with pytest.raises(
        ConfigError, match="channel: the set 'channels' is not configured; known: packages"
    ):
        rendered.row_rules(call, {"packages": ["p"]})


def test_keys_are_equal_when_all_of_their_values_are(spark, call):
    rows = [("voice", "V1"), ("voice", "V1"), ("voice", "V2"), ("voice", None), ("sms", "V1")]
    frame = spark.createDataFrame(rows, "source string, call_no string")
    first, again, *others = [
        row[0] for row in frame.select(rendered.key_hash(call, frame)).collect()
    ]
    assert first == again
    assert len({first, *others}) == 4


def test_a_missing_value_of_a_key_keeps_its_place(spark, call):
    two = call.__class__(**{**vars(call), "key": ("call_no", "channel")})
    frame = spark.createDataFrame([("x", None), (None, "x")], "call_no string, channel string")
    hashes = [row[0] for row in frame.select(rendered.key_hash(two, frame)).collect()]
    assert hashes[0] != hashes[1]
