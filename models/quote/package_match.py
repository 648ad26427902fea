"""Tariff match 资费匹配: finds the packages that fit a customer (S2-09).

A customer's quotes (models/quote/package_quote.py) are compared with the bills over several months:
one changed package of a kind at a time, and whole alternatives (models/quote/whole_match.py).
Months are compared as sums; means are only shown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from pyspark.errors import AnalysisException
from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F
from pyspark.sql.types import NumericType

from models.forecast import next_bill
from models.frames.conditions import any_of
from models.frames.lookup import looked_up
from models.frames.money import AMOUNT_TYPE, micro_yuan
from models.quote.backtest import EQUAL, NO_BILL, ORDER_OF_EVENTS
from models.quote.bill_item import BILL
from models.quote.whole_match import EXACT, WHOLE
from models.quote.without_bill import RERATED
from models.tariff.amounts import USAGE
from models.tariff.money_limit import MICRO_YUAN
from models.tariff.package import BUNDLE, Package
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
    "IDLE_MONTHS",
    "SEPARATE",
    "NOT_BEST",
)
MATCH = (
    "subscriber_id",
    "package_id",
    "kind",
    "packages",
    "new_packages",
    "basis",
    "months",
    "idle_months",
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
    *next_bill.FORECAST,
    "rank",
    "recommended",
    "reasons",
)

INTEGER = "decimal(24,0)"  # a sum over months in micro-yuan, small enough to be multiplied
TRUSTED = (EQUAL, ORDER_OF_EVENTS, NO_BILL)


def summed(
    quoted: DataFrame,
    actual: DataFrame,
    used: DataFrame,
    owned: DataFrame,
    subscribers: DataFrame,
    packages: Mapping[str, Package],
    whole: DataFrame | None = None,
) -> DataFrame:
    """Sums over the compared months: per subscriber, each quoted package of one kind, and `whole`.

    `actual` is the result of bill_item.actual, `used` that of usage_cube.months_used, `whole` that
    of whole_match.whole_match, if there is one. Compared are the comparable months with a bill; if
    no month has a bill, all comparable months. `basis` says what stands for the bill. A kind that
    the customer holds in a bundle cannot be changed by itself: it has rows in `whole` only.
    """
    sums = _of_one_kind(quoted, actual, used, owned, subscribers, packages)
    return sums if whole is None else sums.unionByName(whole)


def package_match(sums: DataFrame, backtest: DataFrame, policy: RatingPolicy) -> DataFrame:
    """mart.package_match without data_date, one row per row of `sums` (`summed`).

    `backtest` holds rows of mart.backtest for the same months. `reasons` holds the REASONS against
    the package, in that order. BACKTEST is one of them unless each month is trusted and at least
    one is reproduced within the tolerance. BILL_SHOCK is one if a compared month is dearer than the
    dearest bill by more than `policy.bill_shock`, or if the upper bound of the next bill is: unless
    the present holding's own bound is as high. IDLE_MONTHS is one if months without usage were
    compared, and the months with usage alone do not save enough: a fee that is paid for nothing
    counts in every mean, and never decides by itself.

    Packages of a kind that are compared over more months come first, then those with the higher
    `policy.priority`; ties go to the lower fee, then to the id.

    `saving` and `income_change` (yuan a month) assume the same usage: they decide about a
    recommendation and are shown to the customer. `expected_saving` and `expected_income_change`
    include the change of usage by `policy.usage_elasticity`. To rank by them, name them in the
    priority. The columns of the next bill are those of models/forecast/next_bill.py.
    """
    foreseen = next_bill.with_next_bill(sums, _bearable(policy), policy.similar_months)
    present = F.when((F.col("kind") == WHOLE) & F.col("owned"), F.col("next_bill_high"))
    customer = Window.partitionBy("subscriber_id")
    facts = (
        foreseen.withColumn("present_high", F.max(present).over(customer))
        .join(_verified(backtest), "subscriber_id", "left")
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
                "idle_months": F.col("idle_months").cast("smallint"),
                **{
                    name: F.col(name).cast(AMOUNT_TYPE)
                    for name in ("mean_present_cost", "mean_cost", "saving", "income_change")
                },
            }
        )
        .select(*MATCH)
    )


def _priority(means: DataFrame, priority: str) -> Column:
    """The province's own order of packages (S2-09), on means before rounding.

    Without a bill nothing is saved: the cheaper package comes first. ConfigError if the priority is
    not an expression with a numeric value.
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
    """The share by which a customer's usage would change under the package (S2-09 业务量变化).

    It is the elasticity times the relative change of the cost of the same usage. The cost of usage
    is that of all lines but fee and commitment. It is compared between the package and the present
    one, over the compared months in which both are priced. The share is rounded half up, away from
    zero, to the millionth, and is not below -1. Usage that costs nothing at present, or whose
    present cost is not known, does not change.
    """
    before, after = _micro_yuan("usage_before"), _micro_yuan("usage_beside")
    times = F.lit(int(elasticity * MICRO_YUAN)).cast("decimal(7,0)")
    change = F.greatest(_quotient(times * (after - before), before), F.lit(-MICRO_YUAN))
    share = (change.cast("decimal(9,0)") / MICRO_YUAN).cast("decimal(9,6)")
    return F.when(before > 0, share).otherwise(F.lit(0).cast("decimal(9,6)"))


def _expected(months: Column) -> dict[str, Column]:
    """Saving and income change if usage, and its cost with it, changes by `usage_change`.

    Yuan a month, rounded to the micro-yuan.
    """
    share = (F.col("usage_change") * MICRO_YUAN).cast("decimal(9,0)")
    saved = _micro_yuan("saved") * MICRO_YUAN - _micro_yuan("usage_after") * share
    saving = (
        _quotient(saved, months.cast("decimal(5,0)") * MICRO_YUAN).cast("decimal(18,0)")
        / MICRO_YUAN
    )
    return {
        "expected_saving": saving.cast(AMOUNT_TYPE),
        "expected_income_change": (-saving).cast(AMOUNT_TYPE),
    }


def _micro_yuan(amount: str) -> Column:
    """A sum in yuan as integer micro-yuan."""
    return (F.col(amount) * F.lit(MICRO_YUAN).cast("decimal(7,0)")).cast(INTEGER)


def _quotient(dividend: Column, divisor: Column) -> Column:
    """Integers divided and rounded half up, away from zero; the divisor is positive."""
    size = F.call_function("div", 2 * F.abs(dividend) + divisor, 2 * divisor)
    return F.when(dividend < 0, -size).otherwise(size)


def _of_one_kind(
    quoted: DataFrame,
    actual: DataFrame,
    used: DataFrame,
    owned: DataFrame,
    subscribers: DataFrame,
    packages: Mapping[str, Package],
) -> DataFrame:
    """The sums and facts of the packages of one kind."""
    single, mine = quoted.where(F.col("kind") != BUNDLE), F.coalesce("owned", F.lit(False))
    bundles = [name for name, one in packages.items() if one.kind == BUNDLE]
    if bundles:
        bound = owned.where(F.col("package_id").isin(*bundles)).select("subscriber_id", "kind")
        single = single.join(bound.distinct(), ["subscriber_id", "kind"], "left_anti")
    return (
        _sums(single, actual, used)
        .join(subscribers.select("subscriber_id", "brand"), "subscriber_id", "left")
        .join(
            owned.select("subscriber_id", "package_id", F.lit(True).alias("owned")),
            ["subscriber_id", "package_id"],
            "left",
        )
        .withColumns(
            {
                "owned": mine,
                "fee": _fee(packages),
                "of_brand": _of_brand(packages),
                "packages": F.array("package_id"),
                "new_packages": F.array_compact(F.array(F.when(~mine, F.col("package_id")))),
                "separate": F.lit(False),
                "not_best": F.lit(False),
            }
        )
        .drop("brand")
    )


def _sums(quoted: DataFrame, actual: DataFrame, used: DataFrame) -> DataFrame:
    """The sums over the compared months, per subscriber and package."""
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
        .join(used.withColumn("used", F.lit(True)), ["subscriber_id", "month"], "left")
        .withColumns(
            {
                "cheapest": F.min("total").over(month),
                "present_usage": F.max(F.when(F.col("is_present"), F.col("usage"))).over(month),
                "dearest_paid": F.max("actual").over(customer),
                "used": F.coalesce("used", F.lit(False)),
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
        F.sum(over(F.when(F.col("used"), F.col("actual") - F.col("total"))))
        .cast(EXACT)
        .alias("saved_in_use"),
        F.count_if(over(~F.col("used"))).alias("idle_months"),
        F.count_if(over(F.col("total") < F.col("actual"))).cast("smallint").alias("months_won"),
        F.max(over(F.col("total"))).alias("worst_month_cost"),
        F.sum(over(F.col("total") - F.col("cheapest"))).cast(AMOUNT_TYPE).alias("regret"),
        F.sum(over(F.col("usage"))).cast(EXACT).alias("usage_after"),
        F.sum(over(F.when(F.col("present_usage").isNotNull(), F.col("usage"))))
        .cast(EXACT)
        .alias("usage_beside"),
        F.sum(over(F.col("present_usage"))).cast(EXACT).alias("usage_before"),
        F.max("dearest_paid").alias("dearest_paid"),
        F.sort_array(F.collect_list(over(micro_yuan(F.col("total"))))).alias("costs"),
        F.coalesce(F.max("basis"), F.lit(BILL)).alias("basis"),
        F.bool_or(F.col("actual").isNull()).alias("lacks_bill"),
        F.bool_or(~F.col("comparable")).alias("has_gap"),
    )


def _verified(backtest: DataFrame) -> DataFrame:
    """(subscriber_id, verified): all months are trusted, and at least one is reproduced."""
    return backtest.groupBy("subscriber_id").agg(
        (F.every(F.col("cause").isin(*TRUSTED)) & F.bool_or(F.col("cause") == EQUAL)).alias(
            "verified"
        )
    )


def _reasons(policy: RatingPolicy) -> Column:
    """The reasons against a package, in order; an unknown value counts against it."""
    months, no_bill = F.col("months"), F.col("dearest_paid").isNull()
    rerated = F.col("basis") == RERATED
    enough = F.lit(policy.min_saving).cast(EXACT) * months
    enough_in_use = F.lit(policy.min_saving).cast(EXACT) * (months - F.col("idle_months"))
    bearable = _bearable(policy)
    bound = F.greatest(bearable, "present_high")  # who stays may have a dear month as well
    tests = {
        "NO_BILL": F.col("lacks_bill") & ~rerated,
        "NOT_COMPARABLE": F.col("has_gap") | (F.col("lacks_bill") & rerated),
        "BACKTEST": ~no_bill & ~rerated & ~F.coalesce("verified", F.lit(False)),
        "OWNED": F.col("owned"),
        "BRAND": ~F.col("of_brand"),
        "NO_SAVING": ~no_bill & ~F.coalesce(F.col("saved") >= enough, F.lit(False)),
        "MONTHS_WON": ~no_bill & (F.col("months_won") < policy.min_months_won),
        "BILL_SHOCK": (F.col("worst_month_cost") > bearable)
        | F.coalesce(F.col("next_bill_high") > bound, F.lit(False)),
        "IDLE_MONTHS": ~no_bill
        & (F.col("idle_months") > 0)
        & (
            (F.col("idle_months") == months)
            | ~F.coalesce(F.col("saved_in_use") >= enough_in_use, F.lit(False))
        ),
        "SEPARATE": F.col("separate"),
        "NOT_BEST": F.col("not_best"),
    }
    return F.array_compact(F.array(*(F.when(tests[code], code) for code in REASONS)))


def _bearable(policy: RatingPolicy) -> Column:
    """Above this amount a month is dear."""
    return F.col("dearest_paid") * F.lit(1 + policy.bill_shock).cast("decimal(9,6)")


def _fee(packages: Mapping[str, Package]) -> Column:
    fees = {
        name: Decimal(package.monthly_fee.numerator) / Decimal(package.monthly_fee.denominator)
        for name, package in packages.items()
    }
    return looked_up(F.col("package_id"), fees, AMOUNT_TYPE)


def _of_brand(packages: Mapping[str, Package]) -> Column:
    """Whether the package is for the subscriber's brand; a package without brands is for all."""
    brands: dict[Sequence[str], list[str]] = {}
    for name, package in packages.items():
        brands.setdefault(package.brands, []).append(name)
    fits = []
    for accepted, names in sorted(brands.items()):
        right = F.col("brand").isin(*accepted) if accepted else F.lit(True)
        fits.append(F.col("package_id").isin(*names) & F.coalesce(right, F.lit(False)))
    return any_of(fits)
