"""Arrow list arrays as NumPy arrays of rows and values, and back."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


def rows_of(lists: pa.ListArray) -> np.ndarray:
    """The row number of each value of `lists.flatten()`; a null list has no values."""
    lengths = pc.fill_null(pc.list_value_length(lists), 0).to_numpy(zero_copy_only=False)
    return np.repeat(np.arange(len(lists)), lengths)


def listed(row: np.ndarray, values: np.ndarray, rows: int, kind: pa.DataType) -> pa.ListArray:
    """One list per row, `rows` lists in all. `row` is the row of each value, in ascending order."""
    ends = np.searchsorted(row, np.arange(rows + 1))
    return pa.ListArray.from_arrays(pa.array(ends, pa.int32()), pa.array(values, kind))


def equal_lists(table: np.ndarray) -> pa.ListArray:
    """Each row of a two-dimensional array of integers as one list."""
    rows, width = table.shape
    offsets = pa.array(np.arange(rows + 1) * width, pa.int32())
    return pa.ListArray.from_arrays(offsets, pa.array(table.ravel(), pa.int64()))
