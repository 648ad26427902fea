"""The part of a night's report on the best tariff of each subscriber: how many have which answer.

Plain Python over rows of models.forecast.best_tariff.summary.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from models.drawing import page
from schemas.currency import Currency

ANSWERS = {
    "better": "a better tariff 有更优组合",
    "best_already": "the best already 现用已最优",
    "not_comparable": "cannot be said 无法比较",
}
BECAUSE = {
    "NOT_RATED": "not re-rated",
    "NEW": "joined after the closed months",
    "NO_HOLDING": "no package of the catalogue is held",
    "CHANGED": "other packages in the compared months",
    "NO_BILL": "a month without a bill",
    "NOT_COMPARABLE": "a month that cannot be priced",
    "BACKTEST": "the bills could not be reproduced",
    "BRAND": "the cheapest is of another brand",
    "NO_SAVING": "the cheapest saves too little",
    "MONTHS_WON": "the cheapest wins too few months",
    "BILL_SHOCK": "the cheapest may make a dear month",
    "IDLE_MONTHS": "the cheapest saves in idle months only",
    "NOT_BEST": "a bundle that separate packages equal",
    "CLOSED": "the cheapest may no longer be ordered",
}
NONE_CHEAPER = "nothing is cheaper"
TITLE = "Best tariff of each active subscriber"


def part(rows: Sequence[Mapping[str, Any]], money: Currency) -> str:
    """Tiles and a table; only the title and a word if there are no rows."""
    total = sum(row["subscribers"] for row in rows)
    heads = ["answer", "because", "subscribers", "", f"saving, {money.unit} a month"]
    heads += ["risk of a dear month", "today's risk"]
    most = max((row["subscribers"] for row in rows), default=0)
    table = page.table(
        TITLE,
        heads,
        [
            [
                ANSWERS[row["answer"]],
                _because(row),
                row["subscribers"],
                page.bar(row["subscribers"], most),
                None if row["saving"] is None else money.rounded(row["saving"]),
                _share(row["risk"]),
                _share(row["present_risk"]),
            ]
            for row in rows
        ],
        "no active subscribers",
    )
    return table + page.tiles(_tiles(rows, total)) if rows else table


def kept(rows: Sequence[Mapping[str, Any]]) -> str:
    """How the forecasts of the last closed month held, from bill_forecast.summary; or nothing."""
    if not rows:
        return ""
    heads = ["customers who", "forecast", "inside 80 %", "above", "paid more than before"]
    return page.table(
        f"Forecast bills of {rows[0]['month']:%Y-%m} against the real ones",
        heads,
        [
            [
                "changed 已更换" if row["changed"] else "stayed 未更换",
                row["customers"],
                *(
                    f"{row[name]:,} ({row[name] / row['customers']:.1%})"
                    for name in ("inside", "above", "rose")
                ),
            ]
            for row in rows
        ],
    )


def _tiles(rows: Sequence[Mapping[str, Any]], total: int) -> list[tuple[str, str, bool]]:
    counts = {
        answer: sum(row["subscribers"] for row in rows if row["answer"] == answer)
        for answer in ANSWERS
    }
    return [
        (words, f"{counts[answer]:,} ({counts[answer] / total:.1%})", False)
        for answer, words in ANSWERS.items()
    ]


def _because(row: Mapping[str, Any]) -> str:
    if not row["because"]:
        return NONE_CHEAPER if row["answer"] == "best_already" else ""
    return ", ".join(BECAUSE[code] for code in row["because"].split(", "))


def _share(value: Decimal | None) -> str:
    return "" if value is None else f"{value:.1%}"
