"""What a slice has to pass before it is committed: the contract's suite and rules, in one pass."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pyspark.errors import ArithmeticException, DateTimeException, NumberFormatException
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.warehouse.judge import Judge
from jobs.warehouse.ledger import CheckResult, Ledger
from schemas.contract import APPEND_ONLY, Contract
from schemas.contract.rule import requirements
from schemas.errors import QualityError
from schemas.render import expectations
from schemas.render.spark import key_hash

CAST_ERRORS = (ArithmeticException, DateTimeException, NumberFormatException)


class Gate:
    """Lets slices pass or refuses them, and records every check in the ledger."""

    def __init__(self, judge: Judge, ledger: Ledger) -> None:
        self.judge, self.ledger = judge, ledger

    def admit(
        self, contract: Contract, frame: DataFrame, there: DataFrame, window: str
    ) -> dict[str, int]:
        """Rows by slice; QualityError for duplicate keys, broken rules and what the suite refuses.

        All is counted in one pass. `there`: the whole table, of which an append-only one may not
        get a key again. The table's own constraints would refuse a row too, but print its values.
        """
        try:
            rows = metrics_by_slice(frame, contract).collect()
        except CAST_ERRORS as error:  # its text holds the value
            raise QualityError(
                f"{contract.table} {window}: a value does not fit the type "
                f"of its column ({error.getCondition()})"
            ) from None
        counted = [row.asDict() for row in rows]
        metrics = suite_metrics(counted, contract)
        if counted and contract.slice is None:
            metrics["key_duplicates"] += there.join(frame, list(contract.key), "left_semi").count()
        self.check(contract, metrics, expectations.suite(contract), "", window)
        broken = broken_rules(counted, contract)
        if broken:
            raise QualityError(f"{contract.table} {window}: {'; '.join(broken)}")
        return {row["slice"]: row["rows"] for row in counted}

    def check(
        self,
        contract: Contract,
        metrics: Mapping,
        suite: list,
        source: str,
        slice_: str,
        passing: Sequence[str] = (),
    ) -> list[CheckResult]:
        """Check the metrics of a slice; returns the checks that failed.

        QualityError for a failed critical check that is not named in `passing`.
        """
        results = self.judge.check_metrics(source, contract.table, slice_, metrics, suite)
        for result in results:
            self.ledger.record_check(result)
        failed = [
            r
            for r in results
            if not r.success and r.severity == "critical" and r.check not in passing
        ]
        if failed:
            what = "; ".join(f"{r.check}: {r.observed}, expected {r.expected}" for r in failed)
            raise QualityError(f"{source or contract.table} {slice_}: {what}")
        return [r for r in results if not r.success]


def metrics_by_slice(frame: DataFrame, contract: Contract) -> DataFrame:
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


def suite_metrics(counted: Sequence[Mapping], contract: Contract) -> dict[str, int]:
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
