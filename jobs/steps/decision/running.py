"""The campaigns that may reach customers in a run: shared by the steps of the group; no step."""

from __future__ import annotations

from pyspark.sql import functions as F

from jobs.runtime.context import Context
from models.campaign import state
from models.campaign.log import TABLE, Entry
from schemas.config import Campaign


def running_campaigns(context: Context) -> list[Campaign]:
    """The campaigns in force on the day that ops.campaign_log lets run.

    QualityError for a log that was tampered with.
    """
    return state.running(context.conf, log_entries(context), context.day)


def log_entries(context: Context) -> list[Entry]:
    """ops.campaign_log. Spark gives instants in the zone of the machine: `at` is a number."""
    log = context.warehouse.read(TABLE).withColumn("at", F.unix_micros("at"))
    return [Entry.of_row(row.asDict()) for row in log.collect()]
