"""Amounts of money as columns: DECIMAL yuan in tables, whole micro-yuan (10⁻⁶ yuan) in between."""

from __future__ import annotations

from decimal import Decimal

from pyspark.sql import Column
from pyspark.sql import functions as F

AMOUNT_TYPE = "decimal(18,6)"


def yuan(micro_yuan: Column) -> Column:
    """Whole micro-yuan as yuan (AMOUNT_TYPE)."""
    return (micro_yuan.cast("decimal(18,0)") * F.lit(Decimal("0.000001"))).cast(AMOUNT_TYPE)


def micro_yuan(amount: Column) -> Column:
    """Yuan with at most six decimals as whole micro-yuan."""
    return (amount * F.lit(Decimal(1_000_000))).cast("bigint")
