"""How often offers are accepted, learnt from what channels report 接受率 (S1-08).

Grain of the result: campaign × offer × channel × segment in the snapshot of the last day. It is
derived from the snapshot of the day before and the window's contacts; without such a snapshot, from
all contacts. When this step fails, nothing is decided.
"""

from datetime import timedelta

from jobs.runtime.context import Context
from models.decision.acceptance import acceptance


def run(context: Context) -> None:
    warehouse, conf, window = context.warehouse, context.conf, context.window
    before = window.first - timedelta(days=1)
    continues = warehouse.last_snapshot("mart.acceptance", before) == before
    part = {"window": window} if continues else {"upto": window.last}
    warehouse.replace(
        "mart.acceptance",
        acceptance(
            warehouse.read("mart.acceptance", on=before)
            if continues
            else warehouse.empty("mart.acceptance"),
            warehouse.read("dw.contact_history", **part),
            warehouse.read("dw.contact_outcome", **part),
            warehouse.read("dw.subscriber", on=window.last),
            campaigns=list(conf.campaigns.values()),
            weight=conf.policy.value.acceptance_weight,
            data_date=window.last,
        ),
    )
