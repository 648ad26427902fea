"""Arrow batches cut for the work on them: whole customers, and enough rows in each batch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import pyarrow as pa


def whole_customers(
    batches: Iterable[pa.RecordBatch], key: str = "subscriber_id"
) -> Iterator[pa.RecordBatch]:
    """The same rows in the same order, in batches that each end with the end of a customer.

    The batches arrive sorted by `key`, with a cut at any row.
    """
    kept: list[pa.RecordBatch] = []
    for batch in batches:
        if not batch.num_rows:
            continue
        numbers = batch.column(key).to_numpy(zero_copy_only=False)
        starts = np.flatnonzero(numbers != numbers[-1])
        cut = int(starts[-1]) + 1 if len(starts) else 0
        if kept and numbers[0] != kept[-1].column(key)[0].as_py():
            yield _together(kept)
            kept = []
        if cut:
            yield _together([*kept, batch.slice(0, cut)])
            kept = []
        kept.append(batch.slice(cut))
    if kept:
        yield _together(kept)


def of_some_size(batches: Iterable[pa.RecordBatch], rows: int) -> Iterator[pa.RecordBatch]:
    """The same rows in the same order, in batches of at least `rows` rows; the last may be smaller.

    Each batch handed over costs as much as hundreds of rows.
    """
    kept: list[pa.RecordBatch] = []
    for batch in batches:
        kept.append(batch)
        if sum(one.num_rows for one in kept) >= rows:
            yield _together(kept)
            kept = []
    if kept:
        yield _together(kept)


def _together(parts: list[pa.RecordBatch]) -> pa.RecordBatch:
    if len(parts) == 1:
        return parts[0]
    return pa.Table.from_batches(parts).combine_chunks().to_batches()[0]
