"""A bill before and after a change of package, line by line 前后对比 (S2-10).

`stated` gives amounts that add up. `picture` draws what a web page shows: two bars stacked by line
on one scale, and a legend with every amount. Negative amounts (a cap, a VPMN fee taken off) are
drawn below the base line, so the length above minus the length below is the total. A line that is
zero on both sides is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from models.drawing import svg
from models.tariff.amounts import BUCKETS, cumulated
from schemas.currency import Currency

# What a package prices are BUCKETS; passed_through is the rest of the bill.
PASSED, TOTAL = "passed_through", "total"
# Per line: its name for customers, its colour, and the colour of an amount written on it.
SHOWN = {
    "cap_cut": ("封顶减免", "#404040", "#fff"),
    PASSED: ("其他费用", "#c4c4c4", "#222"),
    "monthly_fee": ("月租", "#0072b2", "#fff"),
    "local_airtime": ("本地通话", "#e69f00", "#222"),
    "roaming_airtime": ("漫游通话", "#009e73", "#fff"),
    "toll": ("长途", "#cc79a7", "#222"),
    "sms": ("短信", "#56b4e9", "#222"),
    "mms": ("彩信", "#f0e442", "#222"),
    "gprs": ("上网", "#d55e00", "#fff"),
    "wlan": ("无线上网", "#6a3d9a", "#fff"),
    "connect": ("接通费", "#8c564b", "#fff"),
    "commitment": ("最低消费补足", "#2f4b1f", "#fff"),
    TOTAL: ("合计", "#0072b2", "#fff"),
}
STACK = tuple(line for line in SHOWN if line != TOTAL)  # upwards from the base line

WIDTH, HEIGHT = 640, 380
TOP, LONG = 92, 230  # of the bars, in pixels
PLACES, THICK = (40, 190), 110  # left edges and width of the bars
LEGEND, ROW = 340, 20
COLUMNS = (506, 620)  # right ends of the amounts in the legend
LABELLED = 1500  # hundredths of a pixel that an amount needs in a bar
INK, FAINT, GOOD, BAD = "#222", "#666", "#1b7043", "#a83a26"


@dataclass(frozen=True)
class Side:
    """One bar: its name, and amounts by line as `stated` gives them."""

    name: str
    amounts: Mapping[str, Decimal]


def stated(
    total: Decimal, lines: Mapping[str, Decimal] | None, currency: Currency
) -> dict[str, Decimal]:
    """A bill line by line to the minor unit: BUCKETS, passed_through, total.

    `lines`: the exact amount of each priced line; None: only the total is known. The rest of
    `total` is passed_through. The lines add up to the total, because running sums are rounded half
    up. The sums begin with passed_through, so it is equal before and after. A line of whole
    minor units does not change.
    """
    rounded = {TOTAL: currency.rounded(total)}
    if lines is None:
        return rounded
    parts = [(PASSED, total - sum(lines.values())), *lines.items()]
    found = dict(cumulated(parts, currency.rounded))
    return {name: found[name] for name in (*BUCKETS, PASSED)} | rounded


def picture(heading: str, period: str, before: Side, after: Side, currency: Currency) -> str:
    """The two bills as one line of SVG, without script, outside font or link.

    `period`: what a saving refers to, such as 平均每月. If one side has only its total, both are
    drawn as totals. Equal amounts and names give equal bytes.
    """
    sides, itemised = (before, after), all(len(side.amounts) > 1 for side in (before, after))
    lines = [
        line
        for line in (STACK if itemised else (TOTAL,))
        if any(side.amounts[line] for side in sides)
    ]
    saved = before.amounts[TOTAL] - after.amounts[TOTAL]
    summary = (
        f"{period}节省 {saved} {currency.name}"
        if saved > 0
        else f"{period}多付 {-saved} {currency.name}"
        if saved
        else f"{period}费用相同"
    )
    return svg.element(
        "svg",
        # The title names the picture. Ids would clash when several pictures are on one page.
        svg.element("title", svg.text(heading)),
        svg.element("desc", svg.text(_described(sides, lines, summary, currency))),
        svg.element("rect", width=WIDTH, height=HEIGHT, fill="#fff"),
        svg.element(
            "g",
            _text(_cut(heading, 64), PLACES[0], 32, font_size=18),
            _text(summary, PLACES[0], 58, font_size=15, fill=BAD if saved < 0 else GOOD),
            font_weight="bold",
        ),
        svg.element("g", *_bars(sides, lines, currency), text_anchor="middle"),
        *_legend(sides, lines, itemised),
        xmlns="http://www.w3.org/2000/svg",
        role="img",
        viewBox=f"0 0 {WIDTH} {HEIGHT}",
        width=WIDTH,
        height=HEIGHT,
        font_family="sans-serif",
        font_size=13,
        fill=INK,
    )


def _described(sides: tuple[Side, ...], lines: list[str], summary: str, currency: Currency) -> str:
    """The picture in words, for readers who cannot see it."""
    texts = []
    for side in sides:
        parts = "，".join(
            f"{SHOWN[line][0]} {side.amounts[line]}"
            for line in reversed(lines)
            if side.amounts[line] and line != TOTAL
        )
        total = f"{side.name} {side.amounts[TOTAL]} {currency.name}"
        texts.append(total + (f"：{parts}" if parts else ""))
    return "；".join([*texts, summary])


def _bars(sides: tuple[Side, ...], lines: list[str], currency: Currency) -> list[str]:
    """Both bars on one scale, their lines stacked from the base line."""

    def minor_units(side: Side, line: str) -> int:
        return int(side.amounts[line].scaleb(currency.minor_unit))

    above = max(sum(max(minor_units(side, line), 0) for line in lines) for side in sides)
    below = max(sum(max(-minor_units(side, line), 0) for line in lines) for side in sides)
    scale = max(above + below, 1)

    def down(amount: int) -> int:
        """Hundredths of a pixel from the picture's top, for minor units above the base line."""
        return TOP * 100 + (2 * (above - amount) * LONG * 100 + scale) // (2 * scale)

    drawn = []
    for side, left in zip(sides, PLACES, strict=True):
        up = under = 0
        for line in lines:
            amount, words = minor_units(side, line), f"{side.amounts[line]} {currency.name}"
            if amount > 0:
                drawn.append(_piece(side, line, words, left, down(up + amount), down(up)))
                up += amount
            elif amount < 0:
                drawn.append(_piece(side, line, words, left, down(under), down(under + amount)))
                under += amount
        middle = left + THICK // 2
        drawn += [
            _text(
                f"{side.amounts[TOTAL]} {currency.name}",
                middle,
                _pixels(down(up) - 800),
                font_size=16,
                font_weight="bold",
            ),
            _text(_cut(side.name, 21), middle, TOP + LONG + 24),
        ]
    foot = _pixels(down(0))
    return [
        *drawn,
        svg.element(
            "line", x1=PLACES[0] - 15, x2=PLACES[1] + THICK + 15, y1=foot, y2=foot, stroke=INK
        ),
    ]


def _piece(side: Side, line: str, amount: str, left: int, top: int, bottom: int) -> str:
    """A line of a bill in its bar, with its amount if there is room for the text."""
    name, fill, ink = SHOWN[line]
    drawn = svg.rect(left, _pixels(top), THICK, _pixels(bottom - top), fill, f"{name} {amount}")
    if bottom - top >= LABELLED:
        drawn += _text(
            side.amounts[line],
            left + THICK // 2,
            _pixels((top + bottom) // 2 + 450),
            font_size=12,
            fill=ink,
        )
    return drawn


def _legend(sides: tuple[Side, ...], lines: list[str], itemised: bool) -> list[str]:
    """Every line with its colour and both amounts, in the order of the stack."""
    names, y = [], TOP
    columns = list(zip(sides, COLUMNS, strict=True))
    amounts = [_text(_cut(side.name, 14), right, y) for side, right in columns]
    for line in [*reversed(lines), *([TOTAL] if itemised else [])]:
        y += ROW
        words, fill, _ = SHOWN[line]
        if line == TOTAL and itemised:
            names.append(
                svg.element("line", x1=LEGEND, x2=COLUMNS[-1], y1=y - 15, y2=y - 15, stroke=FAINT)
            )
        else:
            names.append(svg.element("rect", x=LEGEND, y=y - 11, width=12, height=12, fill=fill))
        names.append(_text(words, LEGEND + 20, y))
        amounts += [_text(side.amounts[line], right, y) for side, right in columns]
    if not itemised:
        names.append(_text("有的月份不能逐项核算，只比较合计", LEGEND, y + ROW, fill=FAINT))
    return [*names, svg.element("g", *amounts, text_anchor="end")]


def _text(words: object, x: object, y: object, **looks: object) -> str:
    return svg.element("text", svg.text(words), x=x, y=y, **looks)


def _cut(words: str, room: int) -> str:
    """A text cut to `room`, in half widths of a Chinese character."""
    wide = [1 if letter.isascii() else 2 for letter in words]
    if sum(wide) <= room:
        return words
    kept = sum(sum(wide[:end]) <= room - 2 for end in range(1, len(wide) + 1))
    return words[:kept] + "…"


def _pixels(hundredths: int) -> str:
    return f"{hundredths // 100}.{hundredths % 100:02d}"
