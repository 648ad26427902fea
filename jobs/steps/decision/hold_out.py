"""The registry of hold-outs, and the contacts that should not have happened 对照组 (S2-05, item 5).

Grain of the result: a withheld offer in `mart.hold_out`. Contacts of customers who were held out
are counted in `ops.quality_result`, check `contamination`: any is a warning. When this step fails,
the night's effect cannot be measured; what was pushed is not concerned.
"""

from datetime import UTC, date, datetime

from jobs.runtime.context import Context
from jobs.warehouse.ledger import CheckResult
from models.contact_policy import hold_out
from schemas.render import expectations
from schemas.window import Window

CONTAMINATION = "contamination"


def run(context: Context) -> None:
    warehouse, day = context.warehouse, context.day
    matched = warehouse.last_snapshot("mart.package_match", day)
    match = (
        warehouse.empty("mart.package_match")
        if matched is None
        else warehouse.read("mart.package_match", on=matched)
    )
    warehouse.replace(
        "mart.hold_out", hold_out.registry(warehouse.read("mart.decision", on=day), match, day)
    )
    touched = hold_out.contaminated(
        warehouse.read("mart.hold_out", window=_since(context), allow_missing=True),
        warehouse.read("dw.contact_history", window=context.window),
        context.conf.policy.contacts.hold_out.classes,
    ).count()
    context.ledger.record_check(
        CheckResult(
            context.ledger.run_id,
            "",
            "mart.hold_out",
            str(context.window),
            CONTAMINATION,
            expectations.WARNING,
            success=not touched,
            observed=str(touched),
            expected="0",
            judged_at=datetime.now(UTC),
        )
    )


def _since(context: Context) -> Window:
    """The nights whose hold-outs still count: of the quarter, and of the campaigns in force."""
    first, day = context.window.first, context.day
    quarter = date(first.year, (first.month - 1) // 3 * 3 + 1, 1)
    begun = [one.valid_from for one in context.conf.campaigns.values() if one.valid_on(day)]
    return Window(min([quarter, *begun]), day)
