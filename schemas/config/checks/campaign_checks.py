"""Checks of the files of campaigns/: channels, shares, scripts, and campaigns that compete."""

from collections.abc import Iterator, Mapping
from decimal import Decimal

from schemas.config.checks.value_checks import (
    Names,
    end_of,
    id_problem,
    interval_problem,
    repeated,
    start_of,
    template_problems,
)
from schemas.document import Document

SCRIPT_PLACEHOLDERS = (
    "package_name",
    "cost_before",
    "cost_after",
    "saving",
    "currency",
    "months_won",
    "valid_until",
)


def problems(
    campaigns: Mapping[str, Document], channels_file: Document, names: Names
) -> Iterator[str]:
    """One line per problem. `campaigns`: by the name of their file. `names`: of the channels."""
    channels = channels_file.data
    for name, found in campaigns.items():
        entry = found.data
        yield from id_problem(found, name)
        yield from interval_problem(found)
        yield from repeated(found, ("channels",), entry["channels"])
        for position, channel in enumerate(entry["channels"]):
            path = ("channels", position)
            if channel not in channels:
                yield found.problem(path, f"unknown channel '{channel}'{names.hint(channel)}")
            elif "push" not in channels[channel]:
                yield found.problem(path, f"the channel '{channel}' has no 'push' in channels.yml")
        if not 0 <= Decimal(entry["control_share"]) < 1:
            yield found.problem(
                ("control_share",),
                f"expected 0 or more and less than 1; got {entry['control_share']}",
            )
        yield from template_problems(found, ("script",), entry["script"], SCRIPT_PLACEHOLDERS)
    yield from _same_priority(campaigns)


def _same_priority(campaigns: Mapping[str, Document]) -> Iterator[str]:
    """Campaigns that are valid on the same day and whose priority leaves their order open."""
    entries = list(campaigns.items())
    for position, (_, found) in enumerate(entries):
        for other, before in entries[:position]:
            priority = found.data["priority"]
            if (
                priority == before.data["priority"]
                and start_of(found) < end_of(before)
                and start_of(before) < end_of(found)
            ):
                yield found.problem(
                    ("priority",),
                    f"{priority} is also the priority of '{other}', which is valid at the same "
                    f"time: give one of the two another priority",
                )
