"""What a slice has to pass before it is committed: the contract's suite and rules, in one pass."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pyspark.errors import ArithmeticException, DateTimeException, NumberFormatException
from pyspark.sql import DataFrame

from jobs.warehouse import slice_metrics
from jobs.warehouse.judge import Judge
from jobs.warehouse.ledger import CheckResult, Ledger
from schemas.contract import Contract
from schemas.errors import QualityError
from schemas.render import expectations

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
            rows = slice_metrics.by_slice(frame, contract).collect()
        except CAST_ERRORS as error:  # its text holds the value
            raise QualityError(
                f"{contract.table} {window}: a value does not fit the type "
                f"of its column ({error.getCondition()})"
            ) from None
        counted = [row.asDict() for row in rows]
        metrics = slice_metrics.metrics(counted, contract)
        if counted and contract.slice is None:
            metrics["key_duplicates"] += there.join(frame, list(contract.key), "left_semi").count()
        self.check(contract, metrics, expectations.suite(contract), "", window)
        broken = slice_metrics.broken_rules(counted, contract)
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
