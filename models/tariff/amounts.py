"""The amount columns of a priced month, and exact rounding of many amounts at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import numpy as np

# The amount columns ("buckets") into which a package's own prices are split; together they are the
# cost under the package. What passes through is apart from them.
BUCKETS = (
    "monthly_fee",
    "local_airtime",
    "roaming_airtime",
    "toll",
    "sms",
    "mms",
    "gprs",
    "wlan",
    "connect",
    "cap_cut",
    "commitment",
)
USAGE = tuple(line for line in BUCKETS if line not in ("monthly_fee", "commitment"))

Name = TypeVar("Name")
Amount = TypeVar("Amount")


def round_over(amounts: np.ndarray, quantum: int, mode: str) -> np.ndarray:
    """Exact amounts as counts of the quantum, rounded once (half_up and up: away from zero).

    The amounts are 64-bit or Python integers. ValueError for an unknown mode.
    """
    size = np.abs(amounts)
    if mode == "half_up":
        count = (2 * size + quantum) // (2 * quantum)
    elif mode == "half_even":
        count, rest = size // quantum, size % quantum
        count += (2 * rest > quantum) | ((2 * rest == quantum) & (count % 2 == 1))
    elif mode == "up":
        count = (size + quantum - 1) // quantum
    elif mode == "down":
        count = size // quantum
    else:
        raise ValueError(f"unknown rounding mode {mode!r}")
    signed: np.ndarray = np.where(amounts < 0, -count, count)
    return signed


def in_parts(amounts: np.ndarray, denominator: int, parts: int) -> np.ndarray:
    """Amounts in 1/denominator as counts of 1/parts, rounded half up, away from zero.

    Exact while (2 × parts + 1) × denominator fits 64 bits.
    """
    if denominator % parts == 0:
        return round_over(amounts, denominator // parts, "half_up")
    size = np.abs(amounts)
    whole, rest = size // denominator, size % denominator
    count = whole * parts + (2 * rest * parts + denominator) // (2 * denominator)
    signed: np.ndarray = np.where(amounts < 0, -count, count)
    return signed


def cumulated(
    parts: Iterable[tuple[Name, Amount]], rounding: Callable[[Amount], Amount]
) -> list[tuple[Name, Amount]]:
    """Each part as the difference of rounded running sums: the parts add up to the rounded sum."""
    running: Any = 0
    before: Any = 0
    rounded = []
    for name, part in parts:
        running = running + part
        now: Any = rounding(running)
        rounded.append((name, now - before))
        before = now
    return rounded
