"""Checks of channels.yml: orders, costs, capacities, and the files that are pushed."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from schemas.config.channel import PUSHED
from schemas.config.checks.value_checks import repeated, template_problems
from schemas.contract import Contract
from schemas.document import Document
from schemas.document.violation import near_miss

PUSH_PLACEHOLDERS = ("data_date", "yyyymmdd", "yyyymm")


def problems(found: Document, contracts: Mapping[str, Contract] | None) -> Iterator[str]:
    """One line per problem; without `contracts` no names of columns are checked."""
    first: dict[int, str] = {}
    for name, entry in found.data.items():
        other = first.setdefault(entry["order"], name)
        if other != name:
            yield found.problem(
                (name, "order"),
                f"{entry['order']} is already the order of '{other}': each channel needs its own",
            )
        if Decimal(entry["unit_cost"]) < 0:
            yield found.problem(
                (name, "unit_cost"), f"expected 0 or more; got {entry['unit_cost']}"
            )
        if "logged_as" in entry:
            yield from _logged_as(found, name, entry["logged_as"]["channel"])
        if "push" in entry:
            if "capacity" not in entry:
                yield found.problem(
                    (name,),
                    "a pushed channel needs 'capacity': write its contacts per day, 0 for none",
                )
            yield from _push(found, name, entry["push"], contracts)


def _logged_as(found: Document, channel: str, other: str) -> Iterator[str]:
    if other not in found.data:
        yield found.problem(
            (channel, "logged_as", "channel"),
            f"unknown channel '{other}'{near_miss(other, found.data)}",
        )
    elif other == channel or "logged_as" in found.data[other]:
        yield found.problem(
            (channel, "logged_as", "channel"),
            f"expected a channel that logs name themselves; '{other}' is none",
        )


def _push(
    found: Document,
    channel: str,
    push: Mapping[str, Any],
    contracts: Mapping[str, Contract] | None,
) -> Iterator[str]:
    path = (channel, "push")
    yield from template_problems(found, (*path, "file"), push["file"], PUSH_PLACEHOLDERS)
    yield from repeated(found, (*path, "columns"), push["columns"])
    if contracts is None:
        return
    table = f"push.{channel}"
    if table not in contracts:
        yield found.problem(path, f"a pushed channel needs the contract {table}")
        return
    for column in contracts[table].column_names:
        if column not in PUSHED:
            yield found.problem(
                path,
                f"no step fills the column '{column}' of {table}: the step push fills "
                f"{', '.join(PUSHED)}",
            )
    for position, column in enumerate(push["columns"]):
        known = contracts[table].column_names
        if column not in known:
            yield found.problem(
                (*path, "columns", position),
                f"{table} has no column '{column}'{near_miss(column, known)}",
            )
