"""Prices a month in which a package or its tariff changed, part by part 分段计费.

Each part is priced as a month of its own, with the usage of its days. Operators bill such a month
in different ways. The rules below are assumptions, which the back-test checks against each bill:
- a package that begins within the month is charged as for a new customer (`partial_month`);
- a package that ends within the month is charged as for a whole month;
- two tariffs of one package are each charged by their days: fee, free units and commitment.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date
from functools import reduce
from typing import NamedTuple

from pyspark.sql import Column, DataFrame, Row, Window
from pyspark.sql import functions as F

from models.frames.lookup import looked_up
from models.frames.validity import valid_at
from models.quote.holding import by_kind, tariff_on
from models.rating import evaluator as rating
from models.rating import free_units
from models.rating.cube import Cube
from models.rating.shortlist import Shortlist
from models.tariff.package import Package
from models.usage import cube as usage_cube
from models.usage.local_time import NEVER_CHANGED
from models.usage.register import Measure

BY_DAYS = " by days"
PART = ("subscriber_id", "month", "kind", "priced_as", "since", "until", "days_from", "days_to")
OWN = ("rated", "unrated_fees")
OF_ALL_SERVICES = ("d12593", "other_fees", "direct_toll")


class Days(NamedTuple):
    """The usage of some days.

    - `usage`: rows of dw.usage_day; `cells`: rows of dw.rating_cell; `measures`: the register;
    - `events`: the guided events of the days, used if free units depend on the order of events;
    - `holidays`, `zone`: the calendar and the time zone of the local days.
    """

    usage: DataFrame
    cells: Sequence[Row]
    measures: Sequence[Measure]
    events: DataFrame
    holidays: Collection[date]
    zone: str = NEVER_CHANGED


def parts(
    months: DataFrame,
    holdings: DataFrame,
    subscriptions: DataFrame,
    defaults: Mapping[str, str],
    packages: Mapping[str, Package],
) -> DataFrame:
    """One row per subscriber, month, kind and part, for months that have several parts.

    `months` and `holdings` are those of models/quote/holding.py; only a `changed` month can have
    parts.
    - `since`, `until`: the days for which the part is charged, [since, until); a part ends with the
      month unless it is one of `by_days`;
    - `days_from`, `days_to`: the days of its usage, [days_from, days_to). A day without a package
      in force, and without a default, belongs to the part before it, or to the first part;
    - `priced_as`: a tariff in `packages`, or one of `by_days`.
    """
    kind_month = ["subscriber_id", "month", "kind"]
    changed = holdings.where("changed").select(*kind_month)
    held = (
        by_kind(subscriptions, packages)
        .groupBy("subscriber_id", "kind")
        .agg(F.collect_list(F.struct("valid_from", "valid_to", "package_id")).alias("held"))
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
    """The tariffs of packages with several tariffs, changed so that they are charged by days."""
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
    """One row per subscriber, month and kind: the sums of evaluator.evaluate over the parts.

    `some` are rows of `parts`, `kinds` their kinds, `packages` the tariffs of their `priced_as`. A
    month is not comparable if one of its parts is not. None if there are no kinds. A package with
    carry-over is not priced in parts, because carried units are known for whole months only. Nor is
    a bundle: its kinds may change on different days.
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
    """`priced` for one kind. The parts of a month begin on different days; `since` is their key."""
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
    cube = Cube(months, usage_cube.added_up(used, days.measures), days.cells, days.measures)
    signatures = free_units.representatives(packages, toll_rerated)
    if signatures:
        # All parts of a month are needed, also those without a split: each event finds its part.
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
                days.events,
                wanted,
                days.cells,
                signatures,
                toll_rerated,
                days.holidays,
                days.zone,
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
    """The days of [first, ends) on which another package or tariff may come into force."""
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
    """Of the packages in force on a day, the one that began last; of several the first by id."""
    there = F.filter(held, lambda one: valid_at(day, one["valid_from"], one["valid_to"]))
    newest = F.array_max(F.transform(there, lambda one: one["valid_from"]))
    return F.array_min(
        F.transform(
            F.filter(there, lambda one: one["valid_from"] == newest), lambda one: one["package_id"]
        )
    )


def months_of(some: DataFrame) -> tuple[list[date], list[str], list[str]]:
    """The months, kinds and `priced_as` of rows of `parts`, each sorted."""
    rows = some.select("month", "kind", "priced_as").distinct().collect()
    months, kinds, priced_as = (
        sorted({row[name] for row in rows}) for name in ("month", "kind", "priced_as")
    )
    return months, kinds, priced_as
