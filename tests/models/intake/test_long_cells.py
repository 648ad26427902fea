"""A cell of hundreds of thousands of characters is judged in no time, whatever it holds."""

import time

from tests.given.delivered_lines import DAY, line, source

LENGTH = 300_000
SECONDS = 120  # patterns whose time grows with the square of the length took hours

CELLS = {
    "digits": ("seconds", "1" * LENGTH),
    "zeros after a point": ("fee", "0." + "0" * LENGTH),
    "digits after a point": ("fee", "0." + "12" * (LENGTH // 2)),
    "an exponent far away": ("fee", "1" * LENGTH + "x" + "0" * LENGTH),
    "digits in groups": ("number", "1-" * (LENGTH // 2) + "1"),
    "blanks inside a number": ("number", "138" + " " * LENGTH + "00000001"),
    "blanks inside a text": ("city", "a" + "\u3000" * LENGTH + "b"),
    "a time and more": ("start", "20090503101500." + "1" * LENGTH),
}


def test_long_cells_are_rejected_and_hold_nothing_up(judged):
    rows = [(line(), "a", 1, DAY)]
    rows += [
        (line(**{cell: text}), "a", place, DAY)
        for place, (cell, text) in enumerate(CELLS.values(), start=2)
    ]
    began = time.monotonic()
    seen = judged(rows, source())
    assert time.monotonic() - began < SECONDS
    refused = {place for _, place in seen.rejected}
    named = {name: place in refused for place, name in enumerate(CELLS, start=2)}
    assert named == {**dict.fromkeys(CELLS, True), "blanks inside a number": False}
    assert {place for _, place in seen.accepted} == {1}
    assert seen.duplicate == {("a", 2 + list(CELLS).index("blanks inside a number"))}
