"""Measures of the usage cube as columns over guided records.

The events have the columns service_no (the place of their service in `services`), quantity in base
units, local_second, local_date and, where `laid_by_batch` gives one, laid.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date

import pyarrow as pa
from pyspark.sql import Column
from pyspark.sql import functions as F

from models.frames.arrow_lists import equal_lists
from models.tariff.measure import Measure, Units
from models.usage.event_measure import Events, day_types, values_of


def value(measures: Sequence[Measure], services: Sequence[str], measure_no: int) -> Column:
    """An event's value by the measure of that number of its own service, else 0."""
    found = F.lit(0).cast("bigint")
    laid = [measure for measure in measures if not _in_sql(measure)]
    for measure in measures:
        if measure.measure_no == measure_no:
            here = F.col("service_no") == services.index(measure.service)
            own = (
                _units(measure.read)
                if _in_sql(measure)
                else F.get("laid", F.lit(laid.index(measure)))
            )
            found = F.when(here, own).otherwise(found)
    return found


def laid_by_batch(
    measures: Sequence[Measure], services: Sequence[str], holidays: Collection[date]
) -> Column | None:
    """The column `laid`: in an array the values of the measures that no formula says, worked out
    in whole Arrow batches; None where all have a formula."""
    laid = [measure for measure in measures if not _in_sql(measure)]
    if not laid:
        return None
    definitions = [measure.read for measure in laid]
    numbers = [services.index(measure.service) for measure in laid]

    @F.arrow_udf("array<bigint>")
    def values(
        service_no: pa.Array, quantity: pa.Array, second: pa.Array, day: pa.Array
    ) -> pa.Array:
        service = service_no.to_numpy(zero_copy_only=False)
        events = Events(
            quantity.to_numpy(zero_copy_only=False),
            second.to_numpy(zero_copy_only=False),
            day.to_numpy(zero_copy_only=False).astype("datetime64[D]"),
            day_types(holidays),
        )
        table = values_of(definitions, events, [service == number for number in numbers])
        return equal_lists(table)

    return values("service_no", "quantity", "local_second", "local_date")


def _in_sql(measure: Measure) -> bool:
    """Whether the measure is a short formula of the quantity alone."""
    return isinstance(measure.read, Units) and not measure.read.laying.calendar


def _units(units: Units) -> Column:
    """The units of one step: what reaches into it, rounded up to its increment, from where it
    begins to where it ends."""
    _, step = units.part
    stretch = next(one for one in units.laying.stretches if one.step == step)
    start, first, size = stretch.start, stretch.first, stretch.increment
    reached = "quantity" if stretch.end is None else f"least(quantity, {stretch.end}L)"
    if first in (0, size):  # the usual case, at less cost
        return F.expr(
            f"CASE WHEN quantity <= {start} THEN 0L "
            f"ELSE ({reached} - {start - size + 1}L) div {size}L * {size}L END"
        )
    return F.expr(
        f"CASE WHEN quantity <= {start} THEN 0L WHEN quantity <= {first} THEN {first}L "
        f"ELSE {first}L + (greatest({reached} - {start + first}L, 0L) + {size - 1}L) div {size}L "
        f"* {size}L END"
    )
