"""Whether a delivery holds about as many rows as its source usually delivers.

For sources whose system writes no control file: half a file reads like a whole one, but has half
the rows. What is usual is known from the ledger, so this is settled when the source's step begins.
"""
from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from statistics import median

from schemas.config import Source
from schemas.errors import InputError

FEWEST = 3  # deliveries to compare with; below that nothing is usual yet


def refuse_unusual(source: Source, delivered: Mapping[date, int],
                   before: Mapping[date, int]) -> None:
    """InputError for a day of `delivered` (rows by day) outside the band of its source.

    `before`: rows of the committed deliveries; an earlier day of the same load counts as well.
    """
    band = source.files.rows_band
    if band is None:
        return
    known = {**before, **delivered}
    for day, rows in sorted(delivered.items()):
        compared = [known[other] for other in _comparable(source, day, band.days) if other in known]
        if len(compared) < FEWEST:
            continue
        usual = Decimal(median(compared))
        if not band.low * usual <= rows <= band.high * usual:
            raise InputError(
                f"{source.id} {day}: {rows:,} rows, expected {band.low * usual:,.0f} to "
                f"{band.high * usual:,.0f} (the median of {len(compared)} comparable deliveries "
                f"is {usual:,.0f}): wait for the rest, or widen files.rows_band")


def _comparable(source: Source, day: date, days: int) -> list[date]:
    """The days before `day` whose deliveries are like its own."""
    earlier = [day - timedelta(days=back) for back in range(1, days + 1)]
    if source.cadence.every_day:
        return [other for other in earlier if other.weekday() == day.weekday()]
    return [other for other in earlier if source.cadence.due(other)]
