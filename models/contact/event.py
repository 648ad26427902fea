"""One view of every contact between customer and operator 客户接触信息视图 (M1).

`contact_event` puts contacts and complaints of all channels into one format; `contact_view` counts
them per customer and channel and grows by one night's events at a time.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from models.contact.log import COLUMNS, LOGS, OF_SEVERAL_ROWS, ContactLog
from models.customer.identity import as_of, keyed_id
from models.frames.lookup import looked_up
from schemas.window import Window

# Kind of a contact → its count in the view. The counts add up to `contacts`.
KIND_COUNTS = {
    "enquiry": "enquiries",
    "complaint": "complaints",
    "transaction": "transactions",
    "query": "queries",
    "care": "cares",
    "marketing": "marketings",
}
SUMS = ("contacts", *KIND_COUNTS.values(), "complaints_about", "successes", "duration_s")


def contact_event(
    logs: Mapping[str, DataFrame],
    identity: DataFrame,
    *,
    window: Window,
    lookback_days: Mapping[str, int],
    placeholders: Sequence[str],
    key: str,
) -> DataFrame:
    """dw.contact_event: one row per contact of the records in `logs` (by table, at least one).

    What a contact is, and which column of a record gives which of its facts, stands in
    models/contact_log.py. The customer is the owner of the number at the instant of the contact; a
    contact that links nobody is kept with NULLs.

    `logs`: the deliveries of the `window`; where a contact is several rows, those around it too.
    `lookback_days`: by source, how many days before or after its first row another may come (0 for
    one that is not named).
    """
    alike = reduce(
        DataFrame.unionByName,
        [_alike(LOGS[table], frame, window, lookback_days) for table, frame in logs.items()],
    )
    return as_of(alike, identity, placeholders).select(
        "batch_date",
        keyed_id("contact", F.col("source"), F.col("source_record"), key=key).alias("contact_id"),
        "customer_id",
        "subscriber_id",
        "channel",
        "direction",
        "kind",
        "business_code",
        "occurred_at",
        "local_date",
        "duration_s",
        "result",
        "about_channel",
        "location",
        "campaign_id",
        "wave",
        "source",
        "source_record",
    )


def gone_on(
    logs: Mapping[str, DataFrame], *, window: Window, lookback_days: Mapping[str, int]
) -> DataFrame:
    """The days before the window (`batch_date`) to whose contacts it delivers further rows.

    `logs` as for `contact_event`; at least one of them has contacts of several rows.
    """
    days = []
    for table in OF_SEVERAL_ROWS:
        if table in logs:
            log, frame = LOGS[table], logs[table]
            further = frame.where(_within(window)).select(
                "source", log.one_per, F.col("batch_date").alias("further")
            )
            begun = frame.where(log.first).where(F.col("batch_date") < F.lit(window.first))
            days.append(
                begun.join(further, ["source", log.one_per])
                .where(_near("further", "batch_date", lookback_days))
                .select("batch_date")
            )
    return reduce(DataFrame.unionByName, days).distinct()


def _within(window: Window) -> Column:
    return F.col("batch_date").between(F.lit(window.first), F.lit(window.last))


def _near(one: str, other: str, lookback_days: Mapping[str, int]) -> Column:
    back = F.coalesce(looked_up(F.col("source"), lookback_days, "int"), F.lit(0))
    return F.abs(F.datediff(one, other)) <= back


def _alike(
    log: ContactLog, frame: DataFrame, window: Window, lookback_days: Mapping[str, int]
) -> DataFrame:
    """The contacts of one kind of record, in the common columns."""
    columns = [
        F.expr(log.columns.get(name, "NULL")).cast(kind).alias(name)
        for name, kind in COLUMNS.items()
    ]
    if log.one_per is None:
        return frame.select("source", "batch_date", *columns)
    begun = (
        frame.where(log.first)
        .where(_within(window))
        .select("source", log.one_per, F.col("batch_date").alias("begun"))
    )
    rows = frame.join(begun, ["source", log.one_per]).where(
        _near("batch_date", "begun", lookback_days)
    )
    contacts = (
        rows.groupBy("source", "begun", log.one_per)
        .agg(*columns, F.expr(log.counted).alias("_counted"))
        .where("_counted")
    )
    return contacts.select("source", F.col("begun").alias("batch_date"), *COLUMNS)


def contact_view(
    previous: DataFrame | None, night_events: DataFrame, *, data_date: date
) -> DataFrame:
    """dw.contact_view: one row per customer and channel with all contacts up to `data_date`.

    `previous`: the snapshot of the day before, or None to count from nothing. `night_events`:
    the rows of dw.contact_event delivered since. Adding night by night equals counting all events
    at once. A complaint counts under `complaints` on the channel over which it came and under
    `complaints_about` on the channel it is about (not said: the channel it came over).
    Contacts of nobody we know are not in the view.
    """
    resolved = night_events.where(F.col("customer_id").isNotNull())
    contacts = resolved.select(
        "customer_id",
        "channel",
        F.lit(1).alias("contacts"),
        *(F.when(F.col("kind") == kind, 1).alias(count) for kind, count in KIND_COUNTS.items()),
        F.lit(0).alias("complaints_about"),
        F.when(F.col("result") == "success", 1).alias("successes"),
        "duration_s",
        F.col("occurred_at").alias("first_contact_at"),
        F.col("occurred_at").alias("last_contact_at"),
    )
    blamed = resolved.where(F.col("kind") == "complaint").select(
        "customer_id",
        F.coalesce("about_channel", "channel").alias("channel"),
        F.lit(1).alias("complaints_about"),
    )
    counted = contacts.unionByName(blamed, allowMissingColumns=True)
    if previous is not None:
        counted = counted.unionByName(previous.drop("data_date"))
    return (
        counted.groupBy("customer_id", "channel")
        .agg(
            *(F.coalesce(F.sum(name), F.lit(0)).cast("bigint").alias(name) for name in SUMS),
            F.min("first_contact_at").alias("first_contact_at"),
            F.max("last_contact_at").alias("last_contact_at"),
        )
        .select(
            F.lit(data_date).alias("data_date"),
            "customer_id",
            "channel",
            "contacts",
            "enquiries",
            "complaints",
            "complaints_about",
            "transactions",
            "queries",
            "cares",
            "marketings",
            "successes",
            "duration_s",
            "first_contact_at",
            "last_contact_at",
        )
    )
