"""The evaluator: what every customer-month costs under every package, exactly.

The catalogue is compiled to integer matrices (models/price_matrix.py), the usage cube comes in
whole Arrow batches, and a batch is priced package by package in array arithmetic
(models/settlement.py): no Python per customer, no events × packages. What cannot be priced exactly
is said not to be comparable, with the reason; it is never priced by guess.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import numpy as np
import pyarrow as pa
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from models.frames.arrow_lists import rows_of
from models.frames.customer_batches import of_some_size, whole_customers
from models.frames.money import AMOUNT_TYPE
from models.rating.month_sums import MonthSums, add_up
from models.rating.package_prices import BUCKETS, PackagePrices
from models.rating.pools import MonthParts, Replayed
from models.rating.price_matrix import IP_ONLY, PriceMatrix, compile_prices
from models.rating.settlement import Settled, settle
from models.rating.shortlist import Shortlist
from models.tariff.measure import Measure
from models.tariff.package import Package

ORDER_OF_EVENTS = "order of events"
UNKNOWN_CELL = "unknown cell"
LACKING_MEASURE = "measure missing"
TOO_LARGE = "amount too large"
FREE_UNITS_BEFORE = "free units of a month that is not comparable"
REASONS = (None, ORDER_OF_EVENTS, LACKING_MEASURE, TOO_LARGE, FREE_UNITS_BEFORE)

RECORDED = ("d12593", "other_fees", "direct_toll", "unrated_fees")
AMOUNTS = (*BUCKETS, "rated", *RECORDED)
EVALUATED = ", ".join(
    ["subscriber_id BIGINT", "month DATE", "package_id STRING", "kind STRING"]
    + [f"{name} BIGINT" for name in AMOUNTS]
    + ["comparable BOOLEAN", "reason STRING", "unpriced_events BIGINT", "replayed BOOLEAN"]
)
THOUSANDTH_IN_MILLIONTHS = 1000
HANDED_OVER = 20_000  # rows
SPLITS = (
    "array<struct<signature: string, paid: array<bigint>, left: array<bigint>, "
    "rounded: array<bigint>>>"
)


def yuan(amount: Column) -> Column:
    """A sum of some amounts of `evaluate` in yuan."""
    return (amount.cast("decimal(18,0)") * F.lit(Decimal("0.000001"))).cast(AMOUNT_TYPE)


def customer_months(
    usage_month: DataFrame, subscribers: DataFrame, months: Sequence[date]
) -> DataFrame:
    """(month, subscriber_id, joined): one row per subscriber and month to be priced.

    A subscriber who had joined (dw.subscriber.join_date) has a row for every month, whether he used
    anything or not; of a subscriber whose joining is unknown only the months with usage count.
    `joined` is null where unknown.
    """
    calendar = F.explode(F.array(*(F.lit(month) for month in sorted(months))))
    known = (
        subscribers.where("join_date IS NOT NULL")
        .select("subscriber_id", F.col("join_date").alias("joined"), calendar.alias("month"))
        .where("joined <= last_day(month)")
    )
    used = usage_month.where(F.col("month").isin(*months)).select("subscriber_id", "month")
    return used.join(known, ["subscriber_id", "month"], "full").select(
        "month", "subscriber_id", "joined"
    )


@dataclass(frozen=True)
class Cube:
    """What the night has added up, and what it means: `months` are the `customer_months` (or parts
    of months with their first day for `month`, and `until`), `usage` rows of dw.usage_month for
    them, `cells` of dw.rating_cell, `measures` the register
    (measure.register), `splits` rows of dw.free_unit_split for what the cube cannot tell."""

    months: DataFrame
    usage: DataFrame
    cells: Sequence
    measures: Sequence[Measure]
    splits: DataFrame | None = None

    def by_customer(self, matrix: PriceMatrix, *more: DataFrame) -> DataFrame:
        """The months with their sums, a customer's side by side and in order; `more` is joined by
        subscriber_id, and by month if it has one. Each frame is shuffled once."""
        rows = _by_customer(self.months)
        for one in (add_up(self.usage, matrix), *more):
            rows = _beside(rows, _by_customer(one))
        return rows.sortWithinPartitions("subscriber_id", "month")


def _by_customer(rows: DataFrame) -> DataFrame:
    return rows.repartition("subscriber_id")


def _beside(rows: DataFrame, others: DataFrame) -> DataFrame:
    """Both are where their customer is. Months are told apart by a condition that is no key of the
    join: with a second key Spark would shuffle by both, and once more to bring a customer's months
    together again."""
    others = others.withColumnsRenamed({"subscriber_id": "who", "month": "when"})
    same = F.col("subscriber_id") == F.col("who")
    if "when" in others.columns:
        same &= F.datediff("month", "when") == 0
    return rows.join(others, same, "left").drop("who", "when")


def evaluate(cube: Cube, packages: Sequence[Package], toll_rerated: str = IP_ONLY) -> DataFrame:
    """One row per (subscriber, month, package): amounts in millionths of a yuan, see AMOUNTS.

    They are whole numbers until somebody reads them (`yuan`): a decimal costs Spark an object for
    each value. BUCKETS add up to `rated`, the cost under the package's own prices. RECORDED are
    fees of the records that are not in it: `d12593` (S2-R5); `other_fees` of all services (S2-R6);
    `direct_toll`, 0 where packages re-rate it (S2-R4); `unrated_fees` of what else the package
    leaves out of its own service (in-group calls, what it passes through). Amounts are null where
    `comparable` is false; `unpriced_events` counts the events for which the package has no price. A
    price that runs past 10⁻⁶ yuan (rounding `none`) is rounded half up there, once. Raises
    ConfigError for a package that the cube cannot price.
    """
    matrix = compile_prices(packages, cube.cells, cube.measures, toll_rerated)
    return _priced(cube, matrix, None)


def evaluate_best(
    cube: Cube,
    packages: Sequence[Package],
    people: DataFrame,
    shortlist: Shortlist,
    toll_rerated: str = IP_ONLY,
) -> DataFrame:
    """The rows of `evaluate` for each customer's short list only.

    `people`: (subscriber_id, brand, own), `own` the ids of the packages that are kept whatever they
    cost.
    """
    matrix = compile_prices(packages, cube.cells, cube.measures, toll_rerated)
    return _priced(cube, matrix, shortlist, people.select("subscriber_id", "brand", "own"))


def _priced(
    cube: Cube, matrix: PriceMatrix, shortlist: Shortlist | None, *more: DataFrame
) -> DataFrame:
    def price(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in whole_customers(batches):
            yield from of_some_size(price_batch(matrix, batch, shortlist), HANDED_OVER)

    if cube.splits is None:
        months = cube.by_customer(matrix, *more).withColumn("splits", F.lit(None).cast(SPLITS))
    else:
        split = F.struct("signature", "paid", "left", "rounded")
        listed = cube.splits.groupBy("month", "subscriber_id").agg(
            F.sort_array(F.collect_list(split)).alias("splits")
        )
        months = cube.by_customer(matrix, listed, *more)
    return months.mapInArrow(price, EVALUATED)


def price_batch(
    matrix: PriceMatrix, batch: pa.RecordBatch, shortlist: Shortlist | None = None
) -> Iterator[pa.RecordBatch]:
    """One batch of whole customers' months under every package, a batch per package; with a
    shortlist only the rows that it keeps."""
    usage, parts = _Reasoned(matrix, batch), parts_of(batch)
    sums = usage.added
    splits = _Splits(batch.column("splits"))
    kept = None
    if shortlist is not None:
        kept = _kept(matrix, batch, shortlist, usage, sums, parts, splits)
    vocabulary, everything = usage.vocabulary(), np.arange(batch.num_rows)
    customer = np.cumsum(parts.begins) - 1
    for no, prices in enumerate(matrix.packages):
        rows = everything if kept is None else np.flatnonzero(kept[no, customer])
        if len(rows):
            yield _under(matrix, prices, batch, rows, usage, sums, parts, splits, vocabulary)


def _kept(matrix, batch, shortlist, usage, sums, parts, splits) -> np.ndarray:
    """Package × customer: what the short list keeps, by the totals of all packages."""
    shape = len(matrix.packages), batch.num_rows
    costs, comparable = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=bool)
    everywhere = sums[matrix.other] + sums[matrix.direct_toll]
    for no, prices in enumerate(matrix.packages):
        settled = settle(prices, sums, parts, splits.of(prices), in_parts=False)
        comparable[no] = usage.reasons(prices, settled, sums[prices.unpriced], parts) == 0
        passed = everywhere + sums[prices.passed]
        costs[no] = settled.total + passed * THOUSANDTH_IN_MILLIONTHS
    starts = np.flatnonzero(parts.begins)
    brands, own = (batch.column(name).take(pa.array(starts)) for name in ("brand", "own"))
    return shortlist.chosen(costs, comparable, starts, brands, own)


def _under(matrix, prices, batch, rows, usage, sums, parts, splits, vocabulary) -> pa.RecordBatch:
    """Some rows (of customers taken whole) of a batch under one package."""
    replayed = splits.of(prices)
    if len(rows) < batch.num_rows:
        sums, parts = sums.of(rows), parts.these(rows)
        replayed = None if replayed is None else replayed.of(rows)
    settled = settle(prices, sums, parts, replayed)
    reasons = usage.reasons(prices, settled, sums[prices.unpriced], parts, rows)
    comparable = reasons == 0
    recorded = (
        sums[matrix.d12593],
        sums[matrix.other],
        sums[matrix.direct_toll],
        sums[prices.passed],
    )
    amounts = (
        settled.micros
        | {"rated": settled.total}
        | {name: fees * THOUSANDTH_IN_MILLIONTHS for name, fees in zip(RECORDED, recorded)}
    )
    nothing = np.zeros(len(rows), dtype=np.int64)
    marks = np.zeros(len(rows), dtype=bool)
    if replayed is not None:
        marks[replayed.rows] = True
    return pa.RecordBatch.from_arrays(
        [
            *(batch.column(name).take(pa.array(rows)) for name in ("subscriber_id", "month")),
            pa.repeat(prices.id, len(rows)),
            pa.repeat(prices.kind, len(rows)),
            *(pa.array(amounts.get(name, nothing), mask=~comparable) for name in AMOUNTS),
            pa.array(comparable),
            vocabulary.take(pa.array(reasons)),
            pa.array(sums[prices.unpriced]),
            pa.array(comparable & marks),
        ],
        names=[
            "subscriber_id",
            "month",
            "package_id",
            "kind",
            *AMOUNTS,
            "comparable",
            "reason",
            "unpriced_events",
            "replayed",
        ],
    )


def parts_of(batch: pa.RecordBatch) -> MonthParts:
    """The parts of the months of a batch of whole customers."""
    customers = batch.column("subscriber_id").to_numpy(zero_copy_only=False)
    named = [name for name in ("month", "joined", "until") if name in batch.schema.names]
    return MonthParts.of(customers, *(_days(batch.column(name)) for name in named))


class _Reasoned(MonthSums):
    """A batch that says why a month cannot be compared."""

    def reasons(
        self,
        prices: PackagePrices,
        settled: Settled,
        unpriced: np.ndarray,
        parts: MonthParts,
        rows: np.ndarray | None = None,
    ) -> np.ndarray:
        """Why each month (of some rows, `parts` are theirs) is not comparable under the package: a
        place in `vocabulary`, 0 if it is.

        Of several reasons the one that stands last in the code below is given, and that of the
        month itself before that of the month whose free units it is given.
        """
        reasons = np.zeros(self.rows, dtype=np.int64)
        rows = np.arange(self.rows) if rows is None else rows
        reasons[rows[settled.ordered]] = REASONS.index(ORDER_OF_EVENTS)
        row, measure_no, cell = self.lacking
        for no, cells in prices.measured.items() if len(row) else ():
            needed = (measure_no == no) & cells[cell]
            reasons[row[needed]] = REASONS.index(LACKING_MEASURE)
        row, cell = self.unpriced
        if unpriced.any():
            mine = np.flatnonzero(prices.unpriced_cells[cell])[::-1]
            reasons[row[mine]] = len(REASONS) + cell[mine]
        reasons[rows[settled.refused]] = REASONS.index(TOO_LARGE)
        reasons[self.too_large] = REASONS.index(TOO_LARGE)
        places = len(REASONS) + len(self.matrix.cell_names) + np.arange(len(self.unknown_rows))
        reasons[self.unknown_rows] = places
        found = reasons[rows]
        if any(pool.carry_over for pool in prices.pools):
            _hand_on(found, parts)
        return found

    def vocabulary(self) -> pa.Array:
        """Every reason that a month of this batch can have; an event's cell is named."""
        cells = [*self.matrix.cell_names, *self.unknown_ids]
        return pa.array([*REASONS, *(f"{UNKNOWN_CELL}: {cell}" for cell in cells)], pa.string())


def _hand_on(reasons: np.ndarray, parts: MonthParts) -> None:
    """What a month has left over is not known where its price is not. (Where the order of events
    decides, the pools have said so of the months after it.)"""
    told = (0, REASONS.index(ORDER_OF_EVENTS))
    for chosen in parts.waves():
        before = parts.before[chosen]
        unknown = (before >= 0) & ~np.isin(reasons[before], told) & (reasons[chosen] == 0)
        reasons[chosen[unknown]] = REASONS.index(FREE_UNITS_BEFORE)


class _Splits:
    """The replayed splits of a batch: entry k is of customer-month `row[k]` and a signature."""

    def __init__(self, splits: pa.ListArray):
        self.row, self.entries = rows_of(splits), splits.flatten()
        self.signatures = self.entries.field("signature").to_numpy(zero_copy_only=False)

    def of(self, prices: PackagePrices) -> Replayed | None:
        """What is known under the package's signature."""
        if not prices.pools or not len(self.row):
            return None
        mine = np.flatnonzero(self.signatures == prices.signature)
        if not len(mine):
            return None
        entries = self.entries.take(pa.array(mine))
        return Replayed(
            self.row[mine],
            *(
                entries.field(name)
                .flatten()
                .to_numpy(zero_copy_only=False)
                .reshape(len(mine), -1)
                .T
                for name in ("paid", "left", "rounded")
            ),
        )


def _days(values: pa.Array) -> np.ndarray:
    return values.to_numpy(zero_copy_only=False).astype("datetime64[D]")
