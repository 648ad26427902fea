"""Packages that are alike beside others: of those, only the price decides which one is held."""

from __future__ import annotations

from collections.abc import Sequence

from models.tariff.package import BUNDLE, Package


def alike(packages: Sequence[Package]) -> list[tuple[int, ...]]:
    """The places of packages that are alike, each group in order; together they are all places.

    Packages are alike if they have the same kinds, the same `requires` and `excludes`, and if the
    same packages name them there. Nobody can hold two of a group.
    """
    naming: dict[str, set[tuple[str, str]]] = {}
    for one in packages:
        for how, names in (("requires", one.requires), ("excludes", one.excludes)):
            for name in names:
                naming.setdefault(name, set()).add((how, one.id))
    groups: dict[object, list[int]] = {}
    for place, one in enumerate(packages):
        named = naming.get(one.id, set()) | naming.get(one.former_of or one.id, set())
        key = one.kinds, frozenset(one.requires), frozenset(one.excludes), frozenset(named)
        groups.setdefault(key, []).append(place)
    return [tuple(places) for places in groups.values()]


def compared_groups(packages: Sequence[Package]) -> list[tuple[int, ...]]:
    """The groups of which the best packages are kept: all of a kind, and all that are alike.

    A bundle stands beside the bundles alone that are like it.
    """
    kinds: dict[str, list[int]] = {}
    for place, one in enumerate(packages):
        kinds.setdefault(one.kind, []).append(place)
    kinds.pop(BUNDLE, None)
    return list(dict.fromkeys([*map(tuple, kinds.values()), *alike(packages)]))
