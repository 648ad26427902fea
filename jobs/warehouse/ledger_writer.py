"""The ledger's waiting rows on their way to `ops.run_ledger`.

A commit costs as much for one row as for many, so outcomes wait some seconds for each other. What a
run announces is written in the background while its first step reads. Nothing may be committed
before the announcement is written.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

from jobs.plan.step import Step
from jobs.warehouse.ledger import Ledger
from jobs.warehouse.tables import Tables
from schemas.errors import ChudianError
from schemas.window import Window

DELAY_S = 20


@dataclass
class Activity:
    """What the running step has read and written so far. `versions`: of the tables it has read."""

    step: Step
    window: Window
    rebuild: bool = False
    versions: dict[str, int | None] = field(default_factory=dict)
    rows_out: int = 0


class LedgerWriter:
    """`lock` keeps together what is recorded at once: all of it is written, or nothing."""

    def __init__(self, tables: Tables, ledger: Ledger) -> None:
        self._tables, self._ledger = tables, ledger
        self.lock = threading.RLock()
        self._background = ThreadPoolExecutor(1)
        self._announced: Future[None]
        self._written_at = time.monotonic()

    def write(self) -> None:
        """Append the waiting rows now."""
        with self.lock, self._ledger.handed_over() as rows:
            self._written_at = time.monotonic()
            self._tables.append("ops.run_ledger", rows)

    def write_in_background(self) -> None:
        """Append the waiting rows while the caller goes on."""
        self._announced = self._background.submit(self.write)

    def write_if_due(self) -> None:
        """Append the waiting rows if they have waited long enough."""
        if time.monotonic() - self._written_at > DELAY_S:
            self.write()

    def await_announced(self) -> None:
        """Return once the last background write has ended; raise the error that it met."""
        self._announced.result()

    @contextmanager
    def attempt(self, slices: list[tuple[str, str, str]]) -> Iterator[None]:
        """Record as failed the slices (table, source, slice) that the block has not committed.

        An error in the block is recorded at once: its first line where it is a ChudianError, else
        only its type, because its text may hold values of a row.
        """
        try:
            yield
            self._ledger.fail("not written", slices)
        except BaseException as error:
            expected = isinstance(error, ChudianError)
            why = str(error).splitlines()[0][:500] if expected else type(error).__name__
            self._ledger.fail(why, slices)
            if self._ledger.stopped is None:  # else the end of the run writes it
                self.write()
            raise

    def close(self) -> None:
        """Wait for the background write and end its thread."""
        self._background.shutdown()
