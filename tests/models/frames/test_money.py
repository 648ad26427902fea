"""Whole micro-yuan as yuan, in Arrow arrays."""

from decimal import Decimal

import pyarrow as pa
import pytest

from models.frames.money import yuan_array


@pytest.mark.parametrize(
    ("micro_yuan", "yuan"),
    [
        ([], []),
        ([0, 1, -1], ["0.000000", "0.000001", "-0.000001"]),
        ([5_310_000, None, -(10**18) + 1], ["5.310000", None, "-999999999999.999999"]),
    ],
)
def test_micro_yuan_become_yuan_of_the_same_number(micro_yuan, yuan):
    made = yuan_array(pa.array(micro_yuan, pa.int64()))
    assert made.type == pa.decimal128(18, 6)
    made.validate(full=True)
    assert made.to_pylist() == [None if one is None else Decimal(one) for one in yuan]
