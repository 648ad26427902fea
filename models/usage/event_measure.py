"""What one event adds to a measure, many events at a time, where no short formula says it.

Quantities are in base units; an event begins at a local second of a local day (datetime64[D]).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date

import numpy as np

from models.tariff.measure import Definition, Rounded, Units
from models.tariff.rounding import round_over
from models.tariff.segmentation import DAY_TYPES, DayTypes, Laid, Laying

SATURDAY_OR_LATER = 5
THURSDAY = 3  # 1970-01-01, counted from Monday
SAFE = 2**60


def day_types(holidays: Collection[date]) -> DayTypes:
    """Places in DAY_TYPES of days: a day in `holidays` is a holiday, else Saturday and Sunday are
    weekend."""
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
    """Events as arrays; each laying is laid out once, however many measures ask for it."""

    def __init__(self, quantity: np.ndarray, second: np.ndarray, day: np.ndarray, kinds: DayTypes):
        self.quantity, self.second, self.day, self.kinds = quantity, second, day, kinds
        self._laid: dict[Laying, Laid] = {}

    def laid(self, laying: Laying) -> Laid:
        """The parts of all events in the order in which they are laid."""
        if laying not in self._laid:
            self._laid[laying] = laying.lay(self.quantity, self.second, self.day, self.kinds)
        return self._laid[laying]

    def values(self, definition: Definition) -> np.ndarray:
        """What each event adds to a measure (int64)."""
        if isinstance(definition, Units):
            laid, values = self.laid(definition.laying), np.zeros(len(self.quantity), np.int64)
            mine = laid.part == definition.laying.parts.index(definition.part)
            np.add.at(values, laid.event[mine], laid.units[mine])
            return values
        return self._rounded(definition)

    def _rounded(self, rounded: Rounded) -> np.ndarray:
        every = [(self.laid(laying), np.array(by_part)) for laying, by_part in rounded.prices]
        exact = np.where(self.quantity > 0, rounded.connect, 0)
        bound = abs(rounded.connect) + sum(
            int(laid.units.sum()) * int(np.abs(prices).max(initial=0)) for laid, prices in every
        )
        if 2 * bound * rounded.denominator >= SAFE:
            exact = exact.astype(object)
        for laid, prices in every:
            np.add.at(exact, laid.event, prices[laid.part].astype(exact.dtype) * laid.units)
        quantum = rounded.denominator // 10**rounded.scale
        return round_over(exact, quantum, rounded.mode).astype(np.int64)


def values_of(
    definitions: Sequence[Definition], events: Events, wanted: Sequence[np.ndarray]
) -> np.ndarray:
    """Row per event, column per definition: its value where `wanted` says so, else 0."""
    columns = [
        np.where(where, events.values(definition), 0)
        for definition, where in zip(definitions, wanted)
    ]
    return np.stack(columns, axis=1)
