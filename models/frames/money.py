"""Amounts of money as columns."""

from __future__ import annotations

AMOUNT_TYPE = "decimal(18,6)"
