"""Segmentation 计费分段: how the quantity of an event is cut into parts that have one price each.

Increments follow one another from the start of an event. Each belongs to the band and the price
step in which it begins, and an increment that has begun is finished. Positions and sizes are in
base units. With a calendar of bands, a base unit is a second that passes: where the clock is put
forward or back during an event, the rest of the event is in the band of the new local time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple, Protocol

import numpy as np

from models.tariff.package import DAY_SECONDS, DAY_TYPES, OFF_PEAK, Package, Rule

WITHOUT_END = 2**62
Part = tuple[str, int]
"""The band ("" if bands are not distinguished) and the number of the price step."""
Found = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Of some segments: the number of the event, the place of the part, the billed units."""


class LocalTime(Protocol):
    """What bands need to know of local time."""

    def day_types(self, days: np.ndarray) -> np.ndarray:
        """The places in DAY_TYPES of days (datetime64[D])."""

    def changes(self, first: int, last: int) -> tuple[np.ndarray, np.ndarray]:
        """The changes of the clock in (first, last], epoch seconds.

        They are in order: the instants, and by how many seconds the clock is put forward.
        """


class Starts(NamedTuple):
    """When events begin: the instant in epoch seconds, local day (datetime64[D]) and second."""

    instant: np.ndarray
    day: np.ndarray
    second: np.ndarray

    def of(self, some: np.ndarray) -> Starts:
        """The starts of some of the events."""
        return Starts(self.instant[some], self.day[some], self.second[some])


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

    def cut(self, quantity: np.ndarray, starts: Starts, local: LocalTime) -> Segments:
        """The segments of events, one by one."""
        return Segments.together(list(_Cut(self, quantity, starts, local).rounds()))

    def totals(self, quantity: np.ndarray, starts: Starts, local: LocalTime) -> np.ndarray:
        """The billed units of events (rows) in each of `parts` (columns).

        Nothing is kept of a segment but its units, and whole days are counted without cutting them
        where all increments are equal: memory does not grow with the quantity.
        """
        found = np.zeros((len(quantity), len(self.parts)), dtype=np.int64)
        for event, part, units in _Cut(self, quantity, starts, local).rounds(whole_days=True):
            found[event, part] += units
        return found


class Segments(NamedTuple):
    """The segments of events: number of the event, place in `Segmentation.parts`, billed units.

    They are in order of the events, and of time within each event.
    """

    event: np.ndarray
    part: np.ndarray
    units: np.ndarray

    @classmethod
    def together(cls, found: list[Found]) -> Segments:
        """The segments of successive rounds of cutting, put in order of events."""
        if not found:
            nothing = np.zeros(0, dtype=np.int64)
            return cls(nothing, nothing, nothing)
        event, part, units = (np.concatenate(column) for column in zip(*found, strict=True))
        order = np.argsort(event, kind="stable")
        return cls(event[order], part[order], units[order])


class _Cut:
    """Events that are cut round by round: each round finds the next segment of each event."""

    def __init__(
        self, segmentation: Segmentation, quantity: np.ndarray, starts: Starts, local: LocalTime
    ):
        self.table, self.quantity, self.starts, self.local = (
            _Table(segmentation),
            quantity,
            starts,
            local,
        )
        self.position = np.zeros(len(quantity), dtype=np.int64)
        nothing = np.zeros(0, dtype=np.int64)
        self.changes, self.forward = nothing, np.zeros(1, dtype=np.int64)
        if segmentation.calendar and len(quantity):
            last = starts.instant + np.maximum(quantity, 0)
            self.changes, shifts = local.changes(int(starts.instant.min()), int(last.max()))
            self.forward = np.append(0, np.cumsum(shifts))
        self.passed = self._passed(starts.instant)

    def _passed(self, instant: np.ndarray) -> np.ndarray:
        """How many changes of the clock there were up to each instant."""
        return np.searchsorted(self.changes, instant, side="right")

    def rounds(self, *, whole_days: bool = False) -> Iterator[Found]:
        """The segments, no event twice in one round, but for whole days: then no part twice."""
        table, position = self.table, self.position
        active = np.flatnonzero(self.quantity > 0)
        while len(active):
            if whole_days and table.daily:
                yield from self._whole_days(active)
                active = active[position[active] < self.quantity[active]]
            here, wanted = position[active], self.quantity[active]
            band, room = self._band(active)
            part, size, end = table.step(band, here)
            end = np.minimum(np.minimum(wanted, here + room), end)
            units = -((here - end) // size) * size
            opening = (here == 0) & (table.first[band] != size)
            units = np.where(opening, table.first[band], units)
            yield active, part, units
            position[active] += units
            active = active[position[active] < wanted]

    def _band(self, active: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The band of each event at its position, and for how many seconds it holds at least."""
        if not self.table.calendar:
            return np.zeros(len(active), dtype=np.int64), np.full(len(active), WITHOUT_END // 2)
        moment, until = self._clock(active)
        day = self.starts.day[active] + (moment // DAY_SECONDS).astype("timedelta64[D]")
        band, room = self.table.band(moment % DAY_SECONDS, self.local.day_types(day))
        return band, np.minimum(room, until)

    def _clock(self, active: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Local seconds since the first midnight, and the seconds until the clock is changed."""
        now, passed = self.starts.instant[active] + self.position[active], self.passed[active]
        changed = self._passed(now)
        forward = self.forward[changed] - self.forward[passed]
        moment = self.starts.second[active] + self.position[active] + forward
        return moment, np.append(self.changes, WITHOUT_END)[changed] - now

    def _whole_days(self, active: np.ndarray) -> Iterator[Found]:
        """Pass over the whole days before events at the first increment of a day.

        It is for increments of one size that divides the day: then they begin at the same seconds
        of each day, so that a day of a type has as many of them in each band as any other.
        """
        table, position = self.table, self.position
        size = table.daily
        active = active[position[active] >= table.settled]
        moment, until = self._clock(active)
        second = moment % DAY_SECONDS
        days = np.minimum(self.quantity[active] - position[active], until) // DAY_SECONDS
        some = np.flatnonzero((second < size) & (days > 0))
        active, second, moment, days = active[some], second[some], moment[some], days[some]
        if not len(active):
            return
        first = (self.starts.day[active] + (moment // DAY_SECONDS)).astype("datetime64[D]")
        every = np.arange(first.min(), (first + days).max())
        kinds = self.local.day_types(every)
        begin = (first - every[0]).astype(np.int64)
        begun = -((second[:, None] - table.cuts) // size)
        for kind in range(len(DAY_TYPES)):
            before = np.append(0, np.cumsum(kinds == kind))
            times = before[begin + days] - before[begin]
            for slot in range(len(table.cuts) - 1):
                units = (begun[:, slot + 1] - begun[:, slot]) * times * size
                part = np.full(len(active), table.last_part[table.band_of[kind, slot]])
                yield active, part, units
        position[active] += days * DAY_SECONDS


class _Table:
    """A segmentation as arrays: bands by second for each day type, steps by position per band.

    From position `settled` on, each band is in its last step, `last_part`. `daily` is the size of
    the increments there if it is one and divides the day, else 0.
    """

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
        every = [steps.steps for _, steps in segmentation.steps]
        self.settled = max(max(steps.first, steps.steps[-1][0]) for _, steps in segmentation.steps)
        sizes = {steps[-1][1] for steps in every}
        (size,) = sizes if len(sizes) == 1 else (0,)
        self.daily = size if self.calendar and size and DAY_SECONDS % size == 0 else 0
        self.last_part = self.part[range(len(every)), [len(steps) - 1 for steps in every]]

    def _named(self, day_type: str, second: int) -> int:
        if not self.calendar:
            return 0
        for band, days, start, end in self.calendar:
            if day_type in days and start <= second < end:
                return self.bands.index(band)
        return self.bands.index(OFF_PEAK)

    def band(self, second: np.ndarray, kind: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The band of a local second of a day of some type, and how many seconds are left of it."""
        slot = np.searchsorted(self.cuts, second, side="right") - 1
        return self.band_of[kind, slot], self.cuts[slot + 1] - second

    def step(
        self, band: np.ndarray, position: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Part, increment and end of the step at a position."""
        step = np.zeros(len(band), dtype=np.int64)
        for start in self.starts[:, 1:-1].T:
            step += start[band] <= position
        return self.part[band, step], self.sizes[band, step], self.starts[band, step + 1]
