"""Local time as bands need it: the type of a day, and the instants at which clocks are changed."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np

from models.tariff.package import DAY_SECONDS, DAY_TYPES

SATURDAY_OR_LATER = 5
THURSDAY = 3  # the weekday of 1970-01-01, counted from Monday
NEVER_CHANGED = "UTC"
LASTING = ("ods.voice_call", "ods.wlan_session")
"""The tables of events that are measured by the clock, so that a change of it can be inside one."""


class LocalTime:
    """The calendar and the clock of a time zone.

    A day in `holidays` is a holiday. Any other Saturday or Sunday is a weekend day.
    """

    def __init__(self, holidays: Collection[date] = (), zone: str = NEVER_CHANGED):
        self._holidays = np.array(sorted(holidays), dtype="datetime64[D]")
        self._zone = zone

    def day_types(self, days: np.ndarray) -> np.ndarray:
        """The places in DAY_TYPES of days (datetime64[D])."""
        workday, weekend, holiday = (
            DAY_TYPES.index(kind) for kind in ("workday", "weekend", "holiday")
        )
        weekday = (days.astype("datetime64[D]").astype(np.int64) + THURSDAY) % 7
        ordinary = np.where(weekday >= SATURDAY_OR_LATER, weekend, workday)
        return np.where(np.isin(days, self._holidays), holiday, ordinary)

    def changes(self, first: int, last: int) -> tuple[np.ndarray, np.ndarray]:
        """The changes of the clock in (first, last], epoch seconds.

        They are in order: the instants, and by how many seconds the clock is put forward.
        """
        years = range(_year(first), _year(last) + 1)
        found = [
            (instant, shift)
            for year in years
            for instant, shift in _changes(self._zone, year)
            if first < instant <= last
        ]
        instants, shifts = np.array(found, dtype=np.int64).reshape(-1, 2).T
        return instants, shifts


def _year(instant: int) -> int:
    return datetime.fromtimestamp(instant, UTC).year


@lru_cache(maxsize=1024)
def _changes(zone: str, year: int) -> tuple[tuple[int, int], ...]:
    """The changes of a year (UTC). There is at most one a day."""
    begin, end = (int(datetime(one, 1, 1, tzinfo=UTC).timestamp()) for one in (year, year + 1))
    found = []
    for after in range(begin, end, DAY_SECONDS):
        before = after - 1
        low, high = before, before + DAY_SECONDS
        shift = _offset(zone, high) - _offset(zone, low)
        if shift:
            while high - low > 1:
                middle = (low + high) // 2
                if _offset(zone, middle) == _offset(zone, before):
                    low = middle
                else:
                    high = middle
            found.append((high, shift))
    return tuple(found)


def _offset(zone: str, instant: int) -> int:
    """Seconds by which local time is ahead of UTC."""
    offset = datetime.fromtimestamp(instant, ZoneInfo(zone)).utcoffset()
    return int(offset.total_seconds()) if offset else 0
