"""The back-test: each customer's own packages, re-rated and compared with the real bill.

The back-test makes a saving credible. A month is priced by one package of each kind: the last one
in force in the month, with the tariff of that month. If the package or its tariff changed within
the month, it is priced part by part (models/quote/month_part.py). What passes through is added.
"""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from models.frames.conditions import any_of
from models.frames.money import AMOUNT_TYPE, yuan
from models.quote.bill_item import KINDS, not_rerated
from models.quote.without_bill import RERATED
from models.rating import evaluator as rating

EQUAL = "equal"
PACKAGE_CHANGED = "package_changed"
ORDER_OF_EVENTS = "order_of_events"
NO_BILL = "no_bill"
NO_PACKAGE = "no_package"
UNKNOWN_CELL = "unknown_cell"
NOT_PRICED = "not_priced"
ROUNDING = "rounding"
UNSTATED_DISCOUNT = "unstated_discount"
OUTSIDE_ITEMS = "outside_items"
MISSING_RECORDS = "missing_records"
UNEXPLAINED = "unexplained"
# A smaller difference is explained by rounding: half a cent for each of ten lines. Assumed.
ROUNDED_BY = Decimal("0.05")

RANKS = 10_000  # accuracy of percentiles: an error of at most one rank in so many
PRICED = ("rated", "d12593", "other_fees", "direct_toll", "unrated_fees", "comparable", "reason")
BACKTEST = ("subscriber_id", "month", "actual", "rated", "difference", "within_tolerance", "cause")


def backtest(
    months: DataFrame,
    evaluated: DataFrame,
    holdings: DataFrame,
    passing: DataFrame,
    actual: DataFrame,
    tolerance: Decimal,
    kinds: Collection[str],
    in_parts: DataFrame | None = None,
    without_bill: str = "none",
) -> DataFrame:
    """mart.backtest without data_date: one row per (subscriber_id, month) of `months`.

    - `evaluated` (evaluator.evaluate): holds at least the packages of `holdings`;
    - `holdings`: those of holding.holdings;
    - `passing`, `actual`: those of bill_item;
    - `in_parts` (month_part.priced): replaces `evaluated` for its months and kinds;
    - `tolerance`: in yuan;
    - `kinds`: the kinds that the catalogue prices. A bill with items of such a kind cannot be
      reproduced without a package of that kind (no_package). Other kinds pass through.

    - `without_bill`: if it is `rerated`, a priced month of a subscriber without any bill has that
      cause: the re-rated holding stands for the bill, and there is nothing to compare it with.

    The VPMN fee is the paid one, even if S2-R8 is read differently for candidates.
    """
    rows = (
        months.select("subscriber_id", "month")
        .join(_present(_priced(evaluated, holdings, in_parts)), ["subscriber_id", "month"], "left")
        .join(passing, ["subscriber_id", "month"], "left")
        .join(actual, ["subscriber_id", "month"], "left")
    )
    held = {kind: F.coalesce(f"has_{kind}", F.lit(False)) for kind in KINDS}
    unheld = [
        ~held[kind] & (F.coalesce(f"rerated_{kind}", F.lit(0)) != 0)
        for kind in KINDS
        if kind in kinds
    ]
    passed = not_rerated(held) + F.coalesce("vpmn", F.lit(0))
    difference = F.col("rated") - F.col("actual")
    stands_in = (
        F.lit(without_bill == RERATED)
        & F.max("actual").over(Window.partitionBy("subscriber_id")).isNull()
        & F.col("rated").isNotNull()
        & ~F.col("changed")
    )
    return (
        rows.withColumn("no_package", any_of(unheld) | F.col("priced").isNull())
        .withColumn(
            "rated",
            F.when(~F.col("no_package") & F.col("priced"), F.col("own") + passed).cast(AMOUNT_TYPE),
        )
        .withColumn("difference", difference.cast(AMOUNT_TYPE))
        .withColumn("within_tolerance", F.abs("difference") <= F.lit(tolerance))
        .withColumn("cause", F.when(stands_in, RERATED).otherwise(_cause(tolerance)))
        .select(*BACKTEST)
    )


def _priced(evaluated: DataFrame, holdings: DataFrame, in_parts: DataFrame | None) -> DataFrame:
    """The present packages with their cost: one row per subscriber, month and kind."""
    rows = holdings.join(
        evaluated.drop("kind"), ["subscriber_id", "month", "package_id"], "left"
    ).select(*holdings.columns, *PRICED)
    if in_parts is None:
        return rows
    parts = in_parts.withColumnsRenamed({name: f"parts_{name}" for name in PRICED})
    there = F.col("parts_comparable").isNotNull()
    return rows.join(parts, ["subscriber_id", "month", "kind"], "left").withColumns(
        {name: F.when(there, F.col(f"parts_{name}")).otherwise(F.col(name)) for name in PRICED}
    )


def _present(rows: DataFrame) -> DataFrame:
    """The present packages of each month together: cost, whether all are priced, and the kinds."""
    # The row of each package holds the fees of all services: they count once. A bundle has a row
    # for each of its kinds, of which one is counted.
    own = (
        F.sum(F.when(F.col("counted"), F.col("rated")))
        + F.max("d12593")
        + F.max("other_fees")
        + F.max("direct_toll")
        + F.sum(F.when(F.col("counted"), F.col("unrated_fees")))
    )
    return rows.groupBy("subscriber_id", "month").agg(
        yuan(own).alias("own"),
        F.every(F.coalesce("comparable", F.lit(False))).alias("priced"),
        F.bool_or("changed").alias("changed"),
        F.bool_or(F.col("changed") & ~F.coalesce("comparable", F.lit(False))).alias(
            "parts_not_priced"
        ),
        F.bool_or(F.col("comparable").isNull()).alias("not_evaluated"),
        F.coalesce(
            F.max(F.when(F.col("reason") != rating.ORDER_OF_EVENTS, F.col("reason"))),
            F.max("reason"),
        ).alias("reason"),
        *(F.bool_or(F.col("kind") == kind).alias(f"has_{kind}") for kind in KINDS),
    )


def _cause(tolerance: Decimal) -> Column:
    """The first cause that applies: causes that prevent a comparison, then causes of a difference.

    Causes of a difference; "the items" are the sum of the items of the bill:
    - package_changed: the package or its tariff changed within the month, and the bill is not the
      sum of the parts;
    - rounding: the difference is at most ROUNDED_BY yuan;
    - unstated_discount: rated > billed, and either the items add up to the bill or the difference
      equals the items − the bill;
    - outside_items: rated < billed, and the difference equals the items − the bill: the bill has
      something that no item names;
    - missing_records: rated < billed, and the items add up to the bill;
    - unexplained: anything else, for example several causes together.
    """
    above = F.coalesce("itemised", F.lit(0)) - F.col("actual")
    by_items = F.abs(F.col("difference") - above) <= F.lit(tolerance)
    add_up = F.abs(above) <= F.lit(tolerance)
    more = F.col("difference") > 0
    return (
        F.when(F.col("actual").isNull(), NO_BILL)
        .when(F.col("no_package") | F.col("not_evaluated"), NO_PACKAGE)
        .when(F.col("reason").startswith(rating.UNKNOWN_CELL), UNKNOWN_CELL)
        .when(F.col("parts_not_priced"), PACKAGE_CHANGED)
        .when(F.col("reason") == rating.ORDER_OF_EVENTS, ORDER_OF_EVENTS)
        .when(~F.col("priced"), NOT_PRICED)
        .when(F.col("within_tolerance"), EQUAL)
        .when(F.col("changed"), PACKAGE_CHANGED)
        .when(F.abs("difference") <= F.lit(ROUNDED_BY), ROUNDING)
        .when(more & (by_items | add_up), UNSTATED_DISCOUNT)
        .when(~more & by_items, OUTSIDE_ITEMS)
        .when(~more & add_up, MISSING_RECORDS)
        .otherwise(UNEXPLAINED)
    )


def summary(rows: DataFrame) -> DataFrame:
    """One row about rows of mart.backtest: bills, compared, within, p50, p99.

    `compared` counts the bills with a difference, `within` those inside the tolerance. p50 and p99
    are percentiles of the absolute difference in yuan; they are differences that occur, and null if
    nothing is compared.
    """
    size = F.abs("difference")
    percentile = F.percentile_approx(size, [0.5, 0.99], RANKS)
    return rows.agg(
        F.count("actual").alias("bills"),
        F.count("difference").alias("compared"),
        F.count_if("within_tolerance").alias("within"),
        percentile[0].alias("p50"),
        percentile[1].alias("p99"),
    )


def by_cause(rows: DataFrame) -> DataFrame:
    """(cause, months, amount, largest): the customer-months of each cause, the most frequent first.

    `amount` is the sum of the absolute differences in yuan, `largest` the largest of them; both are
    null if nothing is compared.
    """
    size = F.abs("difference")
    return (
        rows.groupBy("cause")
        .agg(
            F.count(F.lit(1)).alias("months"),
            F.sum(size).alias("amount"),
            F.max(size).alias("largest"),
        )
        .orderBy(F.desc("months"), "cause")
    )
