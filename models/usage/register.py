"""The register of measures (dw.rating_measure): what each place of the arrays `billed` holds.

The measures of a service are numbered 1, 2, 3 …, and new ones are only ever added at the end. So an
array of the cube that was written earlier is a prefix of one written later.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Protocol

from pyspark.sql import Row

from models.tariff.catalogue import needed
from models.tariff.measure import SERVICES, Definition, from_text, to_text
from models.tariff.package import Package
from schemas.errors import ConfigError, QualityError


class MeasuredCatalogue(Protocol):
    """What the register needs from a tariff catalogue."""

    def measures(self, service: str) -> Iterable[str]:
        """The definitions that the packages of the service need, as text (`measure.to_text`)."""


@dataclass(frozen=True, order=True)
class Measure:
    """A row of dw.rating_measure; measure_no is the 1-based position in the arrays `billed`."""

    service: str
    measure_no: int
    definition: str

    @cached_property
    def parsed(self) -> Definition:
        """The definition as an object."""
        return from_text(self.definition)


def from_rows(rows: Iterable[Row | Measure]) -> tuple[Measure, ...]:
    """The register from the rows of dw.rating_measure, in order.

    Raises QualityError if the numbers of a service are not 1, 2, 3 …: the arrays of the cube could
    then not be read.
    """
    measures = tuple(sorted(Measure(r.service, r.measure_no, r.definition) for r in rows))
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
    """The rows to append so that each measure of the catalogue is in the register.

    New measures follow the existing ones, numbered in the order of their text. So equal catalogues
    and equal registers give equal numbers.
    """
    wanted = []
    for service in SERVICES:
        known = {m.definition for m in existing if m.service == service}
        new = sorted(set(catalogue.measures(service)) - known)
        wanted += [
            Measure(service, len(known) + place, text) for place, text in enumerate(new, start=1)
        ]
    return tuple(wanted)


def measure_no(
    package: Package, service: str, definition: Definition, existing: Sequence[Measure]
) -> int:
    """The 1-based position in the arrays `billed` of a measure that a package needs of a service.

    Raises ConfigError if the measure is not registered.
    """
    text = to_text(definition)
    for measure in existing:
        if measure.service == service and measure.definition == text:
            return measure.measure_no
    raise ConfigError(
        f"tariff {package.id}: the usage cube has no measure {text} of {service}; load "
        "usage again, for example: "
        "python -m jobs.night --only usage_day,usage_month --from-date … --to-date …"
    )


def depths_needed(
    packages: Sequence[Package], existing: Sequence[Measure]
) -> dict[str, dict[str, int]]:
    """Service → package → how many measures the arrays `billed` must hold to price the package."""
    found: dict[str, dict[str, int]] = {}
    for package in packages:
        for service in package.services:
            numbers = [
                measure_no(package, service, one, existing) for one in needed(package, service)
            ]
            found.setdefault(service, {})[package.id] = max(numbers, default=0)
    return found


def require_measures(depths: Iterable[Row], needed_depths: Mapping[str, Mapping[str, int]]) -> None:
    """Stop if months of the cube were written before a measure that a package needs.

    `depths` are the rows of `cube.depths`, `needed_depths` is the result of `depths_needed`. Raises
    ConfigError with the packages, the months and the command that loads the months again.
    """
    short: dict[str, list[date]] = {}
    for row in depths:
        for package_id, depth in needed_depths.get(row.service, {}).items():
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
