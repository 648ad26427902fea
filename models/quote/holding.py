"""Which package of each kind a subscriber had: month by month, and on a day."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from models.frames.lookup import looked_up
from models.tariff.package import Package

HELD = ("subscriber_id", "month", "kind", "package_id", "changed")


def holdings(
    months: DataFrame,
    subscriptions: DataFrame,
    defaults: Mapping[str, str],
    packages: Mapping[str, Package],
) -> DataFrame:
    """(subscriber_id, month, kind, package_id, changed): one present package per kind and month.

    `months` has (subscriber_id, month, joined), `subscriptions` is one snapshot of dw.subscription.
    The package in force last in the month counts, under the tariff that it had on its last day
    (`tariff_on`). `changed`: on some other day of the month since the subscriber joined another
    one, or none, was in force, or that tariff in `packages` was not (a package that is not there
    has none); models/month_part.py prices such a month part by part. `defaults` (kind → package)
    price the kinds of which he had none.
    """
    customers = months.select("subscriber_id", "month", "joined")
    since = F.greatest("month", F.coalesce("joined", "month"))
    begins_in = F.col("valid_from") > since
    ends_in = F.coalesce(F.col("valid_to") <= F.last_day("month"), F.lit(False))
    in_force = (F.col("valid_from") <= F.last_day("month")) & (
        F.col("valid_to").isNull() | (F.col("valid_to") > F.col("month"))
    )
    each = Window.partitionBy("subscriber_id", "month", "kind")
    latest = each.orderBy(F.desc("valid_from"), "package_id")
    held = (
        customers.join(
            subscriptions.select("subscriber_id", "kind", "package_id", "valid_from", "valid_to"),
            "subscriber_id",
        )
        .where(in_force)
        .withColumn("place", F.row_number().over(latest))
        .withColumn("packages", F.count(F.lit(1)).over(each))
        .where("place = 1")
        .withColumn("changed", (F.col("packages") > 1) | begins_in | ends_in)
        .select(*customers.columns, "kind", "package_id", "changed")
    )
    tariff_begins, tariff_ends = (
        looked_up(F.col("package_id"), dates, "date")
        for dates in (
            {name: one.valid_from for name, one in packages.items()},
            {name: one.valid_to for name, one in packages.items()},
        )
    )
    in_part = (tariff_begins > since) | (tariff_ends <= F.last_day("month"))
    return (
        _or_default(customers, held, defaults)
        .withColumn("package_id", tariff_on(F.col("package_id"), F.last_day("month"), packages))
        .withColumn("changed", F.col("changed") | F.coalesce(in_part, F.lit(False)))
        .select(*HELD)
    )


def held_on(
    subscribers: DataFrame,
    subscriptions: DataFrame,
    defaults: Mapping[str, str],
    day: date,
    packages: Mapping[str, Package],
) -> DataFrame:
    """(subscriber_id, kind, package_id): the packages in force on a day, `defaults` included, each
    under its tariff of the day (`tariff_on`)."""
    held = (
        subscriptions.where(
            (F.col("valid_from") <= F.lit(day))
            & (F.col("valid_to").isNull() | (F.col("valid_to") > F.lit(day)))
        )
        .select("subscriber_id", "kind", "package_id")
        .distinct()
    )
    wanted = ("subscriber_id", "kind", "package_id")
    return (
        _or_default(subscribers.select("subscriber_id"), held, defaults)
        .withColumn("package_id", tariff_on(F.col("package_id"), F.lit(day), packages))
        .select(*wanted)
    )


def tariff_on(package_id: Column, day: Column, packages: Mapping[str, Package]) -> Column:
    """The id of the tariff of a package on a day: its own, or a former one (Package.former_of)."""
    found = package_id
    for name, one in sorted(packages.items()):
        if one.former_of is not None:
            then = (day >= F.lit(one.valid_from)) & (day < F.lit(one.valid_to))
            found = F.when((package_id == one.former_of) & then, name).otherwise(found)
    return found


def _or_default(owners: DataFrame, held: DataFrame, defaults: Mapping[str, str]) -> DataFrame:
    """What is held, and the default packages of the owners' kinds of which nothing is."""
    if not defaults:
        return held
    standard = F.explode(
        F.array(
            *(
                F.struct(F.lit(kind).alias("kind"), F.lit(package_id).alias("package_id"))
                for kind, package_id in sorted(defaults.items())
            )
        )
    )
    keys = [name for name in ("subscriber_id", "month", "kind") if name in held.columns]
    lacking = (
        owners.select("*", standard.alias("standard"))
        .select(*owners.columns, "standard.kind", "standard.package_id")
        .join(held, keys, "left_anti")
    )
    if "changed" in held.columns:
        lacking = lacking.withColumn("changed", F.lit(False))
    return held.unionByName(lacking)
