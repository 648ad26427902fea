"""What of the closed months has to be made again: months whole, or single customers of a month.

A month that closes is made whole, once. Later only the customers are touched of whom a delivery
since then brought an event of that month (a late record, the late part of a session); all others
stand as they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.plan.slices import rated_months
from jobs.runtime.context import Context
from jobs.warehouse.tables import cached
from models.usage import cube as usage

DAYS = "dw.usage_day"
CUSTOMER_MONTH = ["subscriber_id", "month"]


@dataclass(frozen=True)
class Renewal:
    """`whole`: months to be made whole; `standing`: the others of the window, of which `touched`
    (subscriber_id, month) holds what has to be made again; `days`: dw.usage_day of all of them,
    with the `month` of each row."""

    whole: list[date]
    standing: list[date]
    touched: DataFrame
    days: DataFrame

    @property
    def months(self) -> list[date]:
        """The months in which anything has to be made."""
        return sorted(
            {
                *self.whole,
                *(row["month"] for row in self.touched.select("month").distinct().collect()),
            }
        )

    def of(self, rows: DataFrame) -> DataFrame:
        """Those of some rows with subscriber_id and month that have to be made again."""
        whole = rows.where(F.col("month").isin(self.whole))
        if not self.standing:
            return whole
        return whole.unionByName(
            rows.where(F.col("month").isin(self.standing)).join(
                self.touched, CUSTOMER_MONTH, "left_semi"
            )
        )

    def kept(self, rows: DataFrame) -> DataFrame:
        """Those rows of the standing months that stand as they are."""
        return rows.join(self.touched, CUSTOMER_MONTH, "left_anti")


@contextmanager
def renewal(context: Context, table: str) -> Iterator[Renewal]:
    """What of a table of months a run of the window has to make of dw.usage_day."""
    warehouse, months = context.warehouse, rated_months(context.conf, context.window)
    since = {month: warehouse.lineage.days_since(table, month, DAYS) for month in months}
    whole = [month for month in months if since[month] is None]
    standing = [month for month in months if since[month] is not None]
    days = (
        warehouse.read(DAYS, upto=context.day)
        .where(F.col("batch_date") >= F.lit(usage.first_delivery(months[0])))
        .withColumn("month", F.trunc("local_date", "month"))
    )
    touched = warehouse.empty(table).select(*CUSTOMER_MONTH)
    for month in standing:
        came = days.where(F.col("batch_date").isin(since[month]) & (F.col("month") == month))
        touched = touched.unionByName(came.select(*CUSTOMER_MONTH).distinct())
    with cached(touched) as touched:
        yield Renewal(whole, standing, touched, days)
