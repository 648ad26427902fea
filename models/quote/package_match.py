"""Tariff match 资费匹配: quotes by the rules S2-R1…R8 and the package that fits a customer.

A quote is one month under one package: the re-rated cost, the fees of the records that pass, the
items of the bill that pass, and the old VPMN fee. What passes stands on both sides of a comparison,
so it never makes a false saving. Months are compared as sums; means are only shown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import reduce

from pyspark.errors import AnalysisException
from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F
from pyspark.sql.types import NumericType

from models.frames.lookup import looked_up
from models.quote.backtest import EQUAL, NO_BILL, ORDER_OF_EVENTS
from models.quote.bill_item import AMOUNT_TYPE, KINDS, not_rerated, vpmn_rent
from models.rating.evaluator import yuan
from models.rating.package_prices import BUCKETS
from models.tariff.money_limit import MICRO
from models.tariff.package import Package
from schemas.config.policy import RatingPolicy
from schemas.errors import ConfigError

REASONS = (
    "NO_BILL",
    "NOT_COMPARABLE",
    "BACKTEST",
    "OWNED",
    "BRAND",
    "NO_SAVING",
    "MONTHS_WON",
    "BILL_SHOCK",
)
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
MATCH = (
    "subscriber_id",
    "package_id",
    "kind",
    "months",
    "mean_present_cost",
    "mean_cost",
    "saving",
    "months_won",
    "worst_month_cost",
    "regret",
    "income_change",
    "usage_change",
    "expected_saving",
    "expected_income_change",
    "rank",
    "recommended",
    "reasons",
)
USAGE = tuple(line for line in BUCKETS if line not in ("monthly_fee", "commitment"))
EXACT = "decimal(30,6)"  # sums of months and a threshold times a number of months
WHOLE = "decimal(24,0)"  # such a sum in micro-yuan, small enough to be multiplied
TRUSTED = (EQUAL, ORDER_OF_EVENTS, NO_BILL)


def people(subscribers: DataFrame, *held: DataFrame) -> DataFrame:
    """(subscriber_id, brand, own): the ids of the packages that are or were a subscriber's.

    `subscribers`: one snapshot of dw.subscriber; `held`: holding.holdings, holding.held_on.
    """
    mine = reduce(DataFrame.union, [one.select("subscriber_id", "package_id") for one in held])
    own = mine.groupBy("subscriber_id").agg(F.sort_array(F.collect_set("package_id")).alias("own"))
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
    rows = evaluated.join(present, ["subscriber_id", "month", "package_id"], "left").join(
        passing, ["subscriber_id", "month"], "left"
    )
    amounts = {name: yuan(F.col(name)) for name in (*BUCKETS, "d12593")} | {
        "other_record_fees": yuan(
            F.col("other_fees") + F.col("direct_toll") + F.col("unrated_fees")
        ),
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
    return (
        rows.withColumns(stated)
        .withColumns(
            {
                "is_present": F.coalesce("is_present", F.lit(False)),
            }
        )
        .select(*QUOTE)
    )


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

    Packages of a kind are ranked by `policy.priority`, the highest first, after those that are
    compared over more months; ties by the lower fee, then by id. `saving` and `income_change` are
    what the same usage would have saved: they are what is judged and shown to the customer,
    whatever `policy.usage_elasticity` is. What that makes of them stands beside them (_expected);
    to rank by it, name it in the priority.
    """
    sums = _sums(quoted, actual)
    facts = (
        sums.join(_verified(backtest), "subscriber_id", "left")
        .join(subscribers.select("subscriber_id", "brand"), "subscriber_id", "left")
        .join(
            owned.select("subscriber_id", "package_id", F.lit(True).alias("owned")),
            ["subscriber_id", "package_id"],
            "left",
        )
        .withColumn("owned", F.coalesce("owned", F.lit(False)))
        .withColumn("fee", _fee(packages))
        .withColumn("of_brand", _of_brand(packages))
        .withColumn("reasons", _reasons(policy))
        .withColumn("usage_change", _usage_change(policy.usage_elasticity))
    )
    months = F.nullif("months", F.lit(0))
    means = facts.withColumns(
        {
            "mean_present_cost": F.col("paid") / months,
            "mean_cost": F.col("cost") / months,
            "saving": F.col("saved") / months,
            "income_change": -F.col("saved") / months,
            "recommended": F.size("reasons") == 0,
            **_expected(months),
        }
    )
    ranked = Window.partitionBy("subscriber_id", "kind", "owned").orderBy(
        F.desc("months"), F.desc_nulls_last("_priority"), "fee", "package_id"
    )
    return (
        means.withColumn("_priority", _priority(means, policy.priority))
        .withColumns(
            {
                "rank": F.when(~F.col("owned"), F.row_number().over(ranked)),
                "months": F.col("months").cast("smallint"),
                **{
                    name: F.col(name).cast(AMOUNT_TYPE)
                    for name in ("mean_present_cost", "mean_cost", "saving", "income_change")
                },
            }
        )
        .select(*MATCH)
    )


def _priority(means: DataFrame, priority: str) -> Column:
    """The province's own order of packages (S2-09), on means that are not rounded yet.

    Without a bill nothing is saved: the cheaper package goes first. ConfigError for what is no
    expression of a value that can be ordered.
    """
    try:
        kind = means.select(F.expr(priority).alias("_priority")).schema["_priority"].dataType
    except AnalysisException as error:
        raise ConfigError(
            f"policy.yml: rating.priority: {priority}: {str(error).splitlines()[0]}"
        ) from None
    if not isinstance(kind, NumericType):
        raise ConfigError(
            f"policy.yml: rating.priority: {priority}: expected a number, the "
            f"highest first; got a {kind.simpleString()}"
        )
    return F.when(F.col("dearest_paid").isNull(), -F.col("mean_cost")).otherwise(F.expr(priority))


def _usage_change(elasticity: Decimal) -> Column:
    """By which share a customer would use more or less under the package (S2-09 业务量变化).

    The elasticity times the relative change of what the same usage costs: the usage lines (all but
    fee and commitment) under the package against those under the present one, over the compared
    months in which both are priced. Rounded half up, away from zero, to the millionth; not below
    -1. Usage that costs nothing at present, or whose present cost is not known, does not change.
    """
    before, after = _whole("usage_before"), _whole("usage_beside")
    times = F.lit(int(elasticity * MICRO)).cast("decimal(7,0)")
    change = F.greatest(_quotient(times * (after - before), before), F.lit(-MICRO))
    share = (change.cast("decimal(9,0)") / MICRO).cast("decimal(9,6)")
    return F.when(before > 0, share).otherwise(F.lit(0).cast("decimal(9,6)"))


def _expected(months: Column) -> dict[str, Column]:
    """Saving and income change when usage changes so, and its cost with it, to the micro-yuan."""
    share = (F.col("usage_change") * MICRO).cast("decimal(9,0)")
    saved = _whole("saved") * MICRO - _whole("usage_after") * share
    saving = _quotient(saved, months.cast("decimal(5,0)") * MICRO).cast("decimal(18,0)") / MICRO
    return {
        "expected_saving": saving.cast(AMOUNT_TYPE),
        "expected_income_change": (-saving).cast(AMOUNT_TYPE),
    }


def _whole(amount: str) -> Column:
    """A sum of yuan in micro-yuan."""
    return (F.col(amount) * F.lit(MICRO).cast("decimal(7,0)")).cast(WHOLE)


def _quotient(part: Column, whole: Column) -> Column:
    """Whole numbers divided and rounded half up, away from zero; the divisor is positive."""
    size = F.call_function("div", 2 * F.abs(part) + whole, 2 * whole)
    return F.when(part < 0, -size).otherwise(size)


def _sums(quoted: DataFrame, actual: DataFrame) -> DataFrame:
    """Per subscriber and package the sums over the months that are compared."""
    month = Window.partitionBy("subscriber_id", "kind", "month")
    customer = Window.partitionBy("subscriber_id")
    usage = sum((F.col(line) for line in USAGE[1:]), F.col(USAGE[0]))
    rows = (
        quoted.select(
            "subscriber_id",
            "month",
            "package_id",
            "kind",
            "comparable",
            "total",
            "is_present",
            usage.alias("usage"),
        )
        .join(actual, ["subscriber_id", "month"], "left")
        .withColumns(
            {
                "cheapest": F.min("total").over(month),
                "present_usage": F.max(F.when(F.col("is_present"), F.col("usage"))).over(month),
                "dearest_paid": F.max("actual").over(customer),
            }
        )
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
        F.sum(over(F.col("usage"))).cast(EXACT).alias("usage_after"),
        F.sum(over(F.when(F.col("present_usage").isNotNull(), F.col("usage"))))
        .cast(EXACT)
        .alias("usage_beside"),
        F.sum(over(F.col("present_usage"))).cast(EXACT).alias("usage_before"),
        F.max("dearest_paid").alias("dearest_paid"),
        F.bool_or(F.col("actual").isNull()).alias("lacks_bill"),
        F.bool_or(~F.col("comparable")).alias("has_gap"),
    )


def _verified(backtest: DataFrame) -> DataFrame:
    """(subscriber_id, verified): no month outside the tolerance or unpriced, one month inside."""
    return backtest.groupBy("subscriber_id").agg(
        (F.every(F.col("cause").isin(*TRUSTED)) & F.bool_or(F.col("cause") == EQUAL)).alias(
            "verified"
        )
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
