"""The universal hold-out of a quarter against the sum of what its campaigns claim.

Of many campaigns the best look better than they are. What all of them together changed is measured
against customers who get no offer at all, and must not be less than their sum.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from scipy import stats

from models.evaluation.intervals import LEVEL
from schemas.config import Campaign

SUM = "sum_of_uplifts"
Row = Mapping[str, Any]
AGREES = ("两者一致", "they agree")
PROMISES_MORE = ("各活动合计高估", "the campaigns promise more than they bring")


@dataclass(frozen=True)
class _Total:
    """A mean over the customers of the quarter with its standard error."""

    value: float
    error: float


def sums(
    rows: Sequence[Row], campaigns: Iterable[Campaign], programs: Iterable[Campaign], day: date
) -> list[dict[str, Any]]:
    """A row of mart.campaign_result for each quarter whose campaigns are all read out by `day`.

    `rows`: of mart.campaign_result, of the day and before. `programs`: the quarters, as campaigns.
    Only campaigns of the same metric add up. A quarter is told once.
    """
    everyone = list(campaigns)
    found = (_of_quarter(rows, everyone, program, day) for program in programs)
    return [row for row in found if row is not None]


def _of_quarter(
    rows: Sequence[Row], campaigns: Sequence[Campaign], program: Campaign, day: date
) -> dict[str, Any] | None:
    metric = program.success.metric if program.success else ""
    whole = _read(rows, program.id, metric)
    told = any(row["campaign_id"] == program.id and row["metric"] == SUM for row in rows)
    of_quarter = [
        one
        for one in campaigns
        if one.success is not None
        and one.success.metric == metric
        and one.valid_from < program.valid_to
        and program.valid_from < one.valid_to
    ]
    read = {one.id: _read(rows, one.id, metric) for one in of_quarter}
    begun = {row["campaign_id"] for row in rows if row["role"] == "goal"}
    if told or len(whole) != 1 or any(name in begun and not read[name] for name in read):
        return None
    parts = [row for found in read.values() for row in found]
    if not parts:
        return None
    return _row(_total(parts, whole[0]["targets"]), len(parts), whole[0], program, day)


def _read(rows: Sequence[Row], campaign: str, metric: str) -> list[Row]:
    """The newest read-out of each wave of a campaign that has an effect."""
    found = {
        row["wave"]: row
        for row in sorted(rows, key=lambda row: row["data_date"])
        if (row["campaign_id"], row["metric"], row["segment"]) == (campaign, metric, "all")
        and row["uplift"] is not None
        and row["low"] is not None
    }
    return list(found.values())


def _error(row: Row) -> float:
    reach = stats.norm.ppf((1 + LEVEL) / 2)
    return float(row["high"] - row["low"]) / (2 * reach)


def _total(parts: Sequence[Row], customers: int) -> _Total:
    weights = [row["targets"] / customers for row in parts]
    pairs = list(zip(weights, parts, strict=True))
    value = sum(weight * float(row["uplift"]) for weight, row in pairs)
    error = math.sqrt(sum((weight * _error(row)) ** 2 for weight, row in pairs))
    return _Total(value, error)


def _row(total: _Total, waves: int, whole: Row, program: Campaign, day: date) -> dict[str, Any]:
    reach = float(stats.norm.ppf((1 + LEVEL) / 2))
    seen = float(whole["uplift"])
    apart = math.hypot(total.error, _error(whole))
    agree = total.value - seen <= reach * apart
    low, high = total.value - reach * total.error, total.value + reach * total.error
    chinese, english = AGREES if agree else PROMISES_MORE
    factor = 100 if whole["unit"] == "points" else 1
    shown = [f"{factor * value:.2f}" for value in (total.value, low, high, seen)]
    units = (" 个百分点", " percentage points") if factor == 100 else ("", "")
    return {
        "data_date": day,
        "campaign_id": program.id,
        "wave": program.wave,
        "metric": SUM,
        "segment": "all",
        "role": "guardrail",
        "targets": whole["targets"],
        "controls": whole["controls"],
        "open_windows": 0,
        "overlapping": 0,
        "treated_value": _decimal(total.value),
        "control_value": _decimal(seen),
        "uplift": _decimal(total.value),
        "low": _decimal(low),
        "high": _decimal(high),
        "p": None,
        "unit": whole["unit"],
        "outcome": "kept" if agree else "broken",
        "verdict": f"The effects of {waves} waves add up to {shown[0]}{units[1]} per customer "
        f"(95 % interval {shown[1]} to {shown[2]}); against the universal hold-out it is "
        f"{shown[3]}: {english}.",
        "verdict_cn": f"{waves} 个波次的提升合计为人均 {shown[0]}{units[0]}"
        f"（95% 区间 {shown[1]} 至 {shown[2]}），与全局对照组相比为 {shown[3]}：{chinese}。",
        "no_verdict_because": None,
    }


def _decimal(value: float) -> Decimal:
    return Decimal(repr(value)).quantize(Decimal("0.000000001"))
