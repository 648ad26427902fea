"""Tables and small pictures of a page as HTML and inline SVG, without scripts."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from html import escape

from models.drawing import svg

COLUMN, HEIGHT, WIDTH = 4, 22, 130
LONG = 60  # characters of a text that may be broken into lines
GOOD, DOUBLE, BAD, USUAL, PALE = "#3b7d5c", "#b9a14a", "#b3432f", "#333", "#b8c7d9"

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title><style>
body {{ font: 14px/1.5 system-ui, sans-serif; margin: 2em auto; max-width: 92em; padding: 0 1.5em;
       color: #222; background: #fff }}
h1 {{ font-size: 1.5em; margin-bottom: .6em }}
h2 {{ font-size: 1.1em; margin: 2em 0 .5em }}
table {{ border-collapse: collapse }}
.wide {{ overflow-x: auto }}
th {{ font-weight: 600; color: #666; border-bottom: 2px solid #ccc }}
th, td {{ padding: .2em .7em; text-align: left; vertical-align: middle }}
th {{ vertical-align: bottom }}
td {{ border-bottom: 1px solid #e6e6e6; white-space: nowrap }}
.long {{ white-space: normal }}
.n {{ text-align: right; font-variant-numeric: tabular-nums }}
svg {{ display: block }}
.tiles {{ display: flex; flex-wrap: wrap; gap: .8em }}
.tiles div {{ background: #f2f5f3; border-left: 4px solid #3b7d5c; padding: .5em 1em; color: #555 }}
.tiles .odd {{ background: #fbf0ee; border-color: #b3432f }}
.tiles b {{ display: block; font-size: 1.3em; color: #222 }}
.plots {{ display: flex; flex-wrap: wrap; gap: 1.6em 3em }}
.state {{ padding: .05em .6em; border-radius: 1em; background: #e4e8ec; white-space: nowrap }}
.committed, .running, .delivered {{ background: #dcebe2; color: #225c3e }}
.failed, .missing, .overspent, .ended {{ background: #f4dad4; color: #8a2b1a }}
.warning, .passed, .superseded, .waiting {{ background: #f5ebc8; color: #6b5710 }}
</style></head><body><h1>{title}</h1>
{parts}
</body></html>
"""


class Drawn(str):
    """HTML built by this module: a cell that holds it is not escaped."""


def table(
    title: str, heads: Sequence[str], rows: Sequence[Sequence], empty: str = "nothing"
) -> str:
    """A table under its title; numbers are aligned right, None is an empty cell."""
    if not rows:
        return f"<h2>{escape(title)}</h2><p>{escape(empty)}</p>"
    numeric = [all(not isinstance(row[place], str) for row in rows) for place in range(len(heads))]

    def cell(place: int, value: object) -> str:
        if isinstance(value, Drawn):
            return f"<td>{value}</td>"
        shown = "" if value is None else value if isinstance(value, str) else f"{value:,}"
        kind = " class=n" if numeric[place] else " class=long" if len(shown) > LONG else ""
        return f"<td{kind}>{escape(shown)}</td>"

    body = "".join("<tr>" + "".join(cell(*one) for one in enumerate(row)) + "</tr>" for row in rows)
    head = "".join(
        f"<th{' class=n' if right else ''}>{escape(name)}</th>"
        for name, right in zip(heads, numeric, strict=True)
    )
    return f"<h2>{escape(title)}</h2><div class=wide><table><tr>{head}</tr>{body}</table></div>"


def page(title: str, parts: Iterable[str]) -> str:
    """A page of parts under its title; empty parts are left out."""
    return PAGE.format(title=escape(title), parts="\n".join(part for part in parts if part))


def tiles(figures: Iterable[tuple[str, str, bool]]) -> str:
    """Figures in a row, each as (name, value, whether it needs attention)."""
    return (
        '<div class="tiles">'
        + "".join(
            f"<div{' class=odd' if odd else ''}><b>{escape(value)}</b>{escape(name)}</div>"
            for name, value, odd in figures
        )
        + "</div>"
    )


def plots(title: str, drawn: Sequence[str]) -> str:
    """Pictures under a title, as many in a row as there is room; nothing without pictures."""
    if not drawn:
        return ""
    return f'<h2>{escape(title)}</h2><div class="plots">{"".join(drawn)}</div>'


def state(name: str, like: str = "") -> Drawn:
    """The name of a state in its colour, or in that of another state that it is like."""
    return Drawn(f'<span class="state {escape(like or name)}">{escape(name)}</span>')


def by_day(rows: Mapping[date, int], last: date, days: int) -> Drawn:
    """A column of rows for each of the last `days` days; the day `last` has a stronger colour."""
    shown = [last - timedelta(days=back) for back in range(days - 1, -1, -1)]
    most = max((rows.get(day, 0) for day in shown), default=0) or 1
    parts = []
    for place, day in enumerate(shown):
        if day in rows:
            tall = max(1.0, (HEIGHT - 1) * rows[day] / most)
            parts.append(
                _rect(
                    place * COLUMN,
                    HEIGHT - tall,
                    COLUMN - 1,
                    tall,
                    GOOD if day == last else PALE,
                    f"{day}: {rows[day]:,} rows",
                )
            )
    return _svg(days * COLUMN, parts)


def shares(parts: Iterable[tuple[str, int, str]]) -> Drawn:
    """One bar of parts (name, rows, colour); parts with rows are at least about 2 pixels wide."""
    parts = [part for part in parts if part[1]]
    total = sum(rows for _, rows, _ in parts)
    wide = [max(2.0, WIDTH * rows / total) for _, rows, _ in parts]
    scale, at, drawn = WIDTH / sum(wide) if wide else 1, 0.0, []
    for (name, rows, colour), width in zip(parts, wide, strict=True):
        drawn.append(
            _rect(
                at, 5, width * scale, HEIGHT - 10, colour, f"{name}: {rows:,} ({rows / total:.1%})"
            )
        )
        at += width * scale
    return _svg(WIDTH, drawn)


def bar(
    value: float,
    most: float,
    mark: float | None = None,
    *,
    strong: bool = False,
    marked: str = "usual",
) -> Drawn:
    """A value as a share of `most`, the largest of its column; `mark` is what `marked` names."""
    drawn = [
        _rect(
            0,
            5,
            WIDTH * value / most if most else 0,
            HEIGHT - 10,
            BAD if strong else PALE,
            f"{value:,.1f}",
        )
    ]
    if mark is not None and most:
        drawn.append(
            _rect(
                min(WIDTH * mark / most, WIDTH - 2),
                2,
                2,
                HEIGHT - 4,
                USUAL,
                f"{marked}: {mark:,.1f}",
            )
        )
    return _svg(WIDTH, drawn)


def span(begin: date, end: date, first: date, last: date, today: date) -> Drawn:
    """The days [begin, end) as a bar on the scale of [first, last), with a mark at `today`."""
    scale = WIDTH / max((last - first).days, 1)
    at, wide = (begin - first).days * scale, max(2.0, (end - begin).days * scale)
    colour = GOOD if begin <= today < end else PALE
    drawn = [_rect(at, 5, wide, HEIGHT - 10, colour, f"{begin} to {end - timedelta(days=1)}")]
    if first <= today < last:
        drawn.append(
            _rect((today - first).days * scale, 2, 2, HEIGHT - 4, USUAL, f"tonight: {today}")
        )
    return _svg(WIDTH, drawn)


def _rect(x: float, y: float, width: float, height: float, colour: str, title: str) -> str:
    return svg.rect(f"{x:.1f}", f"{y:.1f}", f"{width:.1f}", f"{height:.1f}", colour, title)


def _svg(width: float, parts: Sequence[str]) -> Drawn:
    return Drawn(svg.element("svg", *parts, width=width, height=HEIGHT, role="img"))
