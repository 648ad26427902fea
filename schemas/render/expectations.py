"""Great Expectations rendering of a contract: what the metrics of a slice have to satisfy.

A suite is judged over a frame of one row, the metrics of a slice, counted in the pass that writes
it; judging the rows themselves would cost many jobs. Plain dictionaries: the library is imported
only where they are run.
"""

from collections.abc import Iterable
from typing import Any

from schemas.config.source import ShareLimits, Source
from schemas.contract import Contract

CRITICAL, WARNING = "critical", "warning"
BETWEEN = "expect_column_values_to_be_between"
AGAINST_CONTROL = "rows_against_control"
ROW_WARNING = "warning: "  # and its reason: the rows that were kept with it
# What an operator may let pass for once. Rows that nobody can account for are never let pass.
PASSABLE = ("reject_share", "missing_reference_share", "unlisted_code_share", "rows_band")


def suite(contract: Contract) -> list[dict[str, Any]]:
    """Expectations over the metrics of a table's slice, as {type, kwargs, severity}.

    Metrics: `rows`, `key_duplicates` (rows that repeat a key within the slice) and `null_<column>`
    of each required column of the key. Critical: the slice is not committed. Warning: it is
    recorded.
    """
    found = [_between("key_duplicates", 0, 0, CRITICAL)]
    found += [
        _between(f"null_{name}", 0, 0, CRITICAL)
        for name in contract.key
        if contract.column(name).required
    ]
    if contract.layer in ("dw", "mart") and contract.slice == "data_date":
        found.append(_between("rows", 1, None, WARNING))
    return found


def delivery_suite(source: Source, metrics: Iterable[str]) -> list[dict[str, Any]]:
    """Expectations over the metrics of a delivery (models/delivery_figures.py), as in `suite`.

    A metric that a delivery does not have is not judged: a record without references, a source
    without a band or with too few deliveries to compare, one that delivers no events.
    """
    rows_band, usual = source.files.rows_band, source.volume_band
    judged = {
        AGAINST_CONTROL: [(0, 0, CRITICAL)],
        "reject_share": _limits(source.rejects),
        "missing_reference_share": _limits(source.references or source.rejects),
        # Each is counted as a warning; with as many as would stop it as rejects the list is wrong.
        "unlisted_code_share": [(None, source.rejects.stop_share, CRITICAL)],
        "rows_band": [(rows_band.low, rows_band.high, CRITICAL)] if rows_band else [],
        "volume_drift": [(usual.low, usual.high, WARNING)],
        "late_share": [(None, source.late_share, WARNING)],
        "newest_event_age": [(None, source.late_after_days, WARNING)],
    }
    judged |= {name: [(0, 0, WARNING)] for name in metrics if name.startswith(ROW_WARNING)}
    return [
        _between(name, *limits)
        for name, several in judged.items()
        if name in metrics
        for limits in several
    ]


def _limits(limits: ShareLimits) -> list[tuple]:
    return [(None, limits.stop_share, CRITICAL), (None, limits.warn_share, WARNING)]


def _between(column: str, low, high, severity: str) -> dict[str, Any]:
    def number(limit):  # a share is a Decimal, which the library does not compare with a float
        return limit if limit is None or isinstance(limit, int) else float(limit)

    return {
        "type": BETWEEN,
        "severity": severity,
        "kwargs": {"column": column, "min_value": number(low), "max_value": number(high)},
    }
