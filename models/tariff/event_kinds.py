"""Examples of every kind of event that a package can distinguish."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any

from models.tariff.package import (
    DAY_SECONDS,
    DAY_TYPES,
    FACT_VALUES,
    SERVICE_FACTS,
    Clause,
    Package,
)


def event_kinds(package: Package, distinguished: Sequence[Clause] = ()) -> Iterator[dict[str, Any]]:
    """One example of the facts of each kind of event that the package can distinguish.

    Values of a fact are alike if no clause of the package (or of `distinguished`) and no due
    component distinguishes them. One value then represents all, so a few hundred examples cover
    every combination of facts.
    """
    for service in package.services:
        yield from _kinds_of(package, service, distinguished)


def _kinds_of(
    package: Package, service: str, distinguished: Sequence[Clause]
) -> Iterator[dict[str, Any]]:
    clauses = [rule.match for rule in package.rules if rule.service == service]
    clauses += [pool.covers for pool in package.pools if service in pool.services]
    clauses += distinguished
    facts = [fact for fact in SERVICE_FACTS[service] if fact != "day_type"]
    choices = []
    for fact in facts:
        named = [clause[fact] for clause in clauses if fact in clause]
        examples: dict[tuple[object, ...], object] = {}
        for value in FACT_VALUES[fact]:
            kind = (*tuple(value in values for values in named), _due_by(fact, value))
            examples.setdefault(kind, value)
        choices.append(list(examples.values()))
    days = [clause["day_type"] for clause in clauses if "day_type" in clause]
    moments: dict[tuple[object, ...], tuple[str, int]] = {}
    for day_type, second in product(DAY_TYPES, slot_starts(package)):
        moment = (package.band_at(day_type, second), *tuple(day_type in one for one in days))
        moments.setdefault(moment, (day_type, second))
    unnamed = dict.fromkeys(set(FACT_VALUES) - set(facts))
    for values in product(*choices):
        for day_type, second in moments.values():
            yield (
                unnamed
                | dict(zip(facts, values, strict=True))
                | {"service": service, "day_type": day_type, "slot_from": second}
            )


def slot_starts(package: Package) -> list[int]:
    """The local seconds at which the package's band may change, 0 among them."""
    return sorted(
        {0}
        | {part.start for part in package.bands}
        | {part.end for part in package.bands if part.end < DAY_SECONDS}
    )


def _due_by(fact: str, value: object) -> object:
    """What of a fact decides which components are due (package.due_components)."""
    if fact == "direction":
        return value
    return value == "local" if fact == "toll" else None
