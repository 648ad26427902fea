"""The contact policy over a province: the contacts of each customer under the shipped caps.

Makes 30 contacts of the last 40 days for each customer and one candidate over a pushed channel, and
times the verdicts, written nowhere. Some customers also ask the rules in plain Python. It ends
where the two differ.
"""

import argparse
import time
from datetime import date, datetime, timedelta

from pyspark.sql import functions as F

from jobs.runtime import arguments
from jobs.runtime.session import spark_session
from jobs.runtime.walk import configuration
from models.contact_policy import known, one_customer, rules
from models.contact_policy.compiled import compiled, local_second
from models.contact_policy.one_customer import Candidate, Contact, Person
from schemas.render.spark import struct_type

DAY, CONTACTS, SPAN, ASKED = date(2009, 5, 3), 30, 40 * 86400, 200


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("customers", nargs="?", type=int, default=1_000_000)
    args = parser.parse_args()
    folders = arguments.conf_folders(None)
    conf, contracts, _ = configuration(folders)
    policy, zone = compiled(conf.policy.contacts, conf.channels), conf.runtime.timezone
    channels = list(policy.lists)
    with spark_session(conf, folders) as spark:
        end = F.lit(DAY + timedelta(days=1)).cast("timestamp").cast("long")
        history = (
            spark.range(args.customers * CONTACTS)
            .withColumn("customer_id", F.floor(F.col("id") / CONTACTS))
            .withColumn("_lot", F.abs(F.xxhash64("id")))
            .select(
                "customer_id",
                F.col("id").alias("contact_id"),
                _one_of("_lot", 7, ["marketing", "care", "service", "survey"]).alias("class"),
                _one_of("_lot", 11, sorted(policy.ways)).alias("channel"),
                F.lit(None).cast("string").alias("campaign_id"),
                F.lit(None).cast("string").alias("offer"),
                F.timestamp_seconds(end - F.pmod("_lot", F.lit(SPAN))).alias("happened_at"),
                F.lit(None).cast("timestamp").alias("until"),
                F.lit("made").alias("state"),
            )
            .withColumn("way", rules.looked_up(F.col("channel"), policy.ways, "string"))
        )

        def none_of(table):
            return spark.createDataFrame([], struct_type(contracts[table]))

        tables = known.Tables(
            history=history,
            outcomes=none_of("dw.contact_outcome"),
            consent=none_of("dw.consent"),
            identity=none_of("dw.subscriber_identity"),
            do_not_contact=none_of("ods.do_not_contact"),
            sensitive_numbers=none_of("ods.sensitive_number"),
        )
        met = spark.range(args.customers).select(
            F.col("id").alias("customer_id"),
            _one_of("id", 1, channels).alias("channel"),
            F.lit("c").alias("campaign_id"),
            F.lit("o").alias("offer"),
        )
        met = known.planned(met, policy, classes={"c": "marketing"}, data_date=DAY)
        facts = known.facts(tables, policy, data_date=DAY)
        judged = rules.judged(met, facts, policy, zone)
        begun = time.monotonic()
        judged.write.format("noop").mode("overwrite").save()
        seconds = time.monotonic() - begun
        print(
            f"{args.customers:,} customers × {CONTACTS} contacts × {len(policy.caps)} caps, "
            f"a candidate each: {seconds:.1f} s"
        )
        few = F.col("customer_id") < ASKED
        _compare(history.where(few).collect(), judged.where(few).collect(), policy, zone)


def _one_of(lot: str, prime: int, names: list[str]):
    place = F.pmod(F.floor(F.col(lot) / prime), F.lit(len(names))) + 1
    return F.element_at(F.array(*map(F.lit, names)), place.cast("int"))


def _compare(contacts, judged, policy, zone) -> None:
    """The same verdicts for a few customers in plain Python; ends where they differ."""

    def second(instant: datetime) -> int:
        return local_second(instant.astimezone(), zone)

    people: dict[int, list[Contact]] = {}
    for row in contacts:
        at = second(row["happened_at"])
        people.setdefault(row["customer_id"], []).append(
            Contact(row["class"], row["way"], row["channel"], at, at)
        )
    begun = time.monotonic()
    for row in judged:
        planned = second(row["planned_at"]), second(row["planned_until"])
        asked = Candidate("marketing", row["channel"], *planned, "c", "o")
        alone = one_customer.judged(Person(people[row["customer_id"]]), asked, policy)
        retry = row["retry_at"] and second(row["retry_at"])
        if (alone.reasons, alone.slots, alone.retry_at) != (
            tuple(row["contact_reasons"]),
            row["slots"],
            retry,
        ):
            raise SystemExit(f"the verdicts of customer {row['customer_id']} differ")
    each = (time.monotonic() - begun) / len(judged)
    print(f"{len(judged):,} verdicts are equal in plain Python, {1000 * each:.2f} ms each")


if __name__ == "__main__":
    main()
