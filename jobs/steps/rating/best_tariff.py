"""The best tariff of each subscriber: a better one, the present one, or why it cannot be said (N1).

Grain of the result: active subscriber in `mart.best_tariff`, every night, by the newest re-rating
and the packages of the day. When this step fails, customers are told the answer of the day before.
"""

from pyspark.sql import functions as F

from jobs.plan.slices import rated_months
from jobs.runtime.context import Context
from models.forecast.best_tariff import best_tariff
from models.quote import holding
from schemas.window import Window


def run(context: Context) -> None:
    warehouse, conf, day = context.warehouse, context.conf, context.day
    rated_on = warehouse.last_snapshot("mart.package_match", day)
    subscribers = warehouse.read("dw.subscriber", on=day)
    packages = context.catalogue.packages
    held = holding.held_on(
        subscribers,
        warehouse.read("dw.subscription", on=day),
        conf.policy.rating.default_package,
        day,
        packages,
    ).where(F.col("package_id").isin(*packages))
    answers = best_tariff(
        subscribers,
        held,
        context.newest("mart.package_match"),
        [package.id for package in packages.values() if package.offered_on(day)],
        rated_on,
        rated_months(conf, Window(rated_on, rated_on))[-1] if rated_on else None,
        conf.policy.rating.tolerance,
    )
    warehouse.replace("mart.best_tariff", answers.withColumn("data_date", F.lit(day)))
