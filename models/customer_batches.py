"""Arrow batches that hold whole customers.

Rows come sorted by subscriber, in batches cut anywhere; a customer's rows leave in one batch.
"""
from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa


def whole_customers(
    batches: Iterator[pa.RecordBatch], column: str = "subscriber_id"
) -> Iterator[pa.RecordBatch]:
    """The same rows in the same order, cut only where the next customer begins."""
    kept: list[pa.RecordBatch] = []
    for batch in batches:
        if not batch.num_rows:
            continue
        numbers = batch.column(column).to_numpy(zero_copy_only=False)
        starts = np.flatnonzero(numbers != numbers[-1])
        cut = int(starts[-1]) + 1 if len(starts) else 0
        if kept and numbers[0] != kept[-1].column(column)[0].as_py():
            yield _together(kept)
            kept = []
        if cut:
            yield _together([*kept, batch.slice(0, cut)])
            kept = []
        kept.append(batch.slice(cut))
    if kept:
        yield _together(kept)


def _together(parts: list[pa.RecordBatch]) -> pa.RecordBatch:
    if len(parts) == 1:
        return parts[0]
    return pa.Table.from_batches(parts).combine_chunks().to_batches()[0]
