"""A bill as text for a terminal; its columns are as wide as their largest value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

HEAD = ("line", "events", "units", "free", "price")  # and the unit of money
WIDTHS = (34, 6, 10, 8, 22, 10)  # at least
LEFT = ("line", "price")  # texts; the others are numbers
GAP = "  "


def printed(quoted: Mapping, unit: str) -> str:
    """The bill of jobs.quote, given as plain values; `unit` is that of its amounts."""
    rows = [(*HEAD, unit), ("monthly fee", "", "", "", "", quoted["monthly_fee"])]
    several = len({line["service"] for line in quoted["lines"]}) > 1
    for line in quoted["lines"]:
        facts = " ".join(f"{v}" for fact, v in line["match"].items() if fact != "service")
        words = f"{line['component']} {facts}"
        numbers = (_number(line[name]) for name in ("events", "units", "free_units"))
        service = f"{line['service']} " if several else ""
        rows.append((f"{service}{words}", *numbers, line["price"], line[unit]))
    sums = [
        *((f"cap of {name}", cut) for name, cut in quoted["cap_cuts"].items()),
        ("minimum commitment", quoted["commitment"]),
        ("rounding", quoted["rounding"]),
    ]
    sums = [(words, amount) for words, amount in sums if Decimal(amount)]
    sums.append(("its own prices", quoted["own_prices"]))
    compared, said = _engine(quoted["engine"])
    amounts = [row[-1] for row in (*rows, *sums, *compared)]
    widths = [
        max(least, *(len(row[place]) for row in rows)) for place, least in enumerate(WIDTHS[:-1])
    ]
    widths.append(max(WIDTHS[-1], *map(len, amounts)))
    before = sum(widths[:-1]) + len(GAP) * (len(widths) - 1)

    def total(words: str, amount: str) -> str:
        return f"{words:<{before}}{amount:>{widths[-1]}}"

    lines = [f"{quoted['name']} ({quoted['package']}), {quoted['month']}", ""]
    lines += [_line(row, widths) for row in rows]
    lines += [total(*one) for one in sums]
    lines.append("")
    if compared:
        (first, *rest) = (total(*one) for one in compared)
        return "\n".join([*lines, f"{first}{GAP}{said}", *rest])
    return "\n".join([*lines, said])


def _number(value: int | str) -> str:
    return value if isinstance(value, str) else f"{value:,}"


def _engine(engine: Mapping | None) -> tuple[list[tuple[str, str]], str]:
    """The engine's amounts, and what is to be said of them."""
    if engine is None:
        return [], "the engine kept no quote of this package for this month"
    if "reason" in engine:
        return [], f"the engine does not compare this month: {engine['reason']}"
    return [
        ("by the engine", engine["own_prices"]),
        ("passes through: 12593, other fees, bill items, VPMN", engine["passed_through"]),
        ("total", engine["total"]),
    ], "the same" if engine["same"] else "NOT THE SAME"


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    return GAP.join(
        f"{cell:<{width}}" if name in LEFT else f"{cell:>{width}}"
        for name, cell, width in zip((*HEAD, ""), row, widths, strict=True)
    )
