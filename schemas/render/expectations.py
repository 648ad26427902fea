"""Great Expectations rendering of a contract: the expectations on the metrics of a slice.

A suite is evaluated over a frame of one row: the metrics of a slice, counted in the pass that
writes it. Evaluating the rows themselves would cost many jobs. Suites are plain dictionaries,
because only the module that runs them imports the library.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from schemas.config.source import ShareLimits, Source
from schemas.contract import Contract

_Limit = int | Decimal | None
_Limits = tuple[_Limit, _Limit, str]  # low, high, severity

CRITICAL, WARNING = "critical", "warning"
BETWEEN = "expect_column_values_to_be_between"
AGAINST_CONTROL = "rows_against_control"
ROW_WARNING = "warning: "  # followed by its reason: the number of rows kept with it
# Checks that an operator may accept for once. Unaccounted rows are never accepted.
PASSABLE = (
    "reject_share",
    "duplicate_share",
    "missing_reference_share",
    "unlisted_code_share",
    "unreadable_share",
    "rows_band",
    "unheld_share",
)
# Events of numbers that nobody held: their share of a day is judged, their counts are kept.
UNHELD_SHARE, UNHELD_EVENTS = "unheld_share", "unheld_events"
# Without limits of its own, a source is judged where one event more or less is no large share.
OWNERS, FEWEST_EVENTS = ShareLimits(Decimal("0.01"), Decimal("0.20")), 50
DUPLICATES, FEWEST_ROWS = ShareLimits(Decimal("0.02"), Decimal("0.50")), 100


def suite(contract: Contract) -> list[dict[str, Any]]:
    """Expectations over the metrics of a table's slice, as {type, kwargs, severity}.

    Metrics: `rows`, `key_duplicates` (rows that repeat a key within the slice) and `null_<column>`
    of each required column of the key. If a critical one fails, the slice is not committed. If a
    warning fails, it is only recorded.
    """
    found = [_between("key_duplicates", 0, 0, CRITICAL)]
    found += [
        _between(f"null_{name}", 0, 0, CRITICAL)
        for name in contract.key
        if contract.column(name).required
    ]
    a_snapshot = contract.layer in ("dw", "mart") and contract.slice == "data_date"
    if a_snapshot and not contract.empty_is_usual:
        found.append(_between("rows", 1, None, WARNING))
    return found


def delivery_suite(source: Source, metrics: Mapping[str, float]) -> list[dict[str, Any]]:
    """Expectations over the metrics of a delivery (models.intake.delivery_metrics), as in `suite`.

    A metric that the delivery does not have gets none. This is so for a record without references,
    a source without a band, too few deliveries to compare, and a source without events. Repeats in
    few rows are not judged, unless the source has limits of its own.
    """
    many = metrics["delivered"] >= FEWEST_ROWS
    rows_band, usual = source.files.rows_band, source.volume_band
    limits_of: dict[str, list[_Limits]] = {
        AGAINST_CONTROL: [(0, 0, CRITICAL)],
        "reject_share": _limits(source.rejects),
        "duplicate_share": _limits(source.duplicates or DUPLICATES)
        if many or source.duplicates
        else [],
        "missing_reference_share": _limits(source.references or source.rejects),
        # Each such row is a warning. As many of them as rejects that stop mean a wrong list.
        "unlisted_code_share": [(None, source.rejects.stop_share, CRITICAL)],
        # Likewise: as many of them mean that the column is written in another form.
        "unreadable_share": [(None, source.rejects.stop_share, CRITICAL)],
        "rows_band": [(rows_band.low, rows_band.high, CRITICAL)] if rows_band else [],
        "volume_drift": [(usual.low, usual.high, WARNING)],
        "late_share": [(None, source.late_share, WARNING)],
        "newest_event_age": [(None, source.late_after_days, WARNING)],
    }
    limits_of |= {name: [(0, 0, WARNING)] for name in metrics if name.startswith(ROW_WARNING)}
    return [
        _between(name, *limits)
        for name, several in limits_of.items()
        if name in metrics
        for limits in several
    ]


def parts_suite() -> list[dict[str, Any]]:
    """Expectations over the metric `missing_parts` of a source that numbers the parts of events."""
    return [_between("missing_parts", 0, 0, WARNING)]


def taken_suite() -> list[dict[str, Any]]:
    """Expectations over the rows of a source of several tables that become a record of none."""
    return [_between("rows_of_no_table", 0, 0, WARNING)]


def owners_limits(source: Source) -> ShareLimits:
    """The limits of the share of a day's events whose number nobody held at that instant."""
    return source.owners or OWNERS


def owners_are_judged(source: Source, events: int) -> bool:
    """Whether the share of a day with so many events is judged."""
    return source.owners is not None or events >= FEWEST_EVENTS


def owners_suite(source: Source) -> list[dict[str, Any]]:
    """Expectations over `unheld_share` of a day of the source, as in `suite`."""
    return [_between(UNHELD_SHARE, *limits) for limits in _limits(owners_limits(source))]


def _limits(limits: ShareLimits) -> list[_Limits]:
    return [(None, limits.stop_share, CRITICAL), (None, limits.warn_share, WARNING)]


def _between(column: str, low: _Limit, high: _Limit, severity: str) -> dict[str, Any]:
    def number(limit: _Limit) -> int | float | None:
        """The library does not compare a Decimal with a float."""
        return limit if limit is None or isinstance(limit, int) else float(limit)

    return {
        "type": BETWEEN,
        "severity": severity,
        "kwargs": {"column": column, "min_value": number(low), "max_value": number(high)},
    }
