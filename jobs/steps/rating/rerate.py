"""What each customer would have paid in the last closed months under every open package.

Grain of the results: subscriber × month × package in `mart.package_quote` (the best of each kind
and the present ones), subscriber × package or whole alternative in `mart.package_match`. Due when a
month closes. When this step fails, offers stay those of the months before.
"""

from pyspark.sql import functions as F

from jobs.runtime.context import Context
from jobs.steps.rating.comparison import compared
from jobs.warehouse.tables import cached
from models.quote import holding, package_quote
from models.quote import package_match as match
from models.quote.whole_match import whole_match


def run(context: Context) -> None:
    warehouse, day, policy = context.warehouse, context.day, context.conf.policy.rating
    seen = compared(context)
    offered = [name for name, package in seen.packages.items() if package.offered_on(day)]
    owned = holding.held_on(
        seen.subscribers, seen.subscriptions, policy.default_package, day, seen.packages
    )
    evaluated = seen.evaluated(list(seen.packages.values()), offered, policy, owned)
    quoted = package_quote.quotes(evaluated, seen.passing, seen.holdings, seen.packages, policy)
    with cached(quoted) as quoted:
        kept = quoted.select(*package_quote.QUOTE).withColumn("data_date", F.lit(day))
        warehouse.replace("mart.package_quote", kept)
        whole = whole_match(
            quoted,
            seen.actual,
            seen.used,
            owned,
            seen.subscribers,
            seen.packages,
            offered,
            policy.keep_packages,
        )
        summed = match.summed(
            quoted, seen.actual, seen.used, owned, seen.subscribers, seen.packages, whole
        )
        backtest = warehouse.read("mart.backtest", on=day)
        with cached(summed) as sums:
            matched = match.package_match(sums, backtest, policy)
            warehouse.replace("mart.package_match", matched.withColumn("data_date", F.lit(day)))
