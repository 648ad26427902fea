"""The package of each kind that a subscriber held: month by month, and on a day."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from models.frames.lookup import looked_up
from models.frames.validity import valid_at, valid_during
from models.tariff.package import BUNDLE, Package

HELD = ("subscriber_id", "month", "kind", "package_id", "changed", "counted")


def holdings(
    months: DataFrame,
    subscriptions: DataFrame,
    defaults: Mapping[str, str],
    packages: Mapping[str, Package],
) -> DataFrame:
    """One present package per subscriber, month and kind: the columns HELD.

    `months` has (subscriber_id, month, joined); `subscriptions` is one snapshot of dw.subscription.
    The present package is the last one in force in the month, under its tariff of the last day of
    the month (`tariff_on`). `defaults` (kind → package) are used for kinds without a package. A
    bundle is held for each of its kinds; its cost is `counted` once, under the first of them.

    `changed` is true if, on any day of the month after joining, another package or none was in
    force, or the package had another tariff version. A package missing from `packages` has no
    versions. models/quote/month_part.py prices such a month part by part.
    """
    customers = months.select("subscriber_id", "month", "joined")
    since = F.greatest("month", F.coalesce("joined", "month"))
    begins_in = F.col("valid_from") > since
    ends_in = F.coalesce(F.col("valid_to") <= F.last_day("month"), F.lit(False))
    in_force = valid_during(F.col("month"), F.last_day("month"))
    each = Window.partitionBy("subscriber_id", "month", "kind")
    latest = each.orderBy(F.desc("valid_from"), "package_id")
    held = (
        customers.join(
            by_kind(subscriptions, packages).select(
                "subscriber_id", "kind", "package_id", "valid_from", "valid_to"
            ),
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
    leading = looked_up(
        F.col("package_id"),
        {name: one.kinds[0] for name, one in packages.items() if one.kind == BUNDLE},
        "string",
    )
    in_part = (tariff_begins > since) | (tariff_ends <= F.last_day("month"))
    return (
        _or_default(customers, held, defaults)
        .withColumn("package_id", tariff_on(F.col("package_id"), F.last_day("month"), packages))
        .withColumn("changed", F.col("changed") | F.coalesce(in_part, F.lit(False)))
        .withColumn("counted", F.coalesce(leading, F.col("kind")) == F.col("kind"))
        .select(*HELD)
    )


def held_on(
    subscribers: DataFrame,
    subscriptions: DataFrame,
    defaults: Mapping[str, str],
    day: date,
    packages: Mapping[str, Package],
) -> DataFrame:
    """(subscriber_id, kind, package_id): the packages in force on a day, with `defaults`.

    Each package is under its tariff of the day (`tariff_on`). A bundle has a row for each kind.
    """
    held = (
        by_kind(subscriptions, packages)
        .where(valid_at(F.lit(day)))
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
    """The id of a package's tariff on a day: its own id, or that of a former tariff."""
    found = package_id
    for name, one in sorted(packages.items()):
        if one.former_of is not None:
            then = (day >= F.lit(one.valid_from)) & (day < F.lit(one.valid_to))
            found = F.when((package_id == one.former_of) & then, name).otherwise(found)
    return found


def by_kind(subscriptions: DataFrame, packages: Mapping[str, Package]) -> DataFrame:
    """Rows of dw.subscription, with one row for each kind of a bundle."""
    bundles = {name: ",".join(one.kinds) for name, one in packages.items() if one.kind == BUNDLE}
    if not bundles:
        return subscriptions
    kinds = F.split(looked_up(F.col("package_id"), bundles, "string"), ",")
    return subscriptions.withColumn("kind", F.explode(F.coalesce(kinds, F.array("kind"))))


def _or_default(owners: DataFrame, held: DataFrame, defaults: Mapping[str, str]) -> DataFrame:
    """The held packages, and the default packages for the kinds of which an owner holds none."""
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
    keys: list[str] = [n for n in ("subscriber_id", "month", "kind") if n in held.columns]
    lacking = (
        owners.select("*", standard.alias("standard"))
        .select(*owners.columns, "standard.kind", "standard.package_id")
        .join(held, keys, "left_anti")
    )
    if "changed" in held.columns:
        lacking = lacking.withColumn("changed", F.lit(False))
    return held.unionByName(lacking)
