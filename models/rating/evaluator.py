"""The evaluator: what each customer-month costs under each package, exactly.

The catalogue is compiled to integer matrices (models/rating/price_matrix.py). The usage cube comes
in whole Arrow batches. A batch is priced package by package in array arithmetic
(models/rating/settlement.py), without Python per customer and without rows of events × packages. A
month that cannot be priced exactly is marked as not comparable, with the reason. No price is ever
estimated.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from models.frames.arrow_lists import rows_of
from models.frames.customer_batches import of_some_size, whole_customers
from models.rating.cube import Cube, parts_of
from models.rating.month_sums import MonthSums
from models.rating.package_prices import PackagePrices
from models.rating.pools import MonthParts, Replayed
from models.rating.price_matrix import IP_ONLY, PriceMatrix, compile_prices
from models.rating.settlement import Settled, settle
from models.rating.shortlist import Shortlist
from models.tariff.amounts import BUCKETS
from models.tariff.money_limit import MICRO_YUAN, YUAN_LIMIT
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
KEYS = ("subscriber_id", "month")
MOST_RECORDED = YUAN_LIMIT * MICRO_YUAN  # micro-yuan
HANDED_OVER = 20_000  # rows
SPLITS = (
    "array<struct<signature: string, paid: array<bigint>, left: array<bigint>, "
    "rounded: array<bigint>>>"
)


def evaluate(cube: Cube, packages: Sequence[Package], toll_rerated: str = IP_ONLY) -> DataFrame:
    """One row per (subscriber, month, package): amounts in micro-yuan, see AMOUNTS.

    The amounts stay integers until they are read (`money.yuan`), because Spark creates an object
    for each decimal value.
    - BUCKETS add up to `rated`, the cost under the package's own prices.
    - RECORDED are fees of the records that are not part of `rated`:
      `d12593` (S2-R5);
      `other_fees` of all services (S2-R6);
      `direct_toll`, 0 if packages re-rate it (S2-R4);
      `unrated_fees`: other fees of the package's own service that it does not re-rate, such as
      those of in-group calls and of what it passes through.
    - Amounts are null if `comparable` is false; `reason` then says why.
    - `unpriced_events` counts the events for which the package has no price.

    With rounding `none`, an amount finer than a micro-yuan is rounded half up to micro-yuan, once.
    Raises ConfigError for a package that the cube cannot price.
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
    """The rows of `evaluate` for the short list of each customer only.

    `people` holds (subscriber_id, brand, own); `own` are the ids of the packages that are always
    kept.
    """
    matrix = compile_prices(packages, cube.cells, cube.measures, toll_rerated)
    return _priced(cube, matrix, shortlist, people.select("subscriber_id", "brand", "own"))


def _priced(
    cube: Cube, matrix: PriceMatrix, shortlist: Shortlist | None, *more: DataFrame
) -> DataFrame:
    def price(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
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
    """The months of a batch of whole customers under each package, one batch per package.

    With a shortlist, only the rows that it keeps.
    """
    months = _Months(matrix, batch)
    kept = None if shortlist is None else months.kept(shortlist)
    customer, everything = np.cumsum(months.parts.begins) - 1, np.arange(batch.num_rows)
    for no, prices in enumerate(matrix.packages):
        rows = everything if kept is None else np.flatnonzero(kept[no, customer])
        if len(rows):
            yield months.under(prices, rows)


class _Months:
    """The months of a batch of whole customers, to be priced under each package of a matrix."""

    def __init__(self, matrix: PriceMatrix, batch: pa.RecordBatch):
        self.matrix, self.batch = matrix, batch
        self.usage, self.parts = _ReasonedSums(matrix, batch), parts_of(batch)
        self.splits = _Splits(batch.column("splits"))
        self.reasons = self.usage.vocabulary()

    def kept(self, shortlist: Shortlist) -> np.ndarray:
        """Package × customer: whether the short list keeps the package, by the totals of all."""
        matrix, sums, parts = self.matrix, self.usage.sums, self.parts
        shape = len(matrix.packages), self.batch.num_rows
        costs, comparable = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=bool)
        everywhere = sums[matrix.other] + sums[matrix.direct_toll]
        for no, prices in enumerate(matrix.packages):
            settled = settle(prices, sums, parts, self.splits.of(prices), by_bucket=False)
            unpriced = sums[prices.unpriced]
            comparable[no] = self.usage.reasons(prices, settled, unpriced, parts) == 0
            passed = everywhere + sums[prices.passed]
            costs[no] = settled.total + passed
        starts = np.flatnonzero(parts.begins)
        brands, own = (self.batch.column(name).take(pa.array(starts)) for name in ("brand", "own"))
        return shortlist.chosen(costs, comparable, starts, brands, own)

    def under(self, prices: PackagePrices, rows: np.ndarray) -> pa.RecordBatch:
        """Some rows (all rows of each of their customers) under one package, as EVALUATED."""
        matrix, sums, parts = self.matrix, self.usage.sums, self.parts
        replayed = self.splits.of(prices)
        if len(rows) < self.batch.num_rows:
            sums, parts = sums.of(rows), parts.these(rows)
            replayed = None if replayed is None else replayed.of(rows)
        settled = settle(prices, sums, parts, replayed)
        unpriced = sums[prices.unpriced]
        reasons = self.usage.reasons(prices, settled, unpriced, parts, rows)
        comparable = reasons == 0
        recorded = (
            sums[matrix.d12593],
            sums[matrix.other],
            sums[matrix.direct_toll],
            sums[prices.passed],
        )
        amounts = (
            settled.micro_yuan
            | {"rated": settled.total}
            | dict(zip(RECORDED, recorded, strict=True))
        )
        nothing = np.zeros(len(rows), dtype=np.int64)
        is_replayed = np.zeros(len(rows), dtype=bool)
        if replayed is not None:
            is_replayed[replayed.rows] = True
        columns = {
            **{name: self.batch.column(name).take(pa.array(rows)) for name in KEYS},
            "package_id": pa.repeat(prices.id, len(rows)),
            "kind": pa.repeat(prices.kind, len(rows)),
            **{name: pa.array(amounts.get(name, nothing), mask=~comparable) for name in AMOUNTS},
            "comparable": pa.array(comparable),
            "reason": self.reasons.take(pa.array(reasons)),
            "unpriced_events": pa.array(unpriced),
            "replayed": pa.array(comparable & is_replayed),
        }
        return pa.RecordBatch.from_arrays(list(columns.values()), names=list(columns))


class _ReasonedSums(MonthSums):
    """The sums of a batch, with the reasons why a month cannot be compared."""

    def reasons(
        self,
        prices: PackagePrices,
        settled: Settled,
        unpriced: np.ndarray,
        parts: MonthParts,
        rows: np.ndarray | None = None,
    ) -> np.ndarray:
        """Why each month is not comparable under the package: a place in `vocabulary`, 0 if it is.

        `settled`, `unpriced` and `parts` belong to `rows`, by default to all rows. If several
        reasons apply, the last one set below wins. A reason of the month itself wins over one
        inherited from the month whose free units it carries on.
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
        reasons[self.too_large | self._fees_too_large(prices)] = REASONS.index(TOO_LARGE)
        places = len(REASONS) + len(self.matrix.cell_names) + np.arange(len(self.unknown_rows))
        reasons[self.unknown_rows] = places
        found: np.ndarray = reasons[rows]
        if any(pool.carry_over for pool in prices.pools):
            _hand_on(found, parts)
        return found

    def _fees_too_large(self, prices: PackagePrices) -> np.ndarray:
        """Which months have recorded fees beyond what the amounts of a quote hold."""
        matrix, none = self.matrix, np.zeros(self.rows, dtype=np.int64)
        fees = (matrix.d12593, matrix.other, matrix.direct_toll, prices.passed)
        bounded = (np.minimum(self.sums[no], MOST_RECORDED + 1) for no in fees)
        found: np.ndarray = sum(bounded, none) > MOST_RECORDED
        return found

    def vocabulary(self) -> pa.Array:
        """Each reason that a month of this batch can have; that of an event names its cell."""
        cells = [*self.matrix.cell_names, *self.unknown_ids]
        return pa.array([*REASONS, *(f"{UNKNOWN_CELL}: {cell}" for cell in cells)], pa.string())


def _hand_on(reasons: np.ndarray, parts: MonthParts) -> None:
    """Mark the months after one that is not comparable: the units that it leaves are not known.

    If the order of events is the reason, `draw_pools` has already marked the months after it.
    """
    settled = (0, REASONS.index(ORDER_OF_EVENTS))
    for chosen in parts.waves():
        before = parts.before[chosen]
        unknown = (before >= 0) & ~np.isin(reasons[before], settled) & (reasons[chosen] == 0)
        reasons[chosen[unknown]] = REASONS.index(FREE_UNITS_BEFORE)


class _Splits:
    """The replayed splits of a batch; entry k belongs to customer-month `row[k]`."""

    def __init__(self, splits: pa.ListArray):
        self.row, self.entries = rows_of(splits), splits.flatten()
        self.signatures = self.entries.field("signature").to_numpy(zero_copy_only=False)

    def of(self, prices: PackagePrices) -> Replayed | None:
        """The splits under the package's signature; None if there are none."""
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
