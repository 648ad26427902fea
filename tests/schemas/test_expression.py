"""Expressions of a mapping: the columns they read and the functions they call."""

import pytest

from schemas.config.expression import columns_of, functions_of


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
