"""A month in which a package or its tariff changed, priced part by part 分段计费.

Each part is priced as a month of its own, with the usage of its days. What a bill charges for such
a month differs between operators, so this is an assumption that the back-test checks against every
bill: a package taken up within the month is charged for as by a new customer (`partial_month`), one
that was left as a whole month's; of two tariffs of one package each is charged for by its days:
fee, free units and commitment alike.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date
from functools import reduce
from typing import NamedTuple

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from models.frames.lookup import looked_up
from models.quote.holding import tariff_on
from models.rating import evaluator as rating
from models.rating import free_units
from models.rating.shortlist import Shortlist
from models.tariff.measure import Measure
from models.tariff.package import Package
from models.usage import cube as usage

BY_DAYS = " by days"
PART = ("subscriber_id", "month", "kind", "priced_as", "since", "until", "days_from", "days_to")
OWN = ("rated", "unrated_fees")
OF_ALL_SERVICES = ("d12593", "other_fees", "direct_toll")


class Days(NamedTuple):
    """Rows of dw.usage_day, of dw.rating_cell, and the measures of the register; the guided events
    of the same days (usage.guide), looked at where only their order tells what was free."""

    usage: DataFrame
    cells: Sequence
    measures: Sequence[Measure]
    events: DataFrame
    holidays: Collection[date]


def parts(
    months: DataFrame,
    holdings: DataFrame,
    subscriptions: DataFrame,
    defaults: Mapping[str, str],
    packages: Mapping[str, Package],
) -> DataFrame:
    """One row per subscriber, month, kind and part, of the months that have several parts.

    `months` and `holdings` as in models/holding.py; only what is `changed` there can have parts.
    A part is charged for from `since` to the end of the month, or one of `by_days` until `until`.
    Its usage is that of [days_from, days_to): a day on which no package was in force, nor a default
    one, is priced by the part before it, or by the first. `priced_as` is a tariff in `packages`, or
    one of `by_days`.
    """
    kind_month = ["subscriber_id", "month", "kind"]
    changed = holdings.where("changed").select(*kind_month)
    held = subscriptions.groupBy("subscriber_id", "kind").agg(
        F.collect_list(F.struct("valid_from", "valid_to", "package_id")).alias("held")
    )
    ends = F.date_add(F.last_day("month"), 1)
    dated = (
        changed.join(months.select("subscriber_id", "month", "joined"), kind_month[:2])
        .join(held, ["subscriber_id", "kind"], "left")
        .withColumn("held", F.coalesce("held", F.array().cast(held.schema["held"].dataType)))
        .withColumn("first", F.greatest("month", F.coalesce("joined", "month")))
        .withColumn("since", F.explode(_starts(F.col("first"), ends, packages)))
        .withColumn(
            "package",
            F.coalesce(
                _in_force(F.col("held"), F.col("since")),
                looked_up(F.col("kind"), defaults, "string"),
            ),
        )
        .where("package IS NOT NULL")
        .withColumn("tariff", tariff_on(F.col("package"), F.col("since"), packages))
    )
    in_order = Window.partitionBy(*kind_month).orderBy("since")
    other = F.coalesce(F.lag("tariff").over(in_order) != F.col("tariff"), F.lit(True))
    each, several = Window.partitionBy(*kind_month), F.col("tariffs") > 1
    return (
        dated.withColumn("begins", other)
        .where("begins")
        .withColumns(
            {
                "days_to": F.coalesce(F.lead("since").over(in_order), ends),
                "place": F.row_number().over(in_order),
                "parts": F.count(F.lit(1)).over(each),
                "tariffs": F.size(
                    F.collect_set("tariff").over(Window.partitionBy(*kind_month, "package"))
                ),
            }
        )
        .where("parts > 1")
        .withColumns(
            {
                "days_from": F.when(F.col("place") == 1, F.col("month")).otherwise(F.col("since")),
                "until": F.when(several, F.col("days_to")).otherwise(ends),
                "priced_as": F.when(several, F.concat("tariff", F.lit(BY_DAYS))).otherwise(
                    F.col("tariff")
                ),
            }
        )
        .select(*PART)
    )


def by_days(packages: Mapping[str, Package]) -> dict[str, Package]:
    """The tariffs of packages that have several, charged by their days."""
    heads = {one.former_of for one in packages.values()} - {None}
    return {
        f"{name}{BY_DAYS}": replace(one, id=f"{name}{BY_DAYS}", partial_month="daily")
        for name, one in packages.items()
        if name in heads or one.former_of is not None
    }


def priced(
    some: DataFrame,
    kinds: Sequence[str],
    days: Days,
    packages: Sequence[Package],
    toll_rerated: str,
) -> DataFrame | None:
    """One row per subscriber, month and kind of `parts`: the sums of rating.evaluate over its
    parts; not comparable where a part is not. None without any kind.

    `packages`: what `some` is priced as. What a pool carries over is known of whole months only, so
    such packages are not priced in parts.
    """
    able = [one for one in packages if not any(pool.carry_over for pool in one.pools)]
    found = [
        _of_kind(
            some.where(F.col("kind") == kind),
            days,
            [one for one in able if one.kind == kind],
            toll_rerated,
        )
        for kind in kinds
    ]
    return reduce(DataFrame.unionByName, found) if found else None


def _of_kind(
    some: DataFrame, days: Days, packages: Sequence[Package], toll_rerated: str
) -> DataFrame:
    """The parts of one kind begin on different days, so their first day tells them apart."""
    inside = (
        (F.col("owner") == F.col("subscriber_id"))
        & (F.col("local_date") >= F.col("days_from"))
        & (F.col("local_date") < F.col("days_to"))
    )
    used = days.usage.join(
        some.select(
            F.col("subscriber_id").alias("owner"),
            F.col("since").alias("month"),
            "days_from",
            "days_to",
        ),
        inside,
    ).drop("owner", "days_from", "days_to")
    months = some.select(
        "subscriber_id", F.col("since").alias("month"), F.col("since").alias("joined"), "until"
    )
    people = (
        some.groupBy("subscriber_id")
        .agg(
            F.sort_array(F.collect_set("priced_as")).alias("own"),
        )
        .withColumn("brand", F.lit(None).cast("string"))
    )
    cube = rating.Cube(months, usage.added_up(used, days.measures), days.cells, days.measures)
    signatures = free_units.representatives(packages, toll_rerated)
    if signatures:
        # All parts come with those that want a split: each event has to find its own.
        wanted = months.join(
            free_units.wanted(cube, signatures, toll_rerated).select(
                "subscriber_id", "month", "wanted"
            ),
            ["subscriber_id", "month"],
            "left",
        ).withColumn("wanted", F.coalesce("wanted", F.array().cast("array<int>")))
        cube = replace(
            cube,
            splits=free_units.split(
                days.events, wanted, days.cells, signatures, toll_rerated, days.holidays
            ),
        )
    evaluated = rating.evaluate_best(
        cube, packages, people, Shortlist(packages, (), 0), toll_rerated
    )
    one_part = evaluated.withColumnsRenamed({"month": "since", "package_id": "priced_as"}).drop(
        "kind"
    )
    return (
        some.join(one_part, ["subscriber_id", "since", "priced_as"], "left")
        .groupBy("subscriber_id", "month", "kind")
        .agg(
            *(F.sum(name).alias(name) for name in OWN + OF_ALL_SERVICES),
            F.every(F.coalesce("comparable", F.lit(False))).alias("comparable"),
            F.max("reason").alias("reason"),
        )
    )


def _starts(first: Column, ends: Column, packages: Mapping[str, Package]) -> Column:
    """The days of [first, ends) on which another package or tariff can have come into force."""
    turns = sorted(
        {
            day
            for one in packages.values()
            if one.former_of is not None
            for day in (one.valid_from, one.valid_to)
        }
    )
    held = F.col("held")
    days = F.concat(
        F.array(first),
        F.transform(held, lambda one: one["valid_from"]),
        F.transform(held, lambda one: one["valid_to"]),
        F.array(*map(F.lit, turns)).cast("array<date>"),
    )
    return F.array_distinct(F.filter(days, lambda day: (day >= first) & (day < ends)))


def _in_force(held: Column, day: Column) -> Column:
    """The package that came into force last of those in force on a day; of several the first by
    id."""
    there = F.filter(
        held,
        lambda one: (
            (one["valid_from"] <= day) & (one["valid_to"].isNull() | (one["valid_to"] > day))
        ),
    )
    newest = F.array_max(F.transform(there, lambda one: one["valid_from"]))
    return F.array_min(
        F.transform(
            F.filter(there, lambda one: one["valid_from"] == newest), lambda one: one["package_id"]
        )
    )


def months_of(some: DataFrame) -> tuple[list[date], list[str], list[str]]:
    """The months, kinds and prices (`priced_as`) that `parts` has."""
    rows = some.select("month", "kind", "priced_as").distinct().collect()
    return tuple(sorted({row[name] for row in rows}) for name in ("month", "kind", "priced_as"))
