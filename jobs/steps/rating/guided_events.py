"""The events of closed months once more, guided, of the customers of whom their order matters.

Guided records are not kept: what is made of them at night is their sums. Only where a split of free
units has to be told event by event are they read and guided again.
"""

from collections.abc import Collection
from datetime import date, timedelta

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.warehouse.warehouse import Warehouse
from models.rating import free_units
from models.tariff import measure
from models.tariff.catalogue import Catalogue
from models.usage import data_session
from models.usage import events as usage_events
from schemas.config import Config


def guided_events(
    day: date,
    months: Collection[date],
    customers: DataFrame,
    tariffs: Catalogue,
    wh: Warehouse,
    conf: Config,
) -> DataFrame:
    """The guided events of some months (first days) of some customers (subscriber_id)."""
    return free_units.guided(
        _records(day, months, wh, conf),
        wh.read("dw.subscriber_identity", on=day),
        {service: tariffs.cuts(service) for service in measure.SERVICES},
        conf.policy.calendar.holidays,
        customers,
    ).where(F.trunc("local_date", "month").isin(sorted(months)))


def _records(
    day: date, months: Collection[date], wh: Warehouse, conf: Config
) -> usage_events.Records:
    """The records of the months; a session that began before them is not taken for one."""
    sessions = "ods.data_session"
    back = max(conf.lookback_days(sessions).values(), default=0)

    def delivered(table: str, earlier: int = 0) -> DataFrame:
        rows = wh.read(table, upto=day, whatever_is_there=True)
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
