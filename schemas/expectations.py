"""Great Expectations rendering of a contract: what the metrics of a slice have to satisfy.

A suite is judged over a frame of one row, the metrics of a slice, counted in the pass that writes
it; judging the rows themselves would cost many jobs. Plain dictionaries: the library is imported
only where they are run.
"""
from decimal import Decimal
from typing import Any, Mapping

from schemas.contract import Contract

CRITICAL, WARNING = "critical", "warning"
BETWEEN = "expect_column_values_to_be_between"
INGEST_COUNTS = ("delivered", "accepted", "rejected", "duplicate")


def suite(contract: Contract,
          thresholds: Mapping[str, Decimal | str] | None = None) -> list[dict[str, Any]]:
    """Expectations over a row of metrics, as {type, kwargs, severity}.

    A table's slice has the metrics `rows`, `key_duplicates` (rows that repeat a key within the
    slice) and `null_<column>` of each required column of the key. A delivery has `thresholds`, the
    shares of rejected rows `warn_share` and `stop_share` of its source, and the metrics
    INGEST_COUNTS, `unaccounted` = delivered - accepted - rejected - duplicate, and `reject_share` =
    rejected / delivered (0 when nothing was delivered). Critical: the slice is not committed.
    Warning: it is recorded.
    """
    if thresholds is not None:
        return [_between("unaccounted", 0, 0, CRITICAL),
                _between("reject_share", 0.0, float(thresholds["stop_share"]), CRITICAL),
                _between("reject_share", 0.0, float(thresholds["warn_share"]), WARNING)]
    found = [_between("key_duplicates", 0, 0, CRITICAL)]
    found += [_between(f"null_{name}", 0, 0, CRITICAL)
              for name in contract.key if contract.column(name).required]
    if contract.layer in ("dw", "mart") and contract.slice == "data_date":
        found.append(_between("rows", 1, None, WARNING))
    return found


def _between(column: str, low: float, high: float | None, severity: str) -> dict[str, Any]:
    return {"type": BETWEEN, "severity": severity,
            "kwargs": {"column": column, "min_value": low, "max_value": high}}
