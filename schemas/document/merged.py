"""A document overlaid with another one, and values taken away from it.

Maps merge by key, lists and single values replace. Null over a value takes the value away; where
the shape has null as a value of its own (a code that means "no value"), it replaces like any other.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from schemas.document.document import Document, Place
from schemas.document.violation import Key, Validator, near_miss
from schemas.errors import ConfigError


def overlaid(base: Document, top: Document, shape: Mapping[str, Any]) -> Document:
    """`base` overlaid with `top`; both have `shape`, or are yet to be checked against it.

    Raises ConfigError, one line for each null of `top` that finds nothing to take away.
    """
    merge = _Merge(base, top, shape)
    data = merge.of(base.data, top.data, ())
    if merge.problems:
        raise ConfigError("\n".join(merge.problems))
    return Document(base.path, data, merge.places, merge.removed)


def without(base: Document, names: Iterable[str], place: Place) -> Document:
    """`base` without these keys of its map; `place` is what took them away."""
    gone = set(names)
    kept = {key: value for key, value in base.data.items() if key not in gone}
    places = {path: at for path, at in base.places.items() if not path or path[0] not in gone}
    removed: dict[Key, Place] = {(name,): place for name in gone}
    return Document(base.path, kept, places | removed, {**base.removed, **removed})


@dataclass
class _Merge:
    base: Document
    top: Document
    shape: Mapping[str, Any]
    places: dict[Key, Place] = field(default_factory=dict)
    removed: dict[Key, Place] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.places.update(self.base.places)
        self.removed.update(self.base.removed)

    def of(self, base: Any, top: Any, path: Key) -> Any:
        """The value at `path`, of which the two documents have `base` and `top`."""
        if not (isinstance(base, dict) and isinstance(top, dict)):
            self._take_places(path)
            return top
        merged = dict(base)
        for key, value in top.items():
            below = (*path, key)
            if value is None and self._takes_away(base.get(key), below):
                self._remove(merged, base, key, below)
            elif key in base:
                merged[key] = self.of(base[key], value, below)
            else:
                merged[key] = value
                self._take_places(below)
        return merged

    def _takes_away(self, value: Any, path: Key) -> bool:
        return isinstance(value, dict) or not _admits_null(self.shape, path)

    def _remove(self, merged: dict[str, Any], base: Mapping[str, Any], key: str, path: Key) -> None:
        if key in merged:
            del merged[key]
            self._take_places(path)
            self.removed[path] = self.top.place(path)
        elif path in self.removed:
            self.problems.append(
                self.top.problem(path, f"{self.removed[path]} took it away already: leave it out")
            )
        else:
            self.problems.append(
                self.top.problem(
                    path,
                    "null takes a value away, and the folders before have none here"
                    f"{near_miss(key, base)}",
                )
            )

    def _take_places(self, path: Key) -> None:
        """Replace the places at and below `path` by those of the upper document."""
        for known in (self.places, self.removed):
            for one in [one for one in known if one[: len(path)] == path]:
                del known[one]
        self.places.update(
            (one, at) for one, at in self.top.places.items() if one[: len(path)] == path
        )


def _admits_null(shape: Mapping[str, Any], path: Key) -> bool:
    """Whether null is a value of its own at `path`."""
    found = [shape]
    for part in path:
        found = [below for one in found for below in _below(one, shape, str(part))]
    whole = {"$defs": shape.get("$defs", {})}
    return any(Validator({**whole, **one}).is_valid(None) for one in found)


def _below(
    shape: Mapping[str, Any], whole: Mapping[str, Any], key: str
) -> Iterator[Mapping[str, Any]]:
    """The shapes of the value of `key` in a map of this shape."""
    if "$ref" in shape:
        yield from _below(whole["$defs"][shape["$ref"].rsplit("/", 1)[1]], whole, key)
    for kind in ("allOf", "anyOf", "oneOf"):
        for one in shape.get(kind, ()):
            yield from _below(one, whole, key)
    named = [shape["properties"][key]] if key in shape.get("properties", {}) else []
    named += [
        one for name, one in shape.get("patternProperties", {}).items() if re.search(name, key)
    ]
    others = shape.get("additionalProperties")
    if not named and isinstance(others, Mapping):
        named = [others]
    yield from named
