"""Checks of values that several configuration files write alike: time zones, templates, lists."""

from collections.abc import Iterator, Sequence
from string import Formatter
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from schemas.document import Document, Key
from schemas.document.violation import near_miss


def zone_problem(found: Document, path: Key, zone: str) -> Iterator[str]:
    """A time zone that the zone database does not have."""
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        yield found.problem(path, f"unknown time zone '{zone}': write one like Asia/Shanghai")


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
    """Names that stand twice in a list; capital and small letters are the same, as in SQL."""
    first: dict[str, int] = {}
    for position, name in enumerate(names):
        before = first.setdefault(name.lower(), position)
        if before != position:
            yield found.problem(
                (*path, position),
                f"'{name}' stands twice, first on line {found.line((*path, before))}",
            )
