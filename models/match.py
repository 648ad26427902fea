"""Tariff match 资费匹配: quotes by the rules S2-R1…R8 and the package that fits a customer.

A quote is one month under one package: the re-rated cost, the fees of the records that pass, the
items of the bill that pass, and the old VPMN fee. What passes stands on both sides of a comparison,
so it never makes a false saving. Months are compared as sums; means are only shown.
"""
from __future__ import annotations

from decimal import Decimal
from functools import reduce
from typing import Mapping, Sequence

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from models.backtest import EQUAL, NO_BILL, ORDER_OF_EVENTS
from models.bill_item import AMOUNT_TYPE, KINDS, not_rerated, vpmn_rent
from models.lookup import looked_up
from models.package_prices import BUCKETS
from models.rating import yuan
from models.tariff import Package
from schemas.settings import RatingPolicy

REASONS = ("NO_BILL", "NOT_COMPARABLE", "BACKTEST", "OWNED", "BRAND", "NO_SAVING", "MONTHS_WON",
           "BILL_SHOCK")
PASSED = ("d12593", "other_record_fees", "new_service_fees", "vpmn_rent")
QUOTE = (
    "subscriber_id", "month", "package_id", "kind", *BUCKETS, *PASSED, "passed_through", "total",
    "comparable", "reason", "replayed", "is_present",
)
MATCH = (
    "subscriber_id", "package_id", "kind", "months", "mean_present_cost", "mean_cost", "saving",
    "months_won", "worst_month_cost", "regret", "income_change", "rank", "recommended", "reasons",
)
EXACT = "decimal(30,6)"  # sums of months and a threshold times a number of months
TRUSTED = (EQUAL, ORDER_OF_EVENTS, NO_BILL)


def people(subscribers: DataFrame, *held: DataFrame) -> DataFrame:
    """(subscriber_id, brand, own): the ids of the packages that are or were a subscriber's.

    `subscribers`: one snapshot of dw.subscriber; `held`: holding.holdings, holding.held_on.
    """
    mine = reduce(DataFrame.union, [one.select("subscriber_id", "package_id") for one in held])
    own = mine.groupBy("subscriber_id").agg(
        F.sort_array(F.collect_set("package_id")).alias("own"))
    return subscribers.select("subscriber_id", "brand").join(own, "subscriber_id", "full")


def quotes(
    evaluated: DataFrame,
    passing: DataFrame,
    holdings: DataFrame,
    policy: RatingPolicy,
) -> DataFrame:
    """mart.package_quote without data_date.

    `evaluated`: rating.evaluate_best; `passing`: bill_item.passing; `holdings`: holding.holdings.
    Without a bill nothing passes from it.
    """
    present = holdings.select(
        "subscriber_id", "month", "package_id", F.lit(True).alias("is_present")
    )
    rows = (
        evaluated.join(present, ["subscriber_id", "month", "package_id"], "left")
        .join(passing, ["subscriber_id", "month"], "left")
    )
    amounts = {name: yuan(F.col(name)) for name in (*BUCKETS, "d12593")} | {
        "other_record_fees": yuan(
            F.col("other_fees") + F.col("direct_toll") + F.col("unrated_fees")),
        "new_service_fees": not_rerated({kind: F.col("kind") == kind for kind in KINDS}),
        "vpmn_rent": vpmn_rent(F.col("kind") == "voice", policy.vpmn_rent_mode),
    }
    amounts["passed_through"] = sum((amounts[name] for name in PASSED[1:]), amounts[PASSED[0]])
    amounts["total"] = yuan(F.col("rated")) + amounts["passed_through"]
    # Rows that are not comparable hold no amounts at all.
    stated = {
        name: F.when(F.col("comparable"), amount.cast(AMOUNT_TYPE))
        for name, amount in amounts.items()
    }
    return rows.withColumns(stated).withColumns({
        "is_present": F.coalesce("is_present", F.lit(False)),
    }).select(*QUOTE)


def package_match(
    quoted: DataFrame,
    actual: DataFrame,
    backtest: DataFrame,
    owned: DataFrame,
    subscribers: DataFrame,
    packages: Mapping[str, Package],
    policy: RatingPolicy,
) -> DataFrame:
    """mart.package_match without data_date: one row per subscriber and quoted package.

    `actual`: bill_item.actual; `backtest`: rows of mart.backtest for the same months. Compared are
    the comparable months with a bill, and where no month has one the comparable months alone.
    `reasons` holds every one of REASONS that speaks against the package, in that order; BACKTEST
    unless every month is trusted and at least one is reproduced within the tolerance.
    """
    sums = _sums(quoted, actual)
    facts = (
        sums.join(_verified(backtest), "subscriber_id", "left")
        .join(subscribers.select("subscriber_id", "brand"), "subscriber_id", "left")
        .join(owned.select("subscriber_id", "package_id", F.lit(True).alias("owned")),
              ["subscriber_id", "package_id"], "left")
        .withColumn("owned", F.coalesce("owned", F.lit(False)))
        .withColumn("fee", _fee(packages))
        .withColumn("of_brand", _of_brand(packages))
        .withColumn("reasons", _reasons(policy))
    )
    months = F.nullif("months", F.lit(0))
    ranked = Window.partitionBy("subscriber_id", "kind", "owned").orderBy(
        F.desc("months"), F.desc(F.coalesce("saved", -F.col("cost"))), "fee", "package_id"
    )
    return facts.withColumns({
        "mean_present_cost": (F.col("paid") / months).cast(AMOUNT_TYPE),
        "mean_cost": (F.col("cost") / months).cast(AMOUNT_TYPE),
        "saving": (F.col("saved") / months).cast(AMOUNT_TYPE),
        "income_change": (-F.col("saved") / months).cast(AMOUNT_TYPE),
        "rank": F.when(~F.col("owned"), F.row_number().over(ranked)),
        "recommended": F.size("reasons") == 0,
        "months": F.col("months").cast("smallint"),
    }).select(*MATCH)


def _sums(quoted: DataFrame, actual: DataFrame) -> DataFrame:
    """Per subscriber and package the sums over the months that are compared."""
    month = Window.partitionBy("subscriber_id", "kind", "month")
    customer = Window.partitionBy("subscriber_id")
    rows = (
        quoted.select("subscriber_id", "month", "package_id", "kind", "comparable", "total")
        .join(actual, ["subscriber_id", "month"], "left")
        .withColumns({
            "cheapest": F.min("total").over(month),
            "dearest_paid": F.max("actual").over(customer),
        })
    )
    compared = F.col("comparable") & (F.col("actual").isNotNull() | F.col("dearest_paid").isNull())

    def over(amount: Column) -> Column:
        return F.when(compared, amount)

    return rows.groupBy("subscriber_id", "package_id", "kind").agg(
        F.count(over(F.lit(1))).alias("months"),
        F.sum(over(F.col("actual"))).cast(EXACT).alias("paid"),
        F.sum(over(F.col("total"))).cast(EXACT).alias("cost"),
        F.sum(over(F.col("actual") - F.col("total"))).cast(EXACT).alias("saved"),
        F.count_if(over(F.col("total") < F.col("actual"))).cast("smallint").alias("months_won"),
        F.max(over(F.col("total"))).alias("worst_month_cost"),
        F.sum(over(F.col("total") - F.col("cheapest"))).cast(AMOUNT_TYPE).alias("regret"),
        F.max("dearest_paid").alias("dearest_paid"),
        F.bool_or(F.col("actual").isNull()).alias("lacks_bill"),
        F.bool_or(~F.col("comparable")).alias("has_gap"),
    )


def _verified(backtest: DataFrame) -> DataFrame:
    """(subscriber_id, verified): no month outside the tolerance or unpriced, one month inside."""
    return backtest.groupBy("subscriber_id").agg(
        (F.every(F.col("cause").isin(*TRUSTED)) & F.bool_or(F.col("cause") == EQUAL))
        .alias("verified")
    )


def _reasons(policy: RatingPolicy) -> Column:
    """What speaks against recommending, in the order of REASONS; an unknown counts against it."""
    months, no_bill = F.col("months"), F.col("dearest_paid").isNull()
    enough = F.lit(policy.min_saving).cast(EXACT) * months
    bearable = F.col("dearest_paid") * F.lit(1 + policy.bill_shock).cast("decimal(9,6)")
    tests = {
        "NO_BILL": F.col("lacks_bill"),
        "NOT_COMPARABLE": F.col("has_gap"),
        "BACKTEST": ~no_bill & ~F.coalesce("verified", F.lit(False)),
        "OWNED": F.col("owned"),
        "BRAND": ~F.col("of_brand"),
        "NO_SAVING": ~no_bill & ~F.coalesce(F.col("saved") >= enough, F.lit(False)),
        "MONTHS_WON": ~no_bill & (F.col("months_won") < policy.min_months_won),
        "BILL_SHOCK": F.col("worst_month_cost") > bearable,
    }
    return F.array_compact(F.array(*(F.when(tests[code], code) for code in REASONS)))


def _fee(packages: Mapping[str, Package]) -> Column:
    fees = {
        name: Decimal(package.monthly_fee.numerator) / Decimal(package.monthly_fee.denominator)
        for name, package in packages.items()
    }
    return looked_up(F.col("package_id"), fees, AMOUNT_TYPE)


def _of_brand(packages: Mapping[str, Package]) -> Column:
    """Whether the package is for the subscriber's brand (no brands named: for all)."""
    brands: dict[Sequence[str], list[str]] = {}
    for name, package in packages.items():
        brands.setdefault(package.brands, []).append(name)
    fits = F.lit(False)
    for accepted, names in sorted(brands.items()):
        right = F.col("brand").isin(*accepted) if accepted else F.lit(True)
        fits |= F.col("package_id").isin(*names) & F.coalesce(right, F.lit(False))
    return fits
