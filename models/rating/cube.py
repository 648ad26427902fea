"""The usage of the customer-months to price, brought together by customer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame, Row
from pyspark.sql import functions as F

from models.rating.month_sums import add_up
from models.rating.pools import MonthParts
from models.rating.price_matrix import PriceMatrix
from models.usage.register import Measure


def customer_months(
    usage_month: DataFrame, subscribers: DataFrame, months: Sequence[date]
) -> DataFrame:
    """(month, subscriber_id, joined): one row per subscriber and month to be priced.

    `months` are first days of months. A subscriber with a known join_date (dw.subscriber) has a row
    for each month since joining, with or without usage. If the join date is unknown, only months
    with usage have a row, and `joined` is null.
    """
    calendar = F.explode(F.array(*(F.lit(month) for month in sorted(months))))
    known = (
        subscribers.where("join_date IS NOT NULL")
        .select("subscriber_id", F.col("join_date").alias("joined"), calendar.alias("month"))
        .where("joined <= last_day(month)")
    )
    used = usage_month.where(F.col("month").isin(*months)).select("subscriber_id", "month")
    return used.join(known, ["subscriber_id", "month"], "full").select(
        "month", "subscriber_id", "joined"
    )


@dataclass(frozen=True)
class Cube:
    """The customer-months to price, their usage, and what the usage means.

    - `months`: rows of `customer_months`, or parts of months; a part has its first day as `month`
      and a column `until`, the day before which it ends;
    - `usage`: rows of dw.usage_month for these months;
    - `cells`: rows of dw.rating_cell;
    - `measures`: the register (models/usage/register.py);
    - `splits`: rows of dw.free_unit_split, for months that the cube alone cannot price.
    """

    months: DataFrame
    usage: DataFrame
    cells: Sequence[Row]
    measures: Sequence[Measure]
    splits: DataFrame | None = None

    def by_customer(self, matrix: PriceMatrix, *more: DataFrame) -> DataFrame:
        """The months with their sums; all months of a customer are adjacent and in order.

        `more` is joined by subscriber_id, and by month if it has one. Each frame is shuffled once.
        """
        rows = _by_customer(self.months)
        for one in (add_up(self.usage, matrix), *more):
            rows = _joined(rows, _by_customer(one))
        return rows.sortWithinPartitions("subscriber_id", "month")


def _by_customer(rows: DataFrame) -> DataFrame:
    return rows.repartition("subscriber_id")


def _joined(rows: DataFrame, others: DataFrame) -> DataFrame:
    """Join two frames that are both partitioned by customer.

    The months are compared by a condition that is no key of the join. With a second key, Spark
    would shuffle by both keys, and once more to bring the months of a customer together again.
    """
    others = others.withColumnsRenamed({"subscriber_id": "who", "month": "when"})
    same = F.col("subscriber_id") == F.col("who")
    if "when" in others.columns:
        same &= F.datediff("month", "when") == 0
    return rows.join(others, same, "left").drop("who", "when")


def parts_of(batch: pa.RecordBatch) -> MonthParts:
    """The charged parts of the months of a batch of whole customers."""
    customers = batch.column("subscriber_id").to_numpy(zero_copy_only=False)
    months = _days(batch.column("month"))
    until = _days(batch.column("until")) if "until" in batch.schema.names else None
    return MonthParts.of(customers, months, _days(batch.column("joined")), until)


def _days(values: pa.Array) -> np.ndarray:
    days: np.ndarray = values.to_numpy(zero_copy_only=False).astype("datetime64[D]")
    return days
