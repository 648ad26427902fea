"""dw.consent: who agreed to which class of contact, and where the proof is.

The CRM states with each state of a subscriber whether the subscriber agrees to marketing and wants
to be left alone. The answer is the customer's: he agrees if all of his subscribers do.
"""

from __future__ import annotations

from datetime import date, timedelta

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from models.customer.identity import keyed_id
from models.frames.validity import not_ended

_NAMES = ("customer_id", "class", "granted", "valid_from", "valid_to", "proof")


def consent(
    previous: DataFrame | None,
    subscribers: DataFrame,
    *,
    class_: str,
    kept_days: int,
    key: str,
    data_date: date,
) -> DataFrame:
    """dw.consent as known at the end of `data_date`.

    `subscribers`: ods.subscriber; an answer holds from its changed_at until the subscriber's next
    one. `class_`: the class of marketing. `previous`: the snapshot before, or None. Rows of
    customers whom no delivery names any more were erased: they end, and stay for `kept_days`.
    """
    answers = _answers(subscribers, key, data_date)
    told = _told(answers).withColumn("class", F.lit(class_)).select(*_NAMES)
    if previous is not None:
        told = told.unionByName(_of_erased(previous, answers, kept_days, data_date))
    return told.select(F.lit(data_date).alias("data_date"), *_NAMES)


def _answers(subscribers: DataFrame, key: str, data_date: date) -> DataFrame:
    """What each subscriber of a customer said, valid until the next word of the same subscriber."""
    of_subscriber = Window.partitionBy("subscriber_no").orderBy("since", "valid_from", "proof")
    spoken = (
        subscribers.where(F.col("batch_date") <= F.lit(data_date))
        .withColumn("since", F.greatest("changed_at", "valid_from"))
        .withColumn(
            "proof", F.concat_ws("/", "source", "file_name", F.col("row_no").cast("string"))
        )
        .withColumn("granted", F.col("consent_marketing") & ~F.col("do_not_disturb"))
    )
    return spoken.select(
        keyed_id("customer", F.col("customer_no"), key=key).alias("customer_id"),
        "subscriber_no",
        "granted",
        "since",
        F.least("valid_to", F.lead("since").over(of_subscriber)).alias("until"),
        "proof",
    ).where(F.col("until").isNull() | (F.col("since") < F.col("until")))


def _told(answers: DataFrame) -> DataFrame:
    """The customer's answer between two instants at which one of his subscribers' changes."""
    ends = answers.select("customer_id", F.col("until").alias("at"))
    starts = answers.select("customer_id", F.col("since").alias("at"))
    of_customer = Window.partitionBy("customer_id").orderBy("at")
    spans = (
        starts.unionByName(ends)
        .where("at IS NOT NULL")
        .distinct()
        .withColumn("next", F.lead("at").over(of_customer))
    )
    then = (F.col("since") <= F.col("at")) & not_ended(F.col("at"), "until")
    deciding = F.struct(~F.col("granted"), "since", "proof")  # a refusal, else the last word
    held = (
        spans.join(answers, "customer_id")
        .where(then)
        .groupBy("customer_id", "at", "next")
        .agg(F.bool_and("granted").alias("granted"), F.max_by("proof", deciding).alias("proof"))
    )
    before = F.lag("granted").over(of_customer)
    adjoins = F.lag("next").over(of_customer) == F.col("at")
    is_new = ~(F.coalesce(adjoins, F.lit(False)) & before.eqNullSafe(F.col("granted")))
    numbered = held.withColumn("_new", is_new.cast("int")).withColumn(
        "_run", F.sum("_new").over(of_customer)
    )
    return numbered.groupBy("customer_id", "_run").agg(
        F.first("granted").alias("granted"),
        F.min("at").alias("valid_from"),
        F.when(F.count_if(F.col("next").isNull()) == 0, F.max("next")).alias("valid_to"),
        F.min_by("proof", "at").alias("proof"),
    )


def _of_erased(
    previous: DataFrame, answers: DataFrame, kept_days: int, data_date: date
) -> DataFrame:
    """The rows of customers whom no delivery names any more, while their time runs."""
    ended = F.coalesce("valid_to", _midnight(data_date))
    return (
        previous.join(answers.select("customer_id"), "customer_id", "left_anti")
        .withColumn("valid_to", ended)
        .where(F.col("valid_to") > _midnight(data_date - timedelta(days=kept_days)))
        .select(*_NAMES)
    )


def _midnight(day: date) -> Column:
    return F.lit(day).cast("timestamp")
