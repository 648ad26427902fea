"""DuckDB rendering of a contract: types, comments, and the rows of a table's files."""

from collections.abc import Collection, Sequence

from schemas.contract import Contract
from schemas.contract.column import Column
from schemas.contract.column_type import ColumnType

TYPES = {
    "string": "VARCHAR",
    "smallint": "SMALLINT",
    "int": "INTEGER",
    "bigint": "BIGINT",
    "float": "FLOAT",
    "double": "DOUBLE",
    "boolean": "BOOLEAN",
    "date": "DATE",
    "timestamp": "TIMESTAMPTZ",
}


def name(word: str) -> str:
    """A quoted name."""
    return '"' + word.replace('"', '""') + '"'


def text(words: str) -> str:
    """A text as a literal."""
    return "'" + words.replace("'", "''") + "'"


def table_name(table: str) -> str:
    """The quoted name of a table in its schema, which is its layer."""
    return ".".join(map(name, table.split(".")))


def type_of(kind: ColumnType) -> str:
    """The DuckDB type of a column's type."""
    if kind.name == "decimal":
        return f"DECIMAL({kind.precision},{kind.scale})"
    if kind.element is not None:
        return f"{type_of(kind.element)}[]"
    if kind.fields:
        return f"STRUCT({', '.join(f'{name(field)} {type_of(one)}' for field, one in kind.fields)})"
    return TYPES[kind.name]


def rows_sql(
    contract: Contract,
    columns: Sequence[Column],
    paths: Sequence[str],
    there: Collection[str],
) -> str:
    """The query for some columns of a table whose files are given.

    `there`: the columns that the table has; another one is null. Without a file there are no rows.
    A partition column is in the path of a file only.
    """
    wanted = ", ".join(
        f"{name(one.name) if one.name in there and paths else 'NULL'}::{type_of(one.data_type)}"
        f" AS {name(one.name)}"
        for one in columns
    )
    if not paths:
        return f"SELECT {wanted} WHERE false"
    options = ["union_by_name = true", "hive_partitioning = false"]
    if contract.partition_by:
        types = ", ".join(
            f"{text(one)}: {type_of(contract.column(one).data_type)}"
            for one in contract.partition_by
        )
        options[1:] = ["hive_partitioning = true", f"hive_types = {{{types}}}"]
    listed = ", ".join(map(text, paths))
    return f"SELECT {wanted} FROM read_parquet([{listed}], {', '.join(options)})"


def comment(contract: Contract) -> str:
    """What the table is, in Chinese and English."""
    return f"{contract.name_cn}: {contract.grain}. {' '.join(contract.description.split())}"


def column_comment(column: Column) -> str:
    """What the column is, in Chinese and English, with its unit."""
    unit = f" ({column.unit})" if column.unit else ""
    return f"{column.name_cn}: {column.description}{unit}"
