"""Small packages that can be held together or not, for tests: only kinds and ties count."""

from dataclasses import replace
from fractions import Fraction

from tests.given.match_rows import catalogue_of


def packages_of(**described):
    """Packages by id: kinds as one text, and optionally fee, requires and excludes."""
    (like,) = catalogue_of(like=("voice", "0", "gotone")).values()
    return {
        name: replace(
            like,
            id=name,
            name=name,
            kinds=tuple(kinds.split()),
            monthly_fee=Fraction(more.get("fee", 0)),
            requires=tuple(more.get("requires", ())),
            excludes=tuple(more.get("excludes", ())),
        )
        for name, (kinds, more) in sorted(described.items())
    }
