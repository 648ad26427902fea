"""Spark renderings of a contract: schema, row rules, key and an example row."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pyspark.sql import Column as SparkColumn
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

from schemas.contract import Contract
from schemas.contract.column_type import ColumnType
from schemas.contract.rule import requirements

CRITICAL = "critical"

_SIMPLE: Mapping[str, type[T.DataType]] = {
    "string": T.StringType,
    "smallint": T.ShortType,
    "int": T.IntegerType,
    "bigint": T.LongType,
    "float": T.FloatType,
    "double": T.DoubleType,
    "boolean": T.BooleanType,
    "date": T.DateType,
    "timestamp": T.TimestampType,
}


@dataclass(frozen=True, eq=False)
class Rule:
    """One verdict on a row.

    `violated` is true for a row that breaks the rule, else false; it is never null. `expected`
    says in words what was expected and never holds the row's value. A row that breaks a critical
    rule cannot be written. Every rule of a contract is critical: NOT NULL and CHECK back it.
    """

    column: str
    code: str
    expected: str
    severity: str
    violated: SparkColumn

    @property
    def reason(self) -> str:
        """The line kept with a rejected row."""
        return f"{self.column}: expected {self.expected}"


def struct_type(contract: Contract) -> T.StructType:
    """The schema of the table's frames: columns in the contract's order, required ones not null."""
    return T.StructType(
        [
            T.StructField(column.name, data_type(column.data_type), nullable=not column.required)
            for column in contract.columns
        ]
    )


def data_type(kind: ColumnType) -> T.DataType:
    """The Spark type of a contract's type; elements and fields are nullable."""
    if kind.element is not None:
        return T.ArrayType(data_type(kind.element))
    if kind.name == "decimal":
        return T.DecimalType(kind.precision, kind.scale)
    if kind.name == "struct":
        return T.StructType([T.StructField(name, data_type(one)) for name, one in kind.fields])
    return _SIMPLE[kind.name]()


def row_rules(contract: Contract, sets: Mapping[str, Sequence[str]]) -> list[Rule]:
    """The rules of a row, at most 60, in a fixed order: a rule's position is a bit of a verdict.

    `sets` holds the configured sets that `allowed` may name (channels, packages, businesses). A
    set that the contract names and `sets` lacks raises ConfigError. A missing value breaks
    `required` only.
    """
    true = F.lit(col=True)
    return [
        Rule(one.column, one.code, one.expected, CRITICAL, ~F.coalesce(F.expr(one.holds), true))
        for one in requirements(contract.columns, sets)
    ]


def key_hash(contract: Contract, frame: DataFrame, key: Sequence[str] | None = None) -> SparkColumn:
    """The business key of the frame's rows as one bigint: equal keys give equal numbers.

    `key`: its columns (None: those of the contract). xxhash64 of them in the contract's types. For
    an optional column it also hashes whether the value is missing: otherwise ("a", null) and
    (null, "a") would be equal.
    """
    parts: list[SparkColumn] = []
    for column in (contract.column(name) for name in key or contract.key):
        value = frame[column.name].cast(data_type(column.data_type))
        parts += [value] if column.required else [value, value.isNull()]
    return F.xxhash64(*parts)


def example_row(contract: Contract) -> dict[str, Any]:
    """A row that satisfies the contract, by column name; tests override single columns of it."""
    return {column.name: column.example for column in contract.columns}
