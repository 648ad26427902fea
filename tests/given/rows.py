"""Rows of tables for tests, made from the contracts: the example row with some columns changed."""

from collections.abc import Mapping
from typing import Any

from pyspark.sql import DataFrame, SparkSession

from schemas import contract
from schemas.render.spark import example_row, struct_type
from tests.given.frames import local_frame

CONTRACTS = contract.load()


def rows(table: str, *changes: Mapping[str, Any]) -> list[tuple]:
    """One row of a table for each mapping of changed columns, in the order of the contract.

    The other columns hold the example of the contract. A column that the table lacks is refused.
    """
    example = example_row(CONTRACTS[table])
    for changed in changes:
        unknown = [name for name in changed if name not in example]
        if unknown:
            raise LookupError(
                f"{table} has no column {', '.join(unknown)}; its columns are {', '.join(example)}"
            )
    return [tuple({**example, **changed}.values()) for changed in changes]


def frame(spark: SparkSession, table: str, *changes: Mapping[str, Any]) -> DataFrame:
    """The `rows` of a table as a frame with the columns and types of its contract."""
    return local_frame(spark, rows(table, *changes), struct_type(CONTRACTS[table]))


def fits(made: DataFrame, table: str) -> DataFrame:
    """The same frame, after a check that it has the columns and types of the table's contract."""
    wanted = struct_type(CONTRACTS[table])
    assert [(field.name, field.dataType.simpleString()) for field in made.schema] == [
        (field.name, field.dataType.simpleString()) for field in wanted
    ]
    return made


def named(columns: str, *values: tuple) -> list[dict[str, Any]]:
    """Changes written as a table: the names of the columns once, then a tuple for each row."""
    names = columns.split()
    return [dict(zip(names, row, strict=True)) for row in values]
