"""Tariff packages from a price list 资费价目表: one line a package, made after one that exists.

The head of a column is the place of a value in the tariff document, written as in its messages
(`monthly_fee`, `pools[0].amount`, `rules[7].rate`). `like` names the package from which everything
is taken that the line leaves open; an empty cell leaves its place as it is there.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from typing import Any, NamedTuple

from models.tariff import catalogue
from schemas import document
from schemas.document import Document, Place
from schemas.errors import ConfigError

STEP = re.compile(r"([A-Za-z_]\w*)|\[([0-9]+)\]")
NEEDED = ("id", "like", "source")
Lines = Callable[[int], Place]
"""Where a line of the list stands, for messages."""
PACKAGE_ID = re.compile(r"[a-z][a-z0-9_]*")


class Taken(NamedTuple):
    """A line that became a package."""

    line: int
    package: Document


class Refused(NamedTuple):
    """A line that did not, and why: `file:line: column: problem`."""

    line: int
    problem: str


def columns(head: Iterable[str], line: Lines) -> dict[str, tuple]:
    """The columns and the place that each stands for. Raises ConfigError for a head that no
    package can be made from."""
    found: dict[str, tuple] = {}
    for name in (cell.strip() for cell in head):
        steps = [word or int(number) for word, number in STEP.findall(name)]
        if document.dotted(steps) != name or not name:
            raise ConfigError(
                f"{line(1)}: '{name}' is no place in a tariff; write it as "
                "messages do, for example monthly_fee or rules[7].rate"
            )
        if name in found:
            raise ConfigError(f"{line(1)}: a second column '{name}'")
        found[name] = tuple(steps)
    missing = [name for name in NEEDED if name not in found]
    if missing:
        raise ConfigError(
            f"{line(1)}: no column {', '.join(missing)}; a price list has at "
            f"least {', '.join(NEEDED)}"
        )
    return found


def packages(
    lines: Iterable[tuple[int, list[str]]],
    places: Mapping[str, tuple],
    templates: Mapping[str, Document],
    ids: Iterable[str],
    shape: Mapping,
    line: Lines,
) -> Iterator[Taken | Refused]:
    """What becomes of each line (its number in the file and its cells).

    `templates`: the packages that `like` may name; `ids`: those that are taken already; `shape`:
    the JSON Schema of a tariff.
    """
    taken = dict.fromkeys(ids, "the configuration")
    for number, cells in lines:
        try:
            made = _package(number, cells, places, templates, taken, shape, line)
        except ConfigError as error:
            yield Refused(number, str(error))
        else:
            taken[made.data["id"]] = f"line {number}"
            yield Taken(number, made)


def _package(
    number: int,
    cells: list[str],
    places: Mapping[str, tuple],
    templates: Mapping[str, Document],
    taken: Mapping[str, str],
    shape: Mapping,
    line: Lines,
) -> Document:
    at = line(number)
    if len(cells) != len(places):
        raise ConfigError(f"{at}: {len(cells)} cells, expected {len(places)} as in the head")
    row = {name: cell.strip() for name, cell in zip(places, cells)}
    for name in NEEDED:
        if not row[name]:
            raise ConfigError(f"{at}: {name}: is empty")
    if not PACKAGE_ID.fullmatch(row["id"]):
        raise ConfigError(f"{at}: id: '{row['id']}' expected small letters, digits and _")
    if row["id"] in taken:
        raise ConfigError(f"{at}: id: '{row['id']}' is taken by {taken[row['id']]}")
    if row["like"] not in templates:
        raise ConfigError(
            f"{at}: like: no package '{row['like']}'; there are {', '.join(sorted(templates))}"
        )
    data = copy.deepcopy(dict(templates[row["like"]].data))
    for name, place in places.items():
        if row[name] and name != "like":
            _put(data, place, row[name], f"{at}: {name}")
    made = Document(at.path, data, {(): at})
    document.check(made, shape)
    catalogue.load([made])
    return made


def _put(data: Any, place: tuple, text: str, at: str) -> None:
    """Put a cell where the template has a value of the same kind."""
    for step in place[:-1]:
        data = _step(data, step, at)
    old = data.get(place[-1]) if isinstance(data, dict) else _step(data, place[-1], at)
    data[place[-1]] = _read(text, old, at)


def _step(data: Any, step: str | int, at: str) -> Any:
    try:
        return data[step]
    except (KeyError, IndexError, TypeError):
        raise ConfigError(f"{at}: the package that it is like has no such place") from None


def _read(text: str, old: Any, at: str) -> Any:
    try:
        if isinstance(old, bool):
            return {"true": True, "false": False}[text]
        if isinstance(old, int):
            return int(text)
        if isinstance(old, date):
            return date.fromisoformat(text)
    except (KeyError, ValueError):
        kind = {bool: "true or false", int: "a whole number"}.get(type(old), "a day as 2009-05-03")
        raise ConfigError(f"{at}: '{text[:40]}', expected {kind}") from None
    return [one.strip() for one in text.split(";")] if isinstance(old, list) else text
