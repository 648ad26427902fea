"""Settles the month of many customers under one package, in integers.

Each amount is an integer over the package's denominator, with one array entry per customer-month.
The order is that of the tariff language: pools, tiers, caps, rounding of lines, sum, minimum
commitment, rounding of the bill.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.rating.package_prices import PackagePrices, SumValues, TierPlan
from models.rating.pools import Drawn, MonthParts, Replayed, draw_pools
from models.tariff.amounts import BUCKETS, cumulated, in_parts, round_over
from models.tariff.money_limit import LONGEST_MONTH, MICRO_YUAN, fits


@dataclass(frozen=True)
class Settled:
    """Settled customer-months: amounts in micro-yuan by BUCKETS, and their sum `total`.

    `ordered`: the split of free units depends on the order of events, which is not known.
    `refused`: an amount does not fit exact 64-bit arithmetic. The amounts of such a month have no
    meaning.
    """

    micro_yuan: dict[str, np.ndarray]
    total: np.ndarray
    ordered: np.ndarray
    refused: np.ndarray


def settle(
    prices: PackagePrices,
    sums: SumValues,
    parts: MonthParts,
    replayed: Replayed | None = None,
    *,
    by_bucket: bool = True,
) -> Settled:
    """Price customer-months.

    Without `by_bucket` only the total is computed, which is faster; `micro_yuan` is then empty.
    """
    refused = _too_large(prices, sums)
    if refused.any():
        sums = SumValues(np.where(refused, 0, sums.rows), sums.row_of)
    part = parts.factor(prices.partial_month)
    drawn = draw_pools(prices, prices.units(sums), parts, replayed)
    bill = _Bill(prices, len(refused), by_bucket=by_bucket)
    tiered = {(tier.service, tier.component) for tier in prices.tiers}
    for group, paid in zip(prices.groups, drawn.paid, strict=True):
        if (group.service, group.component) not in tiered:
            bill.add(group.service, group.rule_no, group.bucket, paid * group.price)
    for connect in prices.connects:
        amount = sums[connect.events] * connect.price
        bill.add(connect.service, connect.rule_no, "connect", amount)
    for no, line in enumerate(prices.rounded):
        apart = _rounded_apart(prices, no, sums, drawn, replayed)
        bill.add(line.service, line.rule_no, line.bucket, apart)
    for no, tier in enumerate(prices.tiers):
        units = sum(
            (
                paid
                for group, paid in zip(prices.groups, drawn.paid, strict=True)
                if (group.service, group.component) == (tier.service, tier.component)
            ),
            bill.zero,
        )
        bill.add(tier.service, -1 - no, tier.bucket, _tier_amount(tier, units))
    numerator, denominator = part
    if prices.used is not None:
        numerator = np.where(sums[prices.used] > 0, numerator, 0)
    micro_yuan, total = bill.close(numerator, denominator)
    return Settled(micro_yuan, total, drawn.ordered & ~refused, refused)


def _rounded_apart(
    prices: PackagePrices,
    line_no: int,
    sums: SumValues,
    drawn: Drawn,
    replayed: Replayed | None,
) -> np.ndarray:
    """The amount that rounding event by event adds to the exact amounts of a line of events."""
    line = prices.rounded[line_no]
    exact = sum(
        paid * group.price
        for group, paid in zip(prices.groups, drawn.paid, strict=True)
        if group.rounded_in == line_no
    )
    exact = exact + sum(
        sums[connect.events] * connect.price
        for connect in prices.connects
        if connect.rounded_in == line_no
    )
    rounded = np.where(drawn.empty, sums[line.paid], sums[line.free])
    if replayed is not None:
        rounded[replayed.rows] = replayed.rounded[line.slot]
    apart: np.ndarray = rounded * prices.quantum - exact
    return apart


def _tier_amount(tier: TierPlan, units: np.ndarray) -> np.ndarray:
    """Graduated: each step prices its own units. Volume: the last step reached prices all units."""
    amount = np.zeros(len(units), dtype=np.int64)
    for start, end, price, flat in tier.steps:
        reached = units > start
        if tier.graduated:
            inside = np.maximum(units - start, 0)
            inside = inside if end is None else np.minimum(inside, end - start)
            amount += np.where(reached, inside * price + flat, 0)
        else:
            amount = np.where(reached, units * price + flat, amount)
    nothing = tier.steps[0][3] if tier.flat_at_zero else 0
    return np.where(units == 0, nothing, amount)


class _Bill:
    """Lines by service and rule, each in parts by amount column, and the close of the month.

    Lines whose amounts are multiples of the quantum need no rounding and are kept as one line
    (None) by service.
    """

    def __init__(self, prices: PackagePrices, rows: int, *, by_bucket: bool):
        self.prices, self.by_bucket = prices, by_bucket
        self.zero = np.zeros(rows, dtype=np.int64)
        self.lines: dict[tuple[str, int | None], dict[str, np.ndarray]] = {}

    def add(self, service: str, rule_no: int, bucket: str, amount: np.ndarray) -> None:
        """Add an amount to the line of a rule, or of a tier by a negative number."""
        exact = self.prices.round_at != "line" or rule_no in self.prices.exact_rules
        line = self.lines.setdefault((service, None if exact else rule_no), {})
        if not self.by_bucket:
            bucket = self.prices.main_bucket
        if bucket in line:
            line[bucket] += amount
        else:
            line[bucket] = amount

    def close(
        self, numerator: np.ndarray, denominator: np.ndarray
    ) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """Amounts by bucket and their total, in micro-yuan.

        `numerator` / `denominator` is the charged share of the month.
        """
        prices = self.prices
        cuts = [np.minimum(0, cap - self._usage(service)) for service, cap in prices.caps.items()]
        amounts: dict[str, np.ndarray] = {}
        for (_, rule_no), line in self.lines.items():
            for bucket, part in self._rounded_line(rule_no, line):
                amounts[bucket] = amounts.get(bucket, self.zero) + part
        if cuts:
            amounts["cap_cut"] = sum((self._on_bill(cut) for cut in cuts), self.zero)
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
        return self._in_micro_yuan(amounts)

    def _usage(self, service: str) -> np.ndarray:
        """All usage lines of a service together, before they are rounded."""
        lines = (line for (of, _), line in self.lines.items() if of == service)
        return sum((part for line in lines for part in line.values()), self.zero)

    def _rounded_line(
        self, rule_no: int | None, line: dict[str, np.ndarray]
    ) -> list[tuple[str, np.ndarray]]:
        """The parts of a line; with rounding at line they add up to the line rounded once."""
        ordered = sorted(line.items(), key=lambda part: BUCKETS.index(part[0]))
        if rule_no is None:
            return ordered
        return cumulated(ordered, self._rounded)

    def _on_bill(self, amount: np.ndarray) -> np.ndarray:
        return self._rounded(amount) if self.prices.round_at == "line" else amount

    def _rounded(self, amount: np.ndarray) -> np.ndarray:
        quantum = self.prices.quantum
        return round_over(amount, quantum, self.prices.mode) * quantum

    def _in_micro_yuan(
        self, amounts: dict[str, np.ndarray]
    ) -> tuple[dict[str, np.ndarray], np.ndarray]:
        over = self.prices.denominator
        if not self.by_bucket:
            return {}, in_parts(sum(amounts.values(), self.zero), over, MICRO_YUAN)
        ordered = [(name, amounts[name]) for name in BUCKETS if name in amounts]
        micro_yuan = cumulated(ordered, lambda amount: in_parts(amount, over, MICRO_YUAN))
        return dict(micro_yuan), sum((part for _, part in micro_yuan), self.zero)


def _too_large(prices: PackagePrices, sums: SumValues) -> np.ndarray:
    """Which customer-months have amounts that may exceed 64-bit integers.

    The bound is the sum of all absolute amounts, computed in Python integers. It is computed first
    for the batch, with the largest value of each sum. Only if that fails it is computed for each
    customer-month, so the other rows of a batch never decide about a month.
    """
    tiers = {
        (tier.service, tier.component): max(abs(price) for _, _, price, _ in tier.steps)
        for tier in prices.tiers
    }
    dearest = [
        max(abs(group.price), tiers.get((group.service, group.component), 0))
        for group in prices.groups
    ]
    # Units that are exchanged have to fit too, even where they cost nothing.
    terms = [
        (group.units, max(price, group.exchange > 1) * group.exchange)
        for group, price in zip(prices.groups, dearest, strict=True)
    ]
    terms += [(connect.events, abs(connect.price)) for connect in prices.connects]
    terms += [(no, prices.quantum) for line in prices.rounded for no in (line.paid, line.free)]
    fixed = abs(prices.fee) + prices.commitment + sum(prices.caps.values())
    fixed += sum(abs(flat) for tier in prices.tiers for *_, flat in tier.steps)
    fixed += sum(
        sum(group.monthly) * price
        for group, price in zip(prices.groups, dearest, strict=True)
        if group.monthly
    )
    for pool in prices.pools:
        drawing = [
            price
            for group, price in zip(prices.groups, dearest, strict=True)
            if pool.id in group.pools
        ]
        fixed += pool.amount * pool.unit * max(drawing, default=0)
    fixed *= LONGEST_MONTH
    largest = sum(sums.largest(no) * price for no, price in terms)
    if fits(largest + fixed, prices.denominator):
        return np.zeros(len(sums), dtype=bool)
    each = sum(
        (sums[no].astype(object) * price for no, price in terms), np.zeros(len(sums), object)
    )
    return np.array([not fits(one + fixed, prices.denominator) for one in each], dtype=bool)
