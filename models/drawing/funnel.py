"""A funnel: how many are left after each stage, as a picture of centred bars."""

from __future__ import annotations

from collections.abc import Sequence

from models.drawing import svg

LABEL, LONG, NUMBER = 130, 150, 70  # pixels of a row: its name, its bar, its number
WIDTH, ROW, TOP, THICK = LABEL + LONG + NUMBER, 20, 24, 14
INK, FAINT, LEFT, LOST, END = "#222", "#666", "#b8c7d9", "#ecc9c2", "#3b7d5c"


def picture(title: str, first: str, losses: Sequence[tuple[str, int]], last: str, end: int) -> str:
    """An SVG of the `losses` by stage, in their order; what they leave is `end`.

    `first`, `last`: names of the whole and of the end. A title over a bar says its numbers.
    """
    left = whole = end + sum(lost for _, lost in losses)
    parts = [_text(0, 14, title, INK, weight="600"), *_row(0, first, whole, whole, whole, LEFT)]
    for place, (name, lost) in enumerate(losses, start=1):
        parts += _row(place, name, left, left - lost, whole, LEFT)
        left -= lost
    parts += _row(len(losses) + 1, last, end, end, whole, END)
    height = TOP + ROW * (len(losses) + 2)
    return svg.element("svg", *parts, width=WIDTH, height=height, role="img")


def _row(place: int, name: str, before: int, after: int, whole: int, colour: str) -> list[str]:
    """A stage: what it takes at both ends of the bar, what it leaves in the middle."""
    top = TOP + place * ROW
    lost = before - after
    said = f"{name}: {after:,}" + (f" of {before:,}, {lost:,} lost" if lost else "")
    number = f"−{lost:,}" if lost else f"{after:,}"
    bars = [
        _bar(count, whole, top, fill, said)
        for count, fill in ((before, LOST), (after, colour))
        if count
    ]
    return [
        _text(0, top + 12, name, FAINT if lost else INK),
        *bars,
        _text(WIDTH, top + 12, number, FAINT if lost else INK, anchor="end"),
    ]


def _bar(count: int, whole: int, top: int, fill: str, said: str) -> str:
    wide = max(1.0, LONG * count / whole)
    at = LABEL + (LONG - wide) / 2
    return svg.rect(f"{at:.1f}", top + 1, f"{wide:.1f}", THICK, fill, said)


def _text(
    x: int, y: int, words: str, fill: str, *, weight: str = "400", anchor: str = "start"
) -> str:
    return svg.element(
        "text",
        svg.text(words),
        x=x,
        y=y,
        fill=fill,
        font_size=12,
        font_weight=weight,
        text_anchor=anchor,
    )
