"""How long a table keeps its rows: `retention_days` and `kept_longer` of a contract."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from schemas.contract.column import Column
from schemas.document import Document
from schemas.document.violation import near_miss


@dataclass(frozen=True)
class KeptLonger:
    """Rows with one of the `values` in the `column` are kept for `days`; the others go before."""

    column: str
    values: tuple[str, ...]
    days: int

    def __str__(self) -> str:
        return f"rows with {self.column} {' or '.join(self.values)} {self.days} days"


def read(data: Mapping[str, Any]) -> KeptLonger | None:
    """The part of a contract; None where all rows are kept alike."""
    part = data.get("kept_longer")
    return part and KeptLonger(part["column"], tuple(part["values"]), part["days"])


def problems(here: Document, columns: Sequence[Column]) -> Iterator[str]:
    """Rows without an age, and what is wrong with `kept_longer`."""
    if (
        here.data["slice"] == "none"
        and here.data["retention_days"] is not None
        and not any(one.required and one.data_type.name == "timestamp" for one in columns)
    ):
        yield here.problem(
            ("retention_days",),
            "the age of a row is unknown: add a required column of type timestamp, "
            "or write null to keep rows forever",
        )
    if "kept_longer" in here.data:
        yield from _longer(here, {column.name: column for column in columns})


def _longer(here: Document, by_name: Mapping[str, Column]) -> Iterator[str]:
    """A column or value that is not there, and days that are not longer than `retention_days`."""
    data, part = here.data, here.data["kept_longer"]
    if data["slice"] == "none" or data["retention_days"] is None:
        yield here.problem(
            ("kept_longer",),
            "the other rows are never deleted: the table needs a slice and retention_days",
        )
    elif part["days"] <= data["retention_days"]:
        yield here.problem(
            ("kept_longer", "days"),
            f"{part['days']} days are not longer than retention_days, {data['retention_days']}",
        )
    column = by_name.get(part["column"])
    if column is None:
        hint = near_miss(part["column"], by_name)
        yield here.problem(("kept_longer", "column"), f"no column '{part['column']}'{hint}")
    elif not column.required or not isinstance(column.allowed, tuple):
        yield here.problem(
            ("kept_longer", "column"),
            f"'{column.name}' must be required, with its values in the contract (allowed)",
        )
    else:
        for position, value in enumerate(part["values"]):
            if value not in column.allowed:
                yield here.problem(
                    ("kept_longer", "values", position),
                    f"'{value}' is no value of {column.name}{near_miss(value, column.allowed)}",
                )
