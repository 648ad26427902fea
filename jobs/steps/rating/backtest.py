"""Re-rate each customer's own packages and compare with the actual bill.

Grain of the result: subscriber × month in `mart.backtest`, with the difference and its cause. A
month in which a package or its tariff changed is priced part by part. Due when a month closes. When
this step fails, no customer gets a recommendation.
"""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.runtime.context import Context
from jobs.steps.rating.comparison import Comparison, comparison
from jobs.steps.rating.guided_events import guided_events
from jobs.warehouse.tables import cached
from models.quote import backtest, month_part
from models.usage import events as usage_events
from models.usage.local_time import LASTING


def run(context: Context) -> None:
    seen, policy = comparison(context), context.conf.policy.rating
    held = {row["package_id"] for row in seen.holdings.select("package_id").distinct().collect()}
    present = [package for name, package in seen.packages.items() if name in held]
    parts = month_part.parts(
        seen.cube.months, seen.holdings, seen.subscriptions, policy.default_package, seen.packages
    )
    with cached(parts) as parts:
        tested = backtest.backtest(
            seen.cube.months,
            seen.evaluated(present, (), policy),
            seen.holdings,
            seen.passing,
            seen.actual,
            policy.tolerance,
            sorted({kind for package in seen.packages.values() for kind in package.kinds}),
            _in_parts(parts, seen, context),
            policy.without_bill,
        )
        tested = tested.withColumn("data_date", F.lit(context.day))
        context.warehouse.replace("mart.backtest", tested)


def _in_parts(parts: DataFrame, seen: Comparison, context: Context) -> DataFrame | None:
    """The cost of the months in which a package or tariff changed, from their daily usage."""
    months, kinds, priced_as = month_part.months_of(parts)
    if not months:
        return None
    policy = context.conf.policy
    packages = seen.packages | month_part.by_days(seen.packages)
    events = guided_events(context, months, parts)
    days = (
        context.warehouse.read("dw.usage_day", upto=context.day)
        .where(F.col("batch_date") >= F.lit(usage_events.first_delivery(months[0])))
        .where(F.trunc("local_date", "month").isin(months))
    )
    return month_part.priced(
        parts,
        kinds,
        month_part.Days(
            days,
            seen.cube.cells,
            seen.cube.measures,
            events,
            policy.calendar.holidays,
            context.conf.clock_zone(*LASTING),
        ),
        [packages[name] for name in priced_as if name in packages],
        policy.rating.toll_rerated,
    )
