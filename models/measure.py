"""What the usage cube holds: the facts of a cell, recorded fees, and the register of measures.

A measure is one pair (first, next) of a service: the sum of quantities, each rounded up per event
to `first` and then to steps of `next` base units. Numbers are only ever added (dw.rating_measure),
so an array of the cube written earlier is a prefix of one written later.
"""
from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Iterable, Mapping, Protocol, Sequence

from models.tariff import KIND_SERVICE, Package
from schemas.errors import ConfigError, QualityError

FACTS = (
    "service", "direction", "roaming", "toll", "dial", "in_group", "message_kind",
    "day_type", "slot_from", "slot_to",
)
FEES = ("airtime_fee", "toll_fee", "other_fee")
SERVICES = tuple(dict.fromkeys(KIND_SERVICE.values()))


@dataclass(frozen=True, order=True)
class Measure:
    """A row of dw.rating_measure; measure_no is the 1-based position in the arrays `billed`."""

    service: str
    measure_no: int
    first: int
    next: int


class MeasuredCatalogue(Protocol):
    """What the register asks of a tariff catalogue."""

    def measures(self, service: str) -> Iterable[tuple[int, int]]:
        """The pairs (first, next) that the service's packages need."""


def register(rows: Iterable) -> tuple[Measure, ...]:
    """The register from the rows of dw.rating_measure, in order.

    Raises QualityError where the numbers of a service are not 1, 2, 3 …: arrays could not be read.
    """
    measures = tuple(sorted(Measure(r.service, r.measure_no, r.first, r.next) for r in rows))
    for service in {measure.service for measure in measures}:
        numbers = [measure.measure_no for measure in measures if measure.service == service]
        if numbers != list(range(1, len(numbers) + 1)):
            raise QualityError(
                f"dw.rating_measure: the numbers of {service} are {numbers}, expected 1 to "
                f"{len(numbers)} each once; restore the table"
            )
    return measures


def measures_wanted(
    existing: Sequence[Measure], catalogue: MeasuredCatalogue
) -> tuple[Measure, ...]:
    """The rows to append so that every increment of the catalogue has its measure.

    New pairs are numbered in order of (first, next) after those that exist, so equal catalogues
    and registers give equal numbers.
    """
    wanted = []
    for service in SERVICES:
        known = {(m.first, m.next): m.measure_no for m in existing if m.service == service}
        new = sorted(set(catalogue.measures(service)) - set(known))
        wanted += [
            Measure(service, len(known) + place, first, following)
            for place, (first, following) in enumerate(new, start=1)
        ]
    return tuple(wanted)


def measure_no(package: Package, increment: tuple[int, int], existing: Sequence[Measure]) -> int:
    """The position of a package's increment in the arrays of its service.

    Raises ConfigError when it is not registered.
    """
    for measure in existing:
        if measure.service == package.service and (measure.first, measure.next) == increment:
            return measure.measure_no
    first, following = increment
    raise ConfigError(
        f"tariff {package.id}: the usage cube has no measure for the increment "
        f"[{first}, {following}] of {package.service}; load usage again, for example: "
        "python -m jobs.night --only usage_day,usage_month --from-date … --to-date …"
    )


def refuse_lacking(
    depths: Iterable, packages: Sequence[Package], existing: Sequence[Measure]
) -> None:
    """Stop when months of the cube were written before a measure that a package needs.

    `depths`: rows (month, service, depth), depth the shortest array `billed` of the month and
    service. Raises ConfigError naming packages, months and the command that loads them again.
    """
    needed = _needed(packages, existing)
    short: dict[str, list[date]] = {}
    for row in depths:
        for package_id, depth in needed.get(row.service, {}).items():
            if row.depth < depth:
                short.setdefault(package_id, []).append(row.month)
    if short:
        months = sorted({month for lacking in short.values() for month in lacking})
        first, last = months[0], months[-1]
        raise ConfigError(
            f"tariff {', '.join(sorted(short))}: an increment is newer than the usage of "
            f"{', '.join(f'{month:%Y-%m}' for month in months)}; load it again: python -m "
            f"jobs.night --only usage_day,usage_month --from-date {first} --to-date "
            f"<close of {last:%Y-%m}>"
        )


def _needed(
    packages: Sequence[Package], existing: Sequence[Measure]
) -> Mapping[str, dict[str, int]]:
    """Service → package → the length of `billed` below which the package cannot be priced."""
    needed: dict[str, dict[str, int]] = {}
    for package in packages:
        numbers = [measure_no(package, rule.increment, existing) for rule in package.rules]
        needed.setdefault(package.service, {})[package.id] = max(numbers, default=0)
    return needed
