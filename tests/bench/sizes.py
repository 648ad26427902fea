"""Long events, and very many events of one subscriber, under the shipped catalogue.

An event costs what its bands cost, not what its quantity is. Guided, added up by day and month into
nothing, in the same run:
- sessions of 5 GB, against as many of 5 KB;
- a tenth as many calls of 30 days, against as many of one minute;
- calls of one subscriber in one month, against as many of a thousand; then the replay of their free
  units under every signature, against that of the thousand.
It ends where the sums are wrong. Memory is the most of the whole process so far, Java included.
"""

import argparse
import sys

from pyspark.sql import functions as F

from jobs.runtime import arguments
from jobs.runtime.session import spark_session
from jobs.runtime.walk import configuration
from models.rating import free_units
from models.tariff import catalogue
from models.usage import cube as usage_cube
from models.usage import events as usage_events
from models.usage import register
from tests.bench.cube import seconds_of
from tests.bench.watched import Watched
from tests.given.many_events import APRIL, DAYS, guided

KB, GB = 1000, 10**9
MINUTE, MONTH = 60, DAYS * 86400
MANY = 1000  # subscribers


class Usage:
    """What events of the shipped catalogue cost."""

    def __init__(self, spark, tariffs, toll_rerated):
        self.spark, self.tariffs, self.toll_rerated = spark, tariffs, toll_rerated
        self.measures = register.measures_wanted((), tariffs)

    def added_up(self, records):
        """The month of guided records."""
        days = usage_cube.by_day(records, self.measures)
        return usage_cube.by_month(days, [APRIL], self.measures)

    def seconds(self, subscribers=1, **events) -> float:
        """Of the month of so many events."""
        records = guided(self.spark, self.tariffs, subscribers, **events)
        return seconds_of(self.added_up(records))

    def check(self, **events) -> None:
        """Ends the run where events of one subscriber do not add up to their own sum."""
        added = self.added_up(guided(self.spark, self.tariffs, **events))
        cell = F.explode("cells").alias("cell")
        (got,) = added.select(cell).agg(F.sum("cell.quantity")).first()
        if got != sum(count * quantity for count, quantity in events.values()):
            sys.exit(f"the sums of {events} are wrong: {got:,}")

    def replayed(self, subscribers, calls) -> float:
        """Seconds of the replay of every signature for the month of each subscriber."""
        records = guided(self.spark, self.tariffs, subscribers, calls=calls)
        packages = free_units.representatives(
            list(self.tariffs.packages.values()), self.toll_rerated
        )
        places = F.sequence(F.lit(0), F.lit(len(packages) - 1))
        months = self.spark.range(subscribers).select(
            F.col("id").alias("subscriber_id"),
            F.lit(APRIL).alias("month"),
            F.lit(None).cast("date").alias("joined"),
            places.alias("wanted"),
        )
        cells = usage_events.cells(records).collect()
        return seconds_of(free_units.split(records, months, cells, packages, self.toll_rerated, ()))


def main() -> None:
    parser = argparse.ArgumentParser(prog="tests.bench.sizes", description=__doc__)
    parser.add_argument("events", type=int)
    parser.add_argument("build", help="unused: nothing is written")
    args = parser.parse_args()
    folders = arguments.conf_folders(None)
    conf = configuration(folders).conf
    count, few = args.events, max(1, args.events // 10)
    with Watched() as cost, spark_session(conf, folders) as spark:
        usage = Usage(spark, catalogue.load(conf.tariffs.values()), conf.policy.rating.toll_rerated)
        usage.seconds(sessions=(few, KB), calls=(few, MINUTE))  # warm

        def told(what: str, ours: float, rival: str, theirs: float) -> None:
            print(
                f"{what}: {ours:.1f} s, {rival}: {theirs:.1f} s: {ours / theirs:.2f} times; "
                f"most memory so far {cost.most_gib:.2f} GiB"
            )

        usage.check(sessions=(count, 5 * GB))
        usage.check(calls=(few, MONTH))
        for kind, long, short, amount, quantity, small in (
            ("sessions", "5 GB", "5 KB", count, 5 * GB, 5 * KB),
            ("calls", "30 days", "a minute", few, MONTH, MINUTE),
        ):
            theirs = usage.seconds(MANY, **{kind: (amount, small)})
            ours = usage.seconds(MANY, **{kind: (amount, quantity)})
            told(f"{amount:,} {kind} of {long}", ours, f"of {short}", theirs)
        calls = (count, MINUTE + 1)
        told(
            f"{count:,} calls of one subscriber, added up",
            usage.seconds(calls=calls),
            f"of {MANY:,}",
            usage.seconds(MANY, calls=calls),
        )
        told(
            f"{count:,} calls of one subscriber, replayed",
            usage.replayed(1, calls),
            f"of {MANY:,}",
            usage.replayed(MANY, calls),
        )


if __name__ == "__main__":
    main()
