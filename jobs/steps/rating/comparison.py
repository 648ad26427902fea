"""What the back-test and the re-rating read: the closed months, their usage and their bills.

The back-test prices a customer's own packages, the re-rating all open ones. Both use the same
usage, the same bills and the same policy.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date

from pyspark.sql import DataFrame

from jobs.plan.slices import rated_months
from jobs.runtime.context import Context
from models.quote import bill_item, holding, package_quote
from models.quote.without_bill import RERATED, stand_ins, with_stand_ins, without_bill
from models.rating import cube as rating_cube
from models.rating import evaluator as rating
from models.rating.cube import Cube
from models.rating.shortlist import Shortlist
from models.tariff.package import Package
from models.usage import cube as usage_cube
from models.usage import register
from schemas.config.policy import RatingPolicy


@dataclass(frozen=True)
class Comparison:
    """The closed months as the models take them.

    `actual`, `passing` and `used` (months with usage): by subscriber and month
    `holdings`: by subscriber, month and kind
    `subscribers` and `subscriptions`: the snapshots of the last day
    `depths`: rows (month, service, depth): how many measures the usage holds at least
    """

    months: Sequence[date]
    cube: Cube
    subscribers: DataFrame
    subscriptions: DataFrame
    holdings: DataFrame
    actual: DataFrame
    passing: DataFrame
    used: DataFrame
    packages: dict[str, Package]
    depths: Sequence

    def evaluated(
        self,
        packages: Sequence[Package],
        offered: Collection[str],
        policy: RatingPolicy,
        *owned: DataFrame,
    ) -> DataFrame:
        """Every month under the best packages offered and under the customer's own packages.

        Own packages are those of the months and of `owned`. An error names the measures that the
        packages need and the cube does not hold.
        """
        register.require_measures(self.depths, register.depths_needed(packages, self.cube.measures))
        people = package_quote.people(self.subscribers, self.holdings, *owned)
        shortlist = Shortlist(packages, offered, policy.keep_packages)
        return rating.evaluate_best(self.cube, packages, people, shortlist, policy.toll_rerated)


def compared(context: Context) -> Comparison:
    """`comparison`, with the re-rated holding for lacking bills if `rating.without_bill` is so."""
    seen, policy = comparison(context), context.conf.policy.rating
    if policy.without_bill != RERATED:
        return seen
    lacking = without_bill(seen.cube.months, seen.actual)
    months = seen.cube.months.join(lacking, "subscriber_id", "left_semi")
    held = seen.holdings.join(lacking, "subscriber_id", "left_semi")
    names = {row["package_id"] for row in held.select("package_id").distinct().collect()}
    present = replace(seen, cube=replace(seen.cube, months=months)).evaluated(
        [package for name, package in seen.packages.items() if name in names], (), policy
    )
    actual, passing = with_stand_ins(
        seen.actual, seen.passing, seen.cube.months, stand_ins(present, held)
    )
    return replace(seen, actual=actual, passing=passing)


def comparison(context: Context) -> Comparison:
    """Read the tables of the closed months."""
    warehouse, conf, day = context.warehouse, context.conf, context.day
    months = rated_months(conf, context.window)
    subscribers = warehouse.read("dw.subscriber", on=day)
    subscriptions = warehouse.read("dw.subscription", on=day)
    cells = warehouse.read("dw.rating_cell")
    used = warehouse.read("dw.usage_month", months=months)
    packages = dict(context.catalogue.packages)
    customer_months = rating_cube.customer_months(used, subscribers, months)
    kinds = {name: package.kinds[0] for name, package in packages.items()}
    return Comparison(
        months,
        Cube(
            customer_months,
            used,
            cells.collect(),
            register.from_rows(warehouse.read("dw.rating_measure").collect()),
            warehouse.read("dw.free_unit_split", months=months),
        ),
        subscribers,
        subscriptions,
        holding.holdings(
            customer_months, subscriptions, conf.policy.rating.default_package, packages
        ),
        bill_item.actual(warehouse.read("ods.bill", upto=day, months=months), subscribers),
        bill_item.passing(
            warehouse.read("ods.bill_item", upto=day, months=months),
            subscribers,
            kinds,
            conf.policy.bill_items,
        ),
        usage_cube.months_used(used),
        packages,
        usage_cube.depths(used, cells).collect(),
    )
