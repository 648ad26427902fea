"""Delivered files as rows, each with its file, row number and day."""

import re
from collections.abc import Sequence
from functools import reduce

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from jobs.intake.delivered_file import DeliveredFile
from jobs.warehouse.tables import Tables
from models.intake import delivered_line
from models.intake.quoted_record import RECORD_BYTES, QuotedLines
from schemas.config import Source
from schemas.config.source import SourceFormat
from schemas.contract.rule import quoted_name

PATTERN_SIGNS = r"[\\{}\[\]*?]"  # characters of a path that Spark would read as a pattern


def read_rows(tables: Tables, files: list[DeliveredFile], source: Source) -> DataFrame:
    """The delivered rows, as input of `models.intake.delivered_line`. Grain: the delivered row.

    Columns: file_name, row_no (from 1, the header not counted), batch_date and the content. The
    content of lines is `value`; blank lines and the header are left out. The content of Parquet is
    `_0`, `_1`, … as text. Parquet files are read together only if their types are equal.
    With `multiline` a row is a record: `row_no` is that of its first line, `value` its lines,
    `unclosed` whether the line belongs to a quote that stays open, and so stands alone.
    """
    text = source.format.kind != "parquet"
    if not files:
        content = (
            f"value string{', unclosed boolean' * source.format.multiline}"
            if text
            else ", ".join(f"_{place} string" for place in range(len(source.columns)))
        )
        return tables.spark.createDataFrame(
            [], f"{content}, file_name string, row_no bigint, batch_date date"
        )
    if text:
        return _with_day(tables, _text_rows(tables, files, source.format), files)
    by_types: dict[str, list[DeliveredFile]] = {}
    for file in files:
        by_types.setdefault(file.types, []).append(file)
    found = [_parquet_rows(tables, together, source.columns) for together in by_types.values()]
    return _with_day(tables, reduce(DataFrame.unionByName, found), files)


def _with_day(tables: Tables, delivered: DataFrame, files: list[DeliveredFile]) -> DataFrame:
    """The rows with the day of their file as batch_date, without `_uri`."""
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


def _text_rows(tables: Tables, files: list[DeliveredFile], form: SourceFormat) -> DataFrame:
    text = tables.whole_files.read.text(_paths(files), lineSep="\n")
    place = F.monotonically_increasing_id().bitwiseAND(F.lit((1 << 33) - 1))
    lines = text.select("value", *_file(), place.alias("_place"))
    if form.header:
        lines = lines.where("_place > 0")
    if form.multiline:
        lines = _records(lines, QuotedLines(form), int(form.header))
    unblank = f"octet_length(trim(LEADING '{delivered_line.BLANKS}' FROM value)) > 0"
    row_no = F.col("_place") + (0 if form.header else 1)
    return _in_few_tasks(tables, lines.where(unblank).withColumn("row_no", row_no).drop("_place"))


def _records(lines: DataFrame, quoted: QuotedLines, first: int) -> DataFrame:
    """The lines of each record as one row, at the place of the first.

    After a line a quote is open or not: the line sets that, keeps what was before it, or turns it.
    So it is as the last line that set it says, turned as often as lines since then turned it.
    A record begins after the line that ends the one before; the `first` line begins the first.
    """
    in_order = Window.partitionBy("_uri").orderBy("_place")
    record = Window.partitionBy("_uri", "_record")
    line = F.decode(F.col("value").cast("binary"), "ISO-8859-1")
    quote = F.contains("value", F.lit(quoted.quote.decode()))
    sets = F.when(F.expr("_opens = _stays"), F.struct("_opens", "_turns"))
    turned = (F.col("_turns") - F.coalesce("_set._turns", F.lit(0))) % 2 == 1
    ended = F.max(F.when(~F.col("_open"), F.col("_place")))
    before = in_order.rowsBetween(Window.unboundedPreceding, -1)
    unclosed = F.expr(f"_never or (_lines > 1 and _size > {RECORD_BYTES})")
    alone = F.when(unclosed, F.col("_place")).otherwise(F.col("_record"))
    return (
        lines.withColumn("_opens", quote & F.rlike(line, F.lit(quoted.opens)))
        .withColumn("_stays", ~quote | F.rlike(line, F.lit(quoted.stays)))
        .withColumn("_turns", F.count_if(F.expr("_opens and not _stays")).over(in_order))
        .withColumn("_set", F.last(sets, ignorenulls=True).over(in_order))
        .withColumn("_open", F.coalesce("_set._opens", F.lit(False)) != turned)
        .withColumn("_record", F.coalesce(ended.over(before) + 1, F.lit(first)))
        .withColumn("_size", F.sum(F.octet_length("value") + 1).over(record))
        .withColumn("_lines", F.count(F.lit(1)).over(record))
        .withColumn("_never", F.bool_and("_open").over(record))
        .withColumn("_unclosed", unclosed)
        .groupBy("_uri", alone.alias("_first"))
        .agg(
            F.first("file_name").alias("file_name"),
            F.expr(r"listagg(value, '\n') WITHIN GROUP (ORDER BY _place)").alias("value"),
            F.bool_or("_unclosed").alias("unclosed"),
        )
        .withColumnRenamed("_first", "_place")
    )


def _in_few_tasks(tables: Tables, delivered: DataFrame) -> DataFrame:
    """The rows in twice as many tasks as run in parallel; every task compiles its code again."""
    return delivered.coalesce(2 * tables.spark.sparkContext.defaultParallelism)


def _parquet_rows(tables: Tables, files: list[DeliveredFile], names: Sequence[str]) -> DataFrame:
    table = tables.whole_files.read.parquet(*_paths(files))
    return _in_few_tasks(
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
