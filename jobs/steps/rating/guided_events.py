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
from models.usage import events as usage_events
from models.usage import record_parts
from models.usage.recorded import TABLES
from schemas.config import Config


def guided_events(context: Context, months: Collection[date], customers: DataFrame) -> DataFrame:
    """The guided events of some `months` (first days) of some `customers` (subscriber_id)."""
    return free_units.guided(
        _events(context, months),
        context.warehouse.read("dw.subscriber_identity", on=context.day),
        {service: context.catalogue.cuts(service) for service in measure.SERVICES},
        context.conf.policy.calendar.holidays,
        customers,
    ).where(F.trunc("local_date", "month").isin(sorted(months)))


def _events(context: Context, months: Collection[date]) -> DataFrame:
    """The events of the months, from the records of enough days to find where each began."""
    joining = joining_of(context.conf)
    earlier = max((joining.lookback_days[name] for name in joining.modes), default=0)

    def delivered(table: str) -> DataFrame:
        rows = context.warehouse.read(table, upto=context.day, allow_missing=True)
        if not months:
            return rows.limit(0)
        since = usage_events.first_delivery(min(months))
        back = since - timedelta(days=earlier)
        parts = F.col("source").isin(list(joining.modes)) & (F.col("batch_date") >= F.lit(back))
        return rows.where((F.col("batch_date") >= F.lit(since)) | parts)

    return record_parts.merged({table: delivered(table) for table in TABLES}, joining)


def joining_of(conf: Config) -> record_parts.Joining:
    """How the configured sources deliver events in parts."""
    return record_parts.Joining(
        conf.part_modes(*TABLES), conf.policy.rating.session_gap_hours, conf.lookback_days(*TABLES)
    )
