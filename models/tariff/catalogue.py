"""The catalogue of tariff packages: read from documents, checked, and listed by day and kind.

Plain Python, without Spark. One document is one package (models/tariff/package.py). The catalogue
does not depend on the order of the files. Prices stay exact Fractions of a yuan;
`package.denominator` makes them integers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from models.tariff.charge import charges, definitions
from models.tariff.event_kinds import event_kinds, slot_starts
from models.tariff.file.check import problems
from models.tariff.file.reader import read_package
from models.tariff.measure import Definition, to_text
from models.tariff.package import Package
from schemas.document import Document
from schemas.document.violation import near_miss
from schemas.errors import ConfigError


@dataclass(frozen=True)
class Catalogue:
    """All packages by id, in the order of their ids."""

    packages: Mapping[str, Package]

    def open_on(self, day: date, kind: str | None = None) -> tuple[Package, ...]:
        """The packages on offer on a day (of one kind), by id, without those that are only held."""
        return tuple(
            package
            for package in self.packages.values()
            if package.offered_on(day) and kind in (None, package.kind)
        )

    def cuts(self, service: str) -> tuple[int, ...]:
        """The local seconds at which a time slot of the service begins in any package, 0 first."""
        starts = {0}
        for package in self._of(service):
            starts.update(slot_starts(package))
        return tuple(sorted(starts))

    def measures(self, service: str) -> tuple[str, ...]:
        """The measures that the packages of the service need, as text (`measure.to_text`)."""
        return tuple(
            sorted(
                {to_text(one) for package in self._of(service) for one in needed(package, service)}
            )
        )

    def _of(self, service: str) -> list[Package]:
        return [package for package in self.packages.values() if service in package.services]


def load(documents: Iterable[Document]) -> Catalogue:
    """The catalogue of tariff documents whose shape has been checked.

    Raises ConfigError with one line `file:line: path: problem` for each problem of each document.
    """
    packages: dict[str, Package] = {}
    lines: list[str] = []
    documents = sorted(documents, key=lambda one: str(one.path))
    for document in documents:
        try:
            package = read_package(document)
        except ConfigError as error:
            lines.append(str(error))
            continue
        lines += [document.problem(path, text) for path, text in problems(package)]
        if package.id in packages:
            lines.append(document.problem(("id",), f"duplicate package id '{package.id}'"))
        packages[package.id] = package
    lines += _former(documents, packages)
    lines += _held_together(documents, packages)
    if lines:
        raise ConfigError("\n".join(lines))
    return Catalogue({name: packages[name] for name in sorted(packages)})


def _former(documents: Sequence[Document], packages: Mapping[str, Package]) -> Iterator[str]:
    """The problems of former tariffs: on any day only one tariff of a package may be in force."""
    for document in documents:
        former = packages.get(document.data["id"])
        if former is None or former.former_of is None:
            continue
        head = packages.get(former.former_of)
        if head is None or head.former_of is not None:
            yield document.problem(
                ("former_of",),
                (
                    "expected the id of a package that is not itself a former tariff; got "
                    f"'{former.former_of}'"
                ),
            )
        elif head.kinds != former.kinds:
            theirs, own = (", ".join(one.kinds) for one in (head, former))
            yield document.problem(("former_of",), f"{head.id} is of kind {theirs}, not {own}")
        else:
            others = [
                one
                for one in packages.values()
                if head.id in (one.id, one.former_of) and one.id != former.id
            ]
            yield from (
                document.problem(
                    ("valid",),
                    (
                        f"{former.valid_from} to {former.valid_to} overlaps the tariff {one.id} of "
                        f"{head.id}, in force {one.valid_from} to {one.valid_to}"
                    ),
                )
                for one in others
                if former.valid_from < one.valid_to and one.valid_from < former.valid_to
            )


def _held_together(documents: Sequence[Document], packages: Mapping[str, Package]) -> Iterator[str]:
    """Packages of `requires` and `excludes` that are unknown or can never be held together."""
    for document in documents:
        package = packages.get(document.data["id"])
        if package is None:
            continue
        for key, names in (("requires", package.requires), ("excludes", package.excludes)):
            for no, name in enumerate(names):
                if name not in packages:
                    yield document.problem(
                        (key, no), f"no package '{name}'{near_miss(name, packages)}"
                    )
                elif set(packages[name].kinds) & set(package.kinds) and name != package.id:
                    both = ", ".join(k for k in package.kinds if k in packages[name].kinds)
                    yield document.problem(
                        (key, no),
                        f"'{name}' and {package.id} both price {both}, so nobody holds the two "
                        "together: remove it here",
                    )


def needed(package: Package, service: str) -> frozenset[Definition]:
    """The measures by which a package prices a service, under both readings of S2-R4.

    If direct long distance is not re-rated, an event is rounded without its toll.
    """
    found: set[Definition] = set()
    for facts in event_kinds(package):
        if facts["service"] != service:
            continue
        due, _ = charges(package, facts)
        found.update(definitions(package, due))
        if facts["dial"] == "direct":
            found.update(
                definitions(package, [charge for charge in due if charge.component != "toll"])
            )
    return frozenset(found)
