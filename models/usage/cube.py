"""The usage cube: the measures of guided records, added up by day and by month.

A measure is one way to round the quantity of an event (dw.rating_measure). Each event is rounded
before anything is added up, so prices computed from the cube are exact. Quantities are integers in
base units (seconds, bytes, messages). Fees are integers in micro-yuan (10⁻⁶ yuan).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, timedelta

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from models.frames.conditions import any_of
from models.tariff.measure import FEES
from models.usage.local_time import NEVER_CHANGED, LocalTime
from models.usage.measure_column import computed_by_batch, value
from models.usage.register import Measure


def by_day(
    guided: DataFrame,
    measures: Sequence[Measure],
    holidays: Collection[date] = (),
    zone: str = NEVER_CHANGED,
) -> DataFrame:
    """dw.usage_day: guided records added up by delivery, subscriber, local day and cell.

    `billed` holds one sum per measure of the cell's service, in order of measure_no: the values of
    the measure for all events. Records of unknown numbers are left out. A row of which nothing is
    left, because its events were taken back, is left out too. `zone` is the time zone
    of the local days: a call across a change of its clock is in the bands of both local times.
    """
    services = sorted({measure.service for measure in measures})
    deepest = max((measure.measure_no for measure in measures), default=0)
    service_no = F.coalesce(
        *(F.when(F.col("service") == name, no) for no, name in enumerate(services)), F.lit(-1)
    )
    events = guided.where("subscriber_id IS NOT NULL").select(
        "batch_date",
        "subscriber_id",
        "occurred_at",
        "local_date",
        "local_second",
        "cell_id",
        "sign",
        "quantity",
        service_no.alias("service_no"),
        *FEES,
    )
    computed = computed_by_batch(measures, services, LocalTime(holidays, zone))
    if computed is not None:
        events = events.withColumn("computed", computed)
    sums = [
        F.sum(value(measures, services, no) * F.col("sign")).alias(f"billed_{no}")
        for no in range(1, deepest + 1)
    ]
    # The keys are integers only: grouping by the strings of a cell costs two and a half times more.
    # The events are shuffled before they are added up. A subscriber has so few calls a day that
    # partial sums before the shuffle would hardly be fewer rows. A cell belongs to one service, so
    # the service is not a key.
    grouped = (
        events.repartition("subscriber_id")
        .groupBy("batch_date", "subscriber_id", "local_date", "cell_id")
        .agg(
            F.max("service_no").alias("service_no"),
            F.sum("sign").alias("events"),
            F.sum(F.when(F.col("quantity") > 0, F.col("sign")).otherwise(0)).alias("billed_events"),
            F.sum(F.col("quantity") * F.col("sign")).alias("quantity"),
            *sums,
            *(F.sum(F.col(fee) * F.col("sign")).alias(fee) for fee in FEES),
        )
        .where(_any_left(deepest))
    )
    depth = F.coalesce(
        *(
            F.when(F.col("service_no") == no, sum(m.service == name for m in measures))
            for no, name in enumerate(services)
        ),
        F.lit(0),
    )
    return grouped.select(
        "batch_date",
        "subscriber_id",
        "local_date",
        "cell_id",
        "events",
        "billed_events",
        "quantity",
        _billed_array([F.col(f"billed_{no}") for no in range(1, deepest + 1)], depth),
        *FEES,
    )


def by_month(
    usage_day: DataFrame, months: Collection[date], measures: Sequence[Measure]
) -> DataFrame:
    """dw.usage_month: the days of the months added up, one row per subscriber and month.

    `months` are the first days of months. The cells of a row are in order of cell_id. A measure
    that was registered after one of the days is missing in the month: the array of the month is as
    long as the shortest array of its days. A cell is left out if late parts of data sessions have
    taken everything in it back.
    """
    wanted = [F.col("local_date").between(month, _last_day(month)) for month in sorted(months)]
    return added_up(
        usage_day.where(any_of(wanted)).withColumn("month", F.trunc("local_date", "month")),
        measures,
    )


def months_used(usage_month: DataFrame) -> DataFrame:
    """(subscriber_id, month) of the months of dw.usage_month with usage of any service.

    An event without a billed quantity, such as a call of no seconds, is no usage.
    """
    used = F.exists(F.col("cells.billed_events"), lambda events: events > 0)
    return usage_month.where(used).select("subscriber_id", "month")


def added_up(usage_day: DataFrame, measures: Sequence[Measure]) -> DataFrame:
    """`by_month` of days that have a column `month`: the first day of their month or month part."""
    deepest = max((measure.measure_no for measure in measures), default=0)
    # One shuffle by subscriber serves both groupings.
    by_cell = (
        usage_day.repartition("subscriber_id")
        .groupBy("month", "subscriber_id", "cell_id")
        .agg(
            F.sum("events").alias("events"),
            F.sum("billed_events").alias("billed_events"),
            F.sum("quantity").alias("quantity"),
            F.min(F.size("billed")).alias("depth"),
            *(
                F.sum(F.get("billed", F.lit(no - 1))).alias(f"billed_{no}")
                for no in range(1, deepest + 1)
            ),
            *(F.sum(fee).alias(fee) for fee in FEES),
        )
        .where(_any_left(deepest))
    )
    billed = _billed_array([F.col(f"billed_{no}") for no in range(1, deepest + 1)], F.col("depth"))
    measured = F.struct("cell_id", "events", "billed_events", "quantity", billed, *FEES)
    return by_cell.groupBy("month", "subscriber_id").agg(
        F.sort_array(F.collect_list(measured)).alias("cells")
    )


def depths(usage_month: DataFrame, rating_cells: DataFrame) -> DataFrame:
    """Rows (month, service, depth): the length of the shortest array `billed`.

    `register.require_measures` compares it with the depth that a package needs.
    """
    used = usage_month.select("month", F.explode("cells").alias("cell")).select(
        "month", "cell.cell_id", F.size("cell.billed").alias("depth")
    )
    services = F.broadcast(rating_cells.select("cell_id", "service"))
    return (
        used.groupBy("month", "cell_id")
        .agg(F.min("depth").alias("depth"))
        .join(services, "cell_id")
        .groupBy("month", "service")
        .agg(F.min("depth").alias("depth"))
    )


def _any_left(deepest: int) -> Column:
    """Whether any sum of the row is not zero after events were added and taken back."""
    sums = (
        "events",
        "billed_events",
        "quantity",
        *FEES,
        *(f"billed_{no}" for no in range(1, deepest + 1)),
    )
    return any_of(F.coalesce(F.col(name) != 0, F.lit(False)) for name in sums)


def _billed_array(sums: Sequence[Column], depth: Column) -> Column:
    if not sums:
        return F.array().cast("array<bigint>").alias("billed")
    return F.slice(F.array(*sums), F.lit(1), depth).alias("billed")


def _last_day(month: date) -> date:
    return (month.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
