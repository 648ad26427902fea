"""Adds up the usage cube of each customer-month to the sums that packages are priced from.

A month of dw.usage_month holds some dozens of cells with their measures, but all packages together
need only a few sums. They are added up before the shuffle by customer, so only sums are shuffled.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from models.frames.arrow_lists import equal_lists, listed, rows_of
from models.rating.package_prices import Statistic, SumValues
from models.rating.price_matrix import BILLED, PriceMatrix
from models.tariff.measure import FEES

EXACT_FLOAT = 2**53
# So that no sum over the cells of a month exceeds 64 bits: units and events, fees in micro-yuan.
LARGEST_ENTRY, LARGEST_FEE = 2**44, 2**54
UNKNOWN = -1
ADDED_UP = (
    "month DATE, subscriber_id BIGINT, sums ARRAY<BIGINT>, too_large BOOLEAN, unknown BIGINT, "
    "unpriced ARRAY<INT>, lacking ARRAY<BIGINT>"
)


def add_up(usage_month: DataFrame, matrix: PriceMatrix) -> DataFrame:
    """One row per row of dw.usage_month: its sums, and what prevents an exact price.

    - `sums`: one value per row of the matrix;
    - `too_large`: whether an entry is too large for exact sums; the sums of the month are then 0;
    - `unknown`: the first cell that is not in the matrix;
    - `unpriced`: places of the cells that have no price under at least one package;
    - `lacking`: measures that a cell lacks, as measure_no × number of cells + place of the cell.
    """

    def sums(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            if batch.num_rows:
                yield add_up_batch(matrix, batch)

    # The cells go to Python field by field: fields that no package needs are then not read, and
    # lists of numbers are faster to hand over than a list of structures.
    return usage_month.select(
        "month", "subscriber_id", *(F.col(f"cells.{name}").alias(name) for name in matrix.fields)
    ).mapInArrow(sums, ADDED_UP)


def add_up_batch(matrix: PriceMatrix, batch: pa.RecordBatch) -> pa.RecordBatch:
    """`add_up` for one batch: month, subscriber_id and one list per field of `matrix.fields`."""
    cells = _Cells(matrix, batch)
    return pa.RecordBatch.from_arrays(
        [
            batch.column("month"),
            batch.column("subscriber_id"),
            equal_lists(cells.sums().T),
            pa.array(cells.too_large),
            cells.unknown(),
            cells.unpriced(),
            cells.lacking(),
        ],
        names=["month", "subscriber_id", "sums", "too_large", "unknown", "unpriced", "lacking"],
    )


class _Cells:
    """The cells of a batch, flattened: entry k is cell `cell[k]` of customer-month `row[k]`."""

    def __init__(self, matrix: PriceMatrix, batch: pa.RecordBatch):
        self.matrix, self.rows = matrix, batch.num_rows
        self.row = rows_of(batch.column("cell_id"))
        self.entries = {name: batch.column(name).flatten() for name in matrix.fields}
        self.ids = _numbers(self.entries["cell_id"])
        found = np.searchsorted(matrix.cell_ids, self.ids)
        known = np.append(matrix.cell_ids, 0)[found] == self.ids
        known &= found < len(matrix.cell_ids)
        self.cell = np.where(known, found, UNKNOWN)
        self.too_large = np.zeros(self.rows, dtype=bool)
        self._lacking: list[tuple[np.ndarray, np.ndarray]] = []
        billed = self.entries[BILLED]
        self._depths = pc.list_value_length(billed).to_numpy(zero_copy_only=False)
        self._starts = np.cumsum(self._depths) - self._depths
        self._billed = _numbers(billed.flatten())

    def sums(self) -> np.ndarray:
        """The rows of the matrix, one column per customer-month."""
        width = self.matrix.adding.shape[1]
        features = np.zeros(width * self.rows, dtype=np.int64)
        used = [self._used(place, name) for place, name in self.matrix.needed]
        for (_, name), (entry, _, values) in zip(self.matrix.needed, used, strict=True):
            limit = LARGEST_FEE if name in FEES else LARGEST_ENTRY
            if values.max(initial=0) >= limit:
                self.too_large[self.row[entry[values >= limit]]] = True
        refused = self.too_large.any()
        for entry, column, values in used:
            row = self.row[entry]
            if refused:
                kept = ~self.too_large[row]
                row, column, values = row[kept], column[kept], values[kept]
            np.add.at(features, column * self.rows + row, values)
        return _add_up(self.matrix.adding, features.reshape(width, self.rows))

    def _used(self, place: int, statistic: Statistic) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The entries of a statistic that some package needs, with their columns and values."""
        column = self.matrix.columns[:, place][self.cell]
        entry = np.flatnonzero(column >= 0)
        if isinstance(statistic, int):
            there = self._depths[entry] >= statistic
            if not there.all():
                lacking = entry[~there]
                codes = statistic * len(self.matrix.cell_ids) + self.cell[lacking]
                self._lacking.append((self.row[lacking], codes))
                entry = entry[there]
            values = self._billed[self._starts[entry] + statistic - 1]
        else:
            values = _numbers(self.entries[statistic])[entry]
        return entry, column[entry], values

    def unknown(self) -> pa.Array:
        """The first cell of each month that is not in the matrix, or null."""
        entries = np.flatnonzero(self.cell == UNKNOWN)[::-1]
        first = np.zeros(self.rows, dtype=np.int64)
        first[self.row[entries]] = self.ids[entries]
        there = np.zeros(self.rows, dtype=bool)
        there[self.row[entries]] = True
        return pa.array(first, mask=~there)

    def unpriced(self) -> pa.Array:
        """The cells of each month that have no price under at least one package."""
        entries = np.flatnonzero(self.matrix.unpriced_cells[self.cell])
        return listed(self.row[entries], self.cell[entries], self.rows, pa.int32())

    def lacking(self) -> pa.Array:
        """The measures that cells of each month lack; complete after a call of `sums`."""
        nothing = np.zeros(0, dtype=np.int64)
        rows, codes = (
            (np.concatenate([nothing, *part]) for part in zip(*self._lacking, strict=True))
            if self._lacking
            else (nothing, nothing)
        )
        order = np.argsort(rows, kind="stable")
        return listed(rows[order], codes[order], self.rows, pa.int64())


class MonthSums:
    """The columns of `add_up` for a batch of customer-months; a month without usage has nulls."""

    def __init__(self, matrix: PriceMatrix, batch: pa.RecordBatch):
        self.matrix, self.rows = matrix, batch.num_rows
        lists = batch.column("sums")
        there = lists.is_valid().to_numpy(zero_copy_only=False)
        rows = np.zeros((len(matrix.adding), self.rows), dtype=np.int64)
        values = lists.flatten().to_numpy(zero_copy_only=False)
        rows[:, there] = values.reshape(int(there.sum()), len(matrix.adding)).T
        self.sums = SumValues(rows, matrix.row_of)
        self.too_large = (
            batch.column("too_large").fill_null(fill_value=False).to_numpy(zero_copy_only=False)
        )
        unknown = batch.column("unknown")
        self.unknown_rows = np.flatnonzero(unknown.is_valid().to_numpy(zero_copy_only=False))
        self.unknown_ids = unknown.drop_null().to_pylist()
        self.unpriced = _entries(batch.column("unpriced"))
        row, codes = _entries(batch.column("lacking"))
        self.lacking = row, *np.divmod(codes, max(1, len(matrix.cell_ids)))


def _entries(lists: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    """Row and value of each entry of the lists."""
    return rows_of(lists), lists.flatten().to_numpy(zero_copy_only=False)


def _add_up(adding: np.ndarray, features: np.ndarray) -> np.ndarray:
    """adding @ features, exactly: in floats only if no sum can exceed the exact integers."""
    if sum(int(largest) for largest in features.max(axis=1, initial=0)) < EXACT_FLOAT:
        return (adding.astype(np.float64) @ features.astype(np.float64)).astype(np.int64)
    added: np.ndarray = adding @ features
    return added


def _numbers(values: pa.Array) -> np.ndarray:
    numbers: np.ndarray = values.to_numpy(zero_copy_only=False)
    return numbers
