"""An estimate with its interval by date, as a picture of whiskers around a line at zero."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from models.drawing import svg

LEFT, STEP, TOP, TALL, BELOW = 70, 26, 24, 110, 18  # pixels
INK, FAINT, ZERO, BAR = "#222", "#666", "#b3432f", "#3b7d5c"
Point = tuple[date, float, float, float]  # date, low, estimate, high


def picture(title: str, points: Sequence[Point], unit: str) -> str:
    """An SVG of the points in order of their dates; zero is always in sight."""
    ordered = sorted(points)
    least = min(0.0, *(low for _, low, _, _ in ordered))
    most = max(0.0, *(high for _, _, _, high in ordered))
    span = (most - least) or 1.0

    def height(value: float) -> float:
        return TOP + TALL * (most - value) / span

    width = LEFT + STEP * (len(ordered) + 1)
    parts = [
        _text(0, 14, title, INK),
        _text(0, height(most) + 4, f"{most:.4g}{unit}", FAINT),
        _text(0, height(least) + 4, f"{least:.4g}{unit}", FAINT),
        _line(LEFT - 10, height(0), width, height(0), ZERO),
    ]
    for place, (day, low, estimate, high) in enumerate(ordered):
        at = LEFT + STEP * place + STEP / 2
        said = f"{day}: {estimate:.4g}{unit} ({low:.4g} to {high:.4g})"
        parts += [
            _line(at, height(high), at, height(low), BAR),
            svg.rect(f"{at - 4:.1f}", f"{height(estimate) - 3:.1f}", 8, 6, BAR, said),
        ]
    first, last = ordered[0][0], ordered[-1][0]
    dates = f"{first}" if first == last else f"{first} to {last}"
    parts.append(_text(LEFT, TOP + TALL + BELOW, dates, FAINT))
    tall = TOP + TALL + BELOW + 6
    return svg.element("svg", *parts, width=max(width, 240), height=tall, role="img")


def _line(x1: float, y1: float, x2: float, y2: float, colour: str) -> str:
    ends = {"x1": x1, "y1": y1, "x2": x2, "y2": y2}
    return svg.element(
        "line", **{name: f"{value:.1f}" for name, value in ends.items()}, stroke=colour
    )


def _text(x: float, y: float, words: str, fill: str) -> str:
    return svg.element("text", svg.text(words), x=x, y=f"{y:.1f}", fill=fill, font_size=12)
