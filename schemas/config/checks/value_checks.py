"""Checks of values that several files share: ids, intervals, time zones, templates, lists."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from string import Formatter
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from schemas.document import Document, Key, Place
from schemas.document.violation import near_miss

_LIKE = "write one like 1[3-9][0-9]{9}"
FAR_YEAR = 2050


@dataclass(frozen=True)
class Names:
    """The names that files of a configuration define: of channels, packages, businesses.

    `taken`: those that a folder took away, and the places that did so.
    """

    known: Collection[str]
    taken: Mapping[str, Place]

    def hint(self, name: str) -> str:
        """What helps the author of a line that uses a name which is not known."""
        if name in self.taken:
            return f": {self.taken[name]} took it away; take this away too, or name another"
        return near_miss(name, self.known)


def id_problem(found: Document, stem: str) -> Iterator[str]:
    """An `id` that is not the name of its file."""
    if found.data["id"] != stem:
        yield found.problem(
            ("id",), f"expected '{stem}', the name of the file; got '{found.data['id']}'"
        )


def interval_problem(found: Document) -> Iterator[str]:
    """An interval `valid` that is empty."""
    if end_of(found) <= start_of(found):
        yield found.problem(
            ("valid", "to"),
            f"expected a date after {start_of(found)} (the last day is not included); "
            f"got {end_of(found)}",
        )


def start_of(found: Document) -> date:
    """The first day of the file's interval `valid`."""
    start: date = found.data["valid"]["from"]
    return start


def end_of(found: Document) -> date:
    """The day after the last one of the file's interval `valid`."""
    end: date = found.data["valid"]["to"]
    return end


def zone_problem(found: Document, path: Key, zone: str) -> Iterator[str]:
    """A time zone that the zone database does not have."""
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        yield found.problem(path, f"unknown time zone '{zone}': write one like Asia/Shanghai")


def pattern_problem(found: Document, path: Key) -> Iterator[str]:
    """A pattern of numbers that is none, or that no number has."""
    part, name = path
    pattern = found.data.get(part, {}).get(name, "1")
    try:
        empty = re.fullmatch(pattern, "") is not None
    except re.error as error:
        what = re.sub(" at position.*", "", str(error))
        yield found.problem(path, f"no pattern of digits ({what}): {_LIKE}; got '{pattern}'")
        return
    if empty:
        yield found.problem(
            path, f"a number without digits has this pattern: {_LIKE}; got '{pattern}'"
        )


def open_end_problems(found: Document, path: Key, days: Sequence[date]) -> Iterator[str]:
    """Days that stand for "no end" and are so near that real intervals end then."""
    for position, day in enumerate(days):
        if day.year < FAR_YEAR:
            yield found.problem(
                (*path, position),
                f"expected a day from {FAR_YEAR} on, for real intervals end before; got {day}",
            )


def template_problems(
    found: Document, path: Key, template: str, known: Sequence[str]
) -> Iterator[str]:
    """Placeholders that nothing fills, and braces that do not match."""
    try:
        names = [name for _, name, _, _ in Formatter().parse(template) if name is not None]
    except ValueError:
        yield found.problem(path, f"the braces do not match: '{template}'")
        return
    for name in names:
        if name not in known:
            yield found.problem(path, f"unknown placeholder {{{name}}}{near_miss(name, known)}")


def repeated(found: Document, path: Key, names: Sequence[str]) -> Iterator[str]:
    """Names that a list holds twice; capital and small letters are equal, as in SQL."""
    first: dict[str, int] = {}
    for position, name in enumerate(names):
        before = first.setdefault(name.lower(), position)
        if before != position:
            yield found.problem(
                (*path, position),
                f"'{name}' is listed twice, first on line {found.line((*path, before))}",
            )
