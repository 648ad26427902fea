"""The month of many customers under one package, in whole numbers: pools, caps, rounding, sum.

Everything is an integer over the package's denominator D, one array entry per customer-month. The
order of a month is that of the tariff language: pools, caps, rounding of lines, sum, minimum
commitment, rounding of the bill.
"""
from __future__ import annotations

from dataclasses import dataclass
from typing import Sequence

import numpy as np

from models.price_matrix import BUCKETS, MICRO, PackagePrices

INT64_LIMIT = 2**63
YUAN_LIMIT = 10**11  # what DECIMAL(18, 6) holds, with room for a sum of months
LONGEST_MONTH = 31
HALF_MONTH_DAY = 16


@dataclass(frozen=True)
class MonthParts:
    """How much of the month each customer is charged: days left from joining, and days at all."""

    days: np.ndarray
    in_month: np.ndarray

    @classmethod
    def of(cls, months: np.ndarray, joined: np.ndarray) -> MonthParts:
        """From arrays of days: firsts of months, days of joining (NaT or another month: whole)."""
        first = months.astype("datetime64[M]")
        in_month = ((first + 1).astype("datetime64[D]") - first.astype("datetime64[D]")).astype(int)
        within = joined.astype("datetime64[M]") == first
        day = np.where(within, (joined - first.astype("datetime64[D]")).astype(np.int64) + 1, 1)
        return cls(in_month - day + 1, in_month)

    def factor(self, partial_month: str) -> tuple[np.ndarray, np.ndarray]:
        """Numerator and denominator of the part of the month under a package's rule."""
        if partial_month == "daily":
            return self.days, self.in_month
        late = self.in_month - self.days + 1 >= HALF_MONTH_DAY
        halved = late & (partial_month == "half_month")
        return np.where(halved, 1, 2), np.full(len(self.days), 2, dtype=np.int64)


@dataclass(frozen=True)
class Settled:
    """Amounts in millionths of a yuan by BUCKETS; what was not comparable holds no meaning.

    `total` is their sum. `ordered`: the order of events would decide; `refused`: an amount does
    not fit exact 64-bit arithmetic.
    """

    micros: dict[str, np.ndarray]
    total: np.ndarray
    ordered: np.ndarray
    refused: np.ndarray


def round_over(amounts: np.ndarray, quantum: int, mode: str) -> np.ndarray:
    """Exact amounts as counts of the quantum, rounded once (half_up and up: away from zero)."""
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


def settle(prices: PackagePrices, sums: np.ndarray, parts: MonthParts) -> Settled:
    """Price customer-months; `sums[k]` is sum k of the price matrix, one entry per month."""
    refused = _too_large(prices, sums)
    units = [np.where(refused, 0, sums[group.units]) for group in prices.groups]
    numerator, denominator = parts.factor(prices.partial_month)
    paid, ordered = _draw_pools(prices, units, numerator, denominator)
    bill = _Bill(prices, len(refused))
    for group, quantity in zip(prices.groups, paid):
        bill.add(group.rule_no, group.bucket, quantity * group.price)
    for connect in prices.connects:
        events = np.where(refused, 0, sums[connect.events])
        bill.add(connect.rule_no, "connect", events * connect.price)
    micros, total = bill.close(numerator, denominator)
    return Settled(micros, total, ordered & ~refused, refused)


def _draw_pools(
    prices: PackagePrices, units: Sequence[np.ndarray], numerator: np.ndarray,
    denominator: np.ndarray,
) -> tuple[list[np.ndarray], np.ndarray]:
    """Units left to pay by group, and where the order of events would decide which they are.

    A pool is exact from the cube if what reaches it fits, or its size is 0, or all of it is one
    class; only then may pools after it be settled.
    """
    left = [quantity.copy() for quantity in units]
    ordered = np.zeros(len(numerator), dtype=bool)
    for pool in prices.pools:
        size = pool.amount * numerator // denominator * pool.unit
        reaching = sum(left[no] for no in pool.members)
        overdrawn = (reaching > size) & (size > 0)
        if overdrawn.any() and len(set(pool.classes)) > 1:
            present = np.zeros(len(numerator), dtype=np.int64)
            for wanted in set(pool.classes):
                of_class = [no for no, one in zip(pool.members, pool.classes) if one == wanted]
                present += np.any([left[no] > 0 for no in of_class], axis=0)
            ordered |= overdrawn & (present > 1)
        # Within one class it is a convention, not a claim, whose units were the free ones.
        for no in pool.members:
            free = np.minimum(left[no], size)
            left[no] -= free
            size = size - free
    return left, ordered


class _Bill:
    """Lines by rule, each in parts by amount column, and the close of the month."""

    def __init__(self, prices: PackagePrices, rows: int):
        self.prices = prices
        self.zero = np.zeros(rows, dtype=np.int64)
        self.lines: dict[int, dict[str, np.ndarray]] = {}

    def add(self, rule_no: int, bucket: str, amount: np.ndarray) -> None:
        line = self.lines.setdefault(rule_no, {})
        line[bucket] = line.get(bucket, self.zero) + amount

    def close(self, numerator: np.ndarray, denominator: np.ndarray):
        """Amounts by bucket and their total, in millionths."""
        prices = self.prices
        usage = sum((part for line in self.lines.values() for part in line.values()), self.zero)
        amounts: dict[str, np.ndarray] = {}
        for line in self.lines.values():
            for bucket, part in self._rounded_line(line):
                amounts[bucket] = amounts.get(bucket, self.zero) + part
        if prices.cap is not None:
            amounts["cap_cut"] = self._on_bill(np.minimum(0, prices.cap - usage))
        amounts["monthly_fee"] = self._on_bill(prices.fee * numerator // denominator)
        charged = sum(amounts.values(), self.zero)
        least = prices.commitment * numerator // denominator
        amounts["commitment"] = self._on_bill(np.maximum(0, least - charged))
        total = charged + amounts["commitment"]
        if prices.round_at == "bill":
            rounded = self._rounded(total)
            amounts[prices.main_bucket] = (
                amounts.get(prices.main_bucket, self.zero) + rounded - total
            )
        return self._in_millionths(amounts)

    def _rounded_line(self, line: dict[str, np.ndarray]):
        """The parts of a line; rounded at line, they add up to the line rounded once."""
        ordered = sorted(line.items(), key=lambda part: BUCKETS.index(part[0]))
        if self.prices.round_at != "line":
            return ordered
        return _cumulated(ordered, self._rounded)

    def _on_bill(self, amount: np.ndarray) -> np.ndarray:
        return self._rounded(amount) if self.prices.round_at == "line" else amount

    def _rounded(self, amount: np.ndarray) -> np.ndarray:
        quantum = self.prices.quantum
        return round_over(amount, quantum, self.prices.mode) * quantum

    def _in_millionths(self, amounts: dict[str, np.ndarray]):
        size = self.prices.denominator // MICRO
        ordered = [(name, amounts[name]) for name in BUCKETS if name in amounts]
        micros = _cumulated(ordered, lambda amount: round_over(amount, size, "half_up"))
        return dict(micros), sum((part for _, part in micros), self.zero)


def _cumulated(parts, rounding):
    """Round running sums and give each part its difference: the parts add up to the rounded sum."""
    running, before, rounded = 0, 0, []
    for name, part in parts:
        running = running + part
        now = rounding(running)
        rounded.append((name, now - before))
        before = now
    return rounded


def _too_large(prices: PackagePrices, sums: np.ndarray) -> np.ndarray:
    """Customer-months whose amounts, all added up without sign, leave 64-bit integers.

    The bound is computed in Python's integers: once for the batch by the largest of each sum, and
    only where that fails for each customer-month, so a batch never decides about its members.
    """
    terms = [(group.units, abs(group.price)) for group in prices.groups]
    terms += [(connect.events, abs(connect.price)) for connect in prices.connects]
    dearest = max((abs(group.price) for group in prices.groups), default=0)
    fixed = abs(prices.fee) + prices.commitment + (prices.cap or 0)
    fixed += sum(pool.amount * pool.unit for pool in prices.pools) * dearest
    fixed *= LONGEST_MONTH
    limit = min(INT64_LIMIT, 2 * YUAN_LIMIT * prices.denominator)
    rows = sums.shape[1]
    largest = sum(int(sums[no].max(initial=0)) * price for no, price in terms)
    if 2 * (largest + fixed) + prices.denominator < limit:
        return np.zeros(rows, dtype=bool)
    each = sum((sums[no].astype(object) * price for no, price in terms), np.zeros(rows, object))
    return np.array([2 * (one + fixed) + prices.denominator >= limit for one in each], dtype=bool)
