"""The read-out of many campaigns: both arms added up, beside DuckDB over the same files.

Fifty campaigns, of `assigned` customers together, with four rows of a value for each: two metrics
with the value before the assignment (CUPED) and the cost of contacts. It ends where the sums of the
two differ. Synthetic data.
"""

import argparse
import sys
from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from jobs.runtime import arguments
from jobs.runtime.session import spark_session
from jobs.runtime.walk import configuration
from models.evaluation import arms
from schemas.config.metric import metric_of
from tests.bench.watched import Watched

CAMPAIGNS, ROWS_EACH = 50, 4
NIGHT, DAY = date(2009, 5, 3), date(2009, 7, 31)
COST = Decimal("0.30")
NAMES = {"name_cn": "指标", "name_en": "It", "direction": "up", "role": "goal", "window_days": 60}
SPENT = {"table": "ods.bill", "at": "month", "take": "sum", "column": "total"}
CALLED = {"table": "dw.contact_event", "at": "local_date", "take": "rows"}
METRICS = {
    name: metric_of(
        name,
        {
            **NAMES,
            "unit": "customer",
            "numerator": numerator,
            "denominator": "assigned",
            "before_days": 60,
            "winsor_limit": "100",
        },
    )
    for name, numerator in (("bill", SPENT), ("calls", CALLED))
}
DUCKDB = """
    with units as (
        select campaign_id, arm, brand, metric, any_value(0.30 * touches) as c,
            least(coalesce(sum(value) filter (day between opens and closes), 0), 100) as y,
            least(coalesce(sum(value) filter (day < opens and day > assigned_on - 60), 0), 100) as x
        from (
            select *, assigned_on + 1 as opens, assigned_on + 60 as closes
            from '{folder}/cohort/*.parquet', (values ('bill'), ('calls')) as of(metric)
        ) left join '{folder}/values/*.parquet' using (metric, customer_id)
        group by campaign_id, arm, brand, metric, customer_id
    )
    select campaign_id, metric, arm, brand, count(*) as n, sum(y) as y, sum(x) as x, sum(c) as c,
        sum(y * y) as yy, sum(x * x) as xx, sum(x * y) as xy, sum(c * c) as cc, sum(c * y) as cy
    from units group by all
"""
KEY = ("campaign_id", "metric", "arm", "brand")


def write(spark: SparkSession, assigned: int, folder: Path) -> None:
    """Assignments, each of a customer of its own, and the values of these customers."""
    number = F.col("id")
    spark.range(assigned).select(
        F.concat(F.lit("c"), number % CAMPAIGNS).alias("campaign_id"),
        F.lit(1).alias("wave"),
        F.when(F.xxhash64(number) % 10 == 0, "control").otherwise("treated").alias("arm"),
        F.when(number % 3 == 0, "gotone").otherwise("mzone").alias("brand"),
        F.lit("sms").alias("channel"),
        F.lit(NIGHT).alias("assigned_on"),
        (number % 3).cast("int").alias("touches"),
        F.xxhash64(number, F.lit("customer")).alias("customer_id"),
        F.lit(True).alias("known"),
    ).write.parquet(str(folder / "cohort"))
    spark.range(assigned * ROWS_EACH).select(
        F.when(number % 2 == 0, "bill").otherwise("calls").alias("metric"),
        F.xxhash64((number / ROWS_EACH).cast("bigint"), F.lit("customer")).alias("customer_id"),
        F.date_add(F.lit(NIGHT), F.expr("int(xxhash64(id, 'day') % 60)")).alias("day"),
        (F.pmod(F.xxhash64(number, F.lit("value")), F.lit(12_000)) / 100)
        .cast(arms.AMOUNT)
        .alias("value"),
    ).write.parquet(str(folder / "values"))


def summed(spark: SparkSession, folder: Path) -> DataFrame:
    """The sums of the read-out."""
    cohort = spark.read.parquet(str(folder / "cohort"))
    cohort = cohort.withColumn("subscriber_id", F.col("customer_id"))
    values = spark.read.parquet(str(folder / "values")).select(
        "metric",
        F.lit(arms.Y).alias("side"),
        F.col("customer_id").alias("unit_id"),
        F.lit(None).cast("string").alias("of_campaign"),
        F.lit(None).cast("int").alias("of_wave"),
        "day",
        "value",
    )
    asked = [
        arms.Asked(f"c{n}", metric, metric.window_days, daily=False)
        for n in range(CAMPAIGNS)
        for metric in METRICS.values()
    ]
    return arms.sums(cohort, values, asked, F.lit(COST), DAY)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("assigned", nargs="?", type=int, default=5_000_000)
    parser.add_argument("build", type=Path)
    args = parser.parse_args()
    if args.build.exists():
        sys.exit(f"{args.build} is there already; name a new folder")
    conf = configuration(arguments.conf_folders(None)).conf
    print(f"{CAMPAIGNS} campaigns, {args.assigned:,} assigned, {args.assigned * ROWS_EACH:,} rows")
    with spark_session(conf, arguments.conf_folders(None)) as spark:
        write(spark, args.assigned, args.build)
        with Watched() as cost:
            ours = summed(spark, args.build).collect()
        print(f"  added up in {cost.seconds:.1f} s; most memory {cost.most_gib:.1f} GiB")
    with Watched() as rival:
        told = duckdb.sql(DUCKDB.format(folder=args.build))
        names, rows = told.columns, told.fetchall()
    theirs = {tuple(row[: len(KEY)]): dict(zip(names, row, strict=True)) for row in rows}
    for row in ours:
        other = theirs.pop(tuple(row[name] for name in KEY))
        for name in arms.MOMENTS:
            if row[name] != other[name]:
                sys.exit(f"{name} of {row[0]}: {row[name]} by Spark, {other[name]} by DuckDB")
    if theirs:
        sys.exit(f"DuckDB has {len(theirs)} groups more")
    ratio = cost.seconds / rival.seconds
    print(f"  the same sums by DuckDB: {rival.seconds:.1f} s; we take {ratio:.2f} times as long")


if __name__ == "__main__":
    main()
