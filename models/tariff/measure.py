"""What the usage cube holds: the facts of a cell, recorded fees, and the register of measures.

A measure is one way to add up the events of a cell: the units of one part of a laying 计费分段, or
the amounts of events that a package rounds one by one. Numbers are only ever added
(dw.rating_measure), so an array of the cube written earlier is a prefix of one written later.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import NamedTuple, Protocol

from models.tariff.package import KIND_SERVICE, Package
from models.tariff.segmentation import Laying, Part, Steps
from schemas.errors import ConfigError, QualityError

FACTS = (
    "service",
    "direction",
    "roaming",
    "toll",
    "dial",
    "in_group",
    "message_kind",
    "day_type",
    "slot_from",
    "slot_to",
)
FEES = ("airtime_fee", "toll_fee", "other_fee")
SERVICES = tuple(dict.fromkeys(KIND_SERVICE.values()))


class Units(NamedTuple):
    """Σ units that an event has in one part of a laying."""

    laying: Laying
    part: Part


class Rounded(NamedTuple):
    """Σ amounts of events, each rounded to 10^-scale yuan; counted in that quantum.

    `prices` hold a laying and the price of each of its parts in 1/denominator yuan per base unit,
    once per component; `connect` is due where the quantity is above 0.
    """

    scale: int
    mode: str
    denominator: int
    connect: int
    prices: tuple[tuple[Laying, tuple[int, ...]], ...]


Definition = Units | Rounded


def written(definition: Definition) -> str:
    """A definition as dw.rating_measure keeps it: JSON, the same text for equal definitions."""
    if isinstance(definition, Units):
        document = _laying_written(definition.laying) | {"part": list(definition.part)}
    else:
        document = definition._asdict() | {
            "prices": [
                _laying_written(laying) | {"by_part": list(prices)}
                for laying, prices in definition.prices
            ]
        }
    return json.dumps(document, sort_keys=True, separators=(",", ":"))


def read(text: str) -> Definition:
    """The definition of a text of `written`."""
    document = json.loads(text)
    if "part" in document:
        band, step = document["part"]
        return Units(_laying_read(document), (band, step))
    document["prices"] = tuple(
        (_laying_read(one), tuple(one["by_part"])) for one in document["prices"]
    )
    return Rounded(**document)


def _laying_written(laying: Laying) -> dict:
    return {
        "calendar": laying.calendar,
        "steps": [[band, steps.first, steps.steps] for band, steps in laying.steps],
    }


def _laying_read(document: Mapping) -> Laying:
    calendar = tuple(
        (band, tuple(days), start, end) for band, days, start, end in document["calendar"]
    )
    return Laying(
        calendar,
        tuple(
            (band, Steps(first, tuple((start, size) for start, size in steps)))
            for band, first, steps in document["steps"]
        ),
    )


@dataclass(frozen=True, order=True)
class Measure:
    """A row of dw.rating_measure; measure_no is the 1-based position in the arrays `billed`."""

    service: str
    measure_no: int
    definition: str

    @cached_property
    def read(self) -> Definition:
        """The definition itself."""
        return read(self.definition)


class MeasuredCatalogue(Protocol):
    """What the register asks of a tariff catalogue."""

    def measures(self, service: str) -> Iterable[str]:
        """The definitions that the service's packages need, as written."""


def register(rows: Iterable) -> tuple[Measure, ...]:
    """The register from the rows of dw.rating_measure, in order.

    Raises QualityError where the numbers of a service are not 1, 2, 3 …: arrays could not be read.
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
    """The rows to append so that everything the catalogue adds up has its measure.

    New ones are numbered in order of their text after those that exist, so equal catalogues and
    registers give equal numbers.
    """
    wanted = []
    for service in SERVICES:
        known = {m.definition for m in existing if m.service == service}
        new = sorted(set(catalogue.measures(service)) - known)
        wanted += [
            Measure(service, len(known) + place, text) for place, text in enumerate(new, start=1)
        ]
    return tuple(wanted)


def measure_no(package: Package, definition: Definition, existing: Sequence[Measure]) -> int:
    """The position of what a package adds up in the arrays of its service.

    Raises ConfigError when it is not registered.
    """
    text = written(definition)
    for measure in existing:
        if measure.service == package.service and measure.definition == text:
            return measure.measure_no
    raise ConfigError(
        f"tariff {package.id}: the usage cube has no measure {text} of {package.service}; load "
        "usage again, for example: "
        "python -m jobs.night --only usage_day,usage_month --from-date … --to-date …"
    )


def refuse_lacking(depths: Iterable, needed: Mapping[str, Mapping[str, int]]) -> None:
    """Stop when months of the cube were written before a measure that a package needs.

    `depths`: rows (month, service, depth), depth the shortest array `billed` of the month and
    service. `needed`: service → package → the length of `billed` below which it cannot be priced.
    Raises ConfigError naming packages, months and the command that loads them again.
    """
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
