"""The evaluator against the rival that a user would write: one event at a time in plain Python.

Rates the customer-months of a warehouse under every package of the catalogue, through Spark from
the usage cube, and a sample of them by the reference rater from the records; prints both per
(record × package). A small warehouse would time little but the start of a job, so every customer is
taken so many times, under as many numbers. That the two agree to the last unit is the tests'
business.
"""

import sys
import time
from pathlib import Path

from pyspark.sql import functions as F

from jobs.runtime import arguments
from jobs.runtime.session import spark_session
from jobs.runtime.walk import configuration
from models.rating import evaluator as rating
from models.rating.cube import Cube, customer_months
from models.reference.rater import Rater
from models.tariff import catalogue
from models.usage import register
from tests.readers.warehouse_reader import events, query, rerated

SAMPLE, COPIES = 200, 40


def main() -> None:
    warehouse = Path(sys.argv[1])
    folders = arguments.conf_folders(None)
    conf = configuration(folders).conf
    packages = list(catalogue.load(conf.tariffs.values()).packages.values())
    months = [
        month for (month,) in query(warehouse, "SELECT DISTINCT month FROM u", u="dw.usage_month")
    ]
    happened = events(warehouse, conf.policy.calendar.holidays)
    services = [package.services[0] for package in packages]

    def rated(people) -> int:
        """Records × packages of the people in the months."""
        return sum(
            services.count(event.service)
            for who in people
            for event in happened[who]
            if event.local_date.replace(day=1) in months
        )

    with spark_session(conf, folders) as spark:

        def load(name: str):
            return spark.read.format("delta").load(str((warehouse / name).resolve()))

        def copied(name: str):
            copies = spark.range(COPIES).withColumnRenamed("id", "copy")
            return (
                load(name)
                .crossJoin(F.broadcast(copies))
                .withColumn("subscriber_id", F.xxhash64("subscriber_id", "copy"))
                .drop("copy")
                .persist()
            )

        used = copied("dw/usage_month")
        frame = customer_months(used, copied("dw/subscriber"), months).persist()
        rows = frame.count() * len(packages)
        cube = Cube(
            frame,
            used,
            load("dw/rating_cell").collect(),
            register.from_rows(load("dw/rating_measure").collect()),
            copied("dw/free_unit_split"),
        )
        evaluated = rating.evaluate(cube, packages, conf.policy.rating.toll_rerated)
        evaluated.write.format("noop").mode("overwrite").save()  # warm
        begun = time.monotonic()
        evaluated.write.format("noop").mode("overwrite").save()
        engine = time.monotonic() - begun
    sample = sorted(happened)[:SAMPLE]
    raters = [Rater(conf.tariffs[package.id].data, toll="ip_only") for package in packages]
    begun = time.monotonic()
    for who in sample:
        for month in months:
            for rater in raters:
                rerated(rater, happened[who], month, None)
    plain = time.monotonic() - begun
    records, sampled = COPIES * rated(happened), rated(sample)
    ours, theirs = engine / records, plain / sampled
    print(
        f"{rows:,} customer-months × packages, {records:,} records × packages: {engine:.1f} s "
        f"from the cube, {ours * 1e9:,.0f} ns each"
    )
    print(
        f"plain Python over {sampled:,} records × packages: {plain:.1f} s, "
        f"{theirs * 1e9:,.0f} ns each: {theirs / ours:.0f} times as long"
    )


if __name__ == "__main__":
    main()
