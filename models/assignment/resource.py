"""What is scarce, and the kinds of options by what they take of it.

A resource is the contacts of a channel on a day, a branch, agents' minutes or a budget in yuan.
Options of one kind take the same units of the same limiting resources, so they cost alike. Kinds
and resources are numbered by their content. A resource that limits nothing is in no kind, so it
changes neither numbers nor sums.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from schemas.errors import ConfigError

Uses = Sequence[tuple[str, int]]


@dataclass(frozen=True)
class Resource:
    """A resource of one night. `capacity` is a whole number of `unit`; 0 means never.

    `limits`: false for a resource whose use is reported and which decides nothing.
    Raises ConfigError for a capacity that is no whole number from 0 on.
    """

    name: str
    capacity: int
    unit: str
    limits: bool = True

    def __post_init__(self) -> None:
        known = isinstance(self.capacity, int) and not isinstance(self.capacity, bool)
        if not known or not 0 <= self.capacity < 2**53:
            raise ConfigError(
                f"resource {self.name}: capacity {self.capacity} {self.unit}; expected a whole "
                "number from 0 (never) to 2^53; correct the capacity"
            )


class Kinds:
    """The kinds of a night: `place[k]` and `units[k]` are the resources of kind k, and how many.

    `place` is padded with the number of a resource that does not exist, `units` with 0.
    `of_hash`: the kind of each hash of uses. `reported`: per hash, the units of the others.
    """

    def __init__(self, uses_by_hash: Mapping[int, Uses], resources: Sequence[Resource]):
        known = {resource.name: resource for resource in resources}
        self.resources = sorted((r for r in resources if r.limits), key=lambda r: r.name)
        self.capacity = np.array([r.capacity for r in self.resources], dtype=np.int64)
        number = {resource.name: i for i, resource in enumerate(self.resources)}
        limiting: dict[int, tuple[tuple[int, int], ...]] = {}
        self.reported: dict[int, dict[str, int]] = {}
        for code, uses in uses_by_hash.items():
            taken = _added_up(uses, known)
            limiting[code] = tuple(
                sorted((number[name], units) for name, units in taken.items() if name in number)
            )
            self.reported[code] = {n: units for n, units in taken.items() if n not in number}
        self.content = sorted(set(limiting.values()))
        place = {content: i for i, content in enumerate(self.content)}
        self.of_hash = {code: place[content] for code, content in limiting.items()}
        self.width = max((len(content) for content in self.content), default=0) or 1
        shape = len(self.content), self.width
        self.place = np.full(shape, len(self.resources), dtype=np.int16)
        self.units = np.zeros(shape, dtype=np.int64)
        for row, content in enumerate(self.content):
            for column, (resource, units) in enumerate(content):
                self.place[row, column], self.units[row, column] = resource, units
        self.matrix = self._matrix()

    def _matrix(self) -> sparse.csr_array:
        """Kind × resource: the units, for floats inside the optimisation."""
        rows = [row for row, content in enumerate(self.content) for _ in content]
        columns = [place for content in self.content for place, _ in content]
        units = [float(units) for content in self.content for _, units in content]
        shape = (len(self.content), len(self.resources))
        return sparse.csr_array((units, (rows, columns)), shape=shape)

    def prices(self, prices: np.ndarray) -> np.ndarray:
        """What each kind costs at `prices` (whole micro-yuan per unit of each resource)."""
        padded = np.append(prices, 0)
        return (padded[self.place] * self.units).sum(axis=1)

    def fits(self, room: np.ndarray) -> np.ndarray:
        """Whether each kind has room; `room` has a last entry for the padding."""
        return np.asarray((room[self.place] >= self.units).all(axis=1))

    def used(self, counts: np.ndarray) -> np.ndarray:
        """Whole units of each resource when so many options of each kind are taken."""
        used = np.zeros(len(self.resources) + 1, dtype=np.int64)
        np.add.at(used, self.place, self.units * counts[:, None])
        return used[:-1]


def _added_up(uses: Uses, known: Mapping[str, Resource]) -> dict[str, int]:
    taken: dict[str, int] = {}
    for name, units in uses:
        if name not in known:
            raise ConfigError(
                f"assignment: an option uses the resource {name}, which has no capacity; "
                f"give its capacity (0: never); known: {', '.join(sorted(known)) or 'none'}"
            )
        if units is None or units < 0:
            raise ConfigError(
                f"assignment: an option takes {units} {known[name].unit} of {name}; "
                "expected a whole number from 0 on"
            )
        if units:
            taken[name] = taken.get(name, 0) + units
    return taken
