"""Guide the window's records into rating cells 指引 and add them up by day.

Grain of the result: delivery × subscriber × local day × rating cell in `dw.usage_day`, with every
increment of the catalogue rounded per event. The records of one event are merged before. Events of
numbers that nobody held then are left out, and counted by source and day. New cells and measures
are appended to their registers. When this step fails, no package can be priced for the missing
days.
"""

from datetime import timedelta

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.intake import owners
from jobs.runtime.context import Context
from jobs.steps.rating.guided_events import joining_of
from jobs.warehouse.tables import cached
from models.tariff import measure
from models.usage import cube as usage_cube
from models.usage import events as usage_events
from models.usage import record_parts, register
from models.usage.local_time import LASTING
from models.usage.recorded import ADDED, TABLES
from schemas.render import expectations
from schemas.window import Window


def run(context: Context) -> None:
    warehouse, window, tariffs = context.warehouse, context.window, context.catalogue
    holidays = context.conf.policy.calendar.holidays
    registered = register.from_rows(warehouse.read("dw.rating_measure").collect())
    new = register.measures_wanted(registered, tariffs)
    measures = registered + new
    events = _events(context)
    _count_missing_parts(context, events)
    identity = warehouse.read("dw.subscriber_identity", on=window.last)
    guided = usage_events.guide(
        events,
        identity,
        {service: tariffs.cuts(service) for service in measure.SERVICES},
        holidays,
    )
    with cached(guided.drop("event_key")) as guided:
        added = guided.where(F.col("sign") == ADDED)
        owners.require(warehouse, "dw.usage_day", added, identity, "events")
        warehouse.append("dw.rating_measure", warehouse.rows("dw.rating_measure", new))
        known = warehouse.read("dw.rating_cell").select("cell_id")
        warehouse.append(
            "dw.rating_cell", usage_events.cells(guided).join(known, "cell_id", "left_anti")
        )
        days = usage_cube.by_day(guided, measures, holidays, context.conf.clock_zone(*LASTING))
        warehouse.replace("dw.usage_day", days)


def _count_missing_parts(context: Context, events: DataFrame) -> None:
    """Record how many part numbers lack in the events of the window, by source and day."""
    numbered = [
        name
        for name in context.conf.part_modes(*TABLES)
        if any("part_no" in one.mapping for one in context.conf.sources[name].records)
    ]
    if not numbered:
        return
    counted = (
        events.where(F.col("source").isin(numbered) & (F.col("sign") == ADDED))
        .groupBy("source", "batch_date")
        .agg(F.sum("missing").alias("missing"))
    )
    contract = context.warehouse.contracts["dw.usage_day"]
    for row in sorted(counted.collect()):
        context.warehouse.gate.check(
            contract,
            {"missing_parts": row.missing or 0},
            expectations.parts_suite(),
            row.source,
            str(row.batch_date),
        )


def _events(context: Context) -> DataFrame:
    """What the days of the window add to the events of which they deliver a record."""
    warehouse, conf, window = context.warehouse, context.conf, context.window
    joining = joining_of(conf)
    records = {table: warehouse.read(table, window=window) for table in TABLES}
    back = {
        table: max((joining.lookback_days[name] for name in conf.part_modes(table)), default=0)
        for table in TABLES
    }
    earlier = {
        table: warehouse.read(
            table,
            window=Window(window.first - timedelta(days=days), window.first - timedelta(days=1)),
            allow_missing=True,
        )
        for table, days in back.items()
        if days
    }
    return record_parts.contributions(records, earlier or None, joining)
