"""The pages of what campaigns changed: an overview, and one for each campaign (S1-06, S1-07).

Writes `<warehouse>/_docs/effects.html` and `effect_<campaign>.html`. No table depends on them. When
this step fails, the results are valid and only the pages are missing.
"""

from datetime import timedelta

from jobs.pages import effect_page
from jobs.runtime.context import Context
from models.drawing import page
from schemas.window import Window

NIGHTS = 400  # results of so many nights are shown


def run(context: Context) -> None:
    conf, day = context.conf, context.day
    nights = Window(day - timedelta(days=NIGHTS - 1), day)
    found = context.warehouse.read("mart.campaign_result", window=nights, allow_missing=True)
    rows = [row.asDict() for row in found.collect()]
    values, drift = (
        [row.asDict() for row in context.warehouse.read(table, on=day).collect()]
        for table in ("mart.policy_value", "mart.acceptance_drift")
    )
    parts = [
        *effect_page.overview(rows, conf.campaigns),
        effect_page.of_drift(drift),
        effect_page.of_rules(values, conf.runtime.currency),
    ]
    context.judge.keep("effects.html", page.page(f"What campaigns changed, {day}", parts))
    for name in sorted({row["campaign_id"] for row in rows} & set(conf.campaigns)):
        campaign = conf.campaigns[name]
        context.judge.keep(
            f"effect_{name}.html",
            page.page(
                f"{campaign.name_cn} ({name}), {day}",
                effect_page.of_campaign(rows, campaign, conf.metrics),
            ),
        )
