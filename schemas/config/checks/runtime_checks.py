"""Checks of runtime.yml: time zone, numbers, days that mean "open", the currency."""

from collections.abc import Iterator, Mapping

from schemas.config.checks.value_checks import open_end_problems, pattern_problem, zone_problem
from schemas.config.settings import currency_of
from schemas.contract import Contract
from schemas.document import Document


def problems(found: Document, contracts: Mapping[str, Contract] | None) -> Iterator[str]:
    """One line per problem; without `contracts` no columns of money are looked at."""
    entry = found.data
    yield from zone_problem(found, ("timezone",), entry["timezone"])
    yield from pattern_problem(found, ("numbers", "national"))
    yield from open_end_problems(found, ("open_ends",), entry.get("open_ends", ()))
    yield from _currency(found, contracts or {})


def _currency(found: Document, contracts: Mapping[str, Contract]) -> Iterator[str]:
    """A currency of which nothing is said, or with more decimals than a column of money has."""
    currency = currency_of(found.data)
    if currency is None:
        code = found.data["currency"]
        yield found.problem(
            ("currency",),
            f"'{code}' is not in currencies: write currencies: {{{code}: {{name: …, minor_unit: "
            "…}} with its name for customers and its decimals",
        )
        return
    scales = {
        f"{table}.{column.name}": column.data_type.scale
        for table, contract in contracts.items()
        for column in contract.columns
        if column.is_money and not column.by_minor_unit
    }
    if scales and min(scales.values()) < currency.minor_unit:
        column, scale = min(scales.items(), key=lambda one: one[1])
        yield found.problem(
            ("currencies", currency.code, "minor_unit"),
            f"expected a number ≤ {scale}, the decimals of {column}; got {currency.minor_unit}",
        )
