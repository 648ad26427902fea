"""Tables made from a contract: locked against bad rows and open to other readers."""

import deltalake
import pytest
from py4j.protocol import Py4JJavaError
from pyspark.sql import types as T

from schemas.render import delta
from schemas.render import spark as rendered


@pytest.fixture(scope="module")
def location(spark, call, tmp_path_factory):
    """A table with one example row, made twice to show that the second time does nothing."""
    location = str(tmp_path_factory.mktemp("warehouse") / "ods" / "call")
    spark.sql(delta.create_table_sql(call, location))
    append(spark, call, location)
    spark.sql(delta.create_table_sql(call, location))
    return location


def append(spark, call, location, **changes):
    """The example row with some values changed, nullable so that only the table refuses it."""
    schema = T.StructType(
        [T.StructField(field.name, field.dataType) for field in rendered.struct_type(call)]
    )
    row = {**rendered.example_row(call), **changes}
    (
        spark.createDataFrame([row], schema)
        .coalesce(1)
        .write.format("delta")
        .mode("append")
        .save(location)
    )


def test_columns_are_those_of_the_contract(spark, call, location):
    made = spark.read.format("delta").load(location).schema
    assert [(field.name, field.dataType) for field in made] == [
        (field.name, field.dataType) for field in rendered.struct_type(call)
    ]


def test_other_readers_open_it_at_reader_version_1(call, location):
    opened = deltalake.DeltaTable(location)
    assert opened.protocol().min_reader_version == 1
    assert not opened.protocol().reader_features
    assert opened.metadata().partition_columns == ["batch_date"]
    assert opened.metadata().configuration["chudian.contract"] == call.version
    rows = opened.to_pyarrow_table().to_pylist()
    assert [(row["note"], row["fee"], row["direction"]) for row in rows] == [
        ("备注", rendered.example_row(call)["fee"], "mo")
    ]


@pytest.mark.parametrize(
    ("lock", "changes"),
    [
        ("CHECK constraint direction_allowed", {"direction": "fwd"}),
        ("CHECK constraint duration_s_range", {"duration_s": 86401}),
        ("CHECK constraint call_no_pattern", {"call_no": "V1x"}),
        ("CHECK constraint note_max_length", {"note": "一二三四五六"}),
        ("NOT NULL constraint violated for column: subscriber_no", {"subscriber_no": None}),
    ],
    ids=["not allowed", "out of range", "off the pattern", "too long", "missing"],
)
def test_a_violating_row_is_refused_and_nothing_is_written(spark, call, location, lock, changes):
    before = deltalake.DeltaTable(location).version()
    with pytest.raises(Py4JJavaError, match=lock):
        append(spark, call, location, **changes)
    assert deltalake.DeltaTable(location).version() == before


def test_optional_values_may_be_missing_and_configured_sets_are_no_lock(spark, call, location):
    append(
        spark,
        call,
        location,
        call_no=None,
        fee=None,
        month=None,
        note=None,
        direction="m't",
        channel="no longer configured",
    )
    rows = deltalake.DeltaTable(location).to_pyarrow_table().to_pylist()
    assert {row["channel"] for row in rows} == {"hall", "no longer configured"}
