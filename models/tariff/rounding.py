"""Rounding exact whole-number amounts to a quantum, many at a time."""

from __future__ import annotations

import numpy as np


def round_over(amounts: np.ndarray, quantum: int, mode: str) -> np.ndarray:
    """Exact amounts as counts of the quantum, rounded once (half_up and up: away from zero).

    Integers of 64 bits or Python's own; ValueError for an unknown mode.
    """
    size = np.abs(amounts)
    if mode == "half_up":
        whole = (2 * size + quantum) // (2 * quantum)
    elif mode == "half_even":
        whole, rest = size // quantum, size % quantum
        whole += (2 * rest > quantum) | ((2 * rest == quantum) & (whole % 2 == 1))
    elif mode == "up":
        whole = (size + quantum - 1) // quantum
    elif mode == "down":
        whole = size // quantum
    else:
        raise ValueError(f"unknown rounding mode {mode!r}")
    return np.where(amounts < 0, -whole, whole)


def cumulated(parts, rounding):
    """Round running sums and give each part its difference: the parts add up to the rounded sum."""
    running, before, rounded = 0, 0, []
    for name, part in parts:
        running = running + part
        now = rounding(running)
        rounded.append((name, now - before))
        before = now
    return rounded
