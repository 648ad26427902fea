"""A batch of the usage cube as arrays: what every customer-month adds up to.

Customer-months come as rows of Arrow batches with their cells in lists (dw.usage_month).
"""
from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from models.price_matrix import PriceMatrix
from models.sums import Added

EXACT_FLOAT = 2**53
LARGEST_ENTRY = 2**44  # so that no sum over the cells of a month leaves 64 bits
UNKNOWN = -1


class UsageBatch:
    """The cells of a batch, flattened: entry k is cell `cell[k]` of customer-month `row[k]`."""

    def __init__(self, matrix: PriceMatrix, cells: pa.ListArray):
        self.matrix, self.rows = matrix, len(cells)
        lengths = pc.fill_null(pc.list_value_length(cells), 0).to_numpy(zero_copy_only=False)
        self.row = np.repeat(np.arange(self.rows), lengths)
        fields = (field.name for field in cells.type.value_type)
        self.entries = dict(zip(fields, cells.flatten().flatten()))
        ids = whole_numbers(self.entries["cell_id"])
        found = np.searchsorted(matrix.cell_ids, ids)
        known = np.append(matrix.cell_ids, 0)[found] == ids
        known &= found < len(matrix.cell_ids)
        self.cell = np.where(known, found, UNKNOWN)
        self.unknown_ids = ids[~known]
        self.too_large = np.zeros(self.rows, dtype=bool)
        self.short: dict[int, np.ndarray] = {}

    def sums(self) -> Added:
        """The sums that packages are priced from."""
        width = self.matrix.adding.shape[1]
        features = np.zeros(width * self.rows, dtype=np.int64)
        used = [self._used(place, name) for place, name in enumerate(self.matrix.statistics)]
        for row, _, values in used:
            self.too_large[row[values >= LARGEST_ENTRY]] = True
        for row, column, values in used:
            kept = ~self.too_large[row]
            np.add.at(features, column[kept] * self.rows + row[kept], values[kept])
        rows = _add_up(self.matrix.adding, features.reshape(width, self.rows))
        return Added(rows, self.matrix.row_of)

    def _used(self, place: int, statistic) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Row, column and value of every entry of a statistic that some package needs."""
        column = self.matrix.columns[self.cell, place]
        if isinstance(statistic, int):
            values, there = self._billed(statistic)
            needed = (column >= 0) & there
            lacking = (column >= 0) & ~there
            if lacking.any():
                self.short[statistic] = lacking
        else:
            values, needed = whole_numbers(self.entries[statistic]), column >= 0
        return self.row[needed], column[needed], values[needed]

    def _billed(self, measure_no: int) -> tuple[np.ndarray, np.ndarray]:
        """Billed units by a measure, and where the cube holds it at all."""
        billed = self.entries["billed"]
        lengths = pc.list_value_length(billed).to_numpy(zero_copy_only=False)
        starts, there = np.cumsum(lengths) - lengths, lengths >= measure_no
        values = np.append(whole_numbers(billed.flatten()), 0)
        return values[np.where(there, starts + measure_no - 1, -1)], there


def _add_up(adding: np.ndarray, features: np.ndarray) -> np.ndarray:
    """adding @ features, exactly: in floats only while no sum can leave the whole numbers."""
    if sum(int(largest) for largest in features.max(axis=1, initial=0)) < EXACT_FLOAT:
        return (adding.astype(np.float64) @ features.astype(np.float64)).astype(np.int64)
    return adding @ features


def whole_numbers(values: pa.Array) -> np.ndarray:
    """BIGINT as it is; a decimal as its unscaled number."""
    if not len(values):
        return np.zeros(0, dtype=np.int64)
    if pa.types.is_decimal(values.type):
        words = np.frombuffer(values.buffers()[1], dtype=np.int64).reshape(-1, 2)
        return words[values.offset:values.offset + len(values), 0]
    return values.to_numpy(zero_copy_only=False)
