"""The figures of a night's assignment; amounts are exact sums in yuan."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from models.assignment.admission import Admission
from models.assignment.prices import exact_sum
from models.assignment.resource import Resource
from models.assignment.undecided import UnitValue


@dataclass(frozen=True)
class Use:
    """A resource, the units that are used of it, and the price of one in yuan."""

    resource: Resource
    used: int
    price: Decimal


@dataclass(frozen=True)
class Churn:
    """Customers and ways with an option of yesterday: it is kept, it is another now, it is gone.

    `new`: those who had none and have one now.
    """

    kept: int
    moved: int
    gone: int
    new: int


@dataclass(frozen=True)
class Summary:
    """What was assigned, beside what is possible and what the rivals reach.

    `value`: of what is assigned. `primal`: the same with the stay bonus. `bound`: no assignment has
    a greater primal. `rivals`: the value that each reaches over the same options.
    """

    assigned: int
    value: Decimal
    primal: Decimal
    bound: Decimal
    churn: Churn
    uses: tuple[Use, ...]
    unit_values: tuple[UnitValue, ...]
    rivals: Mapping[str, Decimal]

    @property
    def gap(self) -> Decimal:
        """What is missing to the optimum, at most."""
        return self.bound - self.primal


def in_yuan(micro_yuan: int) -> Decimal:
    return Decimal(int(micro_yuan)).scaleb(-6)


def value_of(admission: Admission) -> Decimal:
    """The value of what is assigned, without the stay bonus."""
    return in_yuan(exact_sum(admission.options.value[admission.taken]))


def uses(admission: Admission, per_unit: np.ndarray, resources: Sequence[Resource]) -> list[Use]:
    """Each resource with its use, in the order of names."""
    options = admission.options
    kinds = options.kinds
    used: Counter[str] = Counter()
    prices = {}
    for resource, left, price in zip(kinds.resources, admission.room, per_unit, strict=False):
        used[resource.name] = resource.capacity - int(left)
        prices[resource.name] = in_yuan(price)
    codes, counts = np.unique(options.code[admission.taken], return_counts=True)
    for code, count in zip(codes.tolist(), counts.tolist(), strict=True):
        for name, units in kinds.reported[code].items():
            used[name] += units * count
    return [
        Use(resource, used[resource.name], prices.get(resource.name, in_yuan(0)))
        for resource in sorted(resources, key=lambda resource: resource.name)
    ]


def churn(admission: Admission) -> Churn:
    options, taken = admission.options, admission.taken
    has = np.bincount(options.chooser[taken], minlength=options.choosers) > 0
    keeps = np.bincount(options.chooser[taken & options.sticky], minlength=options.choosers) > 0
    had = options.had > 0
    return Churn(
        kept=int(keeps.sum()),
        moved=int((had & has & ~keeps).sum()),
        gone=int((had & ~has).sum()),
        new=int((has & ~had).sum()),
    )
