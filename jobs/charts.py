"""Tables and small pictures of a page as HTML and inline SVG, without scripts."""
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from html import escape

COLUMN, HEIGHT, WIDTH = 4, 22, 130
LONG = 60  # characters of a text that may be broken into lines
GOOD, DOUBLE, BAD, USUAL, PALE = "#3b7d5c", "#b9a14a", "#b3432f", "#333", "#b8c7d9"


class Drawn(str):
    """HTML that is made here already: a cell of it is not escaped."""


def table(title: str, heads: Sequence[str], rows: Sequence[Sequence], empty: str = "nothing"
          ) -> str:
    """A table under its title; numbers stand at the right, None is an empty cell."""
    if not rows:
        return f"<h2>{escape(title)}</h2><p>{escape(empty)}</p>"
    numeric = [all(not isinstance(row[place], str) for row in rows) for place in range(len(heads))]

    def cell(place: int, value) -> str:
        if isinstance(value, Drawn):
            return f"<td>{value}</td>"
        shown = "" if value is None else value if isinstance(value, str) else f"{value:,}"
        kind = " class=n" if numeric[place] else " class=long" if len(shown) > LONG else ""
        return f"<td{kind}>{escape(shown)}</td>"

    body = "".join("<tr>" + "".join(cell(*one) for one in enumerate(row)) + "</tr>"
                   for row in rows)
    head = "".join(f'<th{" class=n" if right else ""}>{escape(name)}</th>'
                   for name, right in zip(heads, numeric))
    return (f"<h2>{escape(title)}</h2><div class=wide><table><tr>{head}</tr>{body}</table>"
            "</div>")


def state(name: str) -> Drawn:
    """How something stands, in its colour."""
    return Drawn(f'<span class="state {escape(name)}">{escape(name)}</span>')


def by_day(rows: Mapping[date, int], last: date, days: int) -> Drawn:
    """A column for each of the days that end with `last`, which is drawn stronger."""
    shown = [last - timedelta(days=back) for back in range(days - 1, -1, -1)]
    most = max((rows.get(day, 0) for day in shown), default=0) or 1
    parts = []
    for place, day in enumerate(shown):
        if day in rows:
            tall = max(1.0, (HEIGHT - 1) * rows[day] / most)
            parts.append(_rect(place * COLUMN, HEIGHT - tall, COLUMN - 1, tall,
                               GOOD if day == last else PALE, f"{day}: {rows[day]:,} rows"))
    return _svg(days * COLUMN, parts)


def shares(parts: Iterable[tuple[str, int, str]]) -> Drawn:
    """One bar of parts (name, rows, colour); a part that is there is never too thin to be seen."""
    parts = [part for part in parts if part[1]]
    whole = sum(rows for _, rows, _ in parts)
    wide = [max(2.0, WIDTH * rows / whole) for _, rows, _ in parts]
    scale, at, drawn = WIDTH / sum(wide) if wide else 1, 0.0, []
    for (name, rows, colour), width in zip(parts, wide):
        drawn.append(_rect(at, 5, width * scale, HEIGHT - 10, colour,
                           f"{name}: {rows:,} ({rows / whole:.1%})"))
        at += width * scale
    return _svg(WIDTH, drawn)


def bar(value: float, most: float, mark: float | None = None, strong: bool = False) -> Drawn:
    """A value against the largest of its column, with a mark where it usually ends."""
    drawn = [_rect(0, 5, WIDTH * value / most if most else 0, HEIGHT - 10,
                   BAD if strong else PALE, f"{value:,.1f}")]
    if mark is not None and most:
        drawn.append(_rect(min(WIDTH * mark / most, WIDTH - 2), 2, 2, HEIGHT - 4, USUAL,
                           f"usual: {mark:,.1f}"))
    return _svg(WIDTH, drawn)


def _rect(x: float, y: float, width: float, height: float, colour: str, title: str) -> str:
    return (f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" '
            f'fill="{colour}"><title>{escape(title)}</title></rect>')


def _svg(width: float, parts: Sequence[str]) -> Drawn:
    return Drawn(f'<svg width="{width}" height="{HEIGHT}" role="img">{"".join(parts)}</svg>')
