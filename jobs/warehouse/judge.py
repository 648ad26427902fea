"""Great Expectations as the judge of a slice's metrics, and its data docs.

Each suite is rendered from a contract and checked over one row: the metrics that the writing pass
has counted. So a check costs milliseconds, however many rows the slice has. The library takes
seconds to import: that happens in a thread while Spark starts. The data docs hold the newest
results of all runs; a night draws only its own pages. `ops.quality_result` keeps every result.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jobs.warehouse.ledger import CheckResult

KEPT = 1000  # results of suites: some weeks of nights; every build reads each for its index


class Judge:
    """Checks metrics, and keeps the results of the run in data docs below `folder`.

    `folder` None: no docs are kept (the warehouse is not a local folder).
    """

    def __init__(self, folder: Path | None, run_id: str) -> None:
        self.folder, self.run_id = folder, run_id
        self._context: Any = None  # the library's, opened when the first suite is checked
        self._batch: Any = None
        self._checking = threading.Lock()  # one context serves all steps
        self._importing = threading.Thread(target=_library, name="expectations", daemon=True)
        self._importing.start()

    def check_metrics(
        self, source: str, table: str, slice_: str, metrics: Mapping, suite: Sequence[Mapping]
    ) -> list[CheckResult]:
        """The result of every expectation over the metrics of a slice, in the suite's order."""
        if not suite:
            return []
        with self._checking:
            passed = self._passed(table, slice_, metrics, suite)
        now = datetime.now(UTC)
        return [
            CheckResult(
                self.run_id,
                source,
                table,
                slice_,
                entry["kwargs"]["column"],
                entry["severity"],
                passed[place],
                _shown(metrics[entry["kwargs"]["column"]]),
                _expected(entry["kwargs"]),
                now,
            )
            for place, entry in enumerate(suite)
        ]

    def _passed(
        self, table: str, slice_: str, metrics: Mapping, suite: Sequence[Mapping]
    ) -> dict[int, bool]:
        """Whether each expectation is met, by its place in the suite."""
        gx = self._open()
        import pandas
        from great_expectations.core.run_identifier import RunIdentifier

        expectations = gx.ExpectationSuite(
            name=table,
            expectations=[_expectation(gx, entry, place) for place, entry in enumerate(suite)],
        )
        expectations = self._context.suites.add_or_update(expectations)
        definition = self._context.validation_definitions.add_or_update(
            gx.ValidationDefinition(name=table, data=self._batch, suite=expectations)
        )
        result = definition.run(
            batch_parameters={"dataframe": pandas.DataFrame([dict(metrics)])},
            result_format="BASIC",
            run_id=RunIdentifier(run_name=f"{self.run_id} {slice_}"),
        )
        return {r.expectation_config.meta["place"]: bool(r.success) for r in result.results}

    def publish(self) -> Path | None:
        """Bring the data docs up to date; the page to open, or None where nothing was checked."""
        if self._context is None or self.folder is None:
            return None
        page = Path(
            next(iter(self._context.build_data_docs(dry_run=True).values())).removeprefix("file://")
        )
        results = self._context.validation_results_store
        newest = sorted(results.list_keys(), key=lambda key: key.run_id.run_time, reverse=True)
        for key in newest[KEPT:]:
            results.remove_key(key)
        drawn = page.stat().st_mtime if page.is_file() else 0
        fresh = [key for key in newest[:KEPT] if key.run_id.run_time.timestamp() > drawn]
        suites = self._context.stores[self._context.expectations_store_name].list_keys()
        self._context.build_data_docs(resource_identifiers=[*suites, *fresh])
        return page

    def keep(self, name: str, text: str) -> None:
        """Write a page beside the data docs, whole or not at all (local warehouses only)."""
        if self.folder is None:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        part = self.folder / f".{name}.part"
        part.write_text(text, encoding="utf-8")
        part.replace(self.folder / name)

    def link(self, page: Path) -> str:
        """A page of the data docs as a link from a page beside them."""
        return os.path.relpath(page.resolve(), Path(self.folder or page.parent).resolve())

    def _open(self):
        self._importing.join()
        gx = _library()
        if self._context is None:
            if self.folder is None:
                self._context = gx.get_context(mode="ephemeral")
            else:
                self.folder.mkdir(parents=True, exist_ok=True)
                self._context = gx.get_context(mode="file", project_root_dir=str(self.folder))
            self._context.variables.progress_bars = {
                "globally": False,
                "metric_calculations": False,
            }
            source = self._context.data_sources.add_or_update_pandas("metrics")
            asset = source.add_dataframe_asset("slice")
            self._batch = asset.add_batch_definition_whole_dataframe("whole")
        return gx


def _shown(observed: object) -> str:
    return f"{observed:.4f}" if isinstance(observed, float) else str(observed)


def _expected(kwargs: Mapping) -> str:
    """The limits of an expectation in words."""
    low, high = kwargs.get("min_value"), kwargs.get("max_value")
    if low == high:
        return f"{low}"
    limits = [("at least", low), ("at most", high)]
    return " and ".join(f"{word} {limit}" for word, limit in limits if limit is not None)


def _expectation(gx, entry: Mapping, place: int):
    name = "".join(part.capitalize() for part in entry["type"].split("_"))
    return getattr(gx.expectations, name)(
        severity=entry["severity"], meta={"place": place}, **entry["kwargs"]
    )


def _library():
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    import great_expectations

    logging.getLogger("great_expectations").setLevel(logging.ERROR)
    return great_expectations
