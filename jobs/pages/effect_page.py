"""Pages of what campaigns changed: an overview, and one page for each campaign.

Plain Python over rows of mart.campaign_result, mart.policy_value and mart.acceptance_drift.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from models.drawing import funnel, page, whiskers
from models.drawing.page import Drawn
from schemas.config import Campaign
from schemas.config.metric import Metric
from schemas.currency import Currency

Row = Mapping[str, Any]
Rows = Sequence[Row]
ALL, TRACKED = "all", "tracked"
FACTOR = {"points": (100, " points"), "money": (1, ""), "number": (1, ""), "return": (100, " %")}
OUTCOMES = {"gain": "committed", "kept": "committed", "harm": "failed", "broken": "failed"}
RATES = {
    "contact_rate": "reached ÷ targets",
    "view_rate": "looked at it ÷ reached",
    "refusal_rate": "refused ÷ reached",
    "success_rate": "ordered ÷ reached",
}
# Reason without a verdict → what to do.
ADVICE = {
    "NOBODY_TREATED": "nobody was pushed: look at the funnel of its decisions",
    "NOBODY_IN_CONTROL": "nobody is in its control group: raise control_share",
    "SWAPPED": "find where treated and control were named",
    "SAMPLE_RATIO": "find the rows that were lost at the stage of the verdict",
    "NO_DENOMINATOR": "look at the rows of the metric's denominator",
    "NO_VARIANCE": "look at the metric's column",
}
HALF = Decimal("0.5")
# Reason of mart.policy_value without a value → in words.
NO_VALUE = {
    "no_support": "the nights could not have made its contacts",
    "too_few": "too few customers or contacts by lot",
    "no_variance": "all contacts earn the same",
}
ALARMS = {"accepted_more": "more often than predicted", "accepted_less": "less often"}


def overview(rows: Rows, campaigns: Mapping[str, Campaign]) -> list[str]:
    """The newest verdict of each campaign on its success, and what is to be adjusted."""
    newest = _newest(rows)
    table = []
    for (campaign, wave, metric, segment), row in newest.items():
        known = campaigns.get(campaign)
        if segment != ALL or known is None or known.success is None:
            continue
        if metric == known.success.metric:
            reached = newest.get((campaign, wave, "contact_rate", ALL))
            table.append(
                [
                    Drawn(f'<a href="{_file(campaign)}">{campaign}</a>'),
                    known.name_cn,
                    wave,
                    str(row["data_date"]),
                    row["targets"],
                    row["controls"],
                    _rate(reached),
                    _state(row),
                    row["verdict"],
                    row["verdict_cn"],
                ]
            )
    heads = ["campaign", "", "wave", "read out on", "targets", "controls", "reached", "", "verdict"]
    return [
        page.table("Verdicts", [*heads, "结论"], table, "no campaign is judged"),
        _to_adjust(newest, campaigns),
    ]


def of_rules(rows: Rows, money: Currency) -> str:
    """What a contact would have earned under each rule of value.rule, from one night's estimate."""
    table = [
        [
            row["rule"],
            row["estimator"].replace("_", " "),
            row["contacts"],
            f"{row['support']:.0%}",
            row["made"],
            row["made_by_lot"],
            "" if row["value"] is None else str(money.rounded(row["value"])),
            ""
            if row["low"] is None
            else f"{money.rounded(row['low'])} to {money.rounded(row['high'])}",
            NO_VALUE.get(row["because"], ""),
        ]
        for row in sorted(rows, key=lambda row: (row["rule"], row["estimator"]))
    ]
    heads = ["rule", "estimator", "its contacts", "possible", "made", "by lot"]
    heads += [f"{money.unit} a contact", "95 % interval", ""]
    return page.table("What another rule would have earned", heads, table, "no window has closed")


def of_drift(rows: Rows) -> str:
    """Accepted against predicted, alarms first, from one night's look."""
    table = [
        [
            row["campaign_id"],
            row["offer"],
            row["channel"],
            row["contacts"],
            f"{row['expected']:.1f}",
            row["orders"],
            f"{row['low']:,} to {row['high']:,}",
            page.state(ALARMS[row["alarm"]], "warning") if row["alarm"] else "",
        ]
        for row in sorted(
            rows,
            key=lambda row: (not row["alarm"], row["campaign_id"], row["offer"], row["channel"]),
        )
    ]
    heads = ["campaign", "offer", "channel", "contacts", "predicted", "accepted", "usual", "alarm"]
    return page.table("Accepted against predicted", heads, table, "no contact was reported")


def of_campaign(rows: Rows, campaign: Campaign, metrics: Mapping[str, Metric]) -> list[str]:
    """Funnel, rates, verdicts and effects over time of one campaign."""
    own = [row for row in rows if row["campaign_id"] == campaign.id]
    newest = _newest(own)
    return [
        page.plots("From targets to orders", list(_funnels(newest))),
        _rates(newest),
        _verdicts(newest),
        page.plots("Effect with its 95 % interval", list(_effects(own, metrics))),
        _to_adjust(newest, {campaign.id: campaign}),
    ]


def _state(row: Row) -> Drawn:
    """The outcome in a word, or why there is none."""
    outcome = row["outcome"]
    if outcome is None:
        return page.state(row["no_verdict_because"].lower().replace("_", " "), "state")
    return page.state(outcome, OUTCOMES.get(outcome, "superseded"))


def _file(campaign: str) -> str:
    return f"effect_{campaign}.html"


def _newest(rows: Rows) -> dict[tuple[str, int, str, str], Row]:
    """The last row of each campaign, wave, metric and segment; a verdict stays."""
    ordered = sorted(
        rows,
        key=lambda row: (
            row["campaign_id"],
            row["wave"],
            row["role"],
            row["metric"],
            row["segment"] != ALL,
            row["segment"],
            row["data_date"],
        ),
    )
    return {
        (row["campaign_id"], row["wave"], row["metric"], row["segment"]): row for row in ordered
    }


def _rate(row: Row | None) -> str:
    if row is None or row["treated_value"] is None:
        return ""
    return f"{row['treated_value']:.1%}"


def _count(row: Row | None) -> int:
    """How many of the row's targets a tracked rate counts."""
    if row is None or row["treated_value"] is None:
        return 0
    return round(row["treated_value"] * row["targets"])


def _funnels(newest: Mapping) -> Iterable[str]:
    for campaign, wave in dict.fromkeys(key[:2] for key in newest):
        reached = newest.get((campaign, wave, "contact_rate", ALL))
        if reached is None or not reached["targets"]:
            continue
        contacted = _count(reached)
        ordered = _count(newest.get((campaign, wave, "success_rate", ALL)))
        yield funnel.picture(
            f"wave {wave}",
            "targets",
            [("not reached", reached["targets"] - contacted), ("no order", contacted - ordered)],
            "reached and ordered",
            ordered,
        )


def _rates(newest: Mapping) -> str:
    table = [
        [
            wave,
            words,
            _count(row),
            row["targets"],
            _rate(row),
            f"{row['low']:.1%} to {row['high']:.1%}",
        ]
        for (_, wave, metric, _), row in newest.items()
        for words in [RATES.get(metric)]
        if words and row["treated_value"] is not None
    ]
    heads = ["wave", "rate of the treated", "customers", "of", "", "95 % interval"]
    return page.table("What channels told so far", heads, table, "nothing was told")


def _verdicts(newest: Mapping) -> str:
    table = [
        [
            wave,
            metric,
            segment,
            str(row["data_date"]),
            row["targets"],
            row["controls"],
            _shown(row, "treated_value"),
            _shown(row, "control_value"),
            row["verdict"],
            row["verdict_cn"],
        ]
        for (_, wave, metric, segment), row in newest.items()
        if row["role"] != TRACKED
    ]
    heads = ["wave", "metric", "segment", "read out on", "treated", "control"]
    heads += ["value, treated", "value, control", "verdict", "结论"]
    return page.table("Against the control group", heads, table, "nothing is judged")


def _shown(row: Row, name: str) -> str:
    if row[name] is None:
        return ""
    factor, unit = FACTOR[row["unit"]]
    return f"{row[name] * factor:.4g}{unit if row['unit'] != 'points' else ' %'}"


def _effects(rows: Rows, metrics: Mapping[str, Metric]) -> Iterable[str]:
    places = dict.fromkeys(
        (row["wave"], row["metric"]) for row in sorted(rows, key=lambda row: row["metric"])
    )
    for wave, metric in places:
        read = [
            row
            for row in rows
            if (row["wave"], row["metric"], row["segment"]) == (wave, metric, ALL)
            and row["uplift"] is not None
            and row["low"] is not None
        ]
        if read:
            factor, unit = FACTOR[read[0]["unit"]]
            points = [
                (row["data_date"], *(float(row[n]) * factor for n in ("low", "uplift", "high")))
                for row in read
            ]
            name = metrics[metric].name_en if metric in metrics else metric
            yield whiskers.picture(f"{name}, wave {wave}", points, unit)


def _to_adjust(newest: Mapping, campaigns: Mapping[str, Campaign]) -> str:
    rows = [
        [campaign, wave, found]
        for campaign, wave in dict.fromkeys(key[:2] for key in newest)
        if campaign in campaigns
        for found in _advice(newest, campaign, wave)
    ]
    return page.table("To adjust", ["campaign", "wave", "what"], rows, "nothing")


def _advice(newest: Mapping, campaign: str, wave: int) -> Iterable[str]:
    """What the figures so far ask for; an interval that leaves both open asks for nothing."""
    reasons = {
        row["no_verdict_because"]
        for key, row in newest.items()
        if key[:2] == (campaign, wave) and row["segment"] == ALL
    }
    yield from (said for reason, said in ADVICE.items() if reason in reasons)
    reached, refused, ordered = (
        newest.get((campaign, wave, name, ALL))
        for name in ("contact_rate", "refusal_rate", "success_rate")
    )
    if reached and reached["targets"] and not reached["treated_value"]:
        yield "no channel has told of a contact yet: look for its feedback"
    elif reached and reached["high"] is not None and reached["high"] < HALF:
        yield "fewer than half of the targets are reached: try another channel or other hours"
    if (
        refused
        and ordered
        and refused["low"] is not None
        and ordered["high"] is not None
        and refused["low"] > ordered["high"]
    ):
        yield "more customers refuse than order: try another offer or script"
    if reached and reached["targets"] and reached["overlapping"] > HALF * reached["targets"]:
        yield (
            f"other campaigns treat {reached['overlapping']:,} of {reached['targets']:,} targets: "
            "their effects mix"
        )
