"""Lines of fixed widths, lines that are objects, and lines spoiled on the way."""

import json
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from schemas.config.source import SourceFormat
from tests.given.delivered_lines import COLUMNS, DAY, GB18030, line, source, unique


@st.composite
def mutated(draw, encoding):
    """A good line that was cut, flipped, mixed up, filled with NULs or repeated on the way."""
    text = bytearray(
        line(no=f"V{draw(st.integers(1, 40))}", other=str(draw(st.integers(1, 40)))).encode(
            encoding
        )
    )
    for _ in range(draw(st.integers(0, 3))):
        place = draw(st.integers(0, max(len(text) - 1, 0)))
        kind = draw(st.sampled_from(["flip", "cut", "insert", "move", "double", "nul", "quote"]))
        if kind == "cut":
            del text[place:]
        elif kind == "flip" and text:
            text[place] ^= draw(st.integers(1, 255))
        elif kind == "insert":
            text[place:place] = draw(st.binary(min_size=1, max_size=4))
        elif kind == "move":
            cells = bytes(text).split(b"|")
            text = bytearray(b"|".join(cells[1:] + cells[:1]))
        elif kind == "double":
            text += bytes(text)
        elif kind == "nul":
            text[place:place] = b"\0" * draw(st.integers(1, 3))
        else:
            text[place:place] = b'"'
    return bytes(text).replace(b"\n", b"")


def gathered(count, encoding):
    """So many mutated lines, the same in every run, for one pass of Spark."""
    found = []

    @settings(max_examples=count, derandomize=True, database=None, phases=[Phase.generate])
    @given(text=mutated(encoding), day=st.integers(0, 9))
    def gather(text, day):
        found.append((text, "a.txt", len(found), DAY + timedelta(days=day)))

    gather()
    return found


FORMATS = [SourceFormat(delimiter="|"), GB18030, SourceFormat(delimiter="|", quote='"')]


@pytest.mark.parametrize("form", FORMATS, ids=["plain", "gb18030", "quoted"])
def test_whatever_arrives_each_line_ends_in_exactly_one_of_three(judged, contracts, form):
    rows = gathered(400, form.encoding)
    seen = judged(rows, source(format=form))
    assert sorted(row for _, row in seen.all) == list(range(len(rows)))
    assert not set(seen.accepted) & set(seen.rejected)
    assert seen.accepted
    assert seen.rejected
    assert seen.duplicate
    for row in seen.rejected.values():
        assert row.reasons
        assert set(row.reasons) <= set(seen.checks)
        row.raw_line.encode("utf-8")
    required = [c.name for c in contracts["ods.voice_call"].columns if c.required]
    for row in seen.accepted.values():
        assert all(row[name] is not None for name in required)
    for counts in seen.counts.values():
        settled = sum(counts[part] for part in ("accepted", "rejected", "duplicate"))
        assert counts["delivered"] == settled
    assert sum(counts["delivered"] for counts in seen.counts.values()) == len(rows)


# -- other forms of a line -------------------------------------------------------------------------

WIDTHS = (4, 11, 11, 2, 14, 3, 1, 6, 4)
OBJECTS = SourceFormat(kind="json_lines")
BROKEN = {
    "fixed_width": "line: expected 56 bytes of {}, 9 fields of whole characters",
    "json_lines": "line: expected one JSON object with no other fields than " + ", ".join(COLUMNS),
}


def padded(encoding="utf-8", **changes):
    cells = line(**{"city": "", **changes}).split("|")
    return b"".join(
        cell.encode(encoding).ljust(width) for cell, width in zip(cells, WIDTHS, strict=False)
    )


def told(**changes):
    return dict(zip(COLUMNS, line(**changes).split("|"), strict=False))


FIXED = {
    "plain": (padded(), None),
    "a carriage return before the line end": (padded() + b"\r", None),
    "a byte order mark before it": (b"\xef\xbb\xbf" + padded(), None),
    "a byte less": (padded()[:-1], BROKEN["fixed_width"]),
    "a byte more": (padded() + b" ", BROKEN["fixed_width"]),
    "bytes are counted, not characters": (padded(city="京"), None),
    "a field ends within a character": (
        padded(fee="0.400")[:-7] + "0.4京".encode() + b"    ",
        BROKEN["fixed_width"],
    ),
    "not of the encoding": (padded()[:-4] + b"\xff   ", "line: not readable as {}"),
}


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_a_line_of_fixed_widths(judged, encoding):
    form = SourceFormat(kind="fixed_width", widths=WIDTHS, encoding=encoding)
    known = {
        case: (text, reason)
        for case, (text, reason) in FIXED.items()
        if encoding == "utf-8"
        or (
            "京" not in text.decode(errors="ignore")
            and not text.startswith(b"\xef")
            and b"\xff" not in text
        )
    }
    rows = [(unique(text, n), "a", n, DAY) for n, (text, _) in enumerate(known.values())]
    seen = judged(rows, source(format=form))
    for n, (case, (_, reason)) in enumerate(known.items()):
        found = [reason.format(encoding)] if reason else []
        assert found == (seen.rejected["a", n].reasons if ("a", n) in seen.rejected else []), case


def test_gb18030_fields_of_fixed_widths(judged):
    form = SourceFormat(kind="fixed_width", widths=WIDTHS, encoding="gb18030")
    split = padded("gb18030", city="北京")
    rows = [
        (padded("gb18030", no="V1", city="北京"), "a", 1, DAY),
        (split[:51] + split[52:54] + b" " + split[54:], "a", 2, DAY),
    ]  # a byte to the left
    seen = judged(rows, source(format=form))
    assert seen.accepted["a", 1].home_city == "北京"
    assert seen.rejected["a", 2].reasons == [BROKEN["fixed_width"].format("gb18030")]


JSON_LINES = {
    "plain": (json.dumps(told()), None),
    "in another order": (json.dumps(dict(reversed(told().items()))), None),
    "numbers as numbers": (json.dumps({**told(), "seconds": 61}).replace('"0.400"', "0.400"), None),
    "an optional field missing": (
        json.dumps({k: v for k, v in told().items() if k != "city"}),
        None,
    ),
    "an optional field null": (json.dumps({**told(), "city": None}), None),
    "a byte order mark before it": ("\ufeff" + json.dumps(told()), None),
    "a required field missing": (
        json.dumps({k: v for k, v in told().items() if k != "number"}),
        "msisdn: expected a value",
    ),
    "a field that nobody knows": (json.dumps({**told(), "tax": "0"}), BROKEN["json_lines"]),
    "cut": (json.dumps(told())[:-1], BROKEN["json_lines"]),
    "a list": (json.dumps([told()]), BROKEN["json_lines"]),
    "a text": ('"V1"', BROKEN["json_lines"]),
    "two objects": (json.dumps(told()) + json.dumps(told()), BROKEN["json_lines"]),
    "two lists of one": (f"{json.dumps(told())}],[{json.dumps(told())}", BROKEN["json_lines"]),
    "an object in an object that ends": (
        f'{json.dumps(told())}, "more": 1}}',
        BROKEN["json_lines"],
    ),
    "an object, and brackets": (json.dumps(told()) + "]}", BROKEN["json_lines"]),
    "brackets in a text": (json.dumps(told(city="}],[{")), None),
    "no JSON": (line(), BROKEN["json_lines"]),
    "a field as an object": (
        json.dumps({**told(), "seconds": {"n": 61}}),
        "duration_s: present but not readable as bigint",
    ),
    "not of the encoding": (
        json.dumps(told(city="北京"), ensure_ascii=False).encode("gb18030"),
        "line: not readable as utf-8",
    ),
}


def test_a_line_that_is_an_object(judged):
    rows = [(unique(text, n), "a", n, DAY) for n, (text, _) in enumerate(JSON_LINES.values())]
    seen = judged(rows, source(format=OBJECTS))
    for n, (case, (_, reason)) in enumerate(JSON_LINES.items()):
        found = [reason] if reason else []
        assert found == (seen.rejected["a", n].reasons if ("a", n) in seen.rejected else []), case
    assert {seen.accepted["a", n].airtime_fee for n in (0, 2)} == {Decimal("0.400")}
