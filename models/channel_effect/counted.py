"""What customers of both arms did around their assignment: calls, complaints, transactions.

An effect compares customers of one campaign and wave by assignment (dw.campaign_response). Each has
a window of days after it, and one as long up to it. Only closed windows count.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from models.campaign.read_out import SETTLE_DAYS
from models.frames.lookup import looked_up

SMS_BLAST, OFFLOAD, GUIDANCE, TARIFF = "sms_blast", "offload", "guidance", "tariff"
ALL, BEFORE, AFTER = "all", "before", "after"
DAYS = {SMS_BLAST: 7, OFFLOAD: 28, TARIFF: 28}  # of a window
SMS = "sms"
CALLED = ("hotline", "ivr")
# Where a customer serves himself 电子渠道, and where somebody takes the cash.
ELECTRONIC = ("self_service_hall", "ivr", "sms", "web", "wap", "terminal", "email")
COUNTERS = ("hall", "brand_shop", "designated_shop", "agent", "customer_manager")
BROWSED = ("web", "wap")
ABOUT_MESSAGES, ABOUT_TARIFFS = "marketing_sms", "tariff"  # types of complaints
HOURS = range(24)
GROUP = ("effect", "group", "arm")
PERSON = (*GROUP, "campaign_id", "wave", "customer_id", "subscriber_id", "offers")
MOMENTS = ("n", "y", "yy", "x", "xx", "xy")


def cohorts(
    responses: DataFrame, offloading: Sequence[str], tariffs: Sequence[str], data_date: date
) -> DataFrame:
    """The assignments that an effect is read from, once for each effect, with their windows.

    `responses`: dw.campaign_response of `data_date`; `offloading` and `tariffs`: ids of campaigns
    of these types. Messages: customers whose channel was SMS, or would have been. `closed`: the
    window is over, and what is told of it is in.
    """
    effects = F.array_compact(
        F.array(
            F.when(F.col("channel") == SMS, SMS_BLAST),
            F.when(F.col("campaign_id").isin(*offloading), OFFLOAD),
            F.when(F.col("campaign_id").isin(*tariffs), TARIFF),
        )
    )
    rows = responses.withColumn("effect", F.explode(effects))
    days = looked_up(F.col("effect"), DAYS, "int")
    return rows.select(
        F.concat_ws("|", "campaign_id", "wave").alias("group"),
        *(name for name in PERSON if name != "group"),
        F.date_sub("assigned_on", days - 1).alias("since"),
        F.date_add("assigned_on", 1).alias("opens"),
        F.date_add("assigned_on", days).alias("closes"),
    ).withColumn("closed", F.date_add("closes", SETTLE_DAYS) <= F.lit(data_date))


def people(cohort: DataFrame, contacts: DataFrame) -> DataFrame:
    """One row per closed assignment of `cohorts`: what the customer did before and after.

    `contacts`: dw.contact_event. A complaint counts if it is about messages, or about tariffs; a
    transaction if it is of a business that the campaign offers.
    """
    events = contacts.where("direction = 'in' AND customer_id IS NOT NULL").select(
        F.col("customer_id").alias("who"),
        F.col("local_date").alias("day"),
        F.hour("occurred_at").alias("hour"),
        F.col("channel").alias("over"),
        "kind",
        "business_code",
        "about_channel",
    )
    inside = (F.col("who") == F.col("customer_id")) & F.col("day").between(
        F.col("since"), F.col("closes")
    )
    after = F.col("day") >= F.col("opens")
    called = F.col("over").isin(*CALLED)
    complained, about = F.col("kind") == "complaint", F.col("business_code")
    blamed = complained & ((about == ABOUT_MESSAGES) | (F.col("about_channel") == SMS))
    done = (F.col("kind") == "transaction") & F.array_contains("offers", F.col("business_code"))
    electronic, counter = F.col("over").isin(*ELECTRONIC), F.col("over").isin(*COUNTERS)
    counted = {
        "complaints": after & blamed,
        "tariff_complaints": after & complained & (about == ABOUT_TARIFFS),
    }
    for when, name in ((~after, BEFORE), (after, AFTER)):
        counted[f"calls_{name}"] = when & called
        counted[f"browsed_{name}"] = when & F.col("over").isin(*BROWSED)
        counted[f"done_{name}"] = when & done
        counted[f"electronic_{name}"] = when & done & electronic
        counted[f"counter_{name}"] = when & done & counter
    hours = [F.count_if(after & called & (F.col("hour") == hour)) for hour in HOURS]
    return (
        cohort.where("closed")
        .join(events, inside, "left")
        .groupBy(*PERSON)
        .agg(
            *(F.count_if(condition).alias(name) for name, condition in counted.items()),
            F.array(*hours).alias("hours"),
        )
    )


def sums(done: DataFrame) -> DataFrame:
    """The MOMENTS by GROUP, metric and part, of the rows of `people`.

    y is the value of a customer; x stands beside it: the same before, or all transactions.
    """
    said, nothing = F.lit(1), F.lit(0)
    blast = [
        _value(SMS_BLAST, "calls", ALL, F.col("calls_after"), F.col("calls_before")),
        *(
            _value(SMS_BLAST, "calls", f"{hour:02d}", F.col("hours")[hour], nothing)
            for hour in HOURS
        ),
        _value(SMS_BLAST, "complaint_rate", ALL, F.least(said, "complaints"), nothing),
    ]
    told = [
        _value(TARIFF, "visits", ALL, F.col("browsed_after"), F.col("browsed_before")),
        _value(TARIFF, "complaint_rate", ALL, F.least(said, "tariff_complaints"), nothing),
    ]
    moved = [
        _value(OFFLOAD, f"{where}_share", part, F.col(f"{where}_{part}"), F.col(f"done_{part}"))
        for where in ("electronic", "counter")
        for part in (BEFORE, AFTER)
    ]
    guided = [_value(GUIDANCE, "calls", ALL, F.col("calls_after"), F.col("calls_before"))]
    values = (
        F.when(F.col("effect") == SMS_BLAST, F.array(*blast))
        .when(F.col("effect") == TARIFF, F.array(*told))
        .otherwise(F.array(*moved, *guided))
    )
    y, x = F.col("y"), F.col("x")
    return (
        done.select("group", "arm", F.inline(values))
        .groupBy(*GROUP, "metric", "part")
        .agg(
            F.count(F.lit(1)).alias("n"),
            F.sum(y).alias("y"),
            F.sum(y * y).alias("yy"),
            F.sum(x).alias("x"),
            F.sum(x * x).alias("xx"),
            F.sum(x * y).alias("xy"),
        )
    )


def _value(effect: str, metric: str, part: str, y: Column, x: Column) -> Column:
    return F.struct(
        F.lit(effect).alias("effect"),
        F.lit(metric).alias("metric"),
        F.lit(part).alias("part"),
        y.cast("bigint").alias("y"),
        x.cast("bigint").alias("x"),
    )


def second_round(done: DataFrame) -> DataFrame:
    """mart.second_round without data_date: guided customers who still come to a counter (S4-03).

    `done`: the rows of `people`. They were treated, did
    what the campaign is about at a counter or the desk after it, and never over an electronic
    channel.
    """
    failed = (
        (F.col("effect") == OFFLOAD)
        & (F.col("arm") == "treated")
        & (F.col("done_after") > 0)
        & (F.col("electronic_after") == 0)
    )
    return done.where(failed).select(
        "campaign_id",
        "wave",
        "customer_id",
        "subscriber_id",
        F.col("done_after").alias("transactions"),
        F.col("counter_after").alias("at_counters"),
    )
