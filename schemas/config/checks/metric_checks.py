"""Checks of metrics.yml: what a value is taken from, margins and winsor limits."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from schemas.config.metric import ASSIGNED
from schemas.contract import Contract
from schemas.document import Document, Key
from schemas.document.violation import near_miss

RESPONSES = "dw.campaign_response"
# Its columns that only treated customers can have.
OF_THE_TREATED = {
    "contacted",
    "viewed",
    "refused",
    "credited",
    "credits",
    "touches",
    "first_contact_at",
    "arm",
}


def problems(found: Document, contracts: Mapping[str, Contract] | None) -> Iterator[str]:
    """One line per problem; without `contracts` no names of tables and columns are checked."""
    for name, entry in found.data.items():
        for key in ("numerator", "denominator"):
            if entry[key] != ASSIGNED:
                yield from _part(found, (name, key), entry[key], entry["unit"], contracts)
        yield from _role(found, name, entry)
        if "before_days" in entry and entry["denominator"] != ASSIGNED:
            yield found.problem(
                (name, "before_days"), "a ratio is not adjusted by CUPED: leave it out"
            )
        if "winsor_limit" in entry:
            if entry["numerator"]["take"] == "any":
                yield found.problem(
                    (name, "winsor_limit"), "a value of 0 or 1 has no limit: leave it out"
                )
            yield from _above_zero(found, (name, "winsor_limit"), entry["winsor_limit"])


def _role(found: Document, name: str, entry: Mapping[str, Any]) -> Iterator[str]:
    if entry["role"] == "goal" and "margin" in entry:
        yield found.problem((name, "margin"), "a goal has no margin: leave it out")
    if entry["role"] == "guardrail" and "margin" not in entry:
        yield found.problem(
            (name,), "a guardrail needs 'margin': write the harm that it bears, in its own unit"
        )
    if "margin" in entry:
        yield from _above_zero(found, (name, "margin"), entry["margin"])


def _above_zero(found: Document, path: Key, number: str) -> Iterator[str]:
    if Decimal(number) <= 0:
        yield found.problem(path, f"expected more than 0; got {number}")


def _part(
    found: Document,
    path: Key,
    part: Mapping[str, Any],
    unit: str,
    contracts: Mapping[str, Contract] | None,
) -> Iterator[str]:
    if part["take"] == "sum" and "column" not in part:
        yield found.problem(path, "a sum needs 'column': write what is added up")
    if part["take"] != "sum" and "column" in part:
        yield found.problem(
            (*path, "column"), f"'{part['take']}' counts rows: leave the column out, or take sum"
        )
    if contracts is None:
        return
    contract = contracts.get(part["table"])
    if contract is None:
        yield found.problem(
            (*path, "table"),
            f"unknown table '{part['table']}'{near_miss(part['table'], contracts)}",
        )
        return
    owner = f"{unit}_id"
    if not {owner, f"{unit}_no"} & set(contract.column_names):
        yield found.problem(
            (*path, "table"),
            f"{contract.table} has no column '{owner}', so its rows belong to no {unit}",
        )
    if part["table"] == RESPONSES:
        named = {part["at"], part.get("column"), *part.get("where", ())}
        for column in sorted(OF_THE_TREATED.intersection(named)):
            yield found.problem(
                path,
                f"'{column}' compares who was reached with who was not: the control group is never "
                "contacted; read a metric by assignment, such as ordered",
            )
    yield from _columns(found, path, part, contract)


def _columns(
    found: Document, path: Key, part: Mapping[str, Any], contract: Contract
) -> Iterator[str]:
    types = {column.name: column.type for column in contract.columns}
    named: dict[Key, str] = {(*path, key): part[key] for key in ("at", "column") if key in part}
    named |= {(*path, "where", column): column for column in part.get("where", {})}
    for place, column in named.items():
        if column not in types:
            yield found.problem(
                place, f"{contract.table} has no column '{column}'{near_miss(column, types)}"
            )
    instant = types.get(part["at"], "date")
    if instant not in ("date", "timestamp"):
        yield found.problem(
            (*path, "at"), f"expected a date or timestamp; '{part['at']}' is {instant}"
        )
    summed = types.get(part.get("column", ""), "bigint")
    if not summed.startswith(("int", "bigint", "decimal")):
        yield found.problem(
            (*path, "column"), f"expected a column of numbers; '{part['column']}' is {summed}"
        )
