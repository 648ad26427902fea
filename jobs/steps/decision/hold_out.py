"""The registry of hold-outs, and the contacts that should not have happened 对照组 (S2-05, item 5).

Grain of the result: a withheld offer in `mart.hold_out`. Contacts of customers who were held out
are counted in `ops.quality_result`, check `contamination`: any is a warning. When this step fails,
the night's effect cannot be measured; what was pushed is not concerned.
"""

from datetime import date

from jobs.runtime.context import Context
from models.contact_policy import hold_out
from schemas.window import Window

CONTAMINATION = "contamination"


def run(context: Context) -> None:
    warehouse, day = context.warehouse, context.day
    match = context.newest("mart.package_match")
    warehouse.replace(
        "mart.hold_out", hold_out.registry(warehouse.read("mart.decision", on=day), match, day)
    )
    touched = hold_out.contaminated(
        warehouse.read("mart.hold_out", window=_since(context), allow_missing=True),
        warehouse.read("dw.contact_history", window=context.window),
        context.conf.policy.contacts.hold_out.classes,
    ).count()
    context.expect_none("mart.hold_out", CONTAMINATION, touched)


def _since(context: Context) -> Window:
    """The nights whose hold-outs still count: of the quarter, and of the campaigns in force."""
    first, day = context.window.first, context.day
    quarter = date(first.year, (first.month - 1) // 3 * 3 + 1, 1)
    begun = [one.valid_from for one in context.conf.campaigns.values() if one.valid_on(day)]
    return Window(min([quarter, *begun]), day)
