"""Amounts of money as columns: DECIMAL yuan in tables, whole micro-yuan (10⁻⁶ yuan) in between."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import Column
from pyspark.sql import functions as F

AMOUNT_TYPE = "decimal(18,6)"


def yuan(micro_yuan: Column) -> Column:
    """Whole micro-yuan as yuan (AMOUNT_TYPE)."""
    return (micro_yuan.cast("decimal(18,0)") * F.lit(Decimal("0.000001"))).cast(AMOUNT_TYPE)


def micro_yuan(amount: Column) -> Column:
    """Yuan with at most six decimals as whole micro-yuan."""
    return (amount * F.lit(Decimal(1_000_000))).cast("bigint")


def yuan_array(micro_yuan: pa.Array) -> pa.Array:
    """Arrow's whole micro-yuan as yuan (AMOUNT_TYPE). The numbers stay, only the point is set."""
    low = pc.fill_null(micro_yuan, 0).to_numpy(zero_copy_only=False)
    both = np.column_stack([low, low >> 63])  # a decimal is 128 bits: the low half, then the sign
    found = pa.Array.from_buffers(
        pa.decimal128(18, 6), len(low), [None, pa.py_buffer(np.ascontiguousarray(both))]
    )
    return pc.if_else(micro_yuan.is_valid(), found, None) if micro_yuan.null_count else found
