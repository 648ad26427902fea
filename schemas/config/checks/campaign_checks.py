"""Checks of the files of campaigns/: channels, shares, acceptance and scripts."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from schemas.config.checks import campaign_plan_checks
from schemas.config.checks.value_checks import (
    Names,
    id_problem,
    interval_problem,
    repeated,
    template_problems,
)
from schemas.document import Document, Key
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
    campaigns: Mapping[str, Document],
    channels_file: Document,
    names: Names,
    targets: Names,
    businesses: Names,
    metrics: Document,
    costs: Mapping[str, Any],
) -> Iterator[str]:
    """One line per problem. `campaigns`: by the name of their file. `metrics`: metrics.yml.

    `names`: of the channels. `targets`: the names of the target definitions. `businesses`: those of
    services.yml. `costs`: what counts towards cost targets, as policy.yml says.
    """
    yield from campaign_plan_checks.knowledge_problems(campaigns, channels_file.data)
    salts: dict[str, str] = {}
    channels = channels_file.data
    for name, found in campaigns.items():
        entry = found.data
        yield from id_problem(found, name)
        yield from interval_problem(found)
        other = salts.setdefault(entry["salt"], name)
        if other != name:
            yield found.problem(
                ("salt",),
                f"'{entry['salt']}' is also the salt of '{other}': both would hold out the same "
                "customers; write another one",
            )
        yield from _offers(found, businesses)
        yield from _waves(found)
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
        yield from _scripts(found)
        if "success" in entry:
            yield from _success(found, entry["success"], metrics.data)
        yield from campaign_plan_checks.problems(found, channels, _own_channels(found), costs)


def _success(
    found: Document, entry: Mapping[str, Any], metrics: Mapping[str, Any]
) -> Iterator[str]:
    """A goal that is named by metrics.yml, other metrics of it, and brands named once."""
    named: list[tuple[Key, str]] = [(("success", "metric"), entry["metric"])]
    named += [
        (("success", "also", place), name) for place, name in enumerate(entry.get("also", ()))
    ]
    for path, name in named:
        if name not in metrics:
            yield found.problem(path, f"unknown metric '{name}'{near_miss(name, metrics)}")
    goal = metrics.get(entry["metric"])
    if goal is not None and goal["role"] != "goal":
        yield found.problem(
            ("success", "metric"),
            f"'{entry['metric']}' is a {goal['role']}: name a metric of role 'goal'",
        )
    yield from repeated(found, ("success", "also"), entry.get("also", ()))
    yield from repeated(found, ("success", "segments"), entry.get("segments", ()))


def _own_channels(found: Document) -> tuple[str, ...]:
    """The channels of all waves, each once."""
    return tuple(dict.fromkeys(name for _, listed in _channel_lists(found) for name in listed))


def _channel_lists(found: Document) -> list[tuple[Key, list[str]]]:
    """The lists of channels of a campaign, of the first wave and later ones, and their places."""
    later = found.data.get("later_waves", ())
    return [
        (("channels",), found.data["channels"]),
        *((("later_waves", place, "channels"), one["channels"]) for place, one in enumerate(later)),
    ]


def _channels(found: Document, channels: Mapping[str, Any], names: Names) -> Iterator[str]:
    for place, listed in _channel_lists(found):
        yield from repeated(found, place, listed)
        for position, channel in enumerate(listed):
            path = (*place, position)
            if channel not in channels:
                yield found.problem(path, f"unknown channel '{channel}'{names.hint(channel)}")
            elif "push" not in channels[channel]:
                yield found.problem(path, f"the channel '{channel}' has no 'push' in channels.yml")


def _offers(found: Document, businesses: Names) -> Iterator[str]:
    """Businesses that exist, for customers whom a target names; tariffs are offered by match."""
    entry = found.data
    if entry["type"] != "tariff" and "offers" not in entry:
        yield found.problem(
            ("type",),
            f"a campaign of type {entry['type']} needs 'offers': businesses of "
            "services.yml with their margin a month",
        )
    for name in entry.get("offers", ()):
        if name not in businesses.known:
            yield found.problem(("offers", name), f"unknown business{businesses.hint(name)}")
    for key in ("offers", "later_waves"):
        if key in entry and "target" not in entry:
            yield found.problem((key,), "needs 'target': whom the campaign is for")


def _waves(found: Document) -> Iterator[str]:
    """Waves in ascending order; days in order and inside the campaign."""
    before, valid = found.data["wave"], found.data["valid"]
    for place, one in enumerate(found.data.get("later_waves", ())):
        path: Key = ("later_waves", place)
        if one["wave"] <= before:
            yield found.problem(
                (*path, "wave"),
                f"expected a number above {before}, the wave before it; got {one['wave']}",
            )
        before = max(before, one["wave"])
        begins, ends = one.get("from", valid["from"]), one.get("to", valid["to"])
        if not valid["from"] <= begins < ends <= valid["to"]:
            yield found.problem(
                path,
                f"expected days from {valid['from']} on, before {valid['to']}, the first one "
                f"before the last one; got {begins} to {ends}",
            )


def _scripts(found: Document) -> Iterator[str]:
    """Placeholders that something fills, for channels of the campaign."""
    entry = found.data
    yield from template_problems(found, ("script",), entry["script"], SCRIPT_PLACEHOLDERS)
    known = set(_own_channels(found))
    for channel, text in entry.get("scripts", {}).items():
        if channel not in known:
            yield found.problem(
                ("scripts", channel),
                f"'{channel}' is no channel of the campaign{near_miss(channel, known)}",
            )
        yield from template_problems(found, ("scripts", channel), text, SCRIPT_PLACEHOLDERS)


def _acceptance(found: Document) -> Iterator[str]:
    """Each channel of the campaign has a share from 0 to 1, and no other channel has one."""
    channels, entry = _own_channels(found), found.data["acceptance"]
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
