"""What came of each assignment to a campaign 活动响应 (S2-11, S1-06).

Grain of the results: campaign × wave × customer in the snapshot of the last day in
`dw.campaign_response`; a feedback or order that counts for none in `dw.unmatched_response`, in the
slice of its delivery. Both are computed from the nights since the oldest campaign that is still
judged began. Left-out records are counted in `ops.quality_result` by reason: any is a warning. When
this step fails, campaigns are not judged; what is decided is not concerned.
"""

from datetime import date, timedelta

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.runtime.context import Context
from jobs.warehouse.tables import cached
from models.campaign import read_out
from models.feedback import assignment, report, response
from schemas.config import Campaign
from schemas.window import Window

ASSIGNED_NOBODY = "assignment_of_nobody"
TABLE, LEFT_OUT = "dw.campaign_response", "dw.unmatched_response"


def run(context: Context) -> None:
    warehouse, conf, day = context.warehouse, context.conf, context.day
    campaigns = read_out.judged(conf, day)
    first = min([one.valid_from for one in campaigns], default=day)
    told_in = Window(min(first, context.window.first), day)

    def since(table: str) -> DataFrame:
        return warehouse.read(table, window=told_in, allow_missing=True)

    with (
        cached(_cohort(context, _others(context, told_in), campaigns, first)) as cohort,
        cached(_reported(context, told_in, cohort, campaigns)) as reported,
    ):
        told = response.Told(
            reported=reported,
            history=since("dw.contact_history"),
            outcomes=since("dw.contact_outcome"),
            events=since("dw.contact_event"),
            subscriptions=warehouse.read("dw.subscription", on=day),
        )
        if cohort.isEmpty():
            warehouse.replace(TABLE, warehouse.empty(TABLE))
        else:
            with cached(response.touched(cohort, told)) as touched:
                warehouse.replace(TABLE, response.responses(touched, told, campaigns, day))
        in_window = F.col("batch_date").between(F.lit(context.window.first), F.lit(day))
        left_out = report.unmatched(reported, in_window)
        counted = _counts(left_out) if warehouse.replace(LEFT_OUT, left_out) else {}
    for reason in report.REASONS:
        context.expect_none(LEFT_OUT, reason, counted.get(reason, 0))


def _others(context: Context, told_in: Window) -> DataFrame | None:
    """Who was assigned by other systems, where some source tells it."""
    warehouse, table = context.warehouse, "ods.campaign_assignment"
    if table not in context.step.reads:
        return None
    assigned = assignment.of_others(
        warehouse.read(table, window=told_in, allow_missing=True),
        warehouse.read("dw.subscriber_identity", on=context.day),
        context.conf.runtime.identity_key,
    )
    context.expect_none(TABLE, ASSIGNED_NOBODY, assigned.where("customer_id IS NULL").count())
    return assigned


def _cohort(
    context: Context, others: DataFrame | None, campaigns: list[Campaign], first: date
) -> DataFrame:
    """Who was assigned on the nights before: a list of a night is worked from the next day on."""
    warehouse = context.warehouse
    nights = Window(min(first, context.day - timedelta(days=1)), context.day - timedelta(days=1))
    decided, withheld = (
        warehouse.read(table, window=nights, allow_missing=True)
        for table in ("mart.decision", "mart.hold_out")
    )
    return assignment.assigned(
        decided,
        withheld,
        others,
        campaigns,
        [one.id for one in read_out.of_all(context.conf)],
    )


def _reported(
    context: Context, told_in: Window, cohort: DataFrame, campaigns: list[Campaign]
) -> DataFrame:
    warehouse = context.warehouse
    feedback, orders = (
        warehouse.read(table, window=told_in, allow_missing=True)
        for table in ("ods.campaign_feedback", "ods.campaign_order")
    )
    told = report.reports(
        feedback,
        orders,
        warehouse.read("dw.subscriber_identity", on=context.day),
        context.conf.runtime.identity_key,
    )
    return report.judged(told, cohort, [one.id for one in campaigns])


def _counts(left_out: DataFrame) -> dict[str, int]:
    """How many records are left out, by reason."""
    rows = left_out.groupBy("reason").agg(F.count(F.lit(1)).alias("rows")).collect()
    return {row["reason"]: row["rows"] for row in rows}
