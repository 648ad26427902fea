"""What the tables of a night tell the contact policy about each customer: the entry of a decision.

met = known.planned(candidates, policy, classes=…, data_date=day)
facts = known.facts(known.Tables(…), policy, data_date=day)
judged = rules.judged(met, facts, policy, zone)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from models.contact_policy import history
from models.contact_policy.compiled import Compiled
from models.contact_policy.rules import Facts
from models.frames.lookup import looked_up
from models.frames.validity import not_ended, valid_at


@dataclass(frozen=True)
class Tables:
    """The tables of a night.

    - `history`: dw.contact_history of the last `Compiled.memory` days; `outcomes`: as many days of
      dw.contact_outcome
    - `consent`, `identity`: the day's snapshots of dw.consent and dw.subscriber_identity
    - `do_not_contact`, `sensitive_numbers`: the ods tables, all deliveries up to the day
    - `levels`: mart.sensitivity, or None if nobody has a level
    """

    history: DataFrame
    outcomes: DataFrame
    consent: DataFrame
    identity: DataFrame
    do_not_contact: DataFrame
    sensitive_numbers: DataFrame
    levels: DataFrame | None = None


def planned(
    candidates: DataFrame, policy: Compiled, *, classes: Mapping[str, str], data_date: date
) -> DataFrame:
    """`candidates` with class, planned_at and planned_until: when the channel works the list.

    `classes`: the class of each campaign. The list of a night is worked from the next day on.
    """
    midnight = F.lit(data_date + timedelta(days=1)).cast("timestamp")
    begins = {name: one.at for name, one in policy.lists.items()}
    lasts = {name: one.length for name, one in policy.lists.items()}
    return (
        candidates.withColumn("class", looked_up(F.col("campaign_id"), classes, "string"))
        .withColumn(
            "planned_at",
            midnight + F.make_dt_interval(secs=looked_up(F.col("channel"), begins, "int")),
        )
        .withColumn(
            "planned_until",
            F.col("planned_at")
            + F.make_dt_interval(secs=looked_up(F.col("channel"), lasts, "int")),
        )
    )


def facts(tables: Tables, policy: Compiled, *, data_date: date) -> Facts:
    """What is known of the customers at the end of `data_date`."""
    levels = tables.levels
    if levels is None:
        nobody = tables.consent.where("false").select("customer_id")
        levels = nobody.selectExpr("customer_id", "'' AS tariff_level", "'' AS complaint_level")
    return Facts(
        contacts=history.standing(tables.history),
        outcomes=history.outcomes(tables.outcomes),
        closed=closed(tables.do_not_contact, tables.identity, policy),
        consent=tables.consent,
        sensitive=sensitive(tables.sensitive_numbers, tables.identity, data_date),
        levels=levels,
    )


def closed(do_not_contact: DataFrame, identity: DataFrame, policy: Compiled) -> DataFrame:
    """(customer_id, channel, class, valid_from, valid_to): what customers closed; NULL: all.

    The last state of an entry counts. An entry is about the person who held the number when it was
    listed, and so about all numbers of that person. If nobody held it then, it is about the next
    holder. A later holder of the number is free of it.
    """
    last = Window.partitionBy("msisdn", "channel", "campaign_type").orderBy(
        F.col("changed_at").desc(), F.col("batch_date").desc(), "file_name", "row_no"
    )
    entries = (
        do_not_contact.withColumn("_version", F.row_number().over(last))
        .where("_version = 1")
        .select(
            F.col("msisdn").alias("_number"),
            "channel",
            looked_up(F.col("campaign_type"), policy.class_of_type, "string").alias("class"),
            F.col("listed_at").alias("_listed"),
            F.col("delisted_at").alias("_delisted"),
        )
    )
    held = (F.col("msisdn") == F.col("_number")) & not_ended(F.col("_listed"))
    entry = ("_number", "channel", "class", "_listed", "_delisted")
    return (
        entries.join(identity, held)
        .groupBy(*entry)
        .agg(F.min_by("customer_id", F.struct("valid_from", "customer_id")).alias("customer_id"))
        .select(
            "customer_id",
            "channel",
            "class",
            F.col("_listed").alias("valid_from"),
            F.col("_delisted").alias("valid_to"),
        )
    )


def sensitive(numbers: DataFrame, identity: DataFrame, data_date: date) -> DataFrame:
    """(customer_id): who holds a number of the newest list on the day after `data_date`.

    A list is full and for its month. Until the list of a month has come, that of the month before
    holds.
    """
    planned_day = data_date + timedelta(days=1)
    lists = numbers.where(F.col("month") <= F.lit(planned_day))
    newest = lists.agg(F.max("month").alias("month"))
    held = identity.where(valid_at(F.lit(planned_day).cast("timestamp")))
    return (
        lists.join(F.broadcast(newest), "month")
        .join(held.select("msisdn", "customer_id"), "msisdn")
        .select("customer_id")
        .distinct()
    )
