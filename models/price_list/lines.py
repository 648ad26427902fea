"""Tariff packages from a price list 资费价目表: each line becomes a package like an existing one.

The header of a column is the place of a value in the tariff document, written as in messages
(`monthly_fee`, `pools[0].amount`, `rules[7].rate`). `like` names an existing package, the template.
A value without a column and a value with an empty cell are those of the template.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from models.price_list import cell
from models.price_list.cell import UnreadableError
from models.tariff import catalogue
from schemas import document
from schemas.currency import Currency
from schemas.document import Document, Key, Place
from schemas.errors import ConfigError

STEP = re.compile(r"([A-Za-z_]\w*)|\[([0-9]+)\]")
NEEDED = ("id", "like", "source")
Lines = Callable[[int], Place]
"""From the number of a line to its place in the file, for messages."""
PACKAGE_ID = re.compile(r"[a-z][a-z0-9_]*")


class Taken(NamedTuple):
    """A line that became a package."""

    line: int
    package: Document


class Refused(NamedTuple):
    """A line that did not become a package, and why: `file:line: column: problem`."""

    line: int
    problem: str


def columns(head: Iterable[str], line: Lines) -> dict[str, Key]:
    """The columns of a header, and the place of a value that each names.

    Raises ConfigError for a header from which no package can be made.
    """
    found: dict[str, Key] = {}
    for name in map(str.strip, head):
        steps = [word or int(number) for word, number in STEP.findall(name)]
        if document.dotted(steps) != name or not name:
            raise ConfigError(
                f"{line(1)}: '{name}' is not a place in a tariff; write it as "
                "messages do, for example monthly_fee or rules[7].rate"
            )
        if name in found:
            raise ConfigError(f"{line(1)}: duplicate column '{name}'")
        found[name] = tuple(steps)
    missing = [name for name in NEEDED if name not in found]
    if missing:
        raise ConfigError(
            f"{line(1)}: no column {', '.join(missing)}; a price list needs at "
            f"least {', '.join(NEEDED)}"
        )
    return found


def packages(
    lines: Iterable[tuple[int, list[str]]],
    places: Mapping[str, Key],
    templates: Mapping[str, Document],
    ids: Iterable[str],
    shape: Mapping[str, Any],
    line: Lines,
    currency: Currency,
) -> Iterator[Taken | Refused]:
    """The result for each line: a package or a refusal. `lines` are line numbers with their cells.

    `places` are the columns. `templates` are the packages that `like` may name. `ids` are the ids
    that are already in use. `shape` is the JSON Schema of a tariff.
    """
    taken = dict.fromkeys(ids, "the configuration")
    for number, cells in lines:
        try:
            made = _package(number, cells, places, templates, taken, shape, line, currency)
        except ConfigError as error:
            yield Refused(number, str(error))
        else:
            taken[made.data["id"]] = f"line {number}"
            yield Taken(number, made)


def _package(
    number: int,
    cells: list[str],
    places: Mapping[str, Key],
    templates: Mapping[str, Document],
    taken: Mapping[str, str],
    shape: Mapping[str, Any],
    line: Lines,
    currency: Currency,
) -> Document:
    at = line(number)
    if len(cells) != len(places):
        hint = ": put a cell that holds the separator in quotes" if len(cells) > len(places) else ""
        raise ConfigError(
            f"{at}: {len(cells)} cells, expected {len(places)} as in the header{hint}"
        )
    row = {name: text.strip() for name, text in zip(places, cells, strict=True)}
    for name in NEEDED:
        if not row[name]:
            raise ConfigError(f"{at}: {name}: is empty")
    if not PACKAGE_ID.fullmatch(row["id"]):
        raise ConfigError(f"{at}: id: expected lower-case letters, digits and _; got '{row['id']}'")
    if row["id"] in taken:
        raise ConfigError(f"{at}: id: '{row['id']}' is already used by {taken[row['id']]}")
    if row["like"] not in templates:
        raise ConfigError(
            f"{at}: like: unknown package '{row['like']}'; known: {', '.join(sorted(templates))}"
        )
    data = copy.deepcopy(dict(templates[row["like"]].data))
    for name, place in places.items():
        if row[name] and name != "like":
            _put(data, place, row[name], shape, currency, f"{at}: {name}")
    made = Document(at.path, data, {(): at})
    document.check(made, shape)
    catalogue.load([made])
    return made


def _put(
    data: Any, place: Key, text: str, shape: Mapping[str, Any], currency: Currency, at: str
) -> None:
    """Put a cell into a document, as a value of the kind that the shape has there."""
    for step in place[:-1]:
        data = _step(data, step, at)
    if not isinstance(data, dict):
        _step(data, place[-1], at)
    try:
        data[place[-1]] = cell.reading(cell.shape_at(place, shape), shape, currency)(text)
    except UnreadableError as error:
        raise ConfigError(f"{at}: {error}") from None


def _step(data: Any, step: str | int, at: str) -> Any:
    try:
        return data[step]
    except (KeyError, IndexError, TypeError):
        raise ConfigError(f"{at}: the package named by like has no such place") from None
