"""The smoothed plan: how likely each option is taken at given prices, and what that is worth.

Floats here are yuan and serve to find prices and a plan. No sum of money is made of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from models.assignment.options import Options

BLOCK = 16_384  # choosers whose arrays fit the processor's cache
HALVINGS = 40
MICRO = 1e-6


@dataclass(frozen=True)
class Block:
    """Choosers with about as many options: arrays of option × chooser, padded with worth -∞."""

    rows: np.ndarray
    worth: np.ndarray
    kind: np.ndarray
    slots: np.ndarray | None  # None: one slot each

    def plan(self, price: np.ndarray, smoothing: float) -> tuple[np.ndarray, np.ndarray]:
        """The share of each option, and each chooser's smoothed gain, at a price of each kind."""
        scaled = (self.worth - price[self.kind]) / smoothing
        if self.slots is None:
            return _one_slot(scaled, smoothing)
        return _some_slots(scaled, self.slots, smoothing)


def blocks(options: Options, choosers: np.ndarray | None = None) -> Iterator[Block]:
    """The choosers (all unless given) in blocks; those without options are left out."""
    sizes = np.diff(options.start)
    wanted = np.flatnonzero(sizes) if choosers is None else choosers[sizes[choosers] > 0]
    several = (options.slots[wanted] > 1) & (sizes[wanted] > 1)
    doubling = np.ceil(np.log2(sizes[wanted])).astype(np.int64)
    for some in (False, True):
        for power in np.unique(doubling[several == some]):
            alike = wanted[(several == some) & (doubling == power)]
            for first in range(0, len(alike), BLOCK):
                yield _block(options, alike[first : first + BLOCK], sizes, several=some)


def _block(options: Options, rows: np.ndarray, sizes: np.ndarray, *, several: bool) -> Block:
    place = np.arange(sizes[rows].max())[:, None]
    there = place < sizes[rows]
    option = np.where(there, options.start[rows] + place, options.start[rows])
    return Block(
        rows,
        np.where(there, options.worth[option] * MICRO, -np.inf),
        options.kind[option],
        options.slots[rows].astype(float) if several else None,
    )


def _one_slot(scaled: np.ndarray, smoothing: float) -> tuple[np.ndarray, np.ndarray]:
    """Softmax over the options and nothing."""
    top = np.maximum(scaled.max(axis=0), 0)
    scaled -= top
    share = np.exp(scaled, out=scaled)
    total = share.sum(axis=0) + np.exp(-top)
    share /= total
    return share, smoothing * (top + np.log(total))


def _some_slots(
    scaled: np.ndarray, slots: np.ndarray, smoothing: float
) -> tuple[np.ndarray, np.ndarray]:
    """Each option is taken by itself, at a price of the slot that keeps to the number of slots."""
    low = np.zeros(len(slots))
    high = np.maximum(scaled.max(axis=0), 0) + np.log(len(scaled) + 1)
    tight = np.flatnonzero(_logistic(scaled).sum(axis=0) > slots)
    part, below, above = scaled[:, tight], low[tight], high[tight]
    for _ in range(HALVINGS):
        middle = (below + above) / 2
        over = _logistic(part - middle).sum(axis=0) > slots[tight]
        below, above = np.where(over, middle, below), np.where(over, above, middle)
    low[tight] = above
    gain = np.logaddexp(0, scaled - low).sum(axis=0) + slots * low
    return _logistic(scaled - low), smoothing * gain


def _logistic(scaled: np.ndarray) -> np.ndarray:
    return np.exp(-np.logaddexp(0, -scaled))


def drawn(options: Options, price: np.ndarray, smoothing: float) -> np.ndarray:
    """The options that the choosers draw from the plan, each with the lot of its own.

    Shares are laid end to end; each point at a whole distance from the lot picks an option. So a
    chooser never draws more than the slots, and an option as often as its share says.
    """
    picked = []
    for block in blocks(options):
        share, _ = block.plan(price, smoothing)
        lot = (options.lot[block.rows] >> np.uint64(11)) * 2.0**-53 + 2.0**-54
        reached = np.floor(np.cumsum(share, axis=0) - lot)
        before = np.vstack([np.full((1, len(lot)), -1.0), reached[:-1]])
        place, column = np.nonzero((reached > before) & np.isfinite(block.worth))
        picked.append(options.start[block.rows[column]] + place)
    return np.sort(np.concatenate(picked)) if picked else np.zeros(0, dtype=np.int64)
