"""Contracts of tables: what each table holds."""

from schemas.contract.contract import APPEND_ONLY, LAYERS, TABLES, Contract, load
from schemas.contract.money import in_currency

__all__ = ["APPEND_ONLY", "LAYERS", "TABLES", "Contract", "in_currency", "load"]
