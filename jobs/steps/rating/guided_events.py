"""The guided events of closed months, for the customers whose order of events matters.

A night keeps only the sums of guided records. Where free units have to be split event by event, the
records are read and guided again.
"""

from collections.abc import Collection
from datetime import date, timedelta

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.runtime.context import Context
from models.rating import free_units
from models.tariff import measure
from models.usage import data_session
from models.usage import events as usage_events


def guided_events(context: Context, months: Collection[date], customers: DataFrame) -> DataFrame:
    """The guided events of some `months` (first days) of some `customers` (subscriber_id)."""
    return free_units.guided(
        _records(context, months),
        context.warehouse.read("dw.subscriber_identity", on=context.day),
        {service: context.catalogue.cuts(service) for service in measure.SERVICES},
        context.conf.policy.calendar.holidays,
        customers,
    ).where(F.trunc("local_date", "month").isin(sorted(months)))


def _records(context: Context, months: Collection[date]) -> usage_events.Records:
    """The records of the months, and enough days before to find where each session began."""
    sessions, conf = "ods.data_session", context.conf
    back = max(conf.lookback_days(sessions).values(), default=0)

    def delivered(table: str, earlier: int = 0) -> DataFrame:
        rows = context.warehouse.read(table, upto=context.day, allow_missing=True)
        if not months:
            return rows.limit(0)
        since = usage_events.first_delivery(min(months)) - timedelta(days=earlier)
        return rows.where(F.col("batch_date") >= F.lit(since))

    return usage_events.Records(
        delivered("ods.voice_call"),
        delivered("ods.message"),
        data_session.merged(delivered(sessions, back), conf.policy.rating.session_gap_hours),
        delivered("ods.wlan_session"),
    )
