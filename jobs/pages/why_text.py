"""The answer of jobs.why as text for a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from jobs.pages.decision_words import REASONS
from jobs.pages.text_table import table, when

SAID = {
    "pushed": "was pushed",
    "held_out": "was held out as control, and not sent",
    "spilled": "was allowed by every rule, and the channel was full",
    "dropped": "was dropped",
}
LINES = ("total", "monthly_fee", "passed_through")  # of a quote, besides what it adds up from
SHOWN_HASH = 12  # digits of a checksum
SHOWN = 12  # candidates of a table


def printed(answer: Mapping, unit: str) -> str:
    """The answer, given as plain values; `unit` is that of its amounts."""
    parts = [
        f"customer {answer['customer_id']}, {answer['channel']}, night of {answer['data_date']}; "
        f"times of {answer['timezone']}, amounts in {unit}",
        _said(answer),
        _candidates(answer["candidates"]),
        _values(answer["candidates"]),
        _capacity(answer),
        _funnel(answer["funnel"]),
        *(part for one in answer["evidence"] for part in _evidence(one)),
        _contacts(answer["contacts"]),
        _pushed(answer["pushed"]),
        _file(answer["file"]),
        _tables(answer["tables"]),
    ]
    return "\n\n".join(part for part in parts if part)


def _said(answer: Mapping) -> str:
    """The answer in a sentence, and where else the customer got something."""
    said = answer["answer"]
    if said["fate"] == "no_candidate":
        lines = ["Not pushed: no running campaign made the customer a candidate for this channel."]
    else:
        offer = f"{said['offer']} of {said['campaign_id']}, wave {said['wave']},"
        lines = [f"{offer} {SAID[said['fate']]}."]
        lines += [f"  {code:<15}{REASONS[code]}" for code in said["reasons"]]
        if said["winner"]:
            lines.append(f"  the slot went to {said['winner'].replace('|', ' ')}")
    lines += [
        f"  pushed over {one['channel']}: {one['offer']} of {one['campaign_id']}"
        for one in answer["other_channels"]
    ]
    lines += [
        f"  in the target of {one['campaign_id']}, wave {one['wave']}: {one['entered_because']}"
        for one in answer["targets"]
    ]
    return "\n".join(lines)


def _candidates(candidates: Sequence[Mapping]) -> str:
    names = ("campaign_id", "wave", "offer", "fate", "reasons", "winner")
    rows = [
        [" ".join(one[name]) if name == "reasons" else one[name] for name in names]
        for one in candidates[:SHOWN]
    ]
    heads = ["campaign", "wave", "offer", "fate", "reasons", "winner"]
    more = len(candidates) - SHOWN
    others = f"\n  and {more:,} more: --json shows them all" if more > 0 else ""
    return table("Candidates over the channel", heads, rows) + others


def _values(candidates: Sequence[Mapping]) -> str:
    """The parts of each value that was computed."""
    names = ("acceptance", "saving_value", "margin", "gain", "preference_value", "cost", "value")
    more = ("stay_bonus", "price", "reduced_value", "propensity")
    rows = [
        [one["campaign_id"], one["offer"], *(one[name] for name in (*names, *more))]
        for one in candidates[:SHOWN]
        if one["value"] is not None
    ]
    heads = ["campaign", "offer", *(name.replace("_", " ") for name in (*names, *more))]
    return "\n".join(
        [
            table("What they are worth", heads, rows),
            "  value = gain + preference value - cost; reduced value = value + stay bonus - price",
        ]
    )


def _capacity(answer: Mapping) -> str:
    names = ("resource", "unit", "capacity", "used", "price", "value_plus_one")
    rows = [[one[name] for name in names] for one in answer["capacity"]]
    heads = ["resource", "unit", "capacity", "used", "price of one", "worth of one more"]
    return table("What it uses of what is scarce", heads, rows)


def _funnel(funnel: Sequence[Mapping]) -> str:
    names = ("campaign_id", "wave", "reason", "rows", "customers", "value")
    rows = [[one[name] for name in names] for one in funnel]
    heads = ["campaign", "wave", "first reason", "candidates", "customers", "value"]
    return table("All candidates of these campaigns over the channel", heads, rows)


def _evidence(one: Mapping) -> list[str]:
    """The match, the quotes and the months of an offer; an offer that is no package has none."""
    match = one["match"]
    if match is None:
        return [f"{one['offer']}: no package was compared for this offer"]
    facts = ("months", "months_won", "mean_present_cost", "mean_cost", "saving", "regret", "rank")
    matched = table(
        f"{one['offer']} compared with what the customer has",
        ["kind", "basis", *(name.replace("_", " ") for name in facts), "recommended", "reasons"],
        [
            [
                *(match["kind"], match["basis"], *(match[name] for name in facts)),
                *("yes" if match["recommended"] else "no", " ".join(match["reasons"])),
            ]
        ],
    )
    return [matched, _quotes(one), _months(one["months"])]


def _quotes(one: Mapping) -> str:
    rows = [
        [
            quote["month"][:7],
            quote["package_id"],
            "yes" if quote["is_present"] else "",
            *(quote[name] for name in LINES),
            "yes" if quote["comparable"] else quote["reason"],
            "yes" if quote["replayed"] else "",
        ]
        for quote in one["quotes"]
    ]
    heads = ["month", "package", "held", "total", "fee", "passed through", "comparable", "replayed"]
    return table("Quotes", heads, rows)


def _months(months: Sequence[Mapping]) -> str:
    rows = [
        [
            one["month"][:7],
            ", ".join(f"{use['events']:,} {use['service']}" for use in one["usage"]),
            one["bill"] and one["bill"]["total"],
            one["bill"] and one["bill"]["batch_date"],
            len(one["items"]),
            one["backtest"] and one["backtest"]["rated"],
            one["backtest"] and one["backtest"]["cause"],
        ]
        for one in months
    ]
    heads = ["month", "events", "bill", "delivered", "items", "re-rated", "back-test"]
    return table("Months behind the quotes", heads, rows)


def _contacts(contacts: Sequence[Mapping]) -> str:
    names = ("state", "class", "way", "channel", "campaign_id")
    rows = [
        [
            when(one["at"]),
            *(one[name] for name in names),
            ", ".join(use["cap"] for use in one["uses"]),
        ]
        for one in contacts
    ]
    heads = ["when", "state", "class", "way", "channel", "campaign", "uses a slot of"]
    return table("Contacts that the policy counted", heads, rows)


def _pushed(pushed: Sequence[Mapping]) -> str:
    """The pushed rows, a line for each value."""
    if not pushed:
        return "Pushed row\n  none"
    lines = ["Pushed row, without numbers"]
    for row in pushed:
        lines += [f"  {name:<16}{value}" for name, value in row.items() if value is not None]
    return "\n".join(lines)


def _file(file: Mapping | None) -> str:
    if file is None:
        return "File\n  none"
    lines = [
        f"File {file['file_name']}: {file['rows']:,} rows, {file['test_rows']:,} of them of test "
        f"targets, sha256 {file['sha256'][:SHOWN_HASH]}…"
    ]
    lines += [
        f"  {one['state']} as {one['file_name']} to {one['sink']} {when(one['told_at'])}"
        + (f": {one['because']}" if one["because"] else "")
        for one in file["deliveries"]
    ]
    lines += [
        f"  receipt of {when(one['received_at'])}: {one['rows_loaded']:,} loaded, "
        f"{one['rows_failed']:,} failed"
        for one in file["receipts"]
    ]
    lines += [
        f"  checked {one['data_date']}: pushed {one['pushed']:,} = loaded {one['loaded']:,} + "
        f"failed {one['failed']:,} + missing {one['missing']:,}; {one['alarm'] or 'no alarm'}"
        for one in file["checks"]
    ]
    return "\n".join(lines if len(lines) > 1 else [*lines, "  no delivery and no receipt is known"])


def _tables(tables: Mapping) -> str:
    rows = [
        [name, one["version"], one["slice"], one["run_id"]]
        for name, one in sorted(tables.items())
        if one["version"] is not None
    ]
    return table("Read from", ["table", "version", "slice", "written by run"], rows)
