"""The metrics by which a table's slices are checked, counted in one pass over the rows."""

from collections.abc import Mapping, Sequence

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from schemas.contract import APPEND_ONLY, Contract
from schemas.contract.rule import requirements
from schemas.render.spark import key_hash


def by_slice(frame: DataFrame, contract: Contract) -> DataFrame:
    """One row per slice: its rows, different keys, missing parts of keys and broken rules."""
    slice_ = F.lit(APPEND_ONLY) if contract.slice is None else F.col(contract.slice)
    missing = [
        F.count_if(F.col(name).isNull()).alias(f"null_{name}") for name in _required(contract)
    ]
    broken = [
        F.count_if(~F.expr(f"coalesce({rule.holds}, true)")).alias(f"rule_{place}")
        for place, rule in enumerate(requirements(contract.columns))
    ]
    return frame.groupBy(slice_.cast("string").alias("slice")).agg(
        F.count(F.lit(1)).alias("rows"),
        F.count_distinct(key_hash(contract, frame)).alias("keys"),
        *missing,
        *broken,
    )


def metrics(counted: Sequence[Mapping], contract: Contract) -> dict[str, int]:
    """What the contract's suite checks: rows, duplicate keys and missing parts of keys."""
    return {
        "rows": _sum(counted, "rows"),
        "key_duplicates": _sum(counted, "rows") - _sum(counted, "keys"),
        **{f"null_{name}": _sum(counted, f"null_{name}") for name in _required(contract)},
    }


def broken_rules(counted: Sequence[Mapping], contract: Contract) -> list[str]:
    """Each rule of the contract that rows break: what was expected, and how many break it."""
    broken = [
        (rule, _sum(counted, f"rule_{place}"))
        for place, rule in enumerate(requirements(contract.columns))
    ]
    return [
        f"{rule.column}: expected {rule.expected} ({rows:,} rows)" for rule, rows in broken if rows
    ]


def _required(contract: Contract) -> list[str]:
    return [name for name in contract.key if contract.column(name).required]


def _sum(counted: Sequence[Mapping], name: str) -> int:
    return sum(row[name] for row in counted)
