"""The choosers whom the prices leave undecided, settled by a linear program over few classes.

Choosers with a clear best keep it. The others are put into classes of equal options, and the
program says how many of each class take which option. It polishes a plan, sharpens the prices,
and says what one unit more or less of a resource is worth. Amounts here are floats in yuan; what
is assigned is admitted in whole numbers like everything else.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

import numpy as np
from scipy import sparse
from scipy.optimize import OptimizeResult, linprog

from models.assignment.admission import Admission
from models.assignment.options import Options, places
from models.assignment.plan import MICRO
from models.assignment.recovery import by_margin, marginal, settle

CLASSES, CLASSES_A_RESOURCE = 4_000, 40  # the greater is the most
NEAR = 300_000  # micro-yuan: options that far behind the last slot's are in the program
ALMOST_WHOLE = 1e-6
NEVER = -(2**62)
MIX = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True)
class UnitValue:
    """What one unit more of a resource would add, and one less would cost, in yuan."""

    resource: str
    more: Decimal
    less: Decimal


@dataclass(frozen=True)
class Undecided:
    """The program: a row per option of a class, `count` choosers in each class.

    `fixed`: the options of those who are decided. `option`: for each member of a class, in the
    order of class and lot, the first option in the program. `room`: what the fixed ones leave;
    `over`: whether they want more of a resource than there is.
    """

    options: Options
    fixed: np.ndarray
    members: np.ndarray
    member_class: np.ndarray
    count: np.ndarray
    slots: np.ndarray
    row_class: np.ndarray
    row_option: np.ndarray
    place: np.ndarray
    room: np.ndarray
    over: bool

    def solved(self, more: np.ndarray | None = None) -> OptimizeResult | None:
        """The program's best; None if there is none. `more`: units added to each resource."""
        options, rows = self.options, np.arange(len(self.row_option))
        room = self.room if more is None else self.room + more
        if (room < 0).any() or not len(rows):
            return None
        by_class = sparse.csr_array(
            (np.ones(len(rows)), (self.row_class, rows)), shape=(len(self.count), len(rows))
        )
        by_resource = options.kinds.matrix[options.kind[self.row_option]].T
        found = linprog(
            -options.worth[self.row_option] * MICRO,
            A_ub=sparse.vstack([by_class, by_resource]).tocsr(),
            b_ub=np.concatenate([self.count * self.slots, room]).astype(float),
            bounds=np.column_stack([np.zeros(len(rows)), self.count[self.row_class]]),
            method="highs-ds",
        )
        return found if found.success else None

    def prices(self, found: OptimizeResult, contested: np.ndarray) -> np.ndarray:
        """The program's prices, in whole micro-yuan."""
        per_unit = -found.ineqlin.marginals[len(self.count) :] / MICRO
        return np.where(contested, np.maximum(np.rint(per_unit), 0), 0).astype(np.int64)

    def unit_value(self, found: OptimizeResult, resource: int) -> UnitValue | None:
        """One unit more and one less, each by a program of its own; None if there is none less."""
        step = (np.arange(len(self.room)) == resource).astype(np.int64)
        more, less = self.solved(step), self.solved(-step)
        if more is None or less is None:
            return None
        return UnitValue(
            self.options.kinds.resources[resource].name,
            _to_micro_yuan(found.fun - more.fun),
            _to_micro_yuan(less.fun - found.fun),
        )

    def admission(self, found: OptimizeResult, reduced: np.ndarray) -> Admission:
        """The plan of the program in whole numbers; what it leaves in fractions is settled."""
        whole = np.floor(found.x + ALMOST_WHOLE).astype(np.int64)
        fixed = self.fixed
        if self.over:
            fixed = by_margin(self.options, reduced, fixed)
        admission = Admission(self.options)
        admission.admit(fixed)
        admission.admit(self._handed_out(whole))
        settle(admission, reduced)
        return admission

    def _handed_out(self, whole: np.ndarray) -> np.ndarray:
        """The options of the members: each class's are laid end to end over its members."""
        rows = np.repeat(np.arange(len(whole)), whole)
        classes = self.row_class[rows]
        turn = places(classes) % self.count[classes]
        first = np.concatenate([[0], np.cumsum(self.count)])[:-1]
        member = self.members[first[classes] + turn]
        return self.options.start[member] + self.place[rows]


def _to_micro_yuan(amount: float) -> Decimal:
    return Decimal(round(amount / MICRO)).scaleb(-6)


def undecided(options: Options, reduced: np.ndarray) -> Undecided:
    """The choosers nearest to indifference at the prices, in a limited number of classes."""
    last = marginal(options, reduced)
    taken = _best(options, reduced)
    rest = reduced.copy()
    rest[taken] = NEVER
    next_best = options.highest(rest, empty=NEVER)
    margin = last - np.where(last > 0, np.maximum(next_best, 0), next_best)
    some = np.flatnonzero(np.diff(options.start))
    near = some[np.lexsort((options.lot[some], margin[some]))]
    likeness = _likeness(options)
    _, first = np.unique(likeness[near], return_index=True)
    most = max(CLASSES, CLASSES_A_RESOURCE * len(options.kinds.resources))
    if len(first) > most:
        near = near[: np.sort(first)[most]]
    inside = np.zeros(options.choosers, dtype=bool)
    inside[near] = True
    fixed = taken[~inside[options.chooser[taken]]]
    _, representative, member_class, count = np.unique(
        likeness[near], return_index=True, return_inverse=True, return_counts=True
    )
    order = np.lexsort((options.lot[near], member_class))
    everything = len(near) == len(some)
    rows, classes = _rows(options, near[representative])
    if not everything:
        chooser = options.chooser[rows]
        close = reduced[rows] >= last[chooser] - margin[chooser] - NEAR
        rows, classes = rows[close], classes[close]
    kinds = options.kinds
    room = kinds.capacity - kinds.used(
        np.bincount(options.kind[fixed], minlength=len(kinds.content))
    )
    return Undecided(
        options,
        fixed,
        near[order],
        member_class[order],
        count,
        options.slots[near[representative]],
        classes,
        rows,
        rows - options.start[options.chooser[rows]],
        np.maximum(room, 0),
        bool((room < 0).any()),
    )


def _best(options: Options, reduced: np.ndarray) -> np.ndarray:
    """Each chooser's best options at the prices, as many as slots."""
    rows = np.flatnonzero(reduced > 0)
    rows = rows[np.lexsort((-reduced[rows], options.chooser[rows]))]
    return rows[places(options.chooser[rows]) < options.slots[options.chooser[rows]]]


def _likeness(options: Options) -> np.ndarray:
    """A hash of slots and options: equal for choosers who may stand in for another."""
    place = np.arange(len(options)) - options.start[options.chooser]
    mixed = _mixed(options.worth.view(np.uint64) ^ _mixed(options.kind.astype(np.uint64)))
    mixed = _mixed(mixed + place.astype(np.uint64) * MIX)
    found = options.slots.astype(np.uint64)
    some = np.flatnonzero(np.diff(options.start))
    if len(some):
        found[some] ^= np.add.reduceat(mixed, options.start[some])
    return found


def _mixed(numbers: np.ndarray) -> np.ndarray:
    """The bits of each number, mixed (splitmix64)."""
    numbers = numbers + MIX
    numbers = (numbers ^ (numbers >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    numbers = (numbers ^ (numbers >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return numbers ^ (numbers >> np.uint64(31))


def _rows(options: Options, choosers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The options of these choosers, and the place of each one's chooser among them."""
    sizes = options.start[choosers + 1] - options.start[choosers]
    owner = np.repeat(np.arange(len(choosers)), sizes)
    first = np.concatenate([[0], np.cumsum(sizes)])[:-1]
    return options.start[choosers][owner] + np.arange(len(owner)) - first[owner], owner
