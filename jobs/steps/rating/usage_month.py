"""Add up the days of a month that closes, and of earlier months the customers with late events.

Grain of the result: subscriber × month in `dw.usage_month`, with the measures of every rating cell
in an array. Due when a month closes. When this step fails, the months cannot be re-rated.
"""

from pyspark.sql import functions as F

from jobs.runtime.context import Context
from jobs.steps.rating.renewal import renewal
from models.usage import cube as usage_cube
from models.usage import register


def run(context: Context) -> None:
    warehouse = context.warehouse
    measures = register.from_rows(warehouse.read("dw.rating_measure").collect())
    with renewal(context, "dw.usage_month") as new:
        months = new.months
        built = usage_cube.by_month(new.due(new.days), months, measures)
        before = warehouse.read("dw.usage_month", months=new.kept_months)
        kept = new.kept(before.where(F.col("month").isin(months)))
        warehouse.replace("dw.usage_month", built.unionByName(kept), months)
