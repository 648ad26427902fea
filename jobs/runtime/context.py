"""What a step of the night is given to work with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from jobs.intake.landing import Landing
from jobs.outbox.folder import Outbox
from jobs.plan.step import Step
from jobs.warehouse.judge import Judge
from jobs.warehouse.ledger import Ledger
from models.tariff.catalogue import Catalogue
from schemas.config import Config, Source
from schemas.errors import ChudianError
from schemas.window import Window

if TYPE_CHECKING:  # the warehouse imports pyspark, which a run does once its inputs are in order
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

    @property
    def source(self) -> Source:
        """The source that the step ingests."""
        if self.step.source is None:
            raise ChudianError(f"{self.step.name} ingests no source")
        return self.conf.sources[self.step.source]
