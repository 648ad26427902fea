"""The evaluator: what every customer-month costs under every package, exactly.

The catalogue is compiled to integer matrices (models/price_matrix.py), the usage cube comes in
whole Arrow batches, and a batch is priced package by package in array arithmetic
(models/settlement.py): no Python per customer, no events × packages. What cannot be priced exactly
is said not to be comparable, with the reason; it is never priced by guess.
"""
from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from models.measure import Measure
from models.price_matrix import BUCKETS, IP_ONLY, PackagePrices, PriceMatrix, compile_prices
from models.settlement import MonthParts, Settled, settle
from models.tariff import Package

ORDER_OF_EVENTS = "order of events"
UNKNOWN_CELL = "unknown cell"
LACKING_MEASURE = "measure missing"
TOO_LARGE = "amount too large"
REASONS = (None, ORDER_OF_EVENTS, LACKING_MEASURE, TOO_LARGE)

RECORDED = ("d12593", "other_fees", "direct_toll", "unrated_fees")
AMOUNTS = (*BUCKETS, "rated", *RECORDED)
ARROW_AMOUNT = pa.decimal128(18, 6)
EVALUATED = ", ".join(
    ["subscriber_id BIGINT", "month DATE", "package_id STRING", "kind STRING"]
    + [f"{name} DECIMAL(18,6)" for name in AMOUNTS]
    + ["comparable BOOLEAN", "reason STRING", "unpriced_events BIGINT"]
)
THOUSANDTH_IN_MILLIONTHS = 1000
EXACT_FLOAT = 2**53
LARGEST_ENTRY = 2**44  # so that no sum over the cells of a month leaves 64 bits
UNKNOWN = -1


def customer_months(
    usage_month: DataFrame, subscribers: DataFrame, months: Sequence[date]
) -> DataFrame:
    """(month, subscriber_id, joined, cells): one row per subscriber and month to be priced.

    A subscriber who had joined (dw.subscriber.join_date) has a row for every month, an empty one
    where nothing was used; of a subscriber whose joining is unknown only the months with usage
    count. `joined` is null where unknown.
    """
    calendar = F.explode(F.array(*(F.lit(month) for month in sorted(months))))
    known = subscribers.where("join_date IS NOT NULL").select(
        "subscriber_id", F.col("join_date").alias("joined"), calendar.alias("month")
    ).where("joined <= last_day(month)")
    used = usage_month.where(F.col("month").isin(*months)).select("subscriber_id", "month", "cells")
    return used.join(known, ["subscriber_id", "month"], "full").select(
        "month", "subscriber_id", "joined", "cells"
    )


def evaluate(
    months: DataFrame,
    cells: Sequence,
    measures: Sequence[Measure],
    packages: Sequence[Package],
    toll_rerated: str = IP_ONLY,
) -> DataFrame:
    """One row per (subscriber, month, package): amounts in yuan, DECIMAL(18,6), see AMOUNTS.

    `months` has the columns of `customer_months`; `cells` are the rows of dw.rating_cell,
    `measures` the register (measure.register). BUCKETS add up to `rated`, the cost under the
    package's own prices. RECORDED are fees of the records that are not in it: `d12593` (S2-R5);
    `other_fees` of all services (S2-R6); `direct_toll`, 0 where packages re-rate it (S2-R4);
    `unrated_fees` of what else the package leaves out of its own service (in-group calls, what it
    passes through). Amounts are null where `comparable` is false; `unpriced_events` counts the
    events for which the package has no price. A price that runs past 10⁻⁶ yuan (rounding `none`)
    is rounded half up there, once. Raises ConfigError for a package that the cube cannot price.
    """
    matrix = compile_prices(packages, cells, measures, toll_rerated)

    def price(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            if batch.num_rows:
                yield from price_batch(matrix, batch)

    return months.select("month", "subscriber_id", "joined", "cells").mapInArrow(price, EVALUATED)


def price_batch(matrix: PriceMatrix, batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    """One batch of customer-months under every package, a batch per package."""
    usage = _Usage(matrix, batch.column("cells"))
    sums = usage.sums()
    days = [_days(batch.column(name)) for name in ("month", "joined")]
    parts = MonthParts.of(*days)
    nothing = np.zeros(batch.num_rows, dtype=np.int64)
    vocabulary = usage.vocabulary()
    for prices in matrix.packages:
        settled = settle(prices, sums, parts)
        reasons = usage.reasons(prices, settled, sums[prices.unpriced])
        comparable = reasons == 0
        recorded = (
            sums[matrix.d12593], sums[matrix.other], sums[matrix.direct_toll],
            sums[prices.passed],
        )
        amounts = settled.micros | {"rated": settled.total} | {
            name: fees * THOUSANDTH_IN_MILLIONTHS for name, fees in zip(RECORDED, recorded)
        }
        yield pa.RecordBatch.from_arrays(
            [
                batch.column("subscriber_id"), batch.column("month"),
                pa.repeat(prices.id, batch.num_rows), pa.repeat(prices.kind, batch.num_rows),
                *(_decimals(amounts.get(name, nothing), comparable) for name in AMOUNTS),
                pa.array(comparable), vocabulary.take(pa.array(reasons)),
                pa.array(sums[prices.unpriced]),
            ],
            names=[
                "subscriber_id", "month", "package_id", "kind", *AMOUNTS,
                "comparable", "reason", "unpriced_events",
            ],
        )


class _Usage:
    """The cells of a batch, flattened: entry k is cell `cell[k]` of customer-month `row[k]`."""

    def __init__(self, matrix: PriceMatrix, cells: pa.ListArray):
        self.matrix, self.rows = matrix, len(cells)
        lengths = pc.fill_null(pc.list_value_length(cells), 0).to_numpy(zero_copy_only=False)
        self.row = np.repeat(np.arange(self.rows), lengths)
        fields = (field.name for field in cells.type.value_type)
        self.entries = dict(zip(fields, cells.flatten().flatten()))
        ids = _whole(self.entries["cell_id"])
        found = np.searchsorted(matrix.cell_ids, ids)
        known = np.append(matrix.cell_ids, 0)[found] == ids
        known &= found < len(matrix.cell_ids)
        self.cell = np.where(known, found, UNKNOWN)
        self.unknown_ids = ids[~known]
        self.too_large = np.zeros(self.rows, dtype=bool)
        self.short: dict[int, np.ndarray] = {}

    def sums(self) -> np.ndarray:
        """The sums that packages are priced from, one row per sum, one column per month."""
        width = self.matrix.adding.shape[1]
        features = np.zeros(width * self.rows, dtype=np.int64)
        used = [self._used(place, name) for place, name in enumerate(self.matrix.statistics)]
        for row, _, values in used:
            self.too_large[row[values >= LARGEST_ENTRY]] = True
        for row, column, values in used:
            kept = ~self.too_large[row]
            np.add.at(features, column[kept] * self.rows + row[kept], values[kept])
        return _add_up(self.matrix.adding, features.reshape(width, self.rows))

    def _used(self, place: int, statistic) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Row, column and value of every entry of a statistic that some package needs."""
        column = self.matrix.columns[self.cell, place]
        if isinstance(statistic, int):
            values, there = self._billed(statistic)
            self.short[statistic] = ~there
            needed = (column >= 0) & there
        else:
            values, needed = _whole(self.entries[statistic]), column >= 0
        return self.row[needed], column[needed], values[needed]

    def _billed(self, measure_no: int) -> tuple[np.ndarray, np.ndarray]:
        """Billed units by a measure, and where the cube holds it at all."""
        billed = self.entries["billed"]
        lengths = pc.list_value_length(billed).to_numpy(zero_copy_only=False)
        starts, there = np.cumsum(lengths) - lengths, lengths >= measure_no
        values = np.append(_whole(billed.flatten()), 0)
        return values[np.where(there, starts + measure_no - 1, -1)], there

    def reasons(self, prices: PackagePrices, settled: Settled, unpriced: np.ndarray) -> np.ndarray:
        """Why each month is not comparable under the package: a place in `vocabulary`, 0 if it is.

        Of several reasons the one that stands last in the code below is given.
        """
        reasons = np.where(settled.ordered, REASONS.index(ORDER_OF_EVENTS), 0)
        for measure_no, short in self.short.items():
            if measure_no in prices.measured and short.any():
                lacking = short & prices.measured[measure_no][self.cell]
                reasons[self.row[lacking]] = REASONS.index(LACKING_MEASURE)
        if unpriced.any():
            entries = np.flatnonzero(prices.unpriced_cells[self.cell])[::-1]
            reasons[self.row[entries]] = len(REASONS) + self.cell[entries]
        reasons[settled.refused | self.too_large] = REASONS.index(TOO_LARGE)
        if len(self.unknown_ids):
            entries = np.flatnonzero(self.cell == UNKNOWN)
            places = len(REASONS) + len(self.matrix.cell_names) + np.arange(len(entries))
            reasons[self.row[entries[::-1]]] = places[::-1]
        return reasons

    def vocabulary(self) -> pa.Array:
        """Every reason that a month of this batch can have; an event's cell is named."""
        cells = [*self.matrix.cell_names, *self.unknown_ids.tolist()]
        return pa.array([*REASONS, *(f"{UNKNOWN_CELL}: {cell}" for cell in cells)], pa.string())


def _add_up(adding: np.ndarray, features: np.ndarray) -> np.ndarray:
    """adding @ features, exactly: in floats only while no sum can leave the whole numbers."""
    if sum(int(largest) for largest in features.max(axis=1, initial=0)) < EXACT_FLOAT:
        return (adding.astype(np.float64) @ features.astype(np.float64)).astype(np.int64)
    return adding @ features


def _whole(values: pa.Array) -> np.ndarray:
    """BIGINT as it is; a decimal as its unscaled number."""
    if not len(values):
        return np.zeros(0, dtype=np.int64)
    if pa.types.is_decimal(values.type):
        words = np.frombuffer(values.buffers()[1], dtype=np.int64).reshape(-1, 2)
        return words[values.offset:values.offset + len(values), 0]
    return values.to_numpy(zero_copy_only=False)


def _days(values: pa.Array) -> np.ndarray:
    return values.to_numpy(zero_copy_only=False).astype("datetime64[D]")


def _decimals(micros: np.ndarray, valid: np.ndarray) -> pa.Array:
    """Millionths as DECIMAL(18,6) without a Python object per value."""
    words = np.empty((len(micros), 2), dtype=np.int64)
    words[:, 0], words[:, 1] = micros, micros >> 63
    bits = np.packbits(valid, bitorder="little")
    buffers = [pa.py_buffer(bits.tobytes()), pa.py_buffer(words.tobytes())]
    return pa.Array.from_buffers(ARROW_AMOUNT, len(micros), buffers)
