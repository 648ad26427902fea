"""The figures of a table's slices by which they are judged, counted in one pass over the rows."""

from collections.abc import Mapping, Sequence

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from schemas.contract import APPEND_ONLY, Contract
from schemas.contract.rule import requirements
from schemas.render.spark import key_hash


def by_slice(frame: DataFrame, contract: Contract) -> DataFrame:
    """One row per slice: its rows, different keys, missing parts of keys and broken rules."""
    whole = F.lit(APPEND_ONLY) if contract.slice is None else F.col(contract.slice)
    missing = [
        F.count_if(F.col(name).isNull()).alias(f"null_{name}") for name in _required(contract)
    ]
    broken = [
        F.count_if(~F.coalesce(F.expr(rule.holds), F.lit(True))).alias(f"rule_{place}")
        for place, rule in enumerate(requirements(contract.columns))
    ]
    return frame.groupBy(whole.cast("string").alias("slice")).agg(
        F.count(F.lit(1)).alias("rows"),
        F.count_distinct(key_hash(contract, frame)).alias("keys"),
        *missing,
        *broken,
    )


def metrics(figures: Sequence[Mapping], contract: Contract) -> dict[str, int]:
    """What the contract's suite judges: rows, repeated keys and missing parts of keys."""
    return {
        "rows": _sum(figures, "rows"),
        "key_duplicates": _sum(figures, "rows") - _sum(figures, "keys"),
        **{f"null_{name}": _sum(figures, f"null_{name}") for name in _required(contract)},
    }


def broken_rules(figures: Sequence[Mapping], contract: Contract) -> list[str]:
    """Each rule of the contract that rows break: what was expected, and how many break it."""
    counted = [
        (rule, _sum(figures, f"rule_{place}"))
        for place, rule in enumerate(requirements(contract.columns))
    ]
    return [
        f"{rule.column}: expected {rule.expected} ({rows:,} rows)" for rule, rows in counted if rows
    ]


def _required(contract: Contract) -> list[str]:
    return [name for name in contract.key if contract.column(name).required]


def _sum(figures: Sequence[Mapping], name: str) -> int:
    return sum(row[name] for row in figures)
