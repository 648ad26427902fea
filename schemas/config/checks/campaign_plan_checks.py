"""Checks of what a campaign may cost, how it is made known, and its knowledge messages."""

from collections.abc import Collection, Iterator, Mapping
from decimal import Decimal
from typing import Any

from schemas.config.campaign import Knowledge
from schemas.config.campaign_plan import GOODS, KINDS
from schemas.config.channel import Message, named_column
from schemas.config.checks.value_checks import end_of, template_problems
from schemas.config.settings import built
from schemas.document import Document, Key
from schemas.document.violation import near_miss

QUESTIONNAIRE, KNOWLEDGE = "questionnaire", "knowledge_sms"
KNOWLEDGE_PLACEHOLDERS = ("reply", "valid_until")
LONGEST_DAY = "2009-12-31"


def problems(
    found: Document, channels: Mapping[str, Any], own: Collection[str], costs: Mapping[str, Any]
) -> Iterator[str]:
    """One line per problem of one campaign.

    `channels`: channels.yml. `own`: the channels of the campaign. `costs`: `campaigns.costs` of
    policy.yml.
    """
    yield from _cost_targets(found, costs)
    yield from _daily_budget(found, channels, own)
    yield from _questionnaires(found, channels, own)
    for channel in found.data.get("valid_days_on", {}):
        if channel not in own:
            yield _no_channel(found, ("valid_days_on", channel), channel, own)
    for part in ("media", "materials"):
        yield from _schedule(found, part)
    yield from _planned_costs(found)


def _cost_targets(found: Document, costs: Mapping[str, Any]) -> Iterator[str]:
    """Amounts that can be met, of kinds to which something counts."""
    entry = found.data
    for kind, amount in entry.get("cost_targets", {}).items():
        path: Key = ("cost_targets", kind)
        yield from _from_zero(found, path, amount)
        if kind in KINDS and not costs.get(kind):
            yield found.problem(
                path,
                f"no cost counts towards it: list what does in policy.yml, campaigns.costs.{kind}",
            )
    if "gift_deposits" in entry:
        yield from _from_zero(found, ("gift_deposits",), entry["gift_deposits"])


def _from_zero(found: Document, path: Key, amount: str) -> Iterator[str]:
    if Decimal(amount) < 0:
        yield found.problem(path, f"expected 0 or more; got {amount}")


def _daily_budget(
    found: Document, channels: Mapping[str, Any], own: Collection[str]
) -> Iterator[str]:
    """Money for one contact at least; 0 says that there is none."""
    for channel, amount in found.data.get("daily_budget", {}).items():
        path: Key = ("daily_budget", channel)
        if channel not in own:
            yield _no_channel(found, path, channel, own)
        elif channel in channels:
            cost = Decimal(channels[channel]["unit_cost"])
            if Decimal(amount) < 0 or 0 < Decimal(amount) < cost:
                yield found.problem(
                    path,
                    f"expected 0 (never) or at least {cost}, the cost of one contact; got {amount}",
                )


def _questionnaires(
    found: Document, channels: Mapping[str, Any], own: Collection[str]
) -> Iterator[str]:
    """Questions that somebody can ask: the channel's file has a column for them."""
    for channel, asked in found.data.get("questionnaires", {}).items():
        path: Key = ("questionnaires", channel)
        if channel not in own:
            yield _no_channel(found, path, channel, own)
            continue
        push = channels.get(channel, {}).get("push", {"columns": [QUESTIONNAIRE]})
        if QUESTIONNAIRE not in [named_column(one)[0] for one in push["columns"]]:
            yield found.problem(
                path,
                f"the file of '{channel}' has no column '{QUESTIONNAIRE}': add it to push.columns "
                "in channels.yml",
            )
        first: dict[str, int] = {}
        for place, one in enumerate(asked):
            before = first.setdefault(one["question"], place)
            if before != place:
                yield found.problem(
                    (*path, place, "question"),
                    f"'{one['question']}' is asked twice, first on line "
                    f"{found.line((*path, before))}",
                )


def _no_channel(found: Document, path: Key, channel: str, own: Collection[str]) -> str:
    return found.problem(
        path, f"'{channel}' is no channel of the campaign{near_miss(channel, own)}"
    )


def _schedule(found: Document, part: str) -> Iterator[str]:
    """Days in order, and none after the campaign; publicity may begin before it."""
    for place, one in enumerate(found.data.get(part, ())):
        if not one["from"] < one["to"] <= end_of(found):
            yield found.problem(
                (part, place),
                f"expected a first day before the last one, and no day after the campaign, which "
                f"ends before {end_of(found)}; got {one['from']} to {one['to']}",
            )
        yield from _from_zero(found, (part, place, "cost"), one.get("cost", "0"))


def _planned_costs(found: Document) -> Iterator[str]:
    """Media and materials that cost together no more than the target of goods allows."""
    entry = found.data
    target = entry.get("cost_targets", {}).get(GOODS)
    planned = sum(
        Decimal(one.get("cost", "0"))
        for part in ("media", "materials")
        for one in entry.get(part, ())
    )
    if target is not None and planned > Decimal(target):
        yield found.problem(
            ("cost_targets", GOODS),
            f"media and materials are planned to cost {planned}, more than this target of {target}",
        )


def knowledge_problems(
    campaigns: Mapping[str, Document], channels: Mapping[str, Any]
) -> Iterator[str]:
    """One line per problem of the knowledge messages of all offers (B2).

    `campaigns`: by the name of their file. `channels`: channels.yml.
    """
    senders = {
        name: built(Message, entry["push"]["message"])
        for name, entry in channels.items()
        if "message" in entry.get("push", {})
    }
    ordered: dict[str, str] = {}
    for found in campaigns.values():
        for offer, entry in found.data.get("offers", {}).items():
            if "knowledge" not in entry:
                continue
            path: Key = ("offers", offer, "knowledge")
            yield from _knowledge_text(found, path, entry["knowledge"], senders)
            yield from _knowledge_sender(found, path, channels)
            reply = entry["knowledge"]["reply"]
            other = ordered.setdefault(reply, offer)
            if other != offer:
                yield found.problem(
                    (*path, "reply"),
                    f"'{reply}' orders '{other}' already: an answer orders one business",
                )


def _knowledge_text(
    found: Document, path: Key, entry: Mapping[str, str], senders: Mapping[str, Message]
) -> Iterator[str]:
    """Placeholders that something fills, the answer among them, and no more parts than allowed."""
    at = (*path, "text")
    wrong = list(template_problems(found, at, entry["text"], KNOWLEDGE_PLACEHOLDERS))
    yield from wrong
    if wrong:
        return
    if "{reply}" not in entry["text"]:
        yield found.problem(at, "the customer is not told what to answer: write {reply}")
    if not senders:
        yield found.problem(
            path, "no channel of channels.yml has push.message: nothing says how long a message is"
        )
    text = Knowledge(**entry).on(LONGEST_DAY)
    for name, message in senders.items():
        parts = message.parts(text)
        if parts > message.max_parts:
            yield found.problem(
                at,
                f"the text of {len(text)} characters takes {parts} parts of {message.part}, the "
                f"channel '{name}' allows {message.max_parts}: shorten it",
            )


def _knowledge_sender(found: Document, path: Key, channels: Mapping[str, Any]) -> Iterator[str]:
    """Somebody who sends it: a channel of the campaign whose file has a column for it."""
    later = [name for one in found.data.get("later_waves", ()) for name in one["channels"]]
    own = dict.fromkeys((*found.data["channels"], *later))
    files = [channels[name].get("push", {}) for name in own if name in channels]
    if not any(KNOWLEDGE in dict(map(named_column, one.get("columns", ()))) for one in files):
        yield found.problem(
            path,
            f"no file of the campaign's channels ({', '.join(own)}) has a column '{KNOWLEDGE}': "
            "add it to push.columns in channels.yml",
        )
