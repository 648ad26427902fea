"""The values of measures for many events at a time, where no short SQL formula gives them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from models.tariff.amounts import round_over
from models.tariff.measure import Definition, Rounded
from models.tariff.segmentation import LocalTime, Segmentation, Segments, Starts

SAFE = 2**60


class Events:
    """Events as arrays, with quantities in base units.

    Each segmentation is laid out once, however many measures use it.
    """

    def __init__(self, quantity: np.ndarray, starts: Starts, local: LocalTime):
        self.quantity, self.starts, self.local = quantity, starts, local
        self._segments: dict[Segmentation, Segments] = {}
        self._totals: dict[Segmentation, np.ndarray] = {}

    def segments(self, segmentation: Segmentation) -> Segments:
        """The segments of all events, in order of the events and of time within each."""
        if segmentation not in self._segments:
            self._segments[segmentation] = segmentation.cut(self.quantity, self.starts, self.local)
        return self._segments[segmentation]

    def totals(self, segmentation: Segmentation) -> np.ndarray:
        """The billed units of each event (row) in each part of a segmentation (column)."""
        if segmentation not in self._totals:
            self._totals[segmentation] = segmentation.totals(self.quantity, self.starts, self.local)
        return self._totals[segmentation]

    def values(self, definition: Definition) -> np.ndarray:
        """The value of a measure for each event (int64)."""
        if isinstance(definition, Rounded):
            return self._rounded(definition)
        segmentation = definition.segmentation
        column: np.ndarray = self.totals(segmentation)[:, segmentation.parts.index(definition.part)]
        return column

    def _rounded(self, rounded: Rounded) -> np.ndarray:
        every = [
            (self.totals(segmentation), np.array(by_part))
            for segmentation, by_part in rounded.prices
        ]
        exact = np.where(self.quantity > 0, rounded.connect, 0)
        bound = abs(rounded.connect) + sum(
            int(units.sum(axis=1).max(initial=0)) * int(np.abs(prices).max(initial=0))
            for units, prices in every
        )
        if 2 * bound * rounded.denominator >= SAFE:
            exact = exact.astype(object)
        for units, prices in every:
            exact = exact + units.astype(exact.dtype) @ prices.astype(exact.dtype)
        quantum = rounded.denominator // 10**rounded.scale
        return round_over(exact, quantum, rounded.mode).astype(np.int64)


def values_of(
    definitions: Sequence[Definition],
    services: Sequence[int],
    service: np.ndarray,
    quantity: np.ndarray,
    starts: Starts,
    local: LocalTime,
) -> np.ndarray:
    """One row per event and one column per definition.

    `services` holds the service of each definition, `service` that of each event. An event is laid
    out only for the measures of its own service; the value of the others is 0.
    """
    table = np.zeros((len(quantity), len(definitions)), dtype=np.int64)
    for one in sorted(set(services)):
        here = np.flatnonzero(service == one)
        events = Events(quantity[here], starts.of(here), local)
        for place, definition in enumerate(definitions):
            if services[place] == one:
                table[here, place] = events.values(definition)
    return table
