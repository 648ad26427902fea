"""The answer of jobs.policy_check as text for a terminal; columns are as wide as their values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from jobs.pages.decision_words import REASONS
from jobs.pages.text_table import table, when

SHOWN = 2  # channels that are named in a cell
WINDOWS = (
    "A sliding window holds what happened after its first instant and up to its last one; a "
    "calendar day holds what happened before its last one."
)


def printed(answer: Mapping, unit: str) -> str:
    """The answer, given as plain values; `unit` is that of its amounts."""
    parts = [
        f"customer {answer['customer_id']} at the end of {answer['data_date']}; "
        f"times of {answer['timezone']}",
        _contacts(answer),
        _known(answer["known"]),
        _caps(answer),
        _slots(answer["slots"]),
        _windows(answer),
        _candidates(answer, unit),
    ]
    return "\n\n".join(parts)


def _contacts(answer: Mapping) -> str:
    rows = [
        [
            _span(one["at"], one["until"]),
            one["state"],
            one["class"],
            one["way"],
            one["channel"],
            one["campaign_id"],
            use["cap"],
            when(use["to"]),
        ]
        for one in answer["contacts"]
        for use in one["uses"]
    ]
    heads = ["when", "state", "class", "way", "channel", "campaign", "cap", "uses a slot until"]
    others = answer["contacts_without_slot"]
    more = f"\n{others:,} more that use no slot" if others else ""
    return table("Contacts that count", heads, rows) + more


def _known(known: Mapping) -> str:
    rows = [
        [f"{'agreed to' if one['granted'] else 'refused'} {one['class']}", *_since(one)]
        for one in known["consent"]
    ]
    rows += [
        [
            f"do not contact: {one['class'] or 'all classes'}, {one['channel'] or 'all channels'}",
            *_since(one),
        ]
        for one in known["do_not_contact"]
    ]
    rows += [[f"answered: {one['outcome']}", when(one["at"]), ""] for one in known["outcomes"]]
    if known["sensitive_number"]:
        rows.append(["holds a sensitive number", "", ""])
    return table("Known of the customer", ["what", "from", "to"], rows)


def _caps(answer: Mapping) -> str:
    rows = [
        [
            one["cap"],
            one["limit"],
            one["per"],
            *(", ".join(one[name]) or "all" for name in ("classes", "ways", "channels")),
        ]
        for one in answer["caps"]
    ]
    return table("Caps", ["cap", "limit", "per", "classes", "ways", "channels"], rows)


def _slots(slots: Sequence[Mapping]) -> str:
    rows = [
        [
            ", ".join(classes),
            one["way"],
            _short(channels),
            _span(one["from"], one["until"]),
            one["slots"],
            " ".join(one["reasons"]),
            when(one["next_slot"]) if one["next_slot"] else "never",
        ]
        for classes, channels, one in _alike(slots)
    ]
    heads = ["class", "way", "channel", "list of the night", "slots", "against it", "next slot"]
    several = {_short(channels): channels for _, channels, _ in _alike(slots)}
    named = [
        f"{short}: {', '.join(channels)}"
        for short, channels in several.items()
        if len(channels) > SHOWN
    ]
    return "\n".join([table("When the next contact may be made", heads, rows), *named])


def _windows(answer: Mapping) -> str:
    limits = {one["cap"]: one["limit"] for one in answer["caps"]}
    rows = [
        [
            ", ".join(classes),
            _short(channels),
            cap["cap"],
            when(cap["window_from"]),
            when(cap["window_to"]),
            f"{cap['used']} of {limits[cap['cap']]}",
            cap["left"],
            when(cap["opens_at"]) if cap["opens_at"] else "never",
        ]
        for classes, channels, one in _alike(answer["slots"])
        for cap in one["caps"]
    ]
    heads = ["class", "channel", "cap", "window from", "to", "used", "left", "a slot opens"]
    return table("Fullest window of each cap", heads, rows) + f"\n{WINDOWS}"


def _candidates(answer: Mapping, unit: str) -> str:
    title = f"Candidates of {answer['data_date']}"
    if answer["candidates"] is None:
        return f"{title}\n  nothing is decided for this night: mart.decision has no rows of it"
    rows = [
        [
            one["campaign_id"],
            one["wave"],
            one["offer"],
            one["channel"],
            one["value"],
            one["fate"],
            " ".join(one["reasons"]),
            one["winner"],
        ]
        for one in answer["candidates"]
    ]
    heads = ["campaign", "wave", "offer", "channel", f"value, {unit}", "fate", "reasons", "winner"]
    codes = {code for one in answer["candidates"] for code in one["reasons"]}
    codes |= {code for one in answer["slots"] for code in one["reasons"]}
    said = [f"  {code:<15}{text}" for code, text in REASONS.items() if code in codes]
    changed = [
        f"  {one['campaign_id']} {one['offer']} {one['channel']}: "
        f"{' '.join(one['policy_now']) or 'nothing against it'}"
        for one in answer["candidates"]
        if one["policy_now"] is not None
    ]
    if changed:
        said += ["By the policy as it is configured now", *changed]
    return "\n".join([table(title, heads, rows), *said])


def _alike(slots: Sequence[Mapping]) -> list[tuple[list[str], list[str], Mapping]]:
    """(classes, channels, one of them): what differs in nothing else is one row."""
    channels: dict[tuple, list[Mapping]] = {}
    for one in slots:
        channels.setdefault((one["class"], _rest(one)), []).append(one)
    classes: dict[tuple, list[Mapping]] = {}
    for (_, rest), found in channels.items():
        names = tuple(one["channel"] for one in found)
        classes.setdefault((names, rest), []).append(found[0])
    return [
        ([one["class"] for one in found], list(names), found[0])
        for (names, _), found in classes.items()
    ]


def _short(channels: Sequence[str]) -> str:
    if len(channels) <= SHOWN:
        return ", ".join(channels)
    return f"{channels[0]} and {len(channels) - 1} more"


def _rest(one: Mapping) -> str:
    return repr({name: value for name, value in one.items() if name not in ("class", "channel")})


def _since(one: Mapping) -> list[str]:
    return [when(one["from"]), when(one["to"])]


def _span(first: str, last: str | None) -> str:
    return when(first) if last in (None, first) else f"{when(first)} … {when(last)}"
