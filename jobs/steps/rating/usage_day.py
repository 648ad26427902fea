"""Guide the window's records into rating cells 指引 and add them up by day.

Grain of the result: delivery × subscriber × local day × rating cell in `dw.usage_day`, with every
increment of the catalogue rounded per event (a data session of several parts is one); new cells and
measures are appended to their registers. When this step fails, no package can be priced for the
days that it misses.
"""

from datetime import timedelta

from pyspark.sql import DataFrame

from jobs.warehouse.tables import cached
from jobs.warehouse.warehouse import Warehouse
from models.tariff import catalogue, measure
from models.usage import cube as usage_cube
from models.usage import data_session, register
from models.usage import events as usage_events
from schemas.config import Config
from schemas.window import Window


def run(window: Window, wh: Warehouse, conf: Config) -> None:
    tariffs = catalogue.load(conf.tariffs.values())
    registered = register.from_rows(wh.read("dw.rating_measure").collect())
    new = register.measures_wanted(registered, tariffs)
    measures = registered + new
    records = usage_events.Records(
        wh.read("ods.voice_call", window=window),
        wh.read("ods.message", window=window),
        _sessions(window, wh, conf),
        wh.read("ods.wlan_session", window=window),
    )
    guided = usage_events.guide(
        records,
        wh.read("dw.subscriber_identity", on=window.last),
        {service: tariffs.cuts(service) for service in measure.SERVICES},
        conf.policy.calendar.holidays,
    )
    with cached(guided.drop("occurred_at")) as guided:
        wh.append("dw.rating_measure", wh.rows("dw.rating_measure", new))
        known = wh.read("dw.rating_cell").select("cell_id")
        wh.append("dw.rating_cell", usage_events.cells(guided).join(known, "cell_id", "left_anti"))
        wh.replace(
            "dw.usage_day", usage_cube.by_day(guided, measures, conf.policy.calendar.holidays)
        )


def _sessions(window: Window, wh: Warehouse, conf: Config) -> DataFrame:
    """What the nights of the window add to the sessions of which they hold a part."""
    table = "ods.data_session"
    lookback = conf.lookback_days(table)
    back, earlier = max(lookback.values(), default=0), None
    if back:
        before = Window(window.first - timedelta(days=back), window.first - timedelta(days=1))
        earlier = wh.read(table, window=before, whatever_is_there=True)
    return data_session.contributions(
        wh.read(table, window=window), earlier, conf.policy.rating.session_gap_hours, lookback
    )
