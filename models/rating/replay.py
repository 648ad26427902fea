"""The replay 免费资源分摊: splits free units event by event, in order of answer time.

It is needed only if the usage cube cannot tell which units were free. The split does not depend on
prices, only on the *signature* of a package: its rules without prices, its increments and its pools
(and its prices, with rounding at event). Packages with one signature share one replay; after it
they are priced by arithmetic again (models/rating/settlement.py). The replay works on whole Arrow
batches, without Python per event.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from models.rating.package_compiler import Key, every_key, keys, rerated
from models.tariff.amounts import round_over
from models.tariff.charge import Charge
from models.tariff.package import Facts, Package, denominator
from models.tariff.segmentation import Segmentation
from models.usage.event_measure import Events


class Split(NamedTuple):
    """The split of some customer-months, one column per month.

    - `paid`: units to pay, by slot (see `Replay.slots`);
    - `left`: units left, by pool in their order;
    - `rounded`: amounts rounded event by event, by line, counted in the quantum.
    """

    paid: np.ndarray
    left: np.ndarray
    rounded: np.ndarray


class ServiceEvents(NamedTuple):
    """The events of one service in order of their customer-month and of answer time.

    - `cell`: the place of the cell of each event;
    - `row`: its customer-month (-1: not in this replay);
    - `place`: its place among the events of all services.
    """

    events: Events
    cell: np.ndarray
    row: np.ndarray
    place: np.ndarray


@dataclass(frozen=True)
class Shape:
    """How the events of some cells draw on pools.

    - `components`: by component a segmentation, and the slot of each part (-1: summed up by month);
    - `connect`: all connect fees together, in 1/denominator yuan;
    - `line`: the line on which the events are rounded (-1: none).
    """

    components: tuple[tuple[Segmentation, tuple[int, ...]], ...]
    connect: int
    line: int

    @property
    def takes(self) -> bool:
        """Whether an event of these cells adds anything to the split."""
        return self.line >= 0 or any(slot >= 0 for _, slots in self.components for slot in slots)


class Replay:
    """The replay of one signature over `cells`, the facts of dw.rating_cell in order of cell_id.

    `slots` are all keys of the signature: units are counted by slot. With `all_toll` all long
    distance is re-rated.
    """

    def __init__(self, package: Package, cells: Sequence[Facts], *, all_toll: bool):
        self.package = package
        self.slots = every_key(package, all_toll=all_toll)
        self.lines = sorted({key.line for key in self.slots if key.line})
        self.pools = sorted(package.pools, key=lambda pool: pool.order)
        self.denominator = denominator(package) * 10**package.rounding.scale
        self.prices = np.array(
            [
                int(package.rules[key.rule_no].settled_price_of(key.step) * self.denominator)
                for key in self.slots
            ],
            dtype=object,
        )
        self.exchange = np.array(
            [package.rules[key.rule_no].exchange for key in self.slots], dtype=np.int64
        )
        self.draws = np.array(
            [[pool.id in key.pools for key in self.slots] for pool in self.pools], dtype=bool
        )
        places = {key: no for no, key in enumerate(self.slots)}
        shapes: dict[Shape, int] = {}
        self.shape_of = np.array(
            [
                shapes.setdefault(self._shape(cell, due, places), len(shapes))
                for cell, due in (
                    (cell, rerated(package, cell, all_toll=all_toll)[0]) for cell in cells
                )
            ],
            dtype=np.int64,
        )
        self.shapes = tuple(shapes)
        self.takes = np.array([shape.takes for shape in self.shapes], dtype=bool)[self.shape_of]
        self.segmentations = tuple(self._segmentations())

    def _segmentations(self) -> Iterator[tuple[Segmentation, np.ndarray]]:
        """Each segmentation by component, and the slot of each of its parts by shape (-1: none)."""
        for place in range(max((len(shape.components) for shape in self.shapes), default=0)):
            slots: dict[Segmentation, np.ndarray] = {}
            for no, shape in enumerate(self.shapes):
                for segmentation, by_part in shape.components[place : place + 1]:
                    nothing = np.full((len(self.shapes), len(by_part)), -1, dtype=np.int64)
                    slots.setdefault(segmentation, nothing)[no] = by_part
            yield from slots.items()

    def _shape(self, cell: Facts, due: Sequence[Charge], places: Mapping[Key, int]) -> Shape:
        components = []
        by_charge = keys(self.package, cell, due)
        for charge, by_part in zip(due, by_charge, strict=True):
            slots = tuple(
                -1 if charge.monthly else places[by_part[part]]
                for part in charge.segmentation.parts
            )
            components.append((charge.segmentation, slots))
        line = next((key.line for by_part in by_charge for key in by_part.values()), ())
        connect = sum(int(charge.rule.connect * self.denominator) for charge in due)
        return Shape(tuple(components), connect, self.lines.index(line) if line else -1)

    def split(self, uses: Sequence[ServiceEvents], sizes: np.ndarray) -> Split:
        """Replay the events of all services of the package.

        `sizes` are the free base units by pool and row, including carried units.
        """
        rows = sizes.shape[1]
        left, paid = sizes.copy(), np.zeros(len(self.slots) * rows, dtype=np.int64)
        cell, row, place = (np.concatenate([use[part] for use in uses]) for part in (1, 2, 3))
        event, slot, units = self._segments(uses)
        order = np.flatnonzero(np.any(self.draws, axis=0)[slot])
        order = order[np.argsort(place[event[order]], kind="stable")]
        drawn, where, rest = slot[order], row[event[order]], units[order]
        for no in range(len(self.pools)):
            free = _first_free(np.where(self.draws[no, drawn], rest, 0), where, sizes[no])
            rest = rest - free
            left[no] -= _by_row(free, where, rows)
        units[order] = rest
        np.add.at(paid, slot * rows + row[event], units)
        rounded = np.zeros((len(self.lines), rows), dtype=np.int64)
        if self.lines:
            shape, here = self.shape_of[cell], row >= 0
            exact = self._connects(uses, shape)
            np.add.at(exact, event, self.prices[slot] * units)
            self._round(rounded, exact[here], shape[here], row[here])
        return Split(paid.reshape(len(self.slots), rows), left, rounded)

    def _connects(self, uses: Sequence[ServiceEvents], shape: np.ndarray) -> np.ndarray:
        """Connect fees by event; only rounding event by event needs them."""
        fees = np.array([one.connect for one in self.shapes], dtype=object)
        quantity = np.concatenate([use.events.quantity for use in uses])
        return np.where(quantity > 0, fees[shape], 0)

    def _segments(self, uses: Sequence[ServiceEvents]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The segments of all events in this replay: event, slot, and base units of the pools.

        They are in order of the services, of the components, and of the events of each component.
        """
        nothing = np.zeros(0, np.int64)
        found, before = [(nothing, nothing, nothing)], 0
        for use in uses:
            for event, slot, units in self._segments_of(use):
                found.append((event + before, slot, units * self.exchange[slot]))
            before += len(use.row)
        event, slot, units = (np.concatenate(column) for column in zip(*found, strict=True))
        return event, slot, units

    def _segments_of(
        self, use: ServiceEvents
    ) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """The segments of the events of a service by component: event, slot, units."""
        shapes = np.unique(self.shape_of[use.cell])
        for segmentation, slots in self.segmentations:
            if not (slots[shapes] >= 0).any():
                continue  # of another service: a session of a day has many seconds to cut
            segments = use.events.segments(segmentation)
            some = np.flatnonzero(use.row[segments.event] >= 0)
            event, part = segments.event[some], segments.part[some]
            slot = slots[self.shape_of[use.cell[event]], part]
            kept = np.flatnonzero(slot >= 0)
            yield event[kept], slot[kept], segments.units[some[kept]]

    def _round(
        self, rounded: np.ndarray, exact: np.ndarray, shape: np.ndarray, row: np.ndarray
    ) -> None:
        """Add the rounded amounts of events to the lines of their customer-months."""
        rounding = self.package.rounding
        quantum = self.denominator // 10**rounding.scale
        line = np.array([one.line for one in self.shapes], dtype=np.int64)[shape]
        mine = line >= 0
        amounts = round_over(exact[mine], quantum, rounding.mode).astype(np.int64)
        np.add.at(rounded, (line[mine], row[mine]), amounts)


def _first_free(units: np.ndarray, row: np.ndarray, size: np.ndarray) -> np.ndarray:
    """The free units: those that fit into the size of their row. Units are in order of rows."""
    total = np.cumsum(units)
    begins = np.flatnonzero(np.diff(row, prepend=-1))
    before = total - units
    base = np.repeat(before[begins], np.diff(begins, append=len(row)))
    free: np.ndarray = np.clip(size[row] - (before - base), 0, units)
    return free


def _by_row(values: np.ndarray, row: np.ndarray, rows: int) -> np.ndarray:
    """The sum of the values of each of `rows` rows."""
    added = np.zeros(rows, dtype=np.int64)
    np.add.at(added, row, values)
    return added
