"""Frames of a few rows, made the cheap way."""

from collections.abc import Sequence

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import types as T
from pyspark.sql.conversion import LocalDataToArrowConversion
from pyspark.sql.pandas.types import to_arrow_schema


def local_frame(spark: SparkSession, rows: Sequence, schema: str | T.StructType) -> DataFrame:
    """The rows as a local relation.

    Handed over as Arrow they are part of the plan; a plain list becomes an RDD, whose tasks cost a
    test of ten frames a second.
    """
    struct = schema if isinstance(schema, T.StructType) else T.StructType.fromDDL(schema)
    table = (
        LocalDataToArrowConversion.convert(list(rows), struct, use_large_var_types=False)
        if rows
        else to_arrow_schema(struct).empty_table()
    )
    return spark.createDataFrame(table, struct)
