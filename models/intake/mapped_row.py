"""Delivered fields become the columns of a contract, with flags for what a column does not hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from pyspark.errors import AnalysisException
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from models.frames.conditions import any_of
from models.intake import code_list, number_column, presence, typed_value
from schemas.config import Source
from schemas.config.source import OTHERWISE, WARN
from schemas.contract import Contract
from schemas.contract.column import Column as ContractColumn
from schemas.errors import ConfigError
from schemas.render.spark import data_type

PLACES = ("source", "file_name", "row_no", "batch_date")
ADDED = (*PLACES, "record_key", "local_date", "local_second")  # columns that no mapping gives
ROUNDING = "_rounding_"  # before the name of a column: what rounding added to its value
ADDED_TYPE = "decimal(38,18)"
FAULTS = ("_unread", "_unfit")  # with the name of the column: flags of a value's faults


@dataclass(frozen=True)
class Fault:
    """What can be wrong with a value: `flag` is the column of the rows that have it.

    `kept`: the source keeps the row without the value.
    """

    flag: str
    reason: str
    kept: bool


def typed(
    fields: DataFrame,
    source: Source,
    contract: Contract,
    session_zone: str,
    open_ends: Sequence[date],
) -> tuple[DataFrame, list[Fault]]:
    """The contract's columns by the mapping, and the faults of values that they do not hold."""
    mapped = _mapped(fields, source)
    kinds = {field.name: field.dataType for field in mapped.schema.fields}
    columns: list[tuple[str, Column]] = []
    faults: list[tuple[Fault, Column]] = []
    for column in contract.columns:
        name = column.name
        if name in ADDED:
            continue
        if name not in source.mapping:
            columns.append((name, F.lit(None).cast(data_type(column.data_type)).alias(name)))
            continue
        value = F.col(f"_m_{name}")
        rule = source.rounding.get(name)
        read = typed_value.typed(value, kinds[f"_m_{name}"], column, open_ends, rule)
        if column.type == "boolean" and name in source.codes:  # `1` is a code, not true
            read = typed_value.among(read, value, ("true", "false"))
        formed = number_column.of(column, read.value, source.numbers)
        columns.append((name, formed.alias(name)))
        if column.personal in number_column.FORMED:
            lost = Fault(f"_lost_{name}", f"{name}: {number_column.LOST}", kept=False)
            faults.append((lost, number_column.is_lost(F.col(name))))
        if read.rounding is not None:
            columns.append((name, read.rounding.cast(ADDED_TYPE).alias(f"{ROUNDING}{name}")))
        faults += _faults(read, column, source, told=f"_present_{name}" in kinds)
    held = _selected(mapped, columns, source)
    flags = [violated.alias(fault.flag) for fault, violated in faults]
    kept = [name for name in held.columns if not name.startswith(("_m_", "_present_"))]
    held = held.select(*kept, *flags)
    return _local_times(held, source, session_zone), [fault for fault, _ in faults]


def _faults(
    read: typed_value.Typed, column: ContractColumn, source: Source, *, told: bool
) -> list[tuple[Fault, Column]]:
    """The faults that a value of the column may have, each with the rows that have it.

    `told`: whether `_present_<column>` says that the file gives a value.
    """
    name, value = column.name, F.col(f"_m_{column.name}")
    empty = value.isNotNull() & F.col(name).isNull()
    unread, unfit = [], []
    if read.readable is not None:
        unread.append(empty & ~read.readable)
    if told:
        unread.append(value.isNull() & F.col(f"_present_{name}"))
    if read.fits is not None:
        unfit.append((empty if read.readable is None else empty & read.readable) & ~read.fits)
    rule = source.rounding.get(name)
    words = (
        f"present but not readable as {column.type}",
        f"does not fit {column.type} {f'also when rounded by {rule}' if rule else 'exactly'}",
    )
    kept = source.unreadable.get(name) == WARN
    return [
        (
            Fault(f"{kind}_{name}", f"{name}: {what}{', kept without it' if kept else ''}", kept),
            any_of(violated),
        )
        for kind, what, violated in zip(FAULTS, words, (unread, unfit), strict=True)
        if violated
    ]


def _selected(
    mapped: DataFrame, columns: Sequence[tuple[str, Column]], source: Source
) -> DataFrame:
    """`mapped` with the columns; ConfigError for values that no cast makes those of a column."""
    places = {"_file": "file_name", "_row": "row_no", "_day": "batch_date"}
    try:
        return mapped.select("*", *[column for _, column in columns]).withColumnsRenamed(places)
    except AnalysisException:
        for name, column in columns:
            try:
                mapped.select(column)
            except AnalysisException:
                given = mapped.schema[f"_m_{name}"].dataType.simpleString()
                raise ConfigError(
                    f"sources.yml: {source.id}.mapping.{name}: {source.mapping[name]}: "
                    f"a value of type {given} cannot become the column's: write another expression"
                ) from None
        raise


def _mapped(fields: DataFrame, source: Source) -> DataFrame:
    """The expressions of `mapping`, `exclude` and `warn` as columns.

    `_m_<column>`, `_present_<column>`: as `presence.mapped`. `_excluded_<n>`, `_warned_<n>`: the
    predicates in their order.
    `_unlisted_<column>`: the code is not listed and the source has a value for such codes.
    ConfigError names the expression that is not SQL.
    """
    flags = [
        F.coalesce(F.expr(predicate), F.lit(False)).alias(f"{flag}_{place}")
        for flag, predicates in (("_excluded", source.exclude), ("_warned", source.warn))
        for place, predicate in enumerate(predicates.values())
    ]
    try:
        return fields.select(
            "_line",
            "_file",
            "_row",
            "_day",
            "_undecoded",
            "_broken",
            "_open",
            *flags,
            *[part for column in source.mapping for part in presence.mapped(source, column)],
            *[
                code_list.is_unlisted(F.expr(source.mapping[name]), codes).alias(
                    f"_unlisted_{name}"
                )
                for name, codes in source.codes.items()
                if OTHERWISE in codes
            ],
        )
    except AnalysisException:
        for part, expressions in (
            ("mapping", source.mapping),
            ("exclude", source.exclude),
            ("warn", source.warn),
        ):
            for name, sql in expressions.items():
                try:
                    fields.select(F.expr(sql))
                except AnalysisException as error:
                    raise ConfigError(
                        f"sources.yml: {source.id}.{part}.{name}: {sql}: "
                        f"{str(error).splitlines()[0]}"
                    ) from None
        raise


def _local_times(frame: DataFrame, source: Source, session_zone: str) -> DataFrame:
    """`occurred_at` as an instant; `local_date` and `local_second` in the source's time zone."""
    if "occurred_at" not in frame.columns:
        return frame
    zone, seen = F.lit(source.timezone), F.col("occurred_at")
    epoch = F.lit("1970-01-01").cast("timestamp_ntz")
    if source.timezone == session_zone:
        instant = wall = seen
    elif source.time == "local":
        wall = seen.cast("timestamp_ntz")
        instant = F.timestamp_micros(
            F.timestamp_diff("MICROSECOND", epoch, F.convert_timezone(zone, F.lit("UTC"), wall))
        )
    else:
        instant = seen
        wall = F.convert_timezone(
            F.lit("UTC"), zone, F.timestamp_add("MICROSECOND", F.unix_micros(seen), epoch)
        )
    second = F.hour("_wall") * 3600 + F.minute("_wall") * 60 + F.second("_wall")
    return (
        frame.withColumn("_wall", wall)
        .withColumn("occurred_at", instant)
        .withColumn("local_date", F.to_date("_wall"))
        .withColumn("local_second", second)
        .drop("_wall")
    )
