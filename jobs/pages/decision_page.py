"""The decision part of a night's report: funnels, value, scarce resources, who gets nothing.

Plain Python over rows of mart.decision_funnel and mart.capacity_price.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from jobs.pages.decision_words import REASONS
from models.drawing import funnel, page
from schemas.currency import Currency

PUSHED, TOTAL = "PUSHED", "TOTAL"
# Column of mart.capacity_price → how its row says who deals the places.
WAYS = {
    "value": "by prices (what was decided)",
    "value_margin_order": "who loses most by the next channel first",
    "value_greedy": "greatest values first",
    "value_naive": "own first channel only, first come, first served",
}
PRICE_DECIMALS = 4
Rows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Decisions:
    """What was decided on a night.

    `funnel`, `prices`: rows of mart.decision_funnel and mart.capacity_price. `unserved`: (reason,
    brand, customers) of models.decision.unserved over so many `nights`.
    """

    funnel: Rows
    prices: Rows
    unserved: Sequence[tuple[str, str | None, int]]
    nights: int


def parts(made: Decisions, money: Currency) -> list[str]:
    """The parts of the page in their order."""
    totals = [row for row in made.prices if row["resource"] == TOTAL]
    return [
        _tiles(made, totals, money),
        *([_rivals(totals[0], money)] if totals else []),
        _resources([row for row in made.prices if row["resource"] != TOTAL], money),
        _pictures(made.funnel),
        _funnel(made.funnel, money),
        _reasons(made.funnel, money),
        _unserved(made),
    ]


def _tiles(made: Decisions, totals: Rows, money: Currency) -> str:
    candidates = sum(row["rows"] for row in made.funnel)
    shown = [("candidates", f"{candidates:,}", False)]
    for row in totals:
        had = row["kept"] + row["moved"] + row["gone"]
        share = row["gap"] / row["bound"] if row["bound"] else Decimal(0)
        shown += [
            ("contacts pushed", f"{row['used']:,}", False),
            (f"value, {money.unit}", f"{_amount(row['value'], money):,}", False),
            (
                f"at most missing to the optimum, {money.unit}",
                f"{_amount(row['gap'], money):,} ({share:.3%})",
                False,
            ),
            (
                f"of {had:,} customers of the night before changed or dropped out",
                f"{row['churn']:.2%} ({row['moved']:,} + {row['gone']:,})",
                False,
            ),
            ("customers who had none on the night before", f"{row['new']:,}", False),
        ]
    return "<h2>Decisions</h2>" + page.tiles(shown)


def _rivals(total: Mapping[str, Any], money: Currency) -> str:
    """What other ways to give the places would have reached over the same candidates."""
    ours, most = total["value"], max(total[name] for name in WAYS)
    rows = [
        [
            words,
            _amount(total[name], money),
            _amount(total[name] - ours, money),
            f"{(total[name] - ours) / ours:+.2%}" if ours else "",
            page.bar(float(total[name]), float(most)),
        ]
        for name, words in WAYS.items()
    ]
    heads = ["places are given", f"value, {money.unit}", "difference", "", ""]
    return page.table("Value beside simpler ways", heads, rows)


def _resources(prices: Rows, money: Currency) -> str:
    """The dearest first: there a unit more is worth most."""
    ordered = sorted(prices, key=lambda row: (-row["price"], row["resource"]))
    rows = [
        [
            row["resource"],
            row["unit"],
            row["capacity"],
            row["used"],
            page.bar(row["used"], row["capacity"]),
            round(row["price"], PRICE_DECIMALS),
            _rounded(row["value_plus_one"]),
            _rounded(row["value_minus_one"]),
        ]
        for row in ordered
    ]
    heads = ["resource", "unit", "capacity", "used", "", f"price of a unit, {money.unit}"]
    heads += ["one more brings", "one less costs"]
    return page.table("What is scarce", heads, rows, "nothing was asked for")


def _pictures(rows: Rows) -> str:
    drawn = [
        funnel.picture(
            _named(group),
            "candidates",
            [(row["reason"], row["rows"]) for row in stages if row["reason"] != PUSHED],
            "pushed",
            sum(row["rows"] for row in stages if row["reason"] == PUSHED),
        )
        for group, stages in _groups(rows).items()
    ]
    return page.plots("Funnel by campaign and channel", drawn)


def _funnel(rows: Rows, money: Currency) -> str:
    table = []
    for (campaign, wave, channel), stages in _groups(rows).items():
        whole = sum(row["rows"] for row in stages)
        table += [
            [
                campaign,
                wave,
                channel,
                row["reason"],
                row["rows"],
                f"{row['rows'] / whole:.1%}",
                row["customers"],
                _amount(row["value"], money),
                page.bar(row["rows"], whole),
            ]
            for row in stages
        ]
    heads = ["campaign", "wave", "channel", "first reason", "candidates", "share", "customers"]
    heads += [f"value, {money.unit}", ""]
    return page.table("Funnel in figures", heads, table, "no candidates")


def _reasons(rows: Rows, money: Currency) -> str:
    """The reasons of all campaigns and channels together, the most frequent first."""
    counts: Counter[str] = Counter()
    values: defaultdict[str, Decimal] = defaultdict(Decimal)
    for row in rows:
        if row["reason"] != PUSHED:
            counts[row["reason"]] += row["rows"]
            values[row["reason"]] += row["value"] or 0
    most = max(counts.values(), default=0)
    table = [
        [reason, REASONS[reason], count, _amount(values[reason], money), page.bar(count, most)]
        for reason, count in sorted(counts.items(), key=lambda one: (-one[1], one[0]))
    ]
    heads = ["first reason", "", "candidates", f"value, {money.unit}", ""]
    return page.table("Top reasons", heads, table, "nothing was dropped")


def _unserved(made: Decisions) -> str:
    """Rows are stages in their order, columns are brands."""
    words = {"NO_CANDIDATE": "no campaign had a candidate for the customer", **REASONS}
    brands = sorted({brand or "" for _, brand, _ in made.unserved})
    counts: dict[str, Counter[str]] = {}
    for reason, brand, customers in made.unserved:
        counts.setdefault(reason, Counter())[brand or ""] += customers
    most = max((sum(one.values()) for one in counts.values()), default=0)
    table = [
        [
            reason,
            said,
            *(counts[reason][brand] for brand in brands),
            sum(counts[reason].values()),
            page.bar(sum(counts[reason].values()), most),
        ]
        for reason, said in words.items()
        if reason in counts
    ]
    nights = "night" if made.nights == 1 else f"{made.nights} nights"
    return page.table(
        f"Customers who got nothing in the last {nights}, by the furthest stage they reached",
        ["stage", "", *(brand or "brand not known" for brand in brands), "customers", ""],
        table,
        "every customer got something",
    )


def _groups(rows: Rows) -> dict[tuple[str, int, str], list[Mapping[str, Any]]]:
    """The rows of each campaign, wave and channel, in the order of the stages."""
    found: dict[tuple[str, int, str], list[Mapping[str, Any]]] = {}
    for row in sorted(rows, key=_place):
        found.setdefault((row["campaign_id"], row["wave"], row["channel"]), []).append(row)
    return found


def _place(row: Mapping[str, Any]) -> tuple:
    return row["campaign_id"], row["wave"], row["channel"], row["stage"]


def _named(group: Iterable) -> str:
    campaign, wave, channel = group
    return f"{campaign}, wave {wave}, {channel}"


def _amount(value: Decimal | None, money: Currency) -> Decimal | None:
    return None if value is None else round(value, money.minor_unit)


def _rounded(value: Decimal | None) -> Decimal | None:
    return None if value is None else round(value, PRICE_DECIMALS)
