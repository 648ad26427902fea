"""Rows of mart.channel_effect, from the sums of both arms. Plain Python over few rows."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any

from models.channel_effect.counted import AFTER, ALL, GUIDANCE, MOMENTS, OFFLOAD, SMS_BLAST
from models.evaluation import intervals
from models.evaluation.intervals import Effect
from models.evaluation.sums import Sums

ENOUGH = 30  # customers in each arm, and transactions of which a share is told
TOO_FEW, NOT_CLOSED, NO_VARIANCE = "too_few", "not_closed", "no_variance"
TREATED, CONTROL = "treated", "control"
DIGITS = Decimal("0.000001")
NOBODY = Sums(0, 0, 0)
Key = tuple[str, str, str, str]


@dataclass(frozen=True)
class ChannelEffect:
    """A row of mart.channel_effect; values are None where `because` says why."""

    data_date: date
    effect: str
    group: str
    metric: str
    part: str
    treated: int
    controls: int
    treated_value: Decimal | None = None
    control_value: Decimal | None = None
    value: Decimal | None = None
    low: Decimal | None = None
    high: Decimal | None = None
    total: Decimal | None = None
    because: str | None = None


def effects(
    sums: Iterable[Mapping[str, Any]], groups: Iterable[tuple[str, str]], data_date: date
) -> list[ChannelEffect]:
    """One row per effect, group, metric and part, in order.

    `sums`: rows of counted.sums. `groups`: (effect, group) of counted.cohorts; those without a
    closed window have one row that says so.
    """
    found: dict[Key, dict[str, Sums]] = {}
    for row in sums:
        key = (row["effect"], row["group"], row["metric"], row["part"])
        found.setdefault(key, {})[row["arm"]] = Sums(*(row[name] for name in MOMENTS))
    rows = [
        _read(ChannelEffect(data_date, *key, arms[TREATED].n, arms[CONTROL].n), arms)
        for key, some in found.items()
        for arms in ({TREATED: NOBODY, CONTROL: NOBODY} | some,)
    ]
    known = {(row.effect, row.group) for row in rows}
    rows += [
        ChannelEffect(data_date, *first, 0, 0, because=NOT_CLOSED)
        for effect, group in groups
        if (effect, group) not in known
        for first in _first_of(effect, group)
    ]
    return sorted(rows, key=lambda row: (row.effect, row.group, row.metric, row.part))


def _first_of(effect: str, group: str) -> list[Key]:
    """The rows that stand for a group without a closed window."""
    if effect != OFFLOAD:
        return [(effect, group, "calls" if effect == SMS_BLAST else "visits", ALL)]
    return [(OFFLOAD, group, "electronic_share", AFTER), (GUIDANCE, group, "calls", ALL)]


def _read(row: ChannelEffect, arms: Mapping[str, Sums]) -> ChannelEffect:
    treated, control = arms[TREATED], arms[CONTROL]
    beside = (treated.x, control.x) if row.metric.endswith("_share") else ()
    if min(treated.n, control.n, *beside) < ENOUGH:
        return replace(row, because=TOO_FEW)
    effect, (left, right) = _effect(row, treated, control)
    if not (math.isfinite(effect.low) and math.isfinite(effect.high)):
        return replace(row, because=NO_VARIANCE)
    return replace(
        row,
        treated_value=_number(left),
        control_value=_number(right),
        value=_number(effect.estimate),
        low=_number(effect.low),
        high=_number(effect.high),
        total=None if beside else _number(effect.estimate * treated.n),
    )


def _effect(row: ChannelEffect, treated: Sums, control: Sums) -> tuple[Effect, tuple[float, float]]:
    """The difference of the arms, and the value of each."""
    if row.metric.endswith("_share"):
        shares = (treated.mean / treated.mean_x, control.mean / control.mean_x)
        return intervals.difference_of_ratios(treated, control), shares
    values = (treated.mean, control.mean)
    if row.metric == "complaint_rate":
        return intervals.difference_of_rates(treated, control), values
    if row.part == ALL:  # x: the same of the customer before
        return intervals.cuped(treated, control), values
    return intervals.difference_of_means(treated, control), values


def _number(value: float) -> Decimal:
    return Decimal(repr(float(value))).quantize(DIGITS)
