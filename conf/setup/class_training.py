"""Do once over a few rows what a run does with Spark, so that Java loads the classes of a run.

Java writes them into an archive when it ends. `jobs.java.class_archive` starts this program.
"""

import argparse
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
from pyspark import SparkContext
from pyspark.sql import DataFrame, SparkSession, Window
from pyspark.sql import functions as F

from jobs.runtime.session import JAVA_OPTIONS, profile, spark_session
from schemas import config

CONF = Path(__file__).resolve().parents[1]
INTERPRETED = {
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
}
COMPILED = {"spark.sql.codegen.wholeStage": "true", "spark.sql.codegen.factoryMode": "FALLBACK"}
FEW_ROWS = {"spark.sql.shuffle.partitions": "2", "spark.databricks.delta.snapshotPartitions": "1"}
DAY = "DATE'2009-05-03'"
EXPRESSIONS = (
    "split(value, '[|]')[1]",
    "from_csv(value, 'a STRING, b STRING, c STRING', map('sep', '|'))",
    "regexp_extract(value, '([0-9]+)', 1)",
    "regexp_extract_all(value, '([0-9]+)', 1)",
    "regexp_replace(value, '[^0-9]', '')",
    "value rlike '^[0-9]'",
    "value like '%7%'",
    "contains(value, '1')",
    "startswith(value, '1')",
    "endswith(value, '1')",
    "trim(LEADING ' ' FROM value)",
    "translate(lower(value), '|', ',')",
    "replace(value, '|', '')",
    "concat_ws('-', value, substring(value, 1, 2), lpad(value, 30, '0'))",
    "format_string('%s %d', value, 1L)",
    "sha2(value, 256)",
    "xxhash64(value)",
    "conv(substring(sha2(value, 256), 1, 15), 16, 10)",
    "octet_length(value) + length(value)",
    "is_valid_utf8(value)",
    "decode(encode(value, 'UTF-8'), 'ISO-8859-1')",
    "CAST(value AS BINARY)",
    "try_cast(value AS INT)",
    "try_cast(value AS DECIMAL(18, 6))",
    "try_to_timestamp(value, 'yyyyMMddHHmmss')",
    "to_date('20090503', 'yyyyMMdd')",
    "CAST('2009-05-03 08:00:00' AS TIMESTAMP)",
    "from_json('{\"a\": [1]}', 'a ARRAY<INT>')",
    "to_json(named_struct('a', value))",
    "json_object_keys('{\"a\": 1}')",
    "array_sort(array_distinct(array_compact(array(value, NULL, 'b'))))",
    "sort_array(array_except(array(value), array('b')))",
    "transform(filter(sequence(1, 3), x -> x > 1), x -> x * 2)",
    "aggregate(array(1L, 2L), 0L, (sum, x) -> sum + x)",
    "exists(array(1, 2), x -> x = 2)",
    "element_at(map('a', value), 'a')",
    "map_from_entries(array(struct('a', value)))",
    "array_contains(array(value), 'a')",
    "array_join(slice(array(value, 'b'), 1, 2), ',')",
    "size(array(value)) + array_max(array(1, 2)) + array_min(array(1, 2))",
    "named_struct('a', value, 'b', array(named_struct('c', 1L)))",
    "CASE WHEN value IS NULL THEN 'none' WHEN value IN ('a', 'b') THEN value ELSE 'other' END",
    "coalesce(nullif(value, ''), 'none')",
    "greatest(length(value), 1) + least(length(value), 1)",
    "round(length(value) / 3, 2) + floor(length(value) / 3.0) + ceil(1.5)",
    "pmod(length(value), 7) + shiftright(8L, 2) + length(value) DIV 2 + length(value) % 2",
)
TIMES = (
    "date_trunc('HOUR', at)",
    "trunc(day, 'MM')",
    "last_day(day)",
    "date_add(day, 1)",
    "datediff(day, DATE'2009-01-01')",
    "add_months(day, -3)",
    "months_between(day, DATE'2009-01-01')",
    "dayofweek(day) + month(day) + year(day) + day(day)",
    "hour(at) + minute(at) + second(at)",
    "unix_micros(at) + unix_seconds(at) + unix_date(day)",
    "timestamp_seconds(1) + INTERVAL 1 HOUR",
    "timestamp_micros(1)",
    "timestampadd(SECOND, 5, at)",
    "timestampdiff(SECOND, at, at)",
    "convert_timezone('UTC', 'Asia/Shanghai', CAST(at AS TIMESTAMP_NTZ))",
    "date_format(at, 'yyyy-MM')",
    "CAST(at AS DATE)",
    "CAST(amount * 2 + amount AS DECIMAL(20, 6))",
    "CAST(amount AS STRING)",
    "abs(amount) / 3",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("archive", type=Path, help="the archive that Java writes")
    archive = parser.parse_args().archive
    conf = config.load([CONF])
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        (folder / conf.runtime.spark.conf).parent.mkdir(parents=True)
        options = profile(conf.runtime.spark.conf, (CONF,)) | FEW_ROWS
        options[JAVA_OPTIONS] = f'-XX:TieredStopAtLevel=1 "-XX:ArchiveClassesAtExit={archive}"'
        (folder / conf.runtime.spark.conf).write_text(
            "".join(f"{name} {value}\n" for name, value in options.items()), encoding="utf-8"
        )
        with spark_session(conf, (folder,)) as spark:
            set_all(spark, INTERPRETED)
            events = replaced(spark, delivered(spark, folder / "delivered"), folder / "event")
            read(spark, events)
            written(events, folder / "written")
            set_all(spark, COMPILED)
            read(spark, events)
            gateway = SparkContext._gateway
        gateway.shutdown()
        gateway.proc.stdin.close()
        gateway.proc.wait()


def set_all(spark: SparkSession, settings: dict[str, str]) -> None:
    for name, value in settings.items():
        spark.conf.set(name, value)


def replaced(spark: SparkSession, lines: DataFrame, folder: Path) -> DataFrame:
    """A table of the lines: created, appended to, one slice replaced, described, changed."""
    spark.sql(
        f"CREATE TABLE IF NOT EXISTS delta.`{folder}` (id BIGINT NOT NULL COMMENT 'a', day DATE, "
        "at TIMESTAMP, name STRING, amount DECIMAL(18, 6), parts ARRAY<STRUCT<a: INT, b: STRING>>) "
        "USING DELTA PARTITIONED BY (day) COMMENT 'events' TBLPROPERTIES ("
        "'delta.minReaderVersion' = '1', 'delta.minWriterVersion' = '3', "
        "'delta.enableDeletionVectors' = 'false', 'delta.dataSkippingStatsColumns' = 'id,at', "
        "'delta.constraints.positive' = '`id` IS NULL OR (id >= 0)')"
    )
    rows = lines.selectExpr(
        "CAST(split(value, '[|]')[0] AS BIGINT) AS id",
        f"{DAY} AS day",
        f"CAST({DAY} AS TIMESTAMP) AS at",
        "value AS name",
        "CAST(split(value, '[|]')[1] AS DECIMAL(18, 6)) AS amount",
        "array(named_struct('a', 1, 'b', value)) AS parts",
    )
    writer = rows.write.format("delta").option("userMetadata", "run")
    writer.mode("append").save(str(folder))
    in_order = rows.repartition(2, "id").sortWithinPartitions("day", "id")
    writer = in_order.write.format("delta").option("userMetadata", "run")
    writer.mode("overwrite").option("replaceWhere", f"day = {DAY}").save(str(folder))
    spark.sql(f"ALTER TABLE delta.`{folder}` SET TBLPROPERTIES ('some.property' = 'a')")
    spark.sql(f"DESCRIBE DETAIL delta.`{folder}`").collect()
    return spark.read.format("delta").load(str(folder))


def delivered(spark: SparkSession, folder: Path) -> DataFrame:
    """Delivered lines, with each expression of a run over texts worked out once."""
    folder.mkdir(parents=True)
    text = "".join(f"{number}|{number / 4:.2f}|name {number}\n" for number in range(50))
    (folder / "lines.txt").write_text(text, encoding="utf-8")
    lines = spark.read.text(str(folder), lineSep="\n").select(
        "value",
        "_metadata.file_path",
        "_metadata.file_name",
        F.monotonically_increasing_id().alias("row_no"),
    )
    lines = lines.where("octet_length(trim(value)) > 0 AND row_no >= 0").coalesce(4)
    lines.selectExpr(*EXPRESSIONS).collect()
    lines.persist().groupBy().count().collect()
    return lines


def read(spark: SparkSession, events: DataFrame) -> None:
    """Conditions, sums, joins, windows, sets of rows, and rows that go through Python."""
    events.where(f"day = {DAY} AND id > 3 AND amount > 0").selectExpr(*TIMES).collect()
    sums = events.groupBy("day", F.expr("id % 5").alias("rest")).agg(
        F.count(F.lit(1)),
        F.count_if(F.expr("amount > 1")),
        F.count_distinct("name"),
        F.sum("amount").alias("amount"),
        F.avg("amount"),
        F.min("at"),
        F.max("name"),
        F.first("name"),
        F.max_by("name", "id"),
        F.min_by("id", "id"),
        F.bool_or(F.expr("id > 3")),
        F.every(F.expr("id > 3")),
        F.collect_set("id"),
        F.collect_list(F.struct("id", "name")),
        F.percentile_approx("id", 0.5),
        F.expr("listagg(name, ',') WITHIN GROUP (ORDER BY id)"),
    )
    sums.collect()
    few = spark.createDataFrame([(1, "one"), (2, None)], "rest bigint, word string")
    rested = events.withColumn("rest", F.expr("id % 5"))
    shuffled = events.selectExpr("id AS other", "name AS other_name", "at AS since").repartition(3)
    (
        rested.join(F.broadcast(few), "rest", "left")
        .join(shuffled.hint("merge"), F.expr("id = other"))
        .join(shuffled.hint("shuffle_hash").selectExpr("other AS id"), "id", "left_semi")
        .join(F.broadcast(few).select("rest"), "rest", "left_anti")
        .join(F.broadcast(few.selectExpr("word AS more")), F.expr("name > more"), "left")
        .dropDuplicates(["id"])
        .collect()
    )
    in_order = Window.partitionBy("rest").orderBy("at", F.desc_nulls_last("id"))
    before = in_order.rowsBetween(Window.unboundedPreceding, -1)
    windows = rested.select(
        "*",
        F.row_number().over(in_order).alias("place"),
        F.rank().over(in_order),
        F.lag("id").over(in_order),
        F.lead("id").over(in_order),
        F.last("name", ignorenulls=True).over(before),
        F.sum("amount").over(Window.partitionBy("rest")),
    )
    windows.where("place = 1").orderBy(F.desc("id")).limit(3).collect()
    exploded = events.select("id", F.explode("parts").alias("part")).select("id", "part.*")
    exploded.unionByName(exploded).distinct().rollup("id").count().collect()
    events.select("id", "amount").exceptAll(events.select("id", "amount")).collect()
    events.select("id", "name", "at", "amount", "parts").mapInArrow(
        as_they_are, "id bigint"
    ).collect()
    events.select("id", "name", "at", "amount").toArrow()
    spark.createDataFrame(pa.table({"id": [1, 2]})).collect()
    events.describe("id").collect()


def as_they_are(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        yield batch.select(["id"])


def written(events: DataFrame, folder: Path) -> None:
    """Parquet in order, text, CSV and JSON, each read again."""
    events.orderBy("id").write.parquet(str(folder / "parquet"))
    again = events.sparkSession.read
    again.parquet(str(folder / "parquet")).select("*", "_metadata.row_index").collect()
    events.select("id", "name").coalesce(1).write.csv(str(folder / "csv"), header=True)
    again.csv(str(folder / "csv"), header=True).collect()
    events.select("name").write.text(str(folder / "text"))
    events.select("id", "name").write.json(str(folder / "json"))
    again.json(str(folder / "json"), schema="id bigint, name string").collect()


if __name__ == "__main__":
    main()
