"""Checks of the parts `value` and `resources` of policy.yml: shares, names, and budgets."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from schemas.config.checks.value_checks import Names
from schemas.document import Document, Key
from schemas.document.violation import near_miss


def problems(
    found: Document, channels: Document, campaigns: Mapping[str, Document], names: Names
) -> Iterator[str]:
    """One line per problem. `channels`: channels.yml. `names`: of the channels."""
    value = found.data["value"]
    yield from _from_zero(found, ("value", "stay_bonus"), value["stay_bonus"])
    for group in ("high_value", "ordinary"):
        for name, weight in value["channel_rule"][group].items():
            yield from _from_zero(found, ("value", "channel_rule", group, name), weight)
    share = value["exploration"]["share"]
    if not 0 <= Decimal(share) < 1:
        yield found.problem(
            ("value", "exploration", "share"), f"expected 0 or more and less than 1; got {share}"
        )
    level = value.get("acceptance_alarm", {}).get("level", "0.01")
    if not 0 < Decimal(level) < 1:
        yield found.problem(
            ("value", "acceptance_alarm", "level"), f"expected between 0 and 1; got {level}"
        )
    resources = found.data["resources"]
    for part in ("branches", "minutes"):
        for channel in resources[part]:
            if channel not in names.known and channel not in names.taken:
                yield found.problem(
                    ("resources", part, channel),
                    f"unknown channel '{channel}'{names.hint(channel)}",
                )
    for name, entry in resources["budgets"].items():
        yield from _budget(found, ("resources", "budgets", name), entry, channels, campaigns)


def _from_zero(found: Document, path: Key, amount: str) -> Iterator[str]:
    if Decimal(amount) < 0:
        yield found.problem(path, f"expected 0 or more; got {amount}")


def _budget(
    found: Document,
    path: Key,
    entry: Mapping[str, Any],
    channels: Document,
    campaigns: Mapping[str, Document],
) -> Iterator[str]:
    """Known names, and money for one contact at least; 0 says that there is none."""
    known: dict[str, Sequence[str]] = {
        "campaigns": tuple(campaigns),
        "channels": tuple(channels.data),
    }
    for of, all_of in known.items():
        for position, one in enumerate(entry.get(of, ())):
            if one not in all_of:
                yield found.problem(
                    (*path, of, position), f"unknown {of[:-1]} '{one}'{near_miss(one, all_of)}"
                )
    amount = Decimal(entry["amount"])
    costs = [
        Decimal(channel["unit_cost"])
        for name, channel in channels.data.items()
        if "push" in channel and name in entry.get("channels", (name,))
    ]
    cheapest = min((cost for cost in costs if cost > 0), default=Decimal(0))
    if amount < 0 or 0 < amount < cheapest:
        yield found.problem(
            (*path, "amount"),
            f"expected 0 (never) or at least {cheapest}, the cost of one contact; got "
            f"{entry['amount']}",
        )
