"""The ledger's waiting rows on their way to `ops.run_ledger`.

A commit costs as much for one row as for many, so outcomes wait for each other for some seconds.
What a run announces is written beside the first step's reading; nothing may be committed before it
is there.
"""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor

from jobs.warehouse.ledger import Ledger
from jobs.warehouse.tables import Tables

DELAY_S = 20


class Notes:
    """`lock` keeps together what is noted at once: both or neither are written."""

    def __init__(self, tables: Tables, ledger: Ledger) -> None:
        self._tables, self._ledger = tables, ledger
        self.lock = threading.RLock()
        self._beside = ThreadPoolExecutor(1)
        self._announced: Future[None]
        self._written_at = time.monotonic()

    def write(self) -> None:
        """Append what waits, now."""
        with self.lock, self._ledger.handed_over() as rows:
            self._written_at = time.monotonic()
            self._tables.append("ops.run_ledger", rows)

    def write_beside(self) -> None:
        """Append what waits while the caller goes on."""
        self._announced = self._beside.submit(self.write)

    def write_if_due(self) -> None:
        """Append what waits if it has waited long enough."""
        if time.monotonic() - self._written_at > DELAY_S:
            self.write()

    def await_announced(self) -> None:
        """Return once what was announced is there; raise what its writing raised."""
        self._announced.result()

    def close(self) -> None:
        """End what writes beside."""
        self._beside.shutdown()
