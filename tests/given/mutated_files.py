"""Delivered files that were damaged on the way: every kind of damage, the same for a seed.

Four sources of calls in four forms. A file is made whole first; then some of its bytes or lines are
spoiled, and sometimes the packed file too.
"""

import gzip
import json
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from random import Random

from tests.given.call_source import COLUMNS, overlay

WIDTHS = (8, 11, 11, 14, 5, 8, 8)
FIRST = date(2009, 1, 1)
FORMS = {
    "plain": {"delimiter": "|"},
    "quoted": {"delimiter": ";", "quote": '"', "header": True, "encoding": "gb18030"},
    "widths": {"kind": "fixed_width", "widths": list(WIDTHS), "compression": "gzip"},
    "objects": {"kind": "json_lines", "compression": "gzip"},
}
ROWS, RECORDS = 6, 400
HUGE = 200_000


def sources(shipped) -> dict:
    """The four sources as an overlay of conf/sources.yml, and none of the shipped ones."""
    files = {name: {"pattern": file_name(name, "*"), "control": "calls.ctl"} for name in FORMS}
    return overlay(
        shipped,
        files,
        FORMS,
        {"warn_share": "1", "stop_share": "1"},
        optional=True,
        lookback_days=3,
    )


def file_name(name: str, number: object) -> str:
    return f"calls_{number}.txt" + (".gz" if "compression" in FORMS[name] else "")


def encoding(name: str) -> str:
    return FORMS[name].get("encoding", "utf-8")


def whole(name: str, day: date, chance: Random) -> list[bytes]:
    """The lines of a good file; some repeat a record of this file or another."""
    numbers = [chance.randrange(RECORDS) for _ in range(ROWS)]
    rows = [
        {
            "no": f"V{n}",
            "caller": f"138{n:08}",
            "called": f"139{n:08}",
            "start": f"{day - timedelta(days=n % 3):%Y%m%d}1000{n % 60:02}",
            "seconds": str(60 + n),
            "city": chance.choice(["北京", "", "武汉"]),
            "fee": "0.600",
        }
        for n in numbers
    ]
    lines = [_line(name, row) for row in rows]
    return [";".join(COLUMNS).encode(), *lines] if name == "quoted" else lines


def _line(name: str, row: dict[str, str]) -> bytes:
    code = encoding(name)
    if name == "plain":
        return "|".join(row.values()).encode(code)
    if name == "quoted":
        return ";".join(f'"{cell}"' for cell in row.values()).encode(code)
    if name == "widths":
        return b"".join(
            cell.encode(code).ljust(width) for cell, width in zip(row.values(), WIDTHS, strict=True)
        )
    return json.dumps(row, ensure_ascii=False).encode(code)


def damaged(name: str, day: date, seed: object) -> bytes:
    """The bytes of a file of a source and day as they arrive."""
    chance = Random(f"{seed} {name} {day}")
    lines = whole(name, day, chance)
    head = lines[:1] if name == "quoted" and chance.random() < 0.95 else []
    rest = lines[len(head) :]
    for _ in range(chance.randrange(4)):
        chance.choice(LINE_DAMAGE)(chance, rest)
    content = chance.choice([b"\n"] * 4 + [b"\r\n", b"\n\n"]).join([*head, *rest])
    content += chance.choice([b"\n", b"", b"\r\n", b" \n"])
    for _ in range(chance.choice([0, 0, 1, 2])):
        content = chance.choice(FILE_DAMAGE)(chance, content, len(head))
    if "compression" not in FORMS[name]:
        return content
    middle = chance.randrange(len(content) + 1)
    members = [content] if chance.random() < 0.8 else [content[:middle], content[middle:]]
    packed = b"".join(gzip.compress(part, mtime=0) for part in members)
    return chance.choice(PACKED_DAMAGE)(chance, packed) if chance.random() < 0.15 else packed


def _at(chance: Random, lines: list[bytes]) -> int | None:
    return chance.randrange(len(lines)) if lines else None


def _on_a_line(change: Callable[[Random, bytes], bytes]):
    def spoil(chance: Random, lines: list[bytes]) -> None:
        place = _at(chance, lines)
        if place is not None:
            lines[place] = change(chance, lines[place])

    return spoil


def _cut(chance: Random, line: bytes) -> bytes:
    return line[: chance.randrange(len(line) + 1)]


def _flipped(chance: Random, line: bytes) -> bytes:
    place = chance.randrange(max(len(line), 1))
    return (
        line[:place]
        + bytes(b ^ chance.randrange(1, 256) for b in line[place : place + 1])
        + line[place + 1 :]
    )


def _moved(chance: Random, line: bytes) -> bytes:
    mark = chance.choice([b"|", b";", b",", b'"'])
    cells = line.split(mark)
    chance.shuffle(cells)
    return mark.join(cells)


def _in_the_other_encoding(chance: Random, line: bytes) -> bytes:
    try:
        return line.decode("utf-8").encode("gb18030")
    except UnicodeDecodeError:
        return line.decode("gb18030", "replace").encode("utf-8")


def _with_a_huge_field(chance: Random, line: bytes) -> bytes:
    place = chance.randrange(len(line) + 1)
    return line[:place] + chance.choice([b"9", b"x", b"|", b";", b'"', b"["]) * HUGE + line[place:]


def _with_strange_bytes(chance: Random, line: bytes) -> bytes:
    place = chance.randrange(len(line) + 1)
    strange = chance.choice(
        [
            b"\0",
            b"\0" * 3,
            b"\xef\xbb\xbf",
            b"\r",
            b"\xff\xfe",
            b"\x85",
            b"\x1a",
            "\u2028".encode(),
            b'"',
            b'""',
            b"\\",
            b"{",
            b"}],[{",
            b"\x0c",
            b"99999999999999999999",
            b"NaN",
            b"-0",
            b"1e400",
            b" ",
        ]
    )
    return line[:place] + strange + line[place:]


def _without_a_line(chance: Random, lines: list[bytes]) -> None:
    place = _at(chance, lines)
    if place is not None:
        del lines[place]


def _a_line_twice(chance: Random, lines: list[bytes]) -> None:
    place = _at(chance, lines)
    if place is not None:
        lines.insert(chance.randrange(len(lines) + 1), lines[place])


def _blank_line(chance: Random, lines: list[bytes]) -> None:
    lines.insert(
        chance.randrange(len(lines) + 1),
        chance.choice([b"", b"  ", b"\t", b"\r", b"\x0b", b"\x0c \r", b"\0"]),
    )


LINE_DAMAGE = [
    *map(
        _on_a_line,
        (
            _cut,
            _flipped,
            _flipped,
            _moved,
            _in_the_other_encoding,
            _with_a_huge_field,
            _with_strange_bytes,
            _with_strange_bytes,
        ),
    ),
    _without_a_line,
    _a_line_twice,
    _a_line_twice,
    _blank_line,
]


def _broken_off(chance: Random, content: bytes, head: int) -> bytes:
    start = content.find(b"\n") + 1 if head else 0
    return content[: chance.randrange(start, len(content) + 1)]


def _marked(chance: Random, content: bytes, head: int) -> bytes:
    return b"\xef\xbb\xbf" + content


def _flipped_somewhere(chance: Random, content: bytes, head: int) -> bytes:
    start = content.find(b"\n") + 1 if head else 0
    return content[:start] + _flipped(chance, content[start:])


def _emptied(chance: Random, content: bytes, head: int) -> bytes:
    return chance.choice(
        [b"", b"\n", b" \r\n", content[: content.find(b"\n") + 1] if head else b""]
    )


FILE_DAMAGE = [_broken_off, _marked, _flipped_somewhere, _flipped_somewhere, _emptied]


def _packed_cut(chance: Random, packed: bytes) -> bytes:
    return packed[: chance.randrange(len(packed))]


def _packed_flipped(chance: Random, packed: bytes) -> bytes:
    return _flipped(chance, packed)


def _packed_and_more(chance: Random, packed: bytes) -> bytes:
    return packed + chance.choice([b"\0" * 8, b"more", packed[:5]])


PACKED_DAMAGE = [_packed_cut, _packed_flipped, _packed_and_more]


def filled_lines(content: bytes, header: bool) -> set[int]:
    """The ordinals of the rows: lines that hold more than white space, the header not counted."""
    filled = set()
    for number, line in enumerate(content.split(b"\n"), start=0 if header else 1):
        text = line.removeprefix(b"\xef\xbb\xbf") if number == (0 if header else 1) else line
        if text.strip(b" \t\r\v\f") and number:
            filled.add(number)
    return filled


def unpacked(path: Path) -> bytes:
    data = path.read_bytes()
    return gzip.decompress(data) if path.suffix == ".gz" else data
