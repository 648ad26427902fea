"""What has to be built of the closed months: whole months, or single customers of a month.

A month is built as a whole once, when it closes. Later only some customers of it are rebuilt: those
for whom a delivery since then brought an event of that month (a late record, the late part of a
session). All other rows of the month are kept.
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
from models.usage import events as usage_events

DAYS = "dw.usage_day"
CUSTOMER_MONTH = ["subscriber_id", "month"]


@dataclass(frozen=True)
class Renewal:
    """The closed months of a window, divided by how much of them has to be built.

    `whole`: months to be built as a whole
    `kept_months`: the other months, built before
    `touched`: of the kept months the (subscriber_id, month) that have to be rebuilt
    `days`: dw.usage_day of all these months, with the `month` of each row
    """

    whole: list[date]
    kept_months: list[date]
    touched: DataFrame
    days: DataFrame

    @property
    def months(self) -> list[date]:
        """The months of which anything has to be built."""
        return sorted(
            {
                *self.whole,
                *(row["month"] for row in self.touched.select("month").distinct().collect()),
            }
        )

    def due(self, rows: DataFrame) -> DataFrame:
        """The rows (with subscriber_id and month) from which the result has to be built."""
        whole = rows.where(F.col("month").isin(self.whole))
        if not self.kept_months:
            return whole
        return whole.unionByName(
            rows.where(F.col("month").isin(self.kept_months)).join(
                self.touched, CUSTOMER_MONTH, "left_semi"
            )
        )

    def kept(self, rows: DataFrame) -> DataFrame:
        """The rows of the kept months that are not rebuilt."""
        return rows.join(self.touched, CUSTOMER_MONTH, "left_anti")


@contextmanager
def renewal(context: Context, table: str) -> Iterator[Renewal]:
    """What the step has to build of a table of months, from dw.usage_day."""
    warehouse, months = context.warehouse, rated_months(context.conf, context.window)
    since = {month: warehouse.lineage.days_since(table, month, DAYS) for month in months}
    whole = [month for month in months if since[month] is None]
    kept_months = [month for month in months if since[month] is not None]
    days = (
        warehouse.read(DAYS, upto=context.day)
        .where(F.col("batch_date") >= F.lit(usage_events.first_delivery(months[0])))
        .withColumn("month", F.trunc("local_date", "month"))
    )
    touched = warehouse.empty(table).select(*CUSTOMER_MONTH)
    for month in kept_months:
        came = days.where(F.col("batch_date").isin(since[month]) & (F.col("month") == month))
        touched = touched.unionByName(came.select(*CUSTOMER_MONTH).distinct())
    with cached(touched) as touched:
        yield Renewal(whole, kept_months, touched, days)
