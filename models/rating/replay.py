"""The split of free units, event by event in order of answer time 免费资源分摊.

Needed only where the usage cube cannot tell which units were the free ones. The split does not
depend on prices, only on a package's *signature*: its rules without prices, increments and pools
(with prices where it rounds event by event). Packages of one signature share one replay, so after
it they are arithmetic again (models/settlement.py). Whole Arrow batches, no Python per event.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from models.rating.package_compiler import Key, every_key, keys, rerated
from models.tariff.charge import Charge
from models.tariff.package import Package, denominator
from models.tariff.rounding import round_over
from models.tariff.segmentation import Laying
from models.usage.event_measure import Events


class Split(NamedTuple):
    """One row per customer-month: units to pay by slot (Key), units left by pool in their order,
    amounts rounded event by event by line, in the quantum."""

    paid: np.ndarray
    left: np.ndarray
    rounded: np.ndarray


@dataclass(frozen=True)
class Shape:
    """How the events of some cells draw: by component a laying and the slot of each of its parts
    (-1: summed up by month), the connect fees together in 1/D yuan, and the line that they are
    rounded on (-1: none)."""

    components: tuple[tuple[Laying, tuple[int, ...]], ...]
    connect: int
    line: int

    @property
    def takes(self) -> bool:
        """Whether an event of these cells adds anything to the split."""
        return self.line >= 0 or any(slot >= 0 for _, slots in self.components for slot in slots)


class Replay:
    """One signature over the cells (rows of dw.rating_cell in order of cell_id, as mappings)."""

    def __init__(self, package: Package, cells: Sequence[Mapping], all_toll: bool):
        self.package = package
        self.slots = every_key(package, all_toll)
        self.lines = sorted({key.line for key in self.slots if key.line})
        self.pools = sorted(package.pools, key=lambda pool: pool.order)
        self.denominator = denominator(package) * 10**package.rounding.scale
        self.prices = np.array(
            [
                int(package.rules[key.rule_no].price_of(key.step) * self.denominator)
                for key in self.slots
            ],
            dtype=object,
        )
        self.draws = np.array(
            [[pool.id in key.pools for key in self.slots] for pool in self.pools], dtype=bool
        )
        places = {key: no for no, key in enumerate(self.slots)}
        shapes: dict[Shape, int] = {}
        self.shape_of = np.array(
            [
                shapes.setdefault(
                    self._shape(cell, rerated(package, cell, all_toll)[0], places), len(shapes)
                )
                for cell in cells
            ],
            dtype=np.int64,
        )
        self.shapes = tuple(shapes)
        self.takes = np.array([shape.takes for shape in self.shapes], dtype=bool)[self.shape_of]
        self.layings = tuple(self._layings())

    def _layings(self) -> Iterator[tuple[Laying, np.ndarray]]:
        """By component in their order each laying, and the slot of its parts by shape (-1: none)."""
        for place in range(max((len(shape.components) for shape in self.shapes), default=0)):
            slots: dict[Laying, np.ndarray] = {}
            for no, shape in enumerate(self.shapes):
                for laying, by_part in shape.components[place : place + 1]:
                    nothing = np.full((len(self.shapes), len(by_part)), -1, dtype=np.int64)
                    slots.setdefault(laying, nothing)[no] = by_part
            yield from slots.items()

    def _shape(self, cell: Mapping, due: Sequence[Charge], places: Mapping[Key, int]) -> Shape:
        components = []
        by_charge = keys(self.package, cell, due)
        for charge, by_part in zip(due, by_charge):
            slots = tuple(
                -1 if charge.monthly else places[by_part[part]] for part in charge.laying.parts
            )
            components.append((charge.laying, slots))
        line = next((key.line for by_part in by_charge for key in by_part.values()), ())
        connect = sum(int(charge.rule.connect * self.denominator) for charge in due)
        return Shape(tuple(components), connect, self.lines.index(line) if line else -1)

    def split(self, events: Events, cell: np.ndarray, row: np.ndarray, sizes: np.ndarray) -> Split:
        """Replay events that stand in order of their customer-month (`row`, -1: not this time) and
        answer time.

        `cell` is the place of each event's cell; `sizes` are base units by pool and row, those
        carried in included.
        """
        rows = sizes.shape[1]
        left, paid = sizes.copy(), np.zeros(len(self.slots) * rows, dtype=np.int64)
        event, slot, units, drawing = self._laid(events, cell, row >= 0)
        order = np.flatnonzero(drawing)
        order = order[np.argsort(event[order], kind="stable")]
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
            exact = self._connects(events, shape)
            np.add.at(exact, event, self.prices[slot] * units)
            self._round(rounded, exact[here], shape[here], row[here])
        return Split(paid.reshape(len(self.slots), rows), left, rounded)

    def _connects(self, events: Events, shape: np.ndarray) -> np.ndarray:
        """Connect fees by event; only rounding event by event asks for them."""
        fees = np.array([one.connect for one in self.shapes], dtype=object)
        return np.where(events.quantity > 0, fees[shape], 0)

    def _laid(self, events: Events, cell: np.ndarray, here: np.ndarray):
        """Event, slot and units of everything that is laid of the events `here`, and whether it
        draws on a pool: by component, and within one in order of events."""
        found = [(np.zeros(0, np.int64),) * 3]
        for laying, slots in self.layings:
            laid = events.laid(laying)
            some = np.flatnonzero(here[laid.event])
            event, part = laid.event[some], laid.part[some]
            slot = slots[self.shape_of[cell[event]], part]
            kept = np.flatnonzero(slot >= 0)
            found.append((event[kept], slot[kept], laid.units[some[kept]]))
        event, slot, units = (np.concatenate(column) for column in zip(*found))
        return event, slot, units, self.draws.any(axis=0)[slot]

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
    """Of units that stand in order, row after row, those that fit into the size of their row."""
    total = np.cumsum(units)
    begins = np.flatnonzero(np.diff(row, prepend=-1))
    before = total - units
    base = np.repeat(before[begins], np.diff(begins, append=len(row)))
    return np.clip(size[row] - (before - base), 0, units)


def _by_row(values: np.ndarray, row: np.ndarray, rows: int) -> np.ndarray:
    added = np.zeros(rows, dtype=np.int64)
    np.add.at(added, row, values)
    return added
