"""Great Expectations as the judge of a slice's metrics, and the keeper of the data docs.

Each suite is rendered from a contract and judged over the one row of metrics that the writing pass
has counted, so a judgement costs milliseconds whatever the slice holds. The library takes seconds
to import: that happens in a thread while Spark starts. Its data docs hold the newest judgements of
all runs beside each other, and a night draws only the pages of its own; `ops.quality_result` keeps
them all.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

KEPT = 1000  # suites judged: some weeks of nights; every build reads each of them for its index


@dataclass(frozen=True)
class Judgement:
    """The outcome of one expectation. `observed` is a figure, never a value of a row."""

    check: str
    severity: str
    success: bool
    observed: str
    expected: str


class Judge:
    """Judges metrics, and keeps every judgement of the run in data docs below `folder`."""

    def __init__(self, folder: Path | None, run_id: str) -> None:
        self.folder, self.run_id = folder, run_id
        self._context = self._batch = None
        self._judging = threading.Lock()  # its context is one for all steps
        self._importing = threading.Thread(target=_library, name="expectations", daemon=True)
        self._importing.start()

    def judge(
        self, table: str, slice_: str, metrics: Mapping, suite: Sequence[Mapping]
    ) -> list[Judgement]:
        """Every expectation of the suite over the metrics row, in the suite's order."""
        if not suite:
            return []
        with self._judging:
            return self._judged(table, slice_, metrics, suite)

    def _judged(
        self, table: str, slice_: str, metrics: Mapping, suite: Sequence[Mapping]
    ) -> list[Judgement]:
        gx = self._open()
        import pandas
        from great_expectations.core.run_identifier import RunIdentifier

        made = gx.ExpectationSuite(
            name=table,
            expectations=[_expectation(gx, entry, place) for place, entry in enumerate(suite)],
        )
        made = self._context.suites.add_or_update(made)
        definition = self._context.validation_definitions.add_or_update(
            gx.ValidationDefinition(name=table, data=self._batch, suite=made)
        )
        result = definition.run(
            batch_parameters={"dataframe": pandas.DataFrame([dict(metrics)])},
            result_format="BASIC",
            run_id=RunIdentifier(run_name=f"{self.run_id} {slice_}"),
        )
        passed = {r.expectation_config.meta["place"]: bool(r.success) for r in result.results}
        return [self._judgement(entry, metrics, passed[place]) for place, entry in enumerate(suite)]

    @staticmethod
    def _judgement(entry: Mapping, metrics: Mapping, success: bool) -> Judgement:
        kwargs = entry["kwargs"]
        column, low, high = kwargs["column"], kwargs.get("min_value"), kwargs.get("max_value")
        expected = (
            f"{low}"
            if low == high
            else " and ".join(
                part
                for part in (
                    f"at least {low}" if low is not None else "",
                    f"at most {high}" if high is not None else "",
                )
                if part
            )
        )
        observed = metrics[column]
        shown = f"{observed:.4f}" if isinstance(observed, float) else str(observed)
        return Judgement(column, entry["severity"], success, shown, expected)

    def publish(self) -> Path | None:
        """Bring the data docs up to date; the page to open, or None where nothing was judged."""
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
        return str(page.resolve().relative_to(self.folder.resolve()))

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
