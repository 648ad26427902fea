"""What campaigns did to other channels: calls, complaints, transactions that moved (D9, D10, S4).

Grain of the results: effect × campaign and wave × metric in `mart.channel_effect`, and the guided
customers who were not won in `mart.second_round`. When this step fails, the roster and the second
round use the results of the day before.
"""

from datetime import timedelta

from pyspark.sql import functions as F

from jobs.runtime.context import Context
from jobs.warehouse.tables import cached
from models.campaign import read_out
from models.channel_effect import counted
from models.channel_effect.effects import effects
from schemas.window import Window

EFFECTS, SECOND_ROUND = "mart.channel_effect", "mart.second_round"


def run(context: Context) -> None:
    warehouse, conf, day = context.warehouse, context.conf, context.day
    judged = read_out.judged_campaigns(conf, day)
    offloading, tariffs = (
        [one.id for one in judged if one.type == kind] for kind in (counted.OFFLOAD, counted.TARIFF)
    )
    named = {*offloading, *tariffs}
    some = [one for one in judged if one.id in named or counted.SMS in one.every_channel]
    if not some:
        warehouse.replace(EFFECTS, warehouse.rows(EFFECTS, []))
        warehouse.replace(SECOND_ROUND, warehouse.rows(SECOND_ROUND, []))
        return
    responses = warehouse.read("dw.campaign_response", on=day).where(
        F.col("campaign_id").isin([one.id for one in some])
    )
    since = min(one.valid_from for one in some) - timedelta(days=max(counted.DAYS.values()))
    contacts = warehouse.read("dw.contact_event", window=Window(since, day), allow_missing=True)
    cohort = counted.cohorts(responses, offloading, tariffs, day)
    with cached(counted.people(cohort, contacts)) as done:
        groups = cohort.select("effect", "group").distinct().collect()
        added = [row.asDict() for row in counted.sums(done).collect()]
        rows = effects(added, [(row["effect"], row["group"]) for row in groups], day)
        warehouse.replace(EFFECTS, warehouse.rows(EFFECTS, rows))
        second_round = counted.second_round(done).withColumn("data_date", F.lit(day))
        warehouse.replace(SECOND_ROUND, second_round)
