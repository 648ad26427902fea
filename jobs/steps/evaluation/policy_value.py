"""What a contact of another rule would have earned, from logged decisions 规则价值 (S2-12).

Grain of the result: rule × estimator in `mart.policy_value`, over 90 nights up to the newest whose
windows can have closed. When this step fails, nothing else is concerned.
"""

from datetime import timedelta

from jobs.runtime.context import Context
from jobs.warehouse.tables import cached
from models.campaign import read_out
from models.learning import logged
from schemas.window import Window

TABLE = "mart.policy_value"
NIGHTS = 90


def run(context: Context) -> None:
    warehouse, conf, day = context.warehouse, context.conf, context.day
    judged = read_out.judged_campaigns(conf, day)
    days = [one.within_days + read_out.SETTLE_DAYS for one in judged]
    last = day - timedelta(days=min(days, default=1))
    nights = Window(last - timedelta(days=NIGHTS - 1), last)
    choices = warehouse.read("mart.rule_choice", window=nights, allow_missing=True)
    responses = warehouse.read("dw.campaign_response", on=day)
    with cached(logged.judged(choices, responses, judged, day)) as rows:
        many = rows.select("data_date").distinct().count()
        added = [row.asDict() for row in logged.sums(rows).collect()] if many else []
    warehouse.replace(TABLE, warehouse.rows(TABLE, logged.policy_values(added, many, day)))
