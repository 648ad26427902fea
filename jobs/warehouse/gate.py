"""What a slice has to pass before it is committed: the contract's suite and rules, in one pass."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pyspark.errors import ArithmeticException, DateTimeException, NumberFormatException
from pyspark.sql import DataFrame

from jobs.warehouse import slice_metrics as slice_figures
from jobs.warehouse.judge import Judge, Judgement
from jobs.warehouse.ledger import Ledger
from schemas.contract import Contract
from schemas.errors import QualityError
from schemas.render import expectations

CAST_ERRORS = (ArithmeticException, DateTimeException, NumberFormatException)


class Gate:
    """Judges slices, and notes every judgement in the ledger."""

    def __init__(self, judge: Judge, ledger: Ledger) -> None:
        self.judge, self.ledger = judge, ledger

    def judged(
        self, contract: Contract, frame: DataFrame, there: DataFrame, window: str
    ) -> dict[str, int]:
        """Count rows by slice, doubled keys and broken rules in one pass; the suite decides.

        `there`: the table as it stands, for one that is only appended to. The table's own
        constraints would refuse a row too, but print its values.
        """
        try:
            figures = slice_figures.by_slice(frame, contract).collect()
        except CAST_ERRORS as error:  # its text holds the value
            raise QualityError(
                f"{contract.table} {window}: a value does not fit the type "
                f"of its column ({error.getCondition()})"
            ) from None
        metrics = slice_figures.metrics(figures, contract)
        if figures and contract.slice is None:
            metrics["key_duplicates"] += there.join(frame, list(contract.key), "left_semi").count()
        self.check(contract, metrics, expectations.suite(contract), "", window)
        broken = slice_figures.broken_rules(figures, contract)
        if broken:
            raise QualityError(f"{contract.table} {window}: {'; '.join(broken)}")
        return {row["slice"]: row["rows"] for row in figures}

    def check(
        self,
        contract: Contract,
        metrics: Mapping,
        suite: list,
        source: str,
        slice_: str,
        passing: Sequence[str] = (),
    ) -> list[Judgement]:
        """Judge the metrics of a slice; what failed. QualityError if critical, but for `passing`."""
        results = self.judge.judge(contract.table, slice_, metrics, suite)
        for result in results:
            self.ledger.judge(
                source,
                contract.table,
                slice_,
                result.check,
                result.severity,
                result.success,
                result.observed,
                result.expected,
            )
        failed = [
            r
            for r in results
            if not r.success and r.severity == "critical" and r.check not in passing
        ]
        if failed:
            what = "; ".join(f"{r.check}: {r.observed}, expected {r.expected}" for r in failed)
            raise QualityError(f"{source or contract.table} {slice_}: {what}")
        return [r for r in results if not r.success]
