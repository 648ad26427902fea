"""Checks of channels.yml: orders, costs, capacities, and the files that are pushed."""

from collections.abc import Iterator, Mapping
from decimal import Decimal

from schemas.config.channel import FACT_TABLES, REQUIRED_FACTS
from schemas.config.checks import push_checks
from schemas.contract import Contract
from schemas.document import Document
from schemas.document.violation import near_miss


def problems(
    found: Document, contracts: Mapping[str, Contract] | None, runtime: Document
) -> Iterator[str]:
    """One line per problem; without `contracts` no names of columns are checked.

    `runtime`: runtime.yml, which says what a number looks like.
    """
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
        if "requires" in entry and contracts is not None:
            yield from _requires(found, name, entry["requires"], contracts)
        if "push" in entry:
            if "capacity" not in entry:
                yield found.problem(
                    (name,),
                    "a pushed channel needs 'capacity': write its contacts per day, 0 for none",
                )
            yield from push_checks.problems(found, name, contracts, runtime)


def _requires(
    found: Document, channel: str, fact: str, contracts: Mapping[str, Contract]
) -> Iterator[str]:
    """A fact that the state of a subscriber does not have."""
    of, column = fact.split(".")
    if of not in REQUIRED_FACTS:
        yield found.problem(
            (channel, "requires"),
            f"unknown fact '{fact}': {of} is none{near_miss(of, REQUIRED_FACTS)}",
        )
        return
    source = contracts[FACT_TABLES[of]]
    if column not in source.column_names:
        hint = near_miss(column, source.column_names)
        yield found.problem(
            (channel, "requires"), f"unknown fact '{fact}': {source.table} has no '{column}'{hint}"
        )


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
