"""Rows of a table: in the form of its contract, in the order of its files, or a part of them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import reduce
from typing import TYPE_CHECKING, Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from jobs.plan.slices import between, sliced_by
from schemas.contract import Contract
from schemas.errors import ConfigError
from schemas.render.spark import struct_type
from schemas.window import Window

if TYPE_CHECKING:
    from jobs.warehouse.tables import Tables


@dataclass(frozen=True)
class Ingested:
    """What a delivery gives one table.

    `counts`: by slice the `rows_*` figures of the delivery, which has already been checked.
    `changed`: the days of which the rows are not those that were there before.
    """

    table: str
    accepted: DataFrame
    counts: Mapping[str, Mapping[str, Any]]
    changed: Collection[date]

    @property
    def rejected(self) -> int:
        """The rows that are rejected in all slices together."""
        return sum(figures["rows_rejected"] for figures in self.counts.values())


def conform(contract: Contract, frame: DataFrame, step: str) -> DataFrame:
    """The contract's columns in its order and types; an unknown or missing one is refused."""
    schema = struct_type(contract)
    unknown = sorted(set(frame.columns) - set(schema.names))
    missing = [name for name in schema.names if name not in frame.columns]
    if missing or unknown:
        said = [f"does not fill {', '.join(missing)} of the contract"] if missing else []
        said += [f"fills {', '.join(unknown)}, not in the contract"] if unknown else []
        raise ConfigError(
            f"{contract.table}: the step {step} {' and '.join(said)}: correct the step or the "
            "contract"
        )
    return frame.select([F.col(f.name).cast(f.dataType).alias(f.name) for f in schema.fields])


def shaped(contract: Contract, frame: DataFrame, many_slices: bool, files: int) -> DataFrame:
    """The rows as they are written: `files` files a slice, sorted for their readers."""
    slice_ = sliced_by(contract)
    spread = [F.col(slice_)]
    if files > 1:
        spread.append(F.pmod(F.xxhash64(*contract.sort_by), F.lit(files)))
    frame = frame.repartition(*spread) if many_slices else frame.coalesce(files)
    if not contract.sort_by:
        return frame
    # Spark's sort compares eight bytes of the first key before it looks at whole rows. Where there
    # is one slice, its day would be that key and the same in every row, so it is left out. With
    # many slices the writer sorts by slice itself and keeps the order within one.
    order = [_sort_key(contract, name) for name in contract.sort_by]
    return frame.sortWithinPartitions(*([slice_] if many_slices else []), *order)


def _sort_key(contract: Contract, name: str) -> Column:
    """Phone numbers as numbers: as texts, those of one operator begin with the same digits."""
    digits = contract.column(name).personal == "number"
    return F.col(name).try_cast("bigint") if digits else F.col(name)


def wanted(
    window: Window | None, upto: date | None, on: date | None, months: Sequence[date] | None
) -> Callable[[date | None], bool]:
    """Whether a slice may hold rows that meet each of the conditions that are given."""

    def is_wanted(slice_: date | None) -> bool:
        return slice_ is None or (
            (window is None or window.contains(slice_))
            and (upto is None or slice_ <= upto)
            and (on is None or slice_ == on)
            and (months is None or slice_ in months)
        )

    return is_wanted


def part(
    contract: Contract,
    frame: DataFrame,
    window: Window | None,
    upto: date | None,
    on: date | None,
    months: Sequence[date] | None,
) -> DataFrame:
    """The rows that meet each of the conditions that are given."""
    if window is not None:
        frame = frame.where(between(sliced_by(contract), window))
    if upto is not None:
        frame = frame.where(F.col(sliced_by(contract)) <= F.lit(upto))
    if on is not None:
        frame = frame.where(F.col(sliced_by(contract)) == F.lit(on))
    if months is not None:
        frame = frame.where(F.col("month").isin(months))
    return frame


def months_delivered(tables: Tables, names: Sequence[str], day: date) -> set[date]:
    """The months of the events that were delivered on a day, in the tables that hold events."""
    held = [
        tables.load(name)
        .where(F.col("batch_date") == F.lit(day))
        .select(F.trunc("local_date", "month").alias("month"))
        for name in names
        if {"batch_date", "local_date"} <= set(tables.contracts[name].column_names)
    ]
    return {row["month"] for row in reduce(DataFrame.unionByName, held).distinct().collect()}
