"""What both rating steps look at: the closed months, who used what, and what he paid.

The back-test prices a customer's own packages, re-rating all open ones; both on the same usage, the
same bills and the same readings of the policy.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date

from pyspark.sql import DataFrame

from jobs.warehouse.warehouse import Warehouse
from models.quote import bill_item, holding, package_quote
from models.rating import cube as rating_cube
from models.rating import evaluator as rating
from models.rating.cube import Cube
from models.rating.shortlist import Shortlist
from models.tariff import catalogue
from models.tariff.package import Package
from models.usage import cube as usage_cube
from models.usage import register
from schemas.config import Config
from schemas.config.policy import RatingPolicy
from schemas.window import Window


@dataclass(frozen=True)
class Comparison:
    """Frames by subscriber and month: `actual`, `passing`; and kind: `holdings`. `subscribers` and
    `subscriptions` are snapshots of the last day.
    """

    months: Sequence[date]
    cube: Cube
    subscribers: DataFrame
    subscriptions: DataFrame
    holdings: DataFrame
    actual: DataFrame
    passing: DataFrame
    packages: dict[str, Package]
    depths: Sequence

    def evaluated(
        self,
        packages: Sequence[Package],
        offered: Collection[str],
        policy: RatingPolicy,
        *owned: DataFrame,
    ) -> DataFrame:
        """Every month under the best of the packages offered and the customer's own (those of the
        months and `owned`), after the cube has been found to hold what they need."""
        register.require_measures(self.depths, register.depths_needed(packages, self.cube.measures))
        people = package_quote.people(self.subscribers, self.holdings, *owned)
        shortlist = Shortlist(packages, offered, policy.keep_packages)
        return rating.evaluate_best(self.cube, packages, people, shortlist, policy.toll_rerated)


def comparison(window: Window, wh: Warehouse, conf: Config) -> Comparison:
    """Read the declared tables of the closed months."""
    day, months = window.last, wh.months(window)
    subscribers = wh.read("dw.subscriber", on=day)
    subscriptions = wh.read("dw.subscription", on=day)
    cells = wh.read("dw.rating_cell")
    used = wh.read("dw.usage_month", months=months)
    packages = dict(catalogue.load(conf.tariffs.values()).packages)
    customer_months = rating_cube.customer_months(used, subscribers, months)
    kinds = {name: package.kind for name, package in packages.items()}
    return Comparison(
        months,
        Cube(
            customer_months,
            used,
            cells.collect(),
            register.from_rows(wh.read("dw.rating_measure").collect()),
            wh.read("dw.free_unit_split", months=months),
        ),
        subscribers,
        subscriptions,
        holding.holdings(
            customer_months, subscriptions, conf.policy.rating.default_package, packages
        ),
        bill_item.actual(wh.read("ods.bill", upto=day, months=months), subscribers),
        bill_item.passing(
            wh.read("ods.bill_item", upto=day, months=months),
            subscribers,
            kinds,
            conf.policy.bill_items,
        ),
        packages,
        usage_cube.depths(used, cells).collect(),
    )
