"""Guide the window's records into rating cells 指引 and add them up by day.

Grain of the result: delivery × subscriber × local day × rating cell in `dw.usage_day`, with every
increment of the catalogue rounded per event. A data session of several parts is one event. Events
of numbers that nobody held then are left out, and counted by source and day. New cells and measures
are appended to their registers. When this step fails, no package can be priced for the missing
days.
"""

from datetime import timedelta

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.intake import owners
from jobs.runtime.context import Context
from jobs.warehouse.tables import cached
from models.tariff import measure
from models.usage import cube as usage_cube
from models.usage import data_session, register
from models.usage import events as usage_events
from models.usage.local_time import LASTING
from schemas.window import Window


def run(context: Context) -> None:
    warehouse, window, tariffs = context.warehouse, context.window, context.catalogue
    holidays = context.conf.policy.calendar.holidays
    registered = register.from_rows(warehouse.read("dw.rating_measure").collect())
    new = register.measures_wanted(registered, tariffs)
    measures = registered + new
    records = usage_events.Records(
        warehouse.read("ods.voice_call", window=window),
        warehouse.read("ods.message", window=window),
        _sessions(context),
        warehouse.read("ods.wlan_session", window=window),
    )
    identity = warehouse.read("dw.subscriber_identity", on=window.last)
    guided = usage_events.guide(
        records,
        identity,
        {service: tariffs.cuts(service) for service in measure.SERVICES},
        holidays,
    )
    with cached(guided.drop("event_key")) as guided:
        added = guided.where(F.col("sign") == data_session.ADDED)
        owners.require(warehouse, "dw.usage_day", added, identity, "events")
        warehouse.append("dw.rating_measure", warehouse.rows("dw.rating_measure", new))
        known = warehouse.read("dw.rating_cell").select("cell_id")
        warehouse.append(
            "dw.rating_cell", usage_events.cells(guided).join(known, "cell_id", "left_anti")
        )
        days = usage_cube.by_day(guided, measures, holidays, context.conf.clock_zone(*LASTING))
        warehouse.replace("dw.usage_day", days)


def _sessions(context: Context) -> DataFrame:
    """What the days of the window add to the sessions of which they deliver a part."""
    warehouse, conf, window = context.warehouse, context.conf, context.window
    table = "ods.data_session"
    lookback = conf.lookback_days(table)
    back, earlier = max(lookback.values(), default=0), None
    if back:
        before = Window(window.first - timedelta(days=back), window.first - timedelta(days=1))
        earlier = warehouse.read(table, window=before, allow_missing=True)
    return data_session.contributions(
        warehouse.read(table, window=window),
        earlier,
        conf.policy.rating.session_gap_hours,
        lookback,
    )
