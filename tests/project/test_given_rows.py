"""Rows of tests come from the contracts: the example, with named columns changed."""

import pytest

from schemas.render.spark import example_row, struct_type
from tests.given.rows import CONTRACTS, fits, frame, named, rows


def test_a_row_is_the_example_with_some_columns_changed():
    first, second = rows("dw.subscriber", {"brand": "mzone"}, {})
    example = example_row(CONTRACTS["dw.subscriber"])
    assert first == tuple({**example, "brand": "mzone"}.values())
    assert second == tuple(example.values())
    assert rows("dw.subscriber") == []


def test_a_column_that_the_table_lacks_is_refused():
    with pytest.raises(
        LookupError, match="dw.subscription has no column msisdn, colour; its columns are data_date"
    ):
        rows("dw.subscription", {"kind": "sms"}, {"msisdn": "138", "colour": "red"})


def test_a_frame_has_the_columns_and_types_of_the_contract(spark):
    made = frame(spark, "dw.subscription", *named("subscriber_id kind", (1, "sms"), (2, "gprs")))
    assert made.schema == struct_type(CONTRACTS["dw.subscription"])
    assert [(row.subscriber_id, row.kind) for row in made.collect()] == [(1, "sms"), (2, "gprs")]


def test_a_frame_with_other_columns_or_types_does_not_fit(spark):
    made = frame(spark, "dw.subscription")
    assert fits(made, "dw.subscription") is made
    for other in (made.drop("kind"), made.withColumn("kind", made["subscriber_id"])):
        with pytest.raises(AssertionError):
            fits(other, "dw.subscription")


def test_a_tuple_of_another_length_than_the_named_columns_is_refused():
    with pytest.raises(ValueError, match="shorter"):
        named("subscriber_id kind", (1,))
