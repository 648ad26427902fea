"""Quotes: the cost of one month under one package, by the rules S2-R1 … S2-R8.

A quote is the re-rated cost, the fees of the records that pass through, the items of the bill that
pass through, and the old VPMN fee. What passes through is on both sides of a comparison, so it
never makes a false saving.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from models.frames.money import AMOUNT_TYPE, yuan
from models.quote.bill_item import KINDS, not_rerated, vpmn_rent
from models.tariff.amounts import BUCKETS
from models.tariff.package import BUNDLE, Package
from schemas.config.policy import RatingPolicy

PASSED = ("d12593", "other_record_fees", "new_service_fees", "vpmn_rent")
QUOTE = (
    "subscriber_id",
    "month",
    "package_id",
    "kind",
    *BUCKETS,
    *PASSED,
    "passed_through",
    "total",
    "comparable",
    "reason",
    "replayed",
    "is_present",
)


def people(subscribers: DataFrame, *held: DataFrame) -> DataFrame:
    """(subscriber_id, brand, own): `own` are the ids of a subscriber's present and past packages.

    `subscribers` is one snapshot of dw.subscriber; `held` are frames of `holding.holdings` and
    `holding.held_on`.
    """
    mine = reduce(DataFrame.union, [one.select("subscriber_id", "package_id") for one in held])
    own = mine.groupBy("subscriber_id").agg(F.sort_array(F.collect_set("package_id")).alias("own"))
    return subscribers.select("subscriber_id", "brand").join(own, "subscriber_id", "full")


def quotes(
    evaluated: DataFrame,
    passing: DataFrame,
    holdings: DataFrame,
    packages: Mapping[str, Package],
    policy: RatingPolicy,
) -> DataFrame:
    """mart.package_quote without data_date, and `unchanged`: per subscriber, month and package.

    `evaluated` is the result of evaluator.evaluate or evaluate_best, `passing` that of
    bill_item.passing, `holdings` that of holding.holdings. Amounts are yuan, null if the row is not
    comparable. Without a bill, nothing passes through from it. `unchanged` is what the month costs
    if no package is re-rated: the fees of the records and all other items of the bill.
    """
    present = holdings.select(
        "subscriber_id", "month", "package_id", F.lit(True).alias("is_present")
    ).distinct()
    rows = evaluated.join(present, ["subscriber_id", "month", "package_id"], "left").join(
        passing, ["subscriber_id", "month"], "left"
    )
    replaced = {kind: _rerates(kind, packages) for kind in KINDS}
    amounts = {name: yuan(F.col(name)) for name in (*BUCKETS, "d12593")} | {
        "other_record_fees": yuan(
            F.col("other_fees") + F.col("direct_toll") + F.col("unrated_fees")
        ),
        "new_service_fees": not_rerated(replaced),
        "vpmn_rent": vpmn_rent(replaced["voice"], policy.vpmn_rent_mode),
    }
    amounts["passed_through"] = sum((amounts[name] for name in PASSED[1:]), amounts[PASSED[0]])
    amounts["total"] = yuan(F.col("rated")) + amounts["passed_through"]
    nothing = {kind: F.lit(False) for kind in KINDS}
    amounts["unchanged"] = (
        yuan(F.col("d12593") + F.col("other_fees") + F.col("direct_toll"))
        + not_rerated(nothing)
        + vpmn_rent(F.lit(False), policy.vpmn_rent_mode)
    )
    # A row that is not comparable has no amounts.
    stated = {
        name: F.when(F.col("comparable"), amount.cast(AMOUNT_TYPE))
        for name, amount in amounts.items()
    }
    return (
        rows.withColumns(stated)
        .withColumns(
            {
                "is_present": F.coalesce("is_present", F.lit(False)),
            }
        )
        .select(*QUOTE, "unchanged")
    )


def _rerates(kind: str, packages: Mapping[str, Package]) -> Column:
    """Whether the row's package re-rates a kind: its own, or each of a bundle."""
    bundles = [name for name, one in packages.items() if one.kind == BUNDLE and kind in one.kinds]
    return (F.col("kind") == kind) | F.col("package_id").isin(*bundles)
