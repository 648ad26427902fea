"""dw.contact_event: the contacts of all channels in one format 客户接触明细 (M1)."""

from collections.abc import Mapping, Sequence
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from models.contact.log import COLUMNS, LOGS, OF_SEVERAL_ROWS, ContactLog
from models.customer.identity import as_of, keyed_id, linking
from models.frames.lookup import looked_up
from schemas.window import Window


def linked(
    logs: Mapping[str, DataFrame],
    identity: DataFrame,
    *,
    window: Window,
    lookback_days: Mapping[str, int],
    placeholders: Sequence[str],
) -> DataFrame:
    """The contacts of the records in `logs` (by table, at least one), each with its owner.

    models/contact/log.py defines what a contact is and which column gives which of its facts. The
    customer is the owner of the number at the instant of the contact. A contact without a known
    owner is kept with NULLs. `number` is NULL if it is blank or a placeholder; `unheld` is the
    number if nobody held it then.

    `logs`: the deliveries of the `window`; for contacts of several rows also the deliveries around
    it. `lookback_days`: by source, how many days before or after the first row of a contact its
    other rows may be delivered (0 for a source that is not named).
    """
    contacts = reduce(
        DataFrame.unionByName,
        [_contacts(LOGS[table], frame, window, lookback_days) for table, frame in logs.items()],
    )
    return (
        as_of(contacts, identity, placeholders)
        .withColumn("number", linking(F.col("msisdn"), placeholders))
        .withColumn("unheld", F.when(F.col("subscriber_id").isNull(), F.col("number")))
        .drop("msisdn")
    )


def contact_event(linked: DataFrame, key: str) -> DataFrame:
    """dw.contact_event: one row per contact of `linked`. `key`: of the hash that gives its id."""
    return linked.select(
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


def continued_days(
    logs: Mapping[str, DataFrame], *, window: Window, lookback_days: Mapping[str, int]
) -> DataFrame:
    """(batch_date): the days before the window whose contacts get further rows from the window.

    `logs`: as for `linked`; at least one of them has contacts of several rows.
    """
    days = []
    for table in OF_SEVERAL_ROWS:
        log = LOGS[table]
        if table in logs and log.one_per is not None:
            frame = logs[table]
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
    """Whether two dates are at most the source's look-back apart."""
    back = F.coalesce(looked_up(F.col("source"), lookback_days, "int"), F.lit(0))
    return F.abs(F.datediff(one, other)) <= back


def _contacts(
    log: ContactLog, frame: DataFrame, window: Window, lookback_days: Mapping[str, int]
) -> DataFrame:
    """The contacts of one kind of record in the common columns, dated by their first delivery."""
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
