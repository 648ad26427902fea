"""What a step of the night is given to work with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from jobs.intake.landing import Landing
from jobs.outbox.folder import Outbox
from jobs.plan.step import Step
from jobs.warehouse.judge import Judge
from jobs.warehouse.ledger import CheckResult, Ledger
from models.tariff.catalogue import Catalogue
from schemas.config import Config, Source
from schemas.errors import ChudianError
from schemas.render import expectations
from schemas.window import Window

if TYPE_CHECKING:  # the warehouse imports pyspark, which a run does once its inputs are in order
    from pyspark.sql import DataFrame

    from jobs.warehouse.warehouse import Warehouse


@dataclass(frozen=True)
class Run:
    """What all steps of a run share. `catalogue`: the tariff packages, loaded once."""

    conf: Config
    catalogue: Catalogue
    warehouse: Warehouse
    landing: Landing
    outbox: Outbox
    ledger: Ledger
    judge: Judge

    def context(self, step: Step, window: Window, *, rebuild: bool = False) -> Context:
        """What one step is given for one window; steps run in parallel, each with its own."""
        return Context(**vars(self), step=step, window=window, rebuild=rebuild)


@dataclass(frozen=True)
class Context(Run):
    """What one step is given: the run, and its own part of the plan.

    `rebuild`: the window is an earlier one whose slices have become stale.
    """

    step: Step
    window: Window
    rebuild: bool = False

    @property
    def day(self) -> date:
        """The last day of the window: the data_date of snapshots."""
        return self.window.last

    def newest(self, table: str) -> DataFrame:
        """The newest committed snapshot up to the day; no rows if there is none."""
        found = self.warehouse.last_snapshot(table, self.day)
        return (
            self.warehouse.empty(table) if found is None else self.warehouse.read(table, on=found)
        )

    def expect_none(
        self,
        table: str,
        check: str,
        count: int,
        *,
        of: date | None = None,
        severity: str = expectations.WARNING,
        observed: str = "",
    ) -> None:
        """Record in ops.quality_result how often something occurred that must not occur.

        `of`: the slice, else the window. `observed`: the count in words.
        """
        self.ledger.record_check(
            CheckResult(
                self.ledger.run_id,
                "",
                table,
                str(of or self.window),
                check,
                severity,
                success=not count,
                observed=observed or str(count),
                expected="0",
                judged_at=datetime.now(UTC),
            )
        )

    @property
    def source(self) -> Source:
        """The source that the step ingests."""
        if self.step.source is None:
            raise ChudianError(f"{self.step.name} ingests no source")
        return self.conf.sources[self.step.source]
