"""Lists of Arrow as arrays of rows and values, and back."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


def rows_of(lists: pa.ListArray) -> np.ndarray:
    """The row of everything that stands in the lists, as `lists.flatten()` has it; nulls have
    nothing."""
    lengths = pc.fill_null(pc.list_value_length(lists), 0).to_numpy(zero_copy_only=False)
    return np.repeat(np.arange(len(lists)), lengths)


def listed(row: np.ndarray, values: np.ndarray, rows: int, kind: pa.DataType) -> pa.ListArray:
    """Values that stand in order of their rows, as one list per row."""
    ends = np.searchsorted(row, np.arange(rows + 1))
    return pa.ListArray.from_arrays(pa.array(ends, pa.int32()), pa.array(values, kind))


def equal_lists(table: np.ndarray) -> pa.ListArray:
    """Each row of an array of integers as a list."""
    rows, width = table.shape
    offsets = pa.array(np.arange(rows + 1) * width, pa.int32())
    return pa.ListArray.from_arrays(offsets, pa.array(table.ravel(), pa.int64()))
