"""The catalogue of tariff packages: read, checked, and asked by day, kind and facts.

Plain Python. One document is one package (models/tariff.py). The catalogue does not depend on the
order of the files. Prices stay exact Fractions of a yuan; `denominator` makes them integers.
"""
from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Iterable, Mapping

from models.tariff import (
    KIND_SERVICE,
    Package,
    Pool,
    Rule,
    denominator,
    drawn_pools,
    due_components,
    first_rule,
)
from models.tariff_check import problems, slot_starts
from models.tariff_file import read_package
from schemas.document import Document
from schemas.errors import ConfigError

__all__ = [
    "KIND_SERVICE",
    "Catalogue",
    "Package",
    "Pool",
    "Rule",
    "denominator",
    "drawn_pools",
    "due_components",
    "first_rule",
    "load",
    "require_priceable",
]


@dataclass(frozen=True)
class Catalogue:
    """All packages by id, in the order of their ids."""

    packages: Mapping[str, Package]

    def open_on(self, day: date, kind: str | None = None) -> tuple[Package, ...]:
        """The packages on offer on a day (of one kind), by id, without those only held."""
        return tuple(
            package
            for package in self.packages.values()
            if package.valid_on(day)
            and not package.present_only
            and kind in (None, package.kind)
        )

    def cuts(self, service: str) -> tuple[int, ...]:
        """Local seconds at which a time slot of the service begins, 0 first, by any package."""
        starts = {0}
        for package in self._of(service):
            starts.update(slot_starts(package))
        return tuple(sorted(starts))

    def measures(self, service: str) -> tuple[tuple[int, int], ...]:
        """The distinct increments (first, next) by which the service is billed, sorted."""
        return tuple(
            sorted({rule.increment for package in self._of(service) for rule in package.rules})
        )

    def _of(self, service: str) -> list[Package]:
        return [package for package in self.packages.values() if package.service == service]


def load(documents: Iterable[Document]) -> Catalogue:
    """The catalogue of some tariff documents whose shape has been checked.

    Raises ConfigError with one line `file:line: path: problem` for everything that makes no sense.
    """
    packages: dict[str, Package] = {}
    lines: list[str] = []
    for document in sorted(documents, key=lambda one: str(one.path)):
        try:
            package = read_package(document)
        except ConfigError as error:
            lines.append(str(error))
            continue
        lines += [document.problem(path, text) for path, text in problems(package)]
        if package.id in packages:
            lines.append(document.problem(("id",), f"a second package '{package.id}'"))
        packages[package.id] = package
    if lines:
        raise ConfigError("\n".join(lines))
    return Catalogue({name: packages[name] for name in sorted(packages)})


def require_priceable(package: Package) -> None:
    """Refuse a package that uses what the nightly engine does not price yet.

    The reference rater prices all of it. Raises ConfigError naming package and feature.
    """
    features = {
        "groups (price steps inside one event)": any(rule.groups for rule in package.rules),
        "band_policy: split": package.band_policy == "split",
        "tiers": bool(package.tiers),
        "increment_at: month": any(rule.increment_at == "month" for rule in package.rules),
        "pools with carry_over": any(pool.carry_over for pool in package.pools),
        "pools of several components": any(len(pool.components) > 1 for pool in package.pools),
        "rounding at event": package.rounding.at == "event",
    }
    used = [name for name, present in features.items() if present]
    if used:
        raise ConfigError(
            f"{package.origin}: {package.id}: the night cannot price {'; '.join(used)} yet: write "
            "the package without, or keep it out of the folder of tariffs"
        )
