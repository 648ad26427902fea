"""dw.contact_view: each customer's contacts counted by channel 客户接触信息视图 (M1).

The view grows by one night's events at a time.
"""

from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

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


def contact_view(
    previous: DataFrame | None, night_events: DataFrame, *, data_date: date
) -> DataFrame:
    """dw.contact_view: one row per customer and channel with all contacts up to `data_date`.

    `previous`: the snapshot of the day before, or None to count from nothing. `night_events`:
    the rows of dw.contact_event delivered since. Adding night by night equals counting all events
    at once. A complaint counts twice: under `complaints` on the channel over which it came, and
    under `complaints_about` on the channel it is about (by default the channel over which it came).
    Contacts without a known customer are left out.
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
