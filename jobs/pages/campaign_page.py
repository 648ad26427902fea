"""The page of campaigns: state, plan, waves, reach, funnel, money, publicity, questions.

Plain Python over rows of tables and the configuration.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from models.drawing import funnel, page
from schemas.config import Campaign
from schemas.config.campaign_plan import Material, Medium
from schemas.currency import Currency

PUSHED, HELD = "PUSHED", ("HOLD_UNIVERSAL", "HOLD_ACTIVITY")
DAYS_DRAWN = 30
KINDS = {
    "goods": "goods 营销物品成本",
    "commission": "commission 渠道佣金成本",
    "discount": "discount 折扣折让成本",
    "other": "other bookings",
    "per_head": "per head 人均营销成本",
    "gift_deposit": "gift deposits 赠送预存",
}
REACHES = {"not_reached": "whom no contact reached", "touched": "who was touched, without an order"}
Rows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Campaigns:
    """What is known of the configured campaigns on a night.

    `states`: by campaign, as words; `running`: those that reach customers tonight. `reach`:
    (campaign, wave) → customers of mart.target. `funnel`: rows of mart.decision_funnel of the
    night. `nights`: campaign → night → contacts pushed. `money`: rows of mart.campaign_money.
    `unit_costs`: by channel. `answers`: by campaign, counts of treated customers so far: `treated`,
    `contacted`, `viewed`, `ordered`.
    """

    campaigns: Sequence[Campaign]
    day: date
    states: Mapping[str, str]
    running: frozenset[str]
    reach: Mapping[tuple[str, int], int]
    funnel: Rows
    money: Rows
    unit_costs: Mapping[str, Decimal]
    nights: Mapping[str, Mapping[date, int]] = field(default_factory=dict)
    answers: Rows = ()

    def rows(self, campaign: str) -> Rows:
        """The rows of the night's funnel of a campaign."""
        return [row for row in self.funnel if row["campaign_id"] == campaign]

    def costs(self, campaign: str) -> Rows:
        return [row for row in self.money if row["campaign_id"] == campaign]


def parts(found: Campaigns, money: Currency) -> list[str]:
    """The parts of the page in their order."""
    known = {one.id for one in found.campaigns}
    return [
        _tiles(found),
        _overview(found, money),
        _answers(found),
        _overspent(found, money),
        *(part for one in found.campaigns for part in _campaign(found, one, money)),
        *_unknown(found, known, money),
    ]


def _tiles(found: Campaigns) -> str:
    pushed = sum(_count(found.rows(one.id), PUSHED) for one in found.campaigns)
    over = sum(bool(row["overspent"]) for row in found.money)
    return page.tiles(
        [
            ("campaigns run tonight", f"{len(found.running)} of {len(found.campaigns)}", False),
            ("contacts pushed tonight", f"{pushed:,}", False),
            ("budgets overspent", f"{over:,}", bool(over)),
        ]
    )


def _overview(found: Campaigns, money: Currency) -> str:
    table = []
    for one in found.campaigns:
        rows, nights = found.rows(one.id), found.nights.get(one.id, {})
        table.append(
            [
                one.id,
                one.name_cn,
                page.state(found.states[one.id]),
                page.span(one.valid_from, one.valid_to, *_range(found), found.day),
                _reached(found, one),
                sum(row["rows"] for row in rows),
                sum(_count(rows, reason) for reason in HELD),
                _count(rows, PUSHED),
                _contact_cost(found, rows, money),
                sum(nights.values()),
                page.by_day(nights, found.day, DAYS_DRAWN),
            ]
        )
    heads = ["campaign", "", "", "days", "reach", "candidates", "held out", "pushed"]
    heads += [f"contacts cost, {money.unit}", f"pushed in {DAYS_DRAWN} nights", "by night"]
    return page.table("Campaigns", heads, table, "no campaign is configured")


def _contact_cost(found: Campaigns, rows: Rows, money: Currency) -> Decimal | None:
    """What is pushed tonight, at the unit cost of its channels."""
    pushed = [row for row in rows if row["reason"] == PUSHED]
    return _amount(
        sum((row["rows"] * found.unit_costs[row["channel"]] for row in pushed), Decimal(0)), money
    )


def _range(found: Campaigns) -> tuple[date, date]:
    return (
        min(one.valid_from for one in found.campaigns),
        max(one.valid_to for one in found.campaigns),
    )


def _answers(found: Campaigns) -> str:
    """Treated customers by campaign and how far they came; whether it is an effect, effects say."""
    names = {one.id: one.name_cn for one in found.campaigns}
    table = [
        [
            row["campaign_id"],
            names.get(row["campaign_id"], ""),
            row["treated"],
            *(
                cell
                for what in ("contacted", "viewed", "ordered")
                for cell in (row[what], page.bar(row[what], row["treated"]))
            ),
        ]
        for row in sorted(found.answers, key=lambda row: row["campaign_id"])
    ]
    heads = ["campaign", "", "treated", "contacted", "", "viewed", "", "ordered", ""]
    shown = page.table("What came of it so far", heads, table, "nobody was treated before tonight")
    return shown + '<p><a href="effects.html">What campaigns changed</a></p>'


def _overspent(found: Campaigns, money: Currency) -> str:
    rows = [row for row in found.money if row["overspent"]]
    return _money_table("Overspent", rows, money, named=True) if rows else ""


def _campaign(found: Campaigns, one: Campaign, money: Currency) -> list[str]:
    """A campaign's own parts; a part without content is left out."""
    rows = found.rows(one.id)
    drawn = [
        funnel.picture(
            f"{channel}, wave {wave}",
            "candidates",
            [(row["reason"], row["rows"]) for row in stages if row["reason"] != PUSHED],
            "pushed",
            _count(stages, PUSHED),
        )
        for (wave, channel), stages in _groups(rows).items()
    ]
    title = f"{one.name_cn} ({one.id})"
    costs = found.costs(one.id)
    return [
        _waves(title, found, one),
        page.plots(f"{title}: funnel of the night", drawn),
        _money_table(f"{title}: cost against target", costs, money) if costs else "",
        _publicity(title, found, one, money),
        _questions(title, one),
    ]


def _waves(title: str, found: Campaigns, one: Campaign) -> str:
    last = one.valid_to
    plan: list[tuple[int, str, tuple[str, ...], date, date]] = [
        (one.wave, "target" if one.target else "matches", one.channels, one.valid_from, last)
    ]
    plan += [
        (
            later.wave,
            REACHES[later.reaches],
            later.channels,
            later.valid_from or one.valid_from,
            later.valid_to or last,
        )
        for later in one.later_waves
    ]
    rows = found.rows(one.id)
    table = [
        [
            wave,
            one.target or "recommended packages" if whom in ("target", "matches") else whom,
            ", ".join(channels),
            str(begins),
            str(ends - timedelta(days=1)),
            page.span(begins, ends, one.valid_from, last, found.day),
            found.reach.get((one.id, wave)),
            _count([row for row in rows if row["wave"] == wave], PUSHED),
        ]
        for wave, whom, channels, begins, ends in plan
    ]
    heads = ["wave", "for", "channels", "from", "to", "", "due tonight", "pushed tonight"]
    return page.table(f"{title}: plan", heads, table)


def _money_table(title: str, rows: Rows, money: Currency, *, named: bool = False) -> str:
    """`named`: with the campaign of each row."""
    table = []
    for row in sorted(rows, key=lambda row: (row["campaign_id"], [*KINDS].index(row["cost_kind"]))):
        budget, actual = row["budget"], row["actual"]
        most = max(budget or 0, actual or 0, row["approved"] or 0)
        table.append(
            [
                *([row["campaign_id"]] if named else []),
                KINDS[row["cost_kind"]],
                _amount(budget, money),
                _amount(actual, money),
                f"{actual / budget:.1%}" if budget and actual is not None else "",
                page.bar(
                    float(actual or 0),
                    float(most),
                    None if budget is None else float(budget),
                    strong=bool(row["overspent"]),
                    marked="target",
                ),
                page.state("overspent") if row["overspent"] else "",
                _said(row, money),
            ]
        )
    heads = ["kind", f"target, {money.unit}", f"actual, {money.unit}", "share", "", "", ""]
    return page.table(title, [*(["campaign"] if named else []), *heads], table)


def _said(row: Mapping[str, Any], money: Currency) -> str:
    """What a kind of cost says besides."""
    if row["cost_kind"] == "gift_deposit":
        applied, approved = _amount(row["applied"], money), _amount(row["approved"], money)
        return f"applied {applied:,}, approved {approved:,}"
    if row["cost_kind"] == "per_head":
        return f"customers contacted: {row['customers']:,}"
    if row["contact_cost"] is not None:
        return f"of it contacts {_amount(row['contact_cost'], money):,}"
    return ""


def _publicity(title: str, found: Campaigns, one: Campaign, money: Currency) -> str:
    """Media and materials by day of begin; the scale begins with the first of them."""
    planned: list[Medium | Material] = [*one.media, *one.materials]
    if not planned:
        return ""
    first = min(one.valid_from, *(entry.valid_from for entry in planned))
    table = [
        [
            entry.medium if isinstance(entry, Medium) else entry.material,
            entry.content,
            entry.placement,
            entry.pieces if isinstance(entry, Material) else None,
            str(entry.valid_from),
            str(entry.valid_to - timedelta(days=1)),
            page.span(entry.valid_from, entry.valid_to, first, one.valid_to, found.day),
            _amount(entry.cost, money),
        ]
        for entry in sorted(planned, key=lambda entry: entry.valid_from)
    ]
    heads = ["medium or material", "content", "placement", "pieces", "from", "to", ""]
    heads += [f"planned cost, {money.unit}"]
    return page.table(f"{title}: media and materials", heads, table)


def _questions(title: str, one: Campaign) -> str:
    table = [
        [channel, question.question, " / ".join(question.answers)]
        for channel, asked in one.questionnaires.items()
        for question in asked
    ]
    if not table:
        return ""
    return page.table(f"{title}: questionnaire", ["channel", "question", "answers"], table)


def _unknown(found: Campaigns, known: set[str], money: Currency) -> list[str]:
    """Costs of campaigns that the ledgers name and no file does."""
    rows = [row for row in found.money if row["campaign_id"] not in known]
    title = "Campaigns that only the ledgers know"
    return [_money_table(title, rows, money, named=True)] if rows else []


def _groups(rows: Rows) -> dict[tuple[int, str], list[Mapping[str, Any]]]:
    found: dict[tuple[int, str], list[Mapping[str, Any]]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: (row["wave"], row["channel"], row["stage"])):
        found[row["wave"], row["channel"]].append(row)
    return found


def _count(rows: Rows, reason: str) -> int:
    return sum(row["rows"] for row in rows if row["reason"] == reason)


def _reached(found: Campaigns, one: Campaign) -> int | None:
    """Customers of the target tonight, in all waves; None: it has no target definition."""
    if one.target is None:
        return None
    return sum(count for (name, _), count in found.reach.items() if name == one.id)


def _amount(value: Decimal | None, money: Currency) -> Decimal | None:
    return None if value is None else round(value, money.minor_unit)
