"""Whether a row with a validity interval is valid at a moment or during a period.

An interval is half-open: [valid_from, valid_to). A null `valid_to` means that it has no end.
Moments and interval bounds have one type: both are dates (local days) or both are instants.
"""

from __future__ import annotations

from pyspark.sql import Column
from pyspark.sql import functions as F

Bound = Column | str
"""A column, or the name of one."""


def valid_at(
    moment: Column, valid_from: Bound = "valid_from", valid_to: Bound = "valid_to"
) -> Column:
    """Whether the interval holds the moment (a day or an instant)."""
    return valid_during(moment, moment, valid_from, valid_to)


def valid_during(
    first: Column, last: Column, valid_from: Bound = "valid_from", valid_to: Bound = "valid_to"
) -> Column:
    """Whether the interval holds any moment from `first` to `last`, both included."""
    return (_column(valid_from) <= last) & not_ended(first, valid_to)


def not_ended(moment: Column, valid_to: Bound = "valid_to") -> Column:
    """Whether the interval ends after the moment or has no end; its begin does not matter."""
    end = _column(valid_to)
    return end.isNull() | (end > moment)


def _column(bound: Bound) -> Column:
    return F.col(bound) if isinstance(bound, str) else bound
