"""The assignment of a night: prices, whole decisions, a certified bound, and the fate of options.

Every sum of money is a whole number of micro-yuan. Floats serve only to find prices and a plan;
whatever they are, capacities hold, the primal is the sum of what is assigned, and the bound is an
exact sum at whole prices, so the gap between both is certain.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
from pyspark.sql import DataFrame

from models.assignment import summary as figures
from models.assignment.admission import Admission
from models.assignment.fates import fates
from models.assignment.options import Options, options_of
from models.assignment.prices import bound, contested, exact_sum, mean_units, prices
from models.assignment.recovery import recovered
from models.assignment.resource import Resource
from models.assignment.rivals import OPTIMAL, RIVALS, chosen
from models.assignment.summary import Summary, in_yuan
from models.assignment.undecided import UnitValue, undecided
from schemas.errors import ConfigError

SCARCEST = 5


@dataclass(frozen=True)
class Assignment:
    """`rows`: one per option, as `fates.fates` says. `summary`: the figures of the night."""

    rows: DataFrame
    summary: Summary


@dataclass(frozen=True)
class Plan:
    """Whole prices, the bound at them, what is admitted, and what one unit is worth."""

    per_unit: np.ndarray
    bound: int
    admission: Admission
    unit_values: tuple[UnitValue, ...]


def assign(
    choices: DataFrame,
    uses: DataFrame,
    resources: Sequence[Resource],
    *,
    stay_bonus: Decimal = Decimal(0),
    rule: str = OPTIMAL,
) -> Assignment:
    """Gives each customer the options that together are worth most within all capacities.

    `choices`: the rows of choices.choices, kept by whoever calls, and `uses`: choices.uses_of of
    the same options. `stay_bonus`: yuan that an option
    of yesterday is worth beyond its value. `rule`: OPTIMAL, or one of RIVALS, which then decides
    instead; prices and bound are those of the optimum all the same. The same options and resources
    give the same rows in whatever order they come.
    Raises ConfigError for a resource that is named twice or unknown, QualityError for an option
    that a customer has twice.
    """
    _no_name_twice(resources)
    bonus = int(stay_bonus.scaleb(6))
    options, without_lot = options_of(choices, uses, resources, bonus)
    plan = planned(options)
    per_kind = options.kinds.prices(plan.per_unit)
    reduced = options.worth - per_kind[options.kind]
    rivals = {name: rival(options, reduced) for name, rival in RIVALS.items()}
    admission = rivals.get(rule, plan.admission)
    summary = Summary(
        assigned=int(admission.taken.sum()),
        value=figures.value_of(admission),
        primal=in_yuan(exact_sum(options.worth[admission.taken])),
        bound=in_yuan(plan.bound),
        churn=figures.churn(admission),
        uses=tuple(figures.uses(admission, plan.per_unit, resources)),
        unit_values=plan.unit_values,
        rivals={name: figures.value_of(rival) for name, rival in rivals.items()},
    )
    by_rule = chosen(without_lot, {OPTIMAL: plan.admission, **rivals}, rule, plan.per_unit)
    return Assignment(fates(choices, admission, plan.per_unit, bonus, by_rule), summary)


def planned(options: Options) -> Plan:
    """Prices and whole decisions, polished by the program over the undecided."""
    found = prices(options)
    per_unit, least = found.per_unit, bound(options, found.per_unit)
    admission = recovered(options, found)
    reduced = options.worth - options.kinds.prices(per_unit)[options.kind]
    program = undecided(options, reduced)
    solution = program.solved()
    if solution is None:
        return Plan(per_unit, least, admission, ())
    sharper = program.prices(solution, contested(options))
    polished = program.admission(solution, reduced)
    if _primal(polished) > _primal(admission):
        admission = polished
    if (other := bound(options, sharper)) < least:
        per_unit, least = sharper, other
    values = (program.unit_value(solution, resource) for resource in _scarcest(options, per_unit))
    return Plan(per_unit, least, admission, tuple(value for value in values if value is not None))


def _primal(admission: Admission) -> int:
    return exact_sum(admission.options.worth[admission.taken])


def _scarcest(options: Options, per_unit: np.ndarray) -> list[int]:
    """The resources with the highest price of a mean use, at most SCARCEST."""
    price = per_unit * mean_units(options)
    order = np.argsort(-price, kind="stable")[:SCARCEST]
    return [int(resource) for resource in order if per_unit[resource] > 0]


def _no_name_twice(resources: Sequence[Resource]) -> None:
    names = [resource.name for resource in resources]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ConfigError(
            f"assignment: resource {twice[0]} has two capacities; expected one; remove the other"
        )
