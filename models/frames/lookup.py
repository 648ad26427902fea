"""Columns looked up in small mappings of the configuration, without a join."""

from collections.abc import Mapping

from pyspark.sql import Column
from pyspark.sql import functions as F


def looked_up(column: Column, values: Mapping[str, object], data_type: str) -> Column:
    """The value that `values` has for the text of `column`; NULL if it has none."""
    cases = (F.when(column == key, F.lit(values[key])) for key in sorted(values))
    return F.coalesce(F.lit(None).cast(data_type), *cases).cast(data_type)
