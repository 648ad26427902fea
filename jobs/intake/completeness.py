"""Whether a delivery has about as many rows as its source usually delivers.

For sources without a control file: half a file looks like a whole one, but has half the rows. The
usual number comes from the ledger, so the check runs when the source's step begins.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from statistics import median

from schemas.config import Source
from schemas.config.source import RowsBand
from schemas.errors import InputError

FEWEST = 3  # deliveries to compare with; with fewer of them there is no check
SMALL = 50  # usual rows; below that the size of a delivery has no drift


def require_usual_rows(
    source: Source, delivered: Mapping[date, int], before: Mapping[date, int]
) -> None:
    """InputError for a day of `delivered` (rows by day) outside the `rows_band` of its source.

    `before`: rows of the committed deliveries by day. Earlier days of `delivered` count as well.
    """
    band = source.files.rows_band
    if band is None:
        return
    for day, compared in _compared(source, band, delivered, before).items():
        rows, usual = delivered[day], Decimal(median(compared))
        if not band.low * usual <= rows <= band.high * usual:
            raise InputError(
                f"{source.id} {day}: {rows:,} rows, expected {band.low * usual:,.0f} to "
                f"{band.high * usual:,.0f} (the median of {len(compared)} comparable deliveries "
                f"is {usual:,.0f}): wait for the rest, widen files.rows_band, or let it pass once "
                "with --accept-rejects"
            )


def drifts(
    source: Source, delivered: Mapping[date, int], before: Mapping[date, int]
) -> dict[str, dict[date, float]]:
    """Rows of each day as a multiple of the usual rows, for `rows_band` and `volume_drift`.

    A day is left out if there are too few deliveries to compare with, or if their median is 0. For
    `volume_drift`, which every source has, it is also left out if their median is small.
    """
    bands = {"rows_band": (source.files.rows_band, 1), "volume_drift": (source.volume_band, SMALL)}
    found: dict[str, dict[date, float]] = {}
    for name, (band, least) in bands.items():
        if band is not None:
            compared = _compared(source, band, delivered, before)
            found[name] = {
                day: delivered[day] / median(rows)
                for day, rows in compared.items()
                if median(rows) >= least
            }
    return found


def _compared(
    source: Source, band: RowsBand, delivered: Mapping[date, int], before: Mapping[date, int]
) -> dict[date, list[int]]:
    """By day the rows of the deliveries to compare with; days with too few are left out."""
    known = {**before, **delivered}
    found: dict[date, list[int]] = {}
    for day in sorted(delivered):
        rows = [known[other] for other in _comparable(source, day, band.days) if other in known]
        if len(rows) >= FEWEST:
            found[day] = rows
    return found


def _comparable(source: Source, day: date, days: int) -> list[date]:
    """The days before `day` to compare with: the same weekday, else the days of the cadence."""
    earlier = [day - timedelta(days=back) for back in range(1, days + 1)]
    if source.cadence.every_day:
        return [other for other in earlier if other.weekday() == day.weekday()]
    return [other for other in earlier if source.cadence.due(other)]
