"""Forecast of the next bill 下月话费预测: a distribution for each customer and package (N1).

A customer has few months of his own, so the shape of the distribution is that of similar customers.
Similar are rows of one kind and package whose mean bill lies between the same powers of two; the
packages of a kind with fewer than ENOUGH such customers are taken together.

1. The spread of a row is the mean absolute deviation of its months, as a share of their mean. The
   spread of similar customers counts as much as `similar_months` months of the customer's own.
2. Each month of a similar customer is forecast from his other months. Its error, in units of that
   spread, is a score. The scores of all similar customers are the distribution.
3. The forecast puts these scores around the mean of the customer's own months.

A mean of few months is itself uncertain: errors count sqrt(1 + 1 / months) spreads. Bounds are
where similar customers' months really lay, so the share inside holds whatever their distribution
is. What moves all bills of a month alike, such as a holiday, is not foreseen.

Ratios are whole millionths and thousandths, so that sums and ranks are equal on every run. Amounts
are whole micro-yuan.
"""

from __future__ import annotations

from collections.abc import Callable

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from models.frames.money import AMOUNT_TYPE

FORECAST = ("next_bill", "next_bill_low", "next_bill_high", "dear_month_risk", "similar_customers")
ENOUGH = 30  # similar customers
PERCENTS = range(1, 100)
LOW, MIDDLE, HIGH = 10, 50, 90  # an 80 % interval
MILLION, THOUSAND = 1_000_000, 1_000
WIDEST = 20 * THOUSAND  # of a score; also keeps the count of different scores small
LARGEST_SPREAD = 10 * MILLION
GROUP, SIMILAR = ("kind", "package_id", "band"), ("kind", "similar", "band")
TOGETHER = ""  # the packages of a kind with few customers


def with_next_bill(rows: DataFrame, dear: Column, similar_months: int) -> DataFrame:
    """`rows` with the columns FORECAST.

    `rows` has one row per subscriber, kind and package, and `costs`: its months in micro-yuan, in
    order of size. `dear`: the amount above which a month is dear; `dear_month_risk` is the share of
    the distribution above it. `next_bill` is the middle: half of the distribution is below. All are
    null for a row without months, whose mean is not positive, or with fewer than ENOUGH customers
    like it. Bounds are not below 0, unless a month was.
    """
    measured = rows.withColumns(_measures())
    groups = _groups(measured)
    placed = measured.join(F.broadcast(groups), list(GROUP), "left").withColumn(
        "spread", _shrunken("own_spread", "n", similar_months)
    )
    scored = F.broadcast(_distributions(placed, similar_months))
    found = placed.join(scored, list(SIMILAR), "left")
    bounds = {"next_bill": MIDDLE, "next_bill_low": LOW, "next_bill_high": HIGH}
    floor = F.least(F.lit(0).cast(AMOUNT_TYPE), _yuan(F.array_min("costs")))
    amounts = {name: _amount(F.col("scores")[at - 1]) for name, at in bounds.items()}
    return found.withColumns(
        {
            **{
                name: F.when(amount.isNotNull(), F.greatest(amount, floor))
                for name, amount in amounts.items()
            },
            "dear_month_risk": _risk(dear),
            "similar_customers": F.when(F.col("scores").isNotNull(), F.col("customers")).cast(
                "int"
            ),
        }
    ).select(*rows.columns, *FORECAST)


def _measures() -> dict[str, Column]:
    """n, sum, band and own_spread (millionths of the mean) of the months of a row."""
    n = F.size("costs")
    total = _sum(lambda cost: cost)
    deviation = _sum(lambda cost: F.abs(cost * n - total))
    spread = F.when((n > 1) & (total > 0), _share(deviation / total, n))
    return {
        "n": n,
        "total": total,
        "band": F.when(total > 0, F.floor(F.log2(total / n)).cast("int")),
        "own_spread": spread,
    }


def _groups(measured: DataFrame) -> DataFrame:
    """Of each GROUP: `similar`, `customers` and `typical`, the mean spread of similar customers."""
    sums = (
        measured.where("own_spread IS NOT NULL")
        .groupBy(*GROUP)
        .agg(F.count(F.lit(1)).alias("mine"), F.sum("own_spread").alias("spreads"))
    )
    each = Window.partitionBy(*SIMILAR)
    named = sums.withColumn(
        "similar", F.when(F.col("mine") >= ENOUGH, F.col("package_id")).otherwise(TOGETHER)
    )
    customers, spreads = F.sum("mine").over(each), F.sum("spreads").over(each)
    return named.select(
        *GROUP,
        "similar",
        customers.alias("customers"),
        F.when(customers >= ENOUGH, F.call_function("div", spreads, customers)).alias("typical"),
    )


def _distributions(placed: DataFrame, similar_months: int) -> DataFrame:
    """Of each SIMILAR: `scores`, the score at each of PERCENTS."""
    costs, n, total = F.col("costs"), F.col("n"), F.col("total")
    others = n - 1

    def score(left_out: Column) -> Column:
        """The score of a month that is forecast from the others."""
        rest = total - left_out
        away = _sum(lambda cost: F.abs(cost * others - rest)) - F.abs(left_out * others - rest)
        own = F.when(others > 1, _share(away / rest, others))
        spread = _shrunken_by(own, others, similar_months) / MILLION
        missed = (left_out * others - rest) / rest / _reach(others)
        widest = F.lit(WIDEST / THOUSAND)
        score = F.when(spread > 0, missed / spread).otherwise(F.signum(missed) * widest)
        bounded = F.greatest(-widest, F.least(widest, score))
        return F.when(rest > 0, F.round(bounded * THOUSAND).cast("int"))

    scores = F.transform(costs, lambda cost: score(cost.cast("double")))
    return (
        placed.where("n > 1 AND typical IS NOT NULL")
        .select(*SIMILAR, F.explode(scores).alias("score"))
        .groupBy(*SIMILAR)
        .agg(F.percentile("score", [at / 100 for at in PERCENTS]).alias("found"))
        .select(*SIMILAR, F.transform("found", lambda one: F.round(one)).alias("scores"))
    )


def _shrunken(own: str, months: str, similar_months: int) -> Column:
    return _shrunken_by(F.col(own), F.col(months), similar_months)


def _shrunken_by(own: Column, months: Column, similar_months: int) -> Column:
    """The spread of months, in which that of similar customers counts as `similar_months`."""
    mixed = (own * months + F.col("typical") * similar_months) / (months + similar_months)
    return F.round(F.coalesce(mixed, F.col("typical"))).cast("bigint")


def _reach(months: Column) -> Column:
    """By how much the next month differs more from a mean of `months` than from the true mean."""
    return F.sqrt(1 + F.lit(1.0) / months)


def _amount(score: Column) -> Column:
    """The bill at a score, in yuan."""
    return _yuan(F.col("total").cast("decimal(20,0)") * _factor(score) / (F.col("n") * MILLION))


def _factor(score: Column) -> Column:
    """The bill at a score as a share of the mean, in millionths."""
    share = 1 + score / THOUSAND * F.col("spread") / MILLION * _reach(F.col("n"))
    return F.when(F.col("total") > 0, F.round(share * MILLION).cast("decimal(12,0)"))


def _risk(dear: Column) -> Column:
    """The share of the distribution above an amount, to the hundredth."""
    mean = F.col("total") / F.col("n")
    away = (dear.cast("double") * MILLION - mean) / mean / _reach(F.col("n"))
    limit = F.when(F.col("spread") > 0, away / F.col("spread") * MILLION * THOUSAND)
    above = F.size(F.filter("scores", lambda score: score > limit))
    certain = F.when(away < 0, 100).otherwise(0)
    known = F.col("scores").isNotNull() & (F.col("total") > 0) & dear.isNotNull()
    share = F.when(F.col("spread") > 0, above).otherwise(certain)
    return F.when(known, (share / 100).cast("decimal(3,2)"))


def _yuan(micro_yuan: Column) -> Column:
    whole = F.round(micro_yuan.cast("decimal(38,6)")).cast("decimal(24,0)")
    return (whole / MILLION).cast(AMOUNT_TYPE)


def _sum(of: Callable[[Column], Column]) -> Column:
    """The sum of a function of each month's cost, as a ratio's part."""
    return F.aggregate(
        "costs", F.lit(0).cast("double"), lambda found, cost: found + of(cost.cast("double"))
    )


def _share(deviations: Column, months: Column) -> Column:
    """The mean absolute deviation of months as a share of their mean, in millionths.

    `deviations`: the sum of |months × cost - sum|, as a share of the sum. Few months lie closer to
    their own mean than to the true one; the root makes up for it.
    """
    share = deviations / F.sqrt(months * (months - 1))
    return F.least(F.lit(LARGEST_SPREAD), F.round(share * MILLION)).cast("bigint")
