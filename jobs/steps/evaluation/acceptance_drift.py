"""Whether offers are accepted as often as was predicted 接受率偏移 (S1-08).

Grain of the result: campaign × offer × channel in `mart.acceptance_drift`. Alarms are counted in
`ops.quality_result`, one check for each kind: any is a warning. When this step fails, nobody is
warned of values that are predicted wrongly.
"""

from datetime import timedelta

from pyspark.sql import functions as F

from jobs.runtime.context import Context
from models.contact_policy.compiled import compiled
from models.learning import drift
from schemas.window import Window

TABLE = "mart.acceptance_drift"


def run(context: Context) -> None:
    warehouse, conf, day = context.warehouse, context.conf, context.day
    value = conf.policy.value
    alarm = value.acceptance_alarm
    nights = Window(day - timedelta(days=alarm.nights - 1), day)
    lists = compiled(conf.policy.contacts, conf.channels).list_days
    pushed = Window(nights.first - timedelta(days=lists + 1), day)
    found = drift.outcomes(
        warehouse.read("dw.contact_history", window=nights, allow_missing=True),
        warehouse.read("dw.contact_outcome", window=nights, allow_missing=True),
        warehouse.read("mart.rule_choice", window=pushed, allow_missing=True),
    )
    rows = drift.drifts(
        [row.asDict() for row in found.collect()],
        _known(context, nights),
        weight=value.acceptance_weight,
        least=alarm.contacts,
        level=alarm.level,
        data_date=day,
    )
    warehouse.replace(TABLE, warehouse.rows(TABLE, rows))
    for kind in drift.ALARMS:
        cells = [one for one in rows if one.alarm == kind]
        context.expect_none(TABLE, kind, len(cells), observed=_worded(cells))


def _known(context: Context, nights: Window) -> dict[tuple[str, str, str], int]:
    """The contacts behind the predictions: those of mart.acceptance before the nights."""
    before = nights.first - timedelta(days=1)
    if context.warehouse.last_snapshot("mart.acceptance", before) != before:
        return {}
    rows = context.warehouse.read("mart.acceptance", on=before).groupBy(*drift.CELL)
    return {
        tuple(row[name] for name in drift.CELL): row["contacts"]
        for row in rows.agg(F.sum("contacts").alias("contacts")).collect()
    }


def _worded(cells: list[drift.Drift]) -> str:
    """The cells with an alarm, the least likely first; empty: none."""
    ordered = sorted(cells, key=lambda one: (one.p, one.campaign_id, one.offer, one.channel))
    told = [
        f"{one.campaign_id} {one.offer} over {one.channel}: {one.orders} of {one.contacts} "
        f"contacts, {one.expected:.1f} expected"
        for one in ordered[:3]
    ]
    return "; ".join([*told, *([f"and {len(cells) - 3} more"] if len(cells) > 3 else [])])
