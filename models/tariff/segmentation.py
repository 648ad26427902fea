"""How the quantity of an event is cut into parts that have one price each 计费分段.

Increments are laid end to end from the start of an event; each belongs to the band and the price
step in which it begins, and an increment that has begun is finished. Positions and sizes are in
base units; with a calendar of bands a base unit is a second of local time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from models.tariff.package import DAY_SECONDS, FACT_VALUES, OFF_PEAK, Package, Rule

DAY_TYPES = FACT_VALUES["day_type"]
WITHOUT_END = 2**62
Part = tuple[str, int]
"""The band ("" where none is told apart) and the number of the price step."""


@dataclass(frozen=True, order=True)
class Steps:
    """The increments of one rule: `first`, then (start, increment) by position, the first at 0."""

    first: int
    steps: tuple[tuple[int, int], ...]

    @classmethod
    def of(cls, rule: Rule) -> Steps:
        """The increments of a rule; of one that is rounded by month the single base units."""
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
    """A step without bands: from position `start` to `end` (None: no end) in `increment`s.

    `first` units are laid at once where it begins (0 but for the first step)."""

    step: int
    start: int
    first: int
    end: int | None
    increment: int


@dataclass(frozen=True, order=True)
class Laying:
    """The increments by band. `calendar` holds (band, day types, from, to) with what no range
    names being off_peak; without one the only band is ""."""

    calendar: tuple[tuple[str, tuple[str, ...], int, int], ...]
    steps: tuple[tuple[str, Steps], ...]

    @classmethod
    def plain(cls, steps: Steps) -> Laying:
        """Without bands."""
        return cls((), (("", steps),))

    @classmethod
    def split(cls, package: Package, steps: Mapping[str, Steps]) -> Laying:
        """By the bands of a package."""
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
        """Without bands the steps begin at fixed positions; one overrun by the last is left out."""
        ((_, steps),) = self.steps
        found, position = [], 0
        ends = [start for start, _ in steps.steps[1:]] + [None]
        for no, ((_, size), end) in enumerate(zip(steps.steps, ends)):
            if end is not None and position >= end:
                continue
            first = steps.first if no == 0 else 0
            found.append(Stretch(no, position, first, end, size))
            if end is not None:
                position += first
                position += -((position - max(position, end)) // size) * size
        return tuple(found)

    def lay(
        self, quantity: np.ndarray, second: np.ndarray, day: np.ndarray, day_types: DayTypes
    ) -> Laid:
        """Cut events: by quantity, and local second and day (datetime64) of the start."""
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
        return Laid.together(found)


DayTypes = Callable[[np.ndarray], np.ndarray]
"""From days (datetime64[D]) to places in DAY_TYPES."""


class Laid(NamedTuple):
    """Parts in the order in which they were laid: number of the event, place in `parts`, units."""

    event: np.ndarray
    part: np.ndarray
    units: np.ndarray

    @classmethod
    def together(cls, found: list[tuple[np.ndarray, np.ndarray, np.ndarray]]) -> Laid:
        """Rounds of laying one after the other, put in order of events."""
        if not found:
            nothing = np.zeros(0, dtype=np.int64)
            return cls(nothing, nothing, nothing)
        event, part, units = (np.concatenate(column) for column in zip(*found))
        order = np.argsort(event, kind="stable")
        return cls(event[order], part[order], units[order])


class _Table:
    """A laying as arrays: bands by second for each day type, steps by position for each band."""

    def __init__(self, laying: Laying):
        self.bands = [band for band, _ in laying.steps]
        self.calendar = laying.calendar
        deepest = max(len(steps.steps) for _, steps in laying.steps)
        self.first = np.array([steps.first for _, steps in laying.steps], dtype=np.int64)
        self.starts = np.full((len(self.bands), deepest + 1), WITHOUT_END, dtype=np.int64)
        self.sizes = np.ones((len(self.bands), deepest), dtype=np.int64)
        self.part = np.full((len(self.bands), deepest), -1, dtype=np.int64)
        for band, (name, steps) in enumerate(laying.steps):
            for no, (start, size) in enumerate(steps.steps):
                self.starts[band, no], self.sizes[band, no] = start, size
                if (name, no) in laying.parts:
                    self.part[band, no] = laying.parts.index((name, no))
        self.cuts = np.array(
            sorted(
                {0, DAY_SECONDS}
                | {second for _, _, start, end in laying.calendar for second in (start, end)}
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

    def band(self, moment: np.ndarray, day: np.ndarray, day_types: DayTypes):
        """The band at so many seconds after the midnight of a day, and for how long it is sure."""
        if not self.calendar:
            return np.zeros(len(moment), dtype=np.int64), np.full(len(moment), WITHOUT_END // 2)
        second = moment % DAY_SECONDS
        slot = np.searchsorted(self.cuts, second, side="right") - 1
        kind = day_types(day + (moment // DAY_SECONDS).astype("timedelta64[D]"))
        return self.band_of[kind, slot], self.cuts[slot + 1] - second

    def step(self, band: np.ndarray, position: np.ndarray):
        """Part, increment and end of the step at a position."""
        step = np.zeros(len(band), dtype=np.int64)
        for start in self.starts[:, 1:-1].T:
            step += start[band] <= position
        return self.part[band, step], self.sizes[band, step], self.starts[band, step + 1]
