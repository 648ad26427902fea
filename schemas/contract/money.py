"""Contracts in the currency of a configuration. Their files are written in yuan 元."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from schemas.contract.column import Column
from schemas.contract.column_type import ColumnType
from schemas.contract.contract import Contract
from schemas.currency import Currency


def in_currency(contracts: Mapping[str, Contract], currency: Currency) -> dict[str, Contract]:
    """The contracts with the currency in units, texts and examples.

    Columns of the type decimal(p,minor_unit) have its decimals. In yuan nothing changes.
    """
    return {
        table: replace(
            one,
            currency=currency,
            columns=tuple(_column(column, currency) for column in one.columns),
        )
        for table, one in contracts.items()
    }


def _column(column: Column, currency: Currency) -> Column:
    changed: dict[str, Any] = {"description": currency.worded(column.description)}
    if column.unit is not None:
        changed["unit"] = currency.worded(column.unit)
    if isinstance(column.example, str):
        changed["example"] = currency.worded(column.example)
    if column.by_minor_unit:
        kind = ColumnType("decimal", column.data_type.precision, currency.minor_unit)
        changed |= {"type": str(kind), "data_type": kind}
        for key in ("min", "max", "example"):
            value = getattr(column, key)
            changed[key] = None if value is None else currency.rounded(value)
    return replace(column, **changed)
