"""Budget against actual of campaigns, and gift deposits 预算与决算 (S1-01, S1-05, S1-08).

Grain of the result: campaign × kind of cost in `mart.campaign_money`, as known on the night.
`ops.quality_result` counts what is overspent: any is a warning. When this step fails, the night's
decisions and files are valid and only the money of the night is not known.
"""

from datetime import timedelta

from jobs.runtime.context import Context
from jobs.warehouse.committed import holds_rows
from models.budget.money import Money, money
from models.budget.spent import Tables, spent
from schemas.config import Campaign
from schemas.window import Window

TABLE = "mart.campaign_money"
OVERSPENT = "overspent"
LEDGERS = ("ods.cost_entry", "ods.gift_deposit")
KEPT_DAYS = 400  # of an ended campaign as long as decisions are kept


def run(context: Context) -> None:
    warehouse, day = context.warehouse, context.day
    since = day - timedelta(days=KEPT_DAYS)
    planned = [
        one
        for one in context.conf.campaigns.values()
        if (one.cost_targets or one.gift_deposits is not None)
        and one.valid_from <= day
        and since < one.valid_to
    ]
    if not planned and not any(holds_rows(context.ledger, table) for table in LEDGERS):
        warehouse.replace(TABLE, None)
        return
    rows = _money(context, planned)
    warehouse.replace(TABLE, warehouse.rows(TABLE, rows))
    over = [row for row in rows if row.overspent]
    said = ", ".join(f"{row.campaign_id}: {row.cost_kind}" for row in over)
    context.expect_none(TABLE, OVERSPENT, len(over), observed=said)


def _money(context: Context, planned: list[Campaign]) -> list[Money]:
    warehouse, conf, day = context.warehouse, context.conf, context.day
    first = min((one.valid_from for one in planned), default=day)
    window = Window(first, day)
    tables = Tables(
        costs=warehouse.read("ods.cost_entry", upto=day, allow_missing=True),
        deposits=warehouse.read("ods.gift_deposit", upto=day, allow_missing=True),
        funnel=warehouse.read("mart.decision_funnel", window=window, allow_missing=True),
        files=warehouse.read("mart.push_file", window=window, allow_missing=True),
        receipts=warehouse.read("ods.receipt", window=window, allow_missing=True),
        decisions=warehouse.read("mart.decision", window=window, allow_missing=True),
    )
    found = spent(
        tables,
        campaigns=[one.id for one in planned],
        by_head=[one.id for one in planned if "per_head" in one.cost_targets],
        unit_costs={name: one.unit_cost for name, one in conf.channels.items()},
    )
    by_campaign: dict[str, dict] = {}
    for row in found.collect():
        by_campaign.setdefault(row["campaign_id"], {})[row["item"]] = row["amount"]
    return money(by_campaign, planned, conf.policy.campaigns.costs, day)
