"""Segmentation 计费分段: how the quantity of an event is cut into parts that have one price each.

Increments follow one another from the start of an event. Each belongs to the band and the price
step in which it begins, and an increment that has begun is finished. Positions and sizes are in
base units; with a calendar of bands, a base unit is a second of local time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from models.tariff.package import DAY_SECONDS, DAY_TYPES, OFF_PEAK, Package, Rule

WITHOUT_END = 2**62
Part = tuple[str, int]
"""The band ("" if bands are not distinguished) and the number of the price step."""
DayTypes = Callable[[np.ndarray], np.ndarray]
"""From days (datetime64[D]) to places in DAY_TYPES."""


@dataclass(frozen=True, order=True)
class Steps:
    """The increments of one rule: `first`, then (start, increment) by position, the first at 0."""

    first: int
    steps: tuple[tuple[int, int], ...]

    @classmethod
    def of(cls, rule: Rule) -> Steps:
        """The increments of a rule; single base units for a rule that is rounded by month."""
        if rule.increment_at == "month":
            return cls(1, ((0, 1),))
        if rule.groups:
            return cls(
                rule.groups[0].increment,
                tuple((step.start, step.increment) for step in rule.groups),
            )
        first, following = rule.increment
        return cls(first, ((0, following),))


class Stretch(NamedTuple):
    """A price step without bands: from position `start` to `end` (None: no end) in `increment`s.

    `first` units are billed at once where the step begins; it is 0 for all but the first step.
    """

    step: int
    start: int
    first: int
    end: int | None
    increment: int


@dataclass(frozen=True, order=True)
class Segmentation:
    """The increments by band.

    `calendar` holds (band, day types, from, to); what no range names is off_peak. Without a
    calendar, the only band is "".
    """

    calendar: tuple[tuple[str, tuple[str, ...], int, int], ...]
    steps: tuple[tuple[str, Steps], ...]

    @classmethod
    def plain(cls, steps: Steps) -> Segmentation:
        """A segmentation without bands."""
        return cls((), (("", steps),))

    @classmethod
    def by_band(cls, package: Package, steps: Mapping[str, Steps]) -> Segmentation:
        """A segmentation by the bands of a package; `steps` holds the increments of each band."""
        calendar = (
            (part.band, tuple(sorted(part.days)), part.start, part.end) for part in package.bands
        )
        return cls(tuple(sorted(calendar)), tuple(sorted(steps.items())))

    @cached_property
    def parts(self) -> tuple[Part, ...]:
        """Every part that an event can have."""
        if not self.calendar:
            return tuple(("", stretch.step) for stretch in self.stretches)
        return tuple((band, no) for band, steps in self.steps for no in range(len(steps.steps)))

    @cached_property
    def stretches(self) -> tuple[Stretch, ...]:
        """Without bands, the steps begin at fixed positions.

        A step is left out if the last increment of the step before runs past its end.
        """
        ((_, steps),) = self.steps
        found, position = [], 0
        ends = [*(start for start, _ in steps.steps[1:]), None]
        for no, ((_, size), end) in enumerate(zip(steps.steps, ends, strict=True)):
            if end is not None and position >= end:
                continue
            first = steps.first if no == 0 else 0
            found.append(Stretch(no, position, first, end, size))
            if end is not None:
                position += first
                position += -((position - max(position, end)) // size) * size
        return tuple(found)

    def cut(
        self, quantity: np.ndarray, second: np.ndarray, day: np.ndarray, day_types: DayTypes
    ) -> Segments:
        """Cut events. `second` and `day` (datetime64[D]) are the local start of each event."""
        table = _Table(self)
        position = np.zeros(len(quantity), dtype=np.int64)
        active = np.flatnonzero(quantity > 0)
        found: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
        while len(active):
            here, wanted = position[active], quantity[active]
            band, room = table.band(here + second[active], day[active], day_types)
            part, size, end = table.step(band, here)
            end = np.minimum(np.minimum(wanted, here + room), end)
            units = -((here - end) // size) * size
            opening = (here == 0) & (table.first[band] != size)
            units = np.where(opening, table.first[band], units)
            found.append((active, part, units))
            position[active] += units
            active = active[position[active] < wanted]
        return Segments.together(found)


class Segments(NamedTuple):
    """The segments of events: number of the event, place in `Segmentation.parts`, billed units.

    They are in order of the events, and of time within each event.
    """

    event: np.ndarray
    part: np.ndarray
    units: np.ndarray

    @classmethod
    def together(cls, found: list[tuple[np.ndarray, np.ndarray, np.ndarray]]) -> Segments:
        """The segments of successive rounds of cutting, put in order of events."""
        if not found:
            nothing = np.zeros(0, dtype=np.int64)
            return cls(nothing, nothing, nothing)
        event, part, units = (np.concatenate(column) for column in zip(*found, strict=True))
        order = np.argsort(event, kind="stable")
        return cls(event[order], part[order], units[order])


class _Table:
    """A segmentation as arrays: bands by second for each day type, steps by position per band."""

    def __init__(self, segmentation: Segmentation):
        self.bands = [band for band, _ in segmentation.steps]
        self.calendar = segmentation.calendar
        deepest = max(len(steps.steps) for _, steps in segmentation.steps)
        self.first = np.array([steps.first for _, steps in segmentation.steps], dtype=np.int64)
        self.starts = np.full((len(self.bands), deepest + 1), WITHOUT_END, dtype=np.int64)
        self.sizes = np.ones((len(self.bands), deepest), dtype=np.int64)
        self.part = np.full((len(self.bands), deepest), -1, dtype=np.int64)
        for band, (name, steps) in enumerate(segmentation.steps):
            for no, (start, size) in enumerate(steps.steps):
                self.starts[band, no], self.sizes[band, no] = start, size
                if (name, no) in segmentation.parts:
                    self.part[band, no] = segmentation.parts.index((name, no))
        self.cuts = np.array(
            sorted(
                {0, DAY_SECONDS}
                | {second for _, _, start, end in segmentation.calendar for second in (start, end)}
            )
        )
        self.band_of = np.array(
            [[self._named(kind, second) for second in self.cuts[:-1]] for kind in DAY_TYPES]
        )

    def _named(self, day_type: str, second: int) -> int:
        if not self.calendar:
            return 0
        for band, days, start, end in self.calendar:
            if day_type in days and start <= second < end:
                return self.bands.index(band)
        return self.bands.index(OFF_PEAK)

    def band(
        self, moment: np.ndarray, day: np.ndarray, day_types: DayTypes
    ) -> tuple[np.ndarray, np.ndarray]:
        """The band of a moment, and for how many seconds it holds at least.

        `moment` counts seconds from the midnight at which `day` begins.
        """
        if not self.calendar:
            return np.zeros(len(moment), dtype=np.int64), np.full(len(moment), WITHOUT_END // 2)
        second = moment % DAY_SECONDS
        slot = np.searchsorted(self.cuts, second, side="right") - 1
        kind = day_types(day + (moment // DAY_SECONDS).astype("timedelta64[D]"))
        return self.band_of[kind, slot], self.cuts[slot + 1] - second

    def step(
        self, band: np.ndarray, position: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Part, increment and end of the step at a position."""
        step = np.zeros(len(band), dtype=np.int64)
        for start in self.starts[:, 1:-1].T:
            step += start[band] <= position
        return self.part[band, step], self.sizes[band, step], self.starts[band, step + 1]
