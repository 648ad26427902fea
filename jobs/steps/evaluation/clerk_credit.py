"""Which orders are credited to the clerks who made the contacts 店员积分 (B2, 9-03).

Grain of the result: campaign × channel × clerk in the snapshot of the last day in
`mart.clerk_credit`. Only campaigns that are still judged are in it. When this step fails, clerks
see the credits of the day before.
"""

from jobs.runtime.context import Context
from models.campaign import read_out
from models.feedback import clerk, report
from schemas.window import Window

TABLE = "mart.clerk_credit"


def run(context: Context) -> None:
    warehouse, conf, day = context.warehouse, context.conf, context.day
    campaigns = read_out.judged_campaigns(conf, day)
    if not campaigns:
        warehouse.replace(TABLE, warehouse.rows(TABLE, []))
        return
    since = Window(min(one.valid_from for one in campaigns), day)
    told = report.reports(
        warehouse.read("ods.campaign_feedback", window=since, allow_missing=True),
        warehouse.empty("ods.campaign_order"),
        warehouse.read("dw.subscriber_identity", on=day),
        conf.runtime.identity_key,
    )
    responses = warehouse.read("dw.campaign_response", on=day)
    judged = report.judged(told, responses, [one.id for one in campaigns])
    warehouse.replace(TABLE, clerk.credits(judged, responses, day))
