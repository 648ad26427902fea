"""Usage records in one form, whichever service they are of.

One row per record: the number that pays, the time, the facts that can decide a price, the quantity
in base units (seconds, bytes, messages), the fees as integers in micro-yuan, and what tells which
records are parts of one event.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from models.frames.money import micro_yuan
from models.tariff.measure import FEES

ADDED, TAKEN_BACK = 1, -1
TIME = ("msisdn", "occurred_at", "local_date", "local_second")
FACTS = ("service", "direction", "roaming", "toll", "dial", "in_group", "message_kind")
ORIGIN = ("source", "batch_date", "file_name", "row_no")
# An event has the same `number`, `gateway`, `msisdn` and `direction` in all its parts.
PART = ("number", "gateway", "part_no", "length_s")
TABLES = ("ods.voice_call", "ods.message", "ods.data_session", "ods.wlan_session")


def recorded(records: Mapping[str, DataFrame]) -> DataFrame:
    """The rows of some `TABLES` in one form. Grain: the accepted record.

    `event_key` orders the events of one instant; it follows from the record alone. `airtime_fee` is
    the basic fee of the service: airtime, message or volume. A missed call has quantity 0.
    `number` and `gateway` identify the event at its system, `part_no` is the place of the record
    among the parts of the event, `length_s` how long the record lasted.
    """
    forms = {
        "ods.voice_call": _calls,
        "ods.message": _messages,
        "ods.data_session": _sessions,
        "ods.wlan_session": _wlan,
    }
    return reduce(DataFrame.unionByName, [forms[name](rows) for name, rows in records.items()])


def _calls(voice: DataFrame) -> DataFrame:
    missed = F.col("outcome") == "missed"
    return voice.select(
        *TIME,
        *ORIGIN,
        F.col("record_key").alias("event_key"),
        F.lit("voice").alias("service"),
        "direction",
        "roaming",
        "toll",
        "dial",
        "in_group",
        F.lit(None).cast("string").alias("message_kind"),
        F.when(missed, 0).otherwise(F.col("duration_s")).cast("bigint").alias("quantity"),
        *_fees("airtime_fee", "toll_fee", "info_fee"),
        *_part("call_no", length="duration_s"),
    )


def _messages(messages: DataFrame) -> DataFrame:
    return messages.select(
        *TIME,
        *ORIGIN,
        F.col("record_key").alias("event_key"),
        "service",
        "direction",
        "roaming",
        *_without("toll", "dial"),
        F.lit(None).cast("boolean").alias("in_group"),
        F.col("kind").alias("message_kind"),
        F.lit(1).cast("bigint").alias("quantity"),
        *_fees("fee", None, "info_fee"),
        *_part("message_no", part_no=None),
    )


def _sessions(sessions: DataFrame) -> DataFrame:
    """Data sessions, counted in bytes."""
    return sessions.select(
        *TIME,
        *ORIGIN,
        F.col("record_key").alias("event_key"),
        F.lit("data").alias("service"),
        "roaming",
        *_without("direction", "toll", "dial", "message_kind"),
        F.lit(None).cast("boolean").alias("in_group"),
        (F.col("bytes_up") + F.col("bytes_down")).alias("quantity"),
        *_fees("fee", None, None),
        *_part("session_no", gateway="gateway", length="duration_s"),
    )


def _wlan(sessions: DataFrame) -> DataFrame:
    """WLAN sessions, counted in seconds. At another operator's hot spot the customer is abroad."""
    return sessions.select(
        *TIME,
        *ORIGIN,
        F.col("record_key").alias("event_key"),
        F.lit("wlan").alias("service"),
        F.when(F.col("roaming_carrier").isNull(), "home").otherwise("intl").alias("roaming"),
        *_without("direction", "toll", "dial", "message_kind"),
        F.lit(None).cast("boolean").alias("in_group"),
        F.col("duration_s").cast("bigint").alias("quantity"),
        *_fees("fee", None, None),
        *_part("session_no", length="duration_s"),
    )


def _part(
    number: str,
    gateway: str | None = None,
    part_no: str | None = "part_no",
    length: str | None = None,
) -> list[Column]:
    """The columns PART; a name that is None gives NULL."""

    def column(name: str | None, kind: str) -> Column:
        return F.lit(None).cast(kind) if name is None else F.col(name)

    return [
        F.col(number).alias("number"),
        column(gateway, "string").alias("gateway"),
        column(part_no, "bigint").alias("part_no"),
        column(length, "bigint").alias("length_s"),
    ]


def _without(*facts: str) -> list[Column]:
    return [F.lit(None).cast("string").alias(fact) for fact in facts]


def _fees(*columns: str | None) -> list[Column]:
    """The columns FEES; a name that is None gives 0."""
    nothing = F.lit(0).cast("bigint")
    return [
        (nothing if column is None else micro_yuan(F.col(column))).alias(name)
        for name, column in zip(FEES, columns, strict=True)
    ]
