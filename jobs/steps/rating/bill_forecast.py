"""Forecast bills against real ones, for the month that closes.

Grain of the result: subscriber in `mart.bill_forecast`, of those who held the forecast packages for
the whole month. Due when a month closes; empty where the close before made no forecast. When this
step fails, offers go on and only the proof of the forecasts is missing.
"""

from datetime import timedelta

from pyspark.sql import functions as F

from jobs.plan.slices import rated_months
from jobs.runtime.context import Context
from models.forecast.bill_forecast import bill_forecast, held_throughout
from models.quote import bill_item, holding
from schemas.window import Window, add_months

TABLE, MATCH = "mart.bill_forecast", "mart.package_match"


def run(context: Context) -> None:
    warehouse, conf, day = context.warehouse, context.conf, context.day
    month = rated_months(conf, context.window)[-1]
    made_on = warehouse.last_snapshot(MATCH, add_months(month, 1) - timedelta(days=1))
    if made_on is None or rated_months(conf, Window(made_on, made_on))[-1] != add_months(month, -1):
        warehouse.replace(TABLE, warehouse.rows(TABLE, []))
        return
    subscribers = warehouse.read("dw.subscriber", on=day)
    packages = dict(context.catalogue.packages)
    people = subscribers.select(
        "subscriber_id", F.lit(month).alias("month"), F.col("join_date").alias("joined")
    )
    held = holding.holdings(
        people,
        warehouse.read("dw.subscription", on=day),
        conf.policy.rating.default_package,
        packages,
    ).where(F.col("package_id").isin(*packages))
    bills = warehouse.read("ods.bill", upto=day, months=[month])
    judged = bill_forecast(
        warehouse.read(MATCH, on=made_on),
        held_throughout(held),
        bill_item.actual(bills, subscribers),
        month,
    )
    warehouse.replace(TABLE, judged.withColumn("data_date", F.lit(day)))
