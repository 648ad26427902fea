"""Checks of the part `contacts` of policy.yml: names, windows, hours, sequences, missing caps."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import combinations
from typing import Any

from schemas.config.checks.value_checks import end_of, start_of
from schemas.config.contact_policy import second_of_day
from schemas.document import Document, Key
from schemas.document.violation import near_miss

KINDS = ("enquiry", "complaint", "transaction", "query", "care", "marketing")
CAMPAIGN_TYPES = ("tariff", "offload", "personal", "care", "retention")
LISTED = ("contact_at", "listed_for", "report_within")


def problems(
    found: Document,
    channels: Document,
    campaigns: Mapping[str, Document],
    taken: Mapping[str, Collection[str]],
) -> Iterator[str]:
    """One line per problem. `channels`: channels.yml. `campaigns`: by the name of their file.

    `taken`: what a later folder took away. Rules may still name it; they concern nobody then.
    """
    contacts = found.data["contacts"]
    known = {
        "classes": tuple(contacts["classes"]),
        "ways": tuple(contacts["ways"]),
        "channels": (*channels.data, *taken["channels"]),
        "campaigns": (*campaigns, *taken["campaigns"]),
    }
    yield from _classes(found)
    yield from _hold_out(found, known["classes"])
    yield from _channels(found, channels, taken["channels"], known["ways"])
    for part, lists in (
        ("caps", ("classes", "ways", "channels")),
        ("rests", ("classes",)),
        ("families", ("campaigns",)),
        ("sensitivity", ("classes", "channels")),
    ):
        for name, entry in contacts[part].items():
            for of in lists:
                path = ("contacts", part, name, of)
                yield from _unknown(found, path, entry.get(of, ()), known[of])
    for name, listed in contacts["exclusive"].items():
        yield from _unknown(found, ("contacts", "exclusive", name), listed, known["campaigns"])
    yield from _uncapped(found)
    yield from _sequences(found, campaigns, taken["campaigns"])


def _unknown(
    found: Document, path: Key, names: Sequence[str], known: Sequence[str]
) -> Iterator[str]:
    one = {"classes": "class", "ways": "way", "channels": "channel"}.get(str(path[-1]), "campaign")
    for position, name in enumerate(names):
        if name not in known:
            yield found.problem(
                (*path, position), f"unknown {one} '{name}'{near_miss(name, known)}"
            )


def _hold_out(found: Document, classes: Sequence[str]) -> Iterator[str]:
    path, entry = ("contacts", "hold_out"), found.data["contacts"]["hold_out"]
    if not 0 <= Decimal(entry["share"]) < 1:
        yield found.problem(
            (*path, "share"), f"expected 0 or more and less than 1; got {entry['share']}"
        )
    yield from _unknown(found, (*path, "classes"), entry["classes"], classes)


def _classes(found: Document) -> Iterator[str]:
    """Every kind of contact and every type of campaign belongs to one class."""
    for of, all_of in (("kinds", KINDS), ("campaign_types", CAMPAIGN_TYPES)):
        first: dict[str, str] = {}
        for name, entry in found.data["contacts"]["classes"].items():
            for position, one in enumerate(entry[of]):
                other = first.setdefault(one, name)
                if other != name:
                    yield found.problem(
                        ("contacts", "classes", name, of, position),
                        f"'{one}' belongs to the class '{other}' already: leave it in one of them",
                    )
        for one in all_of:
            if one not in first:
                yield found.problem(
                    ("contacts", "classes"), f"no class has '{one}' in {of}: add it to one"
                )


def _channels(
    found: Document, channels: Document, taken: Collection[str], ways: Sequence[str]
) -> Iterator[str]:
    """A pushed channel has a way and says when its lists are worked; hours are in order."""
    entries = found.data["contacts"]["channels"]
    for name, entry in entries.items():
        path: Key = ("contacts", "channels", name)
        if name in taken:
            continue
        if name not in channels.data:
            yield found.problem(path, f"unknown channel '{name}'{near_miss(name, channels.data)}")
            continue
        if entry["way"] not in ways:
            yield found.problem(
                (*path, "way"), f"unknown way '{entry['way']}'{near_miss(entry['way'], ways)}"
            )
        missing = [key for key in LISTED if key not in entry]
        if "push" in channels.data[name] and missing:
            yield found.problem(
                path,
                f"a pushed channel needs {', '.join(missing)}: when its list is worked, how long, "
                "and how soon it reports",
            )
        yield from _hours(found, path, entry)
    for name, channel in channels.data.items():
        if "push" in channel and name not in entries:
            yield found.problem(
                ("contacts", "channels"),
                f"the pushed channel '{name}' has no entry: add its way, {', '.join(LISTED)}",
            )


def _hours(found: Document, path: Key, entry: Mapping[str, Any]) -> Iterator[str]:
    opens, closes = entry.get("open_from", "00:00"), entry.get("open_to", "24:00")
    if second_of_day(opens) >= second_of_day(closes):
        yield found.problem(
            (*path, "open_to"), f"expected a time after open_from {opens}; got {closes}"
        )
    elif "contact_at" in entry and not (
        second_of_day(opens) <= second_of_day(entry["contact_at"]) < second_of_day(closes)
    ):
        yield found.problem(
            (*path, "contact_at"),
            f"expected a time from {opens} and before {closes}; got {entry['contact_at']}",
        )


def _uncapped(found: Document) -> Iterator[str]:
    """What is limited has a cap, for a missing one would mean: as often as you like."""
    contacts = found.data["contacts"]
    for name, entry in contacts["classes"].items():
        for channel, of in contacts["channels"].items():
            way = contacts["ways"].get(of["way"])
            if not (entry["limited"] and way is not None and way["limited"]):
                continue
            if not any(
                name in cap.get("classes", [name])
                and of["way"] in cap.get("ways", [of["way"]])
                and channel in cap.get("channels", [channel])
                for cap in contacts["caps"].values()
            ):
                yield found.problem(
                    ("contacts", "caps"),
                    f"no cap for contacts of the limited class '{name}' over '{channel}': add one "
                    "(limit 0: never), or write limited: false",
                )


def _sequences(
    found: Document, campaigns: Mapping[str, Document], taken: Collection[str]
) -> Iterator[str]:
    """A sequence that can happen: known campaigns, no circle, not exclusive, in time."""
    contacts = found.data["contacts"]
    apart = {
        frozenset(pair): name
        for name, listed in contacts["exclusive"].items()
        for pair in combinations(listed, 2)
    }
    before: dict[str, set[str]] = {}
    for name, entry in contacts["sequences"].items():
        first, then, path = entry["first"], entry["then"], ("contacts", "sequences", name)
        if first in taken or then in taken:
            continue
        unknown = [key for key in ("first", "then") if entry[key] not in campaigns]
        for key in unknown:
            yield found.problem(
                (*path, key),
                f"unknown campaign '{entry[key]}'{near_miss(entry[key], campaigns)}",
            )
        if first == then or then in _all_before(before, first):
            yield found.problem(
                path, f"impossible: '{then}' would have to come before itself; remove one sequence"
            )
        elif frozenset((first, then)) in apart:
            yield found.problem(
                path,
                f"impossible: exclusive.{apart[frozenset((first, then))]} forbids '{first}' and "
                f"'{then}' for one customer; remove one of the two",
            )
        elif not unknown and end_of(campaigns[then]) <= start_of(campaigns[first]):
            yield found.problem(
                path,
                f"impossible: '{then}' ends on {end_of(campaigns[then])}, before '{first}' starts "
                f"on {start_of(campaigns[first])}; change valid of one of the two",
            )
        else:
            before.setdefault(then, set()).add(first)


def _all_before(before: Mapping[str, set[str]], campaign: str) -> set[str]:
    """The campaigns that must come before one, directly or not, and itself."""
    seen, todo = {campaign}, [campaign]
    while todo:
        for one in before.get(todo.pop(), set()) - seen:
            seen.add(one)
            todo.append(one)
    return seen
