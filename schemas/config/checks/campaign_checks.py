"""Checks of the files of campaigns/: channels, shares, acceptance and scripts."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from schemas.config.checks.value_checks import (
    Names,
    id_problem,
    interval_problem,
    repeated,
    template_problems,
)
from schemas.document import Document
from schemas.document.violation import near_miss

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
    campaigns: Mapping[str, Document], channels_file: Document, names: Names, targets: Names
) -> Iterator[str]:
    """One line per problem. `campaigns`: by the name of their file.

    `names`: of the channels. `targets`: the names of the target definitions.
    """
    channels = channels_file.data
    for name, found in campaigns.items():
        entry = found.data
        yield from id_problem(found, name)
        yield from interval_problem(found)
        yield from repeated(found, ("channels",), entry["channels"])
        wrong = list(_channels(found, channels, names))
        yield from wrong or _acceptance(found)
        target = entry.get("target")
        if target is not None and target not in targets.known:
            yield found.problem(("target",), f"unknown target '{target}'{targets.hint(target)}")
        if not 0 <= Decimal(entry["control_share"]) < 1:
            yield found.problem(
                ("control_share",),
                f"expected 0 or more and less than 1; got {entry['control_share']}",
            )
        yield from template_problems(found, ("script",), entry["script"], SCRIPT_PLACEHOLDERS)


def _channels(found: Document, channels: Mapping[str, Any], names: Names) -> Iterator[str]:
    for position, channel in enumerate(found.data["channels"]):
        path = ("channels", position)
        if channel not in channels:
            yield found.problem(path, f"unknown channel '{channel}'{names.hint(channel)}")
        elif "push" not in channels[channel]:
            yield found.problem(path, f"the channel '{channel}' has no 'push' in channels.yml")


def _acceptance(found: Document) -> Iterator[str]:
    """Each channel of the campaign has a share from 0 to 1, and no other channel has one."""
    channels, entry = found.data["channels"], found.data["acceptance"]
    for channel in channels:
        if channel not in entry:
            yield found.problem(
                ("acceptance",),
                f"the channel '{channel}' is missing: write the share of its contacts that lead "
                "to an order",
            )
    for channel, share in entry.items():
        if channel not in channels:
            yield found.problem(
                ("acceptance", channel),
                f"'{channel}' is no channel of the campaign{near_miss(channel, channels)}",
            )
        elif not 0 <= Decimal(share) <= 1:
            yield found.problem(("acceptance", channel), f"expected 0 to 1; got {share}")
