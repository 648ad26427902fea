"""Measures of the usage cube as columns over guided records.

The events have these columns:
- `service_no`: the place of the event's service in `services`;
- `quantity` in base units, `occurred_at`, `local_second`, `local_date`;
- `computed`, if `computed_by_batch` returns a column.
"""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
from pyspark.sql import Column
from pyspark.sql import functions as F

from models.frames.arrow_lists import equal_lists
from models.tariff.measure import Rounded, Units
from models.tariff.segmentation import Starts
from models.usage.event_measure import values_of
from models.usage.local_time import LocalTime
from models.usage.register import Measure


def value(measures: Sequence[Measure], services: Sequence[str], measure_no: int) -> Column:
    """The value of an event by the measure with that number of its own service; 0 without one."""
    found = F.lit(0).cast("bigint")
    computed = [measure for measure in measures if _formula(measure) is None]
    for measure in measures:
        if measure.measure_no == measure_no:
            here = F.col("service_no") == services.index(measure.service)
            own = _formula(measure)
            if own is None:
                own = F.get("computed", F.lit(computed.index(measure)))
            found = F.when(here, own).otherwise(found)
    return found


def computed_by_batch(
    measures: Sequence[Measure], services: Sequence[str], local: LocalTime
) -> Column | None:
    """The column `computed`: an array with the values of the measures that have no SQL formula.

    The values are computed in whole Arrow batches. None if all measures have a formula.
    """
    computed = [measure for measure in measures if _formula(measure) is None]
    if not computed:
        return None
    definitions = [measure.parsed for measure in computed]
    numbers = [services.index(measure.service) for measure in computed]

    def values(
        service_no: pa.Array, quantity: pa.Array, instant: pa.Array, second: pa.Array, day: pa.Array
    ) -> pa.Array:
        service, amount, at, clock, days = (
            column.to_numpy(zero_copy_only=False)
            for column in (service_no, quantity, instant, second, day)
        )
        starts = Starts(at, days.astype("datetime64[D]"), clock)
        return equal_lists(values_of(definitions, numbers, service, amount, starts, local))

    # Spark takes the kind of function from its type hints; its stubs ask for a number as well.
    by_batch = F.arrow_udf(values, "array<bigint>")  # type: ignore[call-overload]
    column: Column = by_batch(
        "service_no", "quantity", F.unix_seconds("occurred_at"), "local_second", "local_date"
    )
    return column


def _formula(measure: Measure) -> Column | None:
    """The measure as a short SQL formula of the quantity alone; None if there is none."""
    definition = measure.parsed
    if isinstance(definition, Rounded) or definition.segmentation.calendar:
        return None
    return _units(definition)


def _units(units: Units) -> Column:
    """The billed units of one step without bands.

    They are the part of the quantity between the step's start and end, rounded up to its increment.
    """
    _, step = units.part
    stretch = next(one for one in units.segmentation.stretches if one.step == step)
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
