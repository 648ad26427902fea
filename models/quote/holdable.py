"""What can be held together: packages in groups, and the sets of groups that may stand together.

Found once for a catalogue, without customers. The main package prices voice; the others are add-ons
to it. Only add-ons that bind each other are listed as sets: bundles, and those that a `requires` or
`excludes` ties to another add-on. Of every other kind, any add-on goes with the main package, so
that the best one can be taken by itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from models.quote.bill_item import KINDS
from models.tariff.alike import alike
from models.tariff.package import Package

MAIN = "voice"
ADDED = tuple(kind for kind in KINDS if kind != MAIN)


@dataclass(frozen=True)
class Group:
    """Packages that are alike (models/tariff/alike.py), by their places in the catalogue.

    `requires` and `excludes` are numbers of groups. With a `requires`, at least one of them is held
    too.
    """

    kinds: tuple[str, ...]
    places: tuple[int, ...]
    requires: frozenset[int]
    excludes: frozenset[int]


@dataclass(frozen=True)
class Completion:
    """What goes with a main package: one of the `sets` of groups, none of them twice.

    A kind that neither the main package nor the set prices has one package of the groups of
    `free[kind]`, or none.
    """

    sets: tuple[tuple[int, ...], ...]
    free: Mapping[str, tuple[int, ...]]


def groups_of(packages: Sequence[Package]) -> tuple[Group, ...]:
    """The groups of a catalogue, with the groups that each of them requires and excludes."""
    found = alike(packages)
    number: dict[str, set[int]] = {}
    for no, places in enumerate(found):
        for place in places:
            one = packages[place]
            number.setdefault(one.id, set()).add(no)
            number.setdefault(one.former_of or one.id, set()).add(no)
    none: set[int] = set()
    return tuple(
        Group(
            packages[places[0]].kinds,
            places,
            frozenset().union(*(number.get(n, none) for n in packages[places[0]].requires)),
            frozenset().union(*(number.get(n, none) for n in packages[places[0]].excludes)),
        )
        for places in found
    )


def completions(groups: Sequence[Group]) -> dict[int | None, Completion]:
    """For each group of main packages, and for None (no package for voice), what goes with it."""
    mains = [no for no, group in enumerate(groups) if MAIN in group.kinds]
    return {main: _completion(groups, main) for main in (*mains, None)}


def _completion(groups: Sequence[Group], main: int | None) -> Completion:
    allowed = {
        no
        for no, group in enumerate(groups)
        if MAIN not in group.kinds and (main is None or _go_together(groups, main, no))
    }
    needs = _needs(groups, main, allowed)
    demanded = frozenset() if main is None else groups[main].requires
    if demanded and not demanded & needs.keys():
        return Completion((), {})
    tied = {no for no in needs if len(groups[no].kinds) > 1 or needs[no] or no in demanded}
    tied |= {other for wanted in needs.values() for other in wanted}
    for no in needs:
        tied |= {no, *against} if (against := groups[no].excludes & needs.keys()) else set()
    sets = tuple(
        chosen
        for chosen in _sets(groups, sorted(tied), ())
        if (not demanded or demanded & set(chosen))
        and all(not needs[no] or needs[no] & set(chosen) for no in chosen)
    )
    free = {
        kind: tuple(no for no in sorted(needs) if no not in tied and groups[no].kinds == (kind,))
        for kind in ADDED
    }
    return Completion(sets, free)


def _needs(
    groups: Sequence[Group], main: int | None, allowed: set[int]
) -> dict[int, frozenset[int]]:
    """Which add-ons each allowed add-on needs beside the main package; none that lacks them all."""
    allowed = set(allowed)
    while True:
        needs = {
            no: frozenset() if main in groups[no].requires else groups[no].requires & allowed
            for no in allowed
        }
        lacking = {
            no
            for no in allowed
            if groups[no].requires and main not in groups[no].requires and not needs[no]
        }
        if not lacking:
            return needs
        allowed -= lacking


def _sets(
    groups: Sequence[Group], open_groups: Sequence[int], chosen: tuple[int, ...]
) -> Iterator[tuple[int, ...]]:
    """All sets of groups that go together pair by pair, the empty one first."""
    yield chosen
    for at, no in enumerate(open_groups):
        if all(_go_together(groups, no, other) for other in chosen):
            yield from _sets(groups, open_groups[at + 1 :], (*chosen, no))


def _go_together(groups: Sequence[Group], one: int, other: int) -> bool:
    """Whether two groups price different kinds and neither excludes the other."""
    return (
        not set(groups[one].kinds) & set(groups[other].kinds)
        and other not in groups[one].excludes
        and one not in groups[other].excludes
    )
