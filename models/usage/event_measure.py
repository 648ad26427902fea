"""The values of measures for many events at a time, where no short SQL formula gives them.

Quantities are in base units. An event begins at a local second of a local day (datetime64[D]).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date

import numpy as np

from models.tariff.amounts import round_over
from models.tariff.measure import Definition, Rounded
from models.tariff.package import DAY_TYPES
from models.tariff.segmentation import DayTypes, Segmentation, Segments

SATURDAY_OR_LATER = 5
THURSDAY = 3  # the weekday of 1970-01-01, counted from Monday
SAFE = 2**60


def day_types(holidays: Collection[date]) -> DayTypes:
    """A function from days to their places in DAY_TYPES.

    A day in `holidays` is a holiday. Any other Saturday or Sunday is a weekend day.
    """
    free = np.array(sorted(holidays), dtype="datetime64[D]")
    workday, weekend, holiday = (
        DAY_TYPES.index(kind) for kind in ("workday", "weekend", "holiday")
    )

    def kinds(days: np.ndarray) -> np.ndarray:
        weekday = (days.astype("datetime64[D]").astype(np.int64) + THURSDAY) % 7
        ordinary = np.where(weekday >= SATURDAY_OR_LATER, weekend, workday)
        return np.where(np.isin(days, free), holiday, ordinary)

    return kinds


class Events:
    """Events as arrays. Each segmentation is cut once, however many measures use it."""

    def __init__(self, quantity: np.ndarray, second: np.ndarray, day: np.ndarray, kinds: DayTypes):
        self.quantity, self.second, self.day, self.kinds = quantity, second, day, kinds
        self._segments: dict[Segmentation, Segments] = {}

    def segments(self, segmentation: Segmentation) -> Segments:
        """The segments of all events, in order of the events and of time within each."""
        if segmentation not in self._segments:
            self._segments[segmentation] = segmentation.cut(
                self.quantity, self.second, self.day, self.kinds
            )
        return self._segments[segmentation]

    def values(self, definition: Definition) -> np.ndarray:
        """The value of a measure for each event (int64)."""
        if isinstance(definition, Rounded):
            return self._rounded(definition)
        segments = self.segments(definition.segmentation)
        values = np.zeros(len(self.quantity), np.int64)
        mine = segments.part == definition.segmentation.parts.index(definition.part)
        np.add.at(values, segments.event[mine], segments.units[mine])
        return values

    def _rounded(self, rounded: Rounded) -> np.ndarray:
        every = [
            (self.segments(segmentation), np.array(by_part))
            for segmentation, by_part in rounded.prices
        ]
        exact = np.where(self.quantity > 0, rounded.connect, 0)
        bound = abs(rounded.connect) + sum(
            int(segments.units.sum()) * int(np.abs(prices).max(initial=0))
            for segments, prices in every
        )
        if 2 * bound * rounded.denominator >= SAFE:
            exact = exact.astype(object)
        for segments, prices in every:
            amounts = prices[segments.part].astype(exact.dtype) * segments.units
            np.add.at(exact, segments.event, amounts)
        quantum = rounded.denominator // 10**rounded.scale
        return round_over(exact, quantum, rounded.mode).astype(np.int64)


def values_of(
    definitions: Sequence[Definition], events: Events, wanted: Sequence[np.ndarray]
) -> np.ndarray:
    """One row per event and one column per definition.

    `wanted` holds one mask of events per definition; the value is 0 where the mask is false.
    """
    columns = [
        np.where(where, events.values(definition), 0)
        for definition, where in zip(definitions, wanted, strict=True)
    ]
    return np.stack(columns, axis=1)
