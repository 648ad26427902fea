"""Alternatives 可选组合: for each main package, the best that a customer can hold with it.

The cost of an alternative is a sum over its packages, so additive parts are never enumerated twice:
the best add-on of a kind is found once, for all main packages with which it goes. Everything is
array arithmetic over customers; only sets of packages that bind each other are walked through
(models/quote/holdable.py).

An option is one column of integers per customer: FACTS, which add up over the packages of an
alternative and are compared in this order, then places of packages. The lowest is the best: the
lowest cost, then the lower fee, then fewer packages, then the ids in order. A place is the number
of a package in the catalogue, in order of ids; `none` is the number after the last.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from models.quote.bill_item import KINDS
from models.quote.holdable import ADDED, MAIN, completions, groups_of
from models.tariff.money_limit import MICRO_YUAN
from models.tariff.package import Package

FACTS = ("lacking", "cost", "fee", "packages")  # lacking: parts that the customer cannot have
LACKING, COST = FACTS.index("lacking"), FACTS.index("cost")
SLOTS = len(KINDS)


class Alternatives:
    """The alternatives of a catalogue; `packages` are in order of their ids."""

    def __init__(self, packages: Sequence[Package]):
        self.packages = packages
        self.groups = groups_of(packages)
        self.completions = completions(self.groups)
        self.none = len(packages)
        self.fees = [round(one.monthly_fee * MICRO_YUAN) for one in packages]

    def best(self, costs: np.ndarray, able: np.ndarray, nothing: np.ndarray) -> np.ndarray:
        """The best alternative of each main package: main × (FACTS and SLOTS) × customer.

        `costs` (micro-yuan) are what a package adds to the months of a customer, 0 if it is held;
        `able` says whether the customer may have it, by place and customer. `nothing` (KINDS ×
        customer) says of which kinds a customer may hold no package. The mains are the packages for
        voice in order, and at the end no such package. Each column holds the FACTS and the places
        of the packages in order, `none` in unused slots.
        """
        options = self._options(costs, able)
        empty = {kind: self._nothing(nothing[no]) for no, kind in enumerate(KINDS)}
        of_group = [_lowest([options[place] for place in group.places]) for group in self.groups]
        completed = {
            main: self._completed(main, of_group, empty)
            for main, completion in self.completions.items()
            if completion.sets
        }
        mains = {
            place: no
            for no, group in enumerate(self.groups)
            if MAIN in group.kinds
            for place in group.places
        }
        found = [
            _with(options[place], completed[no])
            for place, no in sorted(mains.items())
            if no in completed
        ]
        return np.stack([*found, _with(empty[MAIN], completed[None])])

    def _options(self, costs: np.ndarray, able: np.ndarray) -> list[np.ndarray]:
        """Each package by itself: FACTS and its place, by customer."""
        customers = costs.shape[1]
        return [
            np.stack(
                [
                    ~able[place],
                    np.where(able[place], costs[place], 0),
                    np.full(customers, self.fees[place]),
                    np.ones(customers, dtype=np.int64),
                    np.full(customers, place),
                ]
            )
            for place in range(self.none)
        ]

    def _nothing(self, possible: np.ndarray) -> np.ndarray:
        option = np.zeros((len(FACTS) + 1, len(possible)), dtype=np.int64)
        option[LACKING], option[-1] = ~possible, self.none
        return option

    def _completed(
        self, main: int | None, of_group: Sequence[np.ndarray], empty: dict[str, np.ndarray]
    ) -> np.ndarray:
        """The best packages beside a main package: FACTS and one slot for each kind of ADDED."""
        completion = self.completions[main]
        taken = () if main is None else self.groups[main].kinds
        free = {
            kind: _lowest([empty[kind], *(of_group[no] for no in completion.free[kind])])
            for kind in ADDED
            if kind not in taken
        }
        candidates = []
        for chosen in completion.sets:
            priced = {kind for no in chosen for kind in self.groups[no].kinds}
            parts = [of_group[no] for no in chosen]
            parts += [option for kind, option in free.items() if kind not in priced]
            candidates.append(self._sum(parts, empty[MAIN].shape[1]))
        return _lowest(candidates)

    def _sum(self, parts: Sequence[np.ndarray], customers: int) -> np.ndarray:
        facts, slots = len(FACTS), len(ADDED)
        places = np.full((slots, customers), self.none)
        for slot, part in enumerate(parts):
            places[slot] = part[facts]
        total = sum((part[:facts] for part in parts), np.zeros((facts, customers), dtype=np.int64))
        return np.concatenate([total, np.sort(places, axis=0)])


def ordered(found: np.ndarray) -> np.ndarray:
    """The places on axis 0 of `Alternatives.best` from the best on, by customer."""
    return np.lexsort(np.moveaxis(found[:, ::-1], 1, 0), axis=0)


def _with(main: np.ndarray, completed: np.ndarray) -> np.ndarray:
    """A main package and what goes with it: FACTS, and SLOTS places in order."""
    facts = len(FACTS)
    places = np.concatenate([main[facts:], completed[facts:]])
    return np.concatenate([main[:facts] + completed[:facts], np.sort(places, axis=0)])


def _lowest(options: Sequence[np.ndarray]) -> np.ndarray:
    """Of options of equal form, the lowest of each customer: by the first number that differs."""
    best = options[0]
    for other in options[1:]:
        lower, equal = np.zeros(best.shape[1], dtype=bool), np.ones(best.shape[1], dtype=bool)
        for mine, theirs in zip(best, other, strict=True):
            lower |= equal & (theirs < mine)
            equal &= theirs == mine
        best = np.where(lower, other, best)
    return best
