"""Expressions of a mapping: the columns they read and the functions they call."""

import pytest

from schemas.config.mapping.expression import columns_of, functions_of, is_plain


@pytest.mark.parametrize(
    ("expression", "columns"),
    [
        ("start_time", ["start_time"]),
        ("'mo'", []),
        ("try_cast(fee as decimal(12,3)) * 0.001", ["fee"]),
        ("case when a = 'b' and c is not null then d else e end", ["a", "c", "d", "e"]),
        ("`Request ID`", ["Request ID"]),
        ("transform(split(x, ','), one -> upper(one))", ["x"]),
        ("regexp_replace(n, '^\\\\+86', '')", ["n"]),
        ("'it''s' || \"a b\" || f", ["f"]),
        ("timestamp_seconds(try_cast(t as bigint)) + interval 8 hours", ["t"]),
        ("element_at(parts, 1).name", ["parts"]),
    ],
)
def test_an_expression_names_the_columns_it_reads(expression, columns):
    assert columns_of(expression) == columns


KNOWN = ("date", "minutes", "day", "end", "timestamp")


@pytest.mark.parametrize(
    ("expression", "columns"),
    [
        ("date", ["date"]),
        ("try_cast(minutes as bigint) * 60", ["minutes"]),
        ("cast(try_to_timestamp(date, 'yyyyMMdd') AS date)", ["date"]),
        ("substring(timestamp, 5)", ["timestamp"]),
        ("timestamp'2011-01-03 00:00:00' + interval 3 day", []),
        ("datediff(day, a, day)", ["a", "day"]),
        ("extract(day FROM date)", ["date"]),
        ("CASE WHEN `end` = 'x' THEN date END", ["end", "date"]),
        ("month", []),
    ],
)
def test_a_type_or_unit_is_a_column_where_the_file_has_it_and_sql_reads_one(expression, columns):
    assert columns_of(expression, KNOWN) == columns


@pytest.mark.parametrize(
    ("expression", "plain"),
    [("no", True), ("`end`", True), ("date", True), ("lower(no)", False), ("'no'", False)],
)
def test_a_field_as_it_is(expression, plain):
    assert is_plain(expression, KNOWN) == plain


@pytest.mark.parametrize(
    ("expression", "functions"),
    [
        ("saving", []),
        ("CASE WHEN kind IN ('voice', 'now()') THEN (saving) ELSE - Abs(saving) END", ["abs"]),
        (
            "cast(a AS decimal(18, 2)) + coalesce(b, uuid (), current_timestamp)",
            ["coalesce", "uuid", "current_timestamp"],
        ),
    ],
)
def test_an_expression_names_the_functions_it_calls(expression, functions):
    assert functions_of(expression) == functions


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("concat(a, 'b)", "a quote is not closed"),
        ("upper(a", "the parentheses do not match"),
        ("(select max(a) from b)", "a query is not a scalar expression"),
    ],
)
def test_an_expression_that_cannot_be_one_is_refused(expression, message):
    with pytest.raises(ValueError, match=message):
        columns_of(expression)


# The configuration of the project ----------------------------------------------------------------
