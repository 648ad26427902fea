"""Several conditions as one."""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce

from pyspark.sql import Column
from pyspark.sql import functions as F


def any_of(conditions: Iterable[Column]) -> Column:
    """Whether at least one of the conditions holds; false if there are no conditions."""
    return reduce(lambda left, right: left | right, conditions, F.lit(False))
