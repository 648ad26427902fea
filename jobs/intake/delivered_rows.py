"""Delivered files as rows: each with its file, ordinal and day."""

import re
from collections.abc import Sequence
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from jobs.intake.delivered_file import DeliveredFile
from jobs.warehouse.tables import Tables
from models.intake import delivered_line
from schemas.config import Source
from schemas.contract.rule import quoted_name

PATTERN_SIGNS = r"[\\{}\[\]*?]"  # of a path, which Spark would take for a pattern


def rows(tables: Tables, files: list[DeliveredFile], source: Source) -> DataFrame:
    """The delivered rows with file, ordinal and day of delivery, for models.delivered_line.

    Lines are the non-blank ones after the header. Files of columns are read together only where
    their types agree: the columns are text afterwards.
    """
    text = source.format.kind != "parquet"
    if not files:
        content = (
            "value string"
            if text
            else ", ".join(f"_{place} string" for place in range(len(source.columns)))
        )
        return tables.spark.createDataFrame(
            [], f"{content}, file_name string, row_no bigint, batch_date date"
        )
    if text:
        return _placed(tables, _lines(tables, files, source.format.header), files)
    alike: dict[str, list[DeliveredFile]] = {}
    for file in files:
        alike.setdefault(file.types, []).append(file)
    found = [_columns(tables, together, source.columns) for together in alike.values()]
    return _placed(tables, reduce(DataFrame.unionByName, found), files)


def _placed(tables: Tables, delivered: DataFrame, files: list[DeliveredFile]) -> DataFrame:
    """The rows with their file's name and day instead of its `_uri`."""
    days = {file.day for file in files}
    if len(days) == 1:
        return delivered.withColumn("batch_date", F.lit(*days)).drop("_uri")
    known = F.broadcast(
        tables.spark.createDataFrame(
            [(tables.uri(file.path), file.day) for file in files], "_uri string, batch_date date"
        )
    )
    return delivered.join(known, "_uri").drop("_uri")


def _paths(files: list[DeliveredFile]) -> list[str]:
    return [re.sub(PATTERN_SIGNS, r"\\\g<0>", str(file.path.resolve())) for file in files]


def _file() -> tuple[Column, Column]:
    return F.col("_metadata.file_path").alias("_uri"), F.col("_metadata.file_name")


def _lines(tables: Tables, files: list[DeliveredFile], header: bool) -> DataFrame:
    text = tables.whole_files.read.text(_paths(files), lineSep="\n")
    place = F.monotonically_increasing_id().bitwiseAND(F.lit((1 << 33) - 1))
    lines = text.select("value", *_file(), place.alias("_place"))
    if header:
        lines = lines.where("_place > 0")
    unblank = f"octet_length(trim(LEADING '{delivered_line.BLANKS}' FROM value)) > 0"
    row_no = F.col("_place") + (0 if header else 1)
    return _together(tables, lines.where(unblank).withColumn("row_no", row_no).drop("_place"))


def _together(tables: Tables, delivered: DataFrame) -> DataFrame:
    """The files in few tasks for each that works at a time: each makes its code anew."""
    return delivered.coalesce(2 * tables.spark.sparkContext.defaultParallelism)


def _columns(tables: Tables, files: list[DeliveredFile], names: Sequence[str]) -> DataFrame:
    table = tables.whole_files.read.parquet(*_paths(files))
    return _together(
        tables,
        table.select(
            *[
                F.col(quoted_name(name)).cast("string").alias(f"_{place}")
                for place, name in enumerate(names)
            ],
            *_file(),
            (F.col("_metadata.row_index") + 1).alias("row_no"),
        ),
    )
