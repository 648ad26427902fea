"""Whom each running campaign with a target definition is for 目标客户筛选 (S1-02, S2-04).

Grain of the result: campaign × wave × customer in `mart.target`, with the conditions that hold.
When this step fails, campaigns with a `target` reach nobody that night; the others go on.
"""

from datetime import date
from functools import reduce

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.runtime.context import Context
from jobs.steps.decision.facts import facts_of
from jobs.steps.decision.running import running_campaigns
from models.decision import waves
from models.targeting.members import by_customer, members
from schemas.config import Campaign
from schemas.window import Window


def run(context: Context) -> None:
    conf, day = context.conf, context.day
    campaigns = [one for one in running_campaigns(context) if one.target]
    targets = {one.target: conf.targets[one.target] for one in campaigns if one.target}
    rows = context.warehouse.empty("mart.target")
    if campaigns:
        facts = facts_of(context, targets.values())
        found = {name: by_customer(members(target, facts, day)) for name, target in targets.items()}
        rows = reduce(
            DataFrame.unionByName,
            [
                _due(context, one, found[one.target], day).select(
                    F.lit(day).alias("data_date"),
                    F.lit(one.id).alias("campaign_id"),
                    "wave",
                    "customer_id",
                    "subscriber_ids",
                    "entered_because",
                )
                for one in campaigns
                if one.target
            ],
        )
    context.warehouse.replace("mart.target", rows)


def _due(context: Context, campaign: Campaign, met: DataFrame, day: date) -> DataFrame:
    """The customers of the target for whom a wave is due."""
    since = Window(campaign.valid_from, day)
    contacts, outcomes = (
        context.warehouse.read(table, window=since, allow_missing=True)
        for table in ("dw.contact_history", "dw.contact_outcome")
    )
    return waves.due(met, campaign, contacts, outcomes, day)
