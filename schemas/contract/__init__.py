"""Contracts of tables: what each table holds."""

from schemas.contract.contract import APPEND_ONLY, LAYERS, TABLES, Contract, load

__all__ = ["APPEND_ONLY", "LAYERS", "TABLES", "Contract", "load"]
