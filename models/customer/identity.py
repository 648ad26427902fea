"""The owner of each number over time, and the ids and attributes of subscribers and customers.

Numbers are recycled, so only a number at an instant identifies a subscriber. Everything here is
deterministic. It follows the customer files as known on a data date. For a source without customer
files it follows the numbers in the source's own events.
"""

from collections.abc import Mapping, Sequence
from datetime import date

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from models.frames.lookup import looked_up
from models.frames.validity import not_ended, valid_at

ID_HEX_DIGITS = 15  # 15 hexadecimal digits are 60 bits: never negative as a BIGINT


def keyed_id(kind: str, *natural_key: Column, key: str) -> Column:
    """A BIGINT from the first 60 bits of sha2-256 of `key|kind|natural key`, parts joined by `|`.

    NULL if a part of the natural key is NULL. Without the secret `key` the hash of an eleven-digit
    number could be reversed by trying all numbers. Of several parts all but the last are names from
    the configuration (a source), so two natural keys never give the same text.
    """
    parts: list[Column] = [F.lit(key), F.lit("|"), F.lit(kind)]
    for part in natural_key:
        parts += [F.lit("|"), part.cast("string")]
    digest = F.sha2(F.concat(*parts), 256)
    return F.conv(F.substring(digest, 1, ID_HEX_DIGITS), 16, 10).cast("bigint")


def customer_then(rows: DataFrame, identity: DataFrame) -> DataFrame:
    """`rows` with `customer_id`: who had the row's subscriber_id at its `happened_at`, or NULL.

    `identity`: a snapshot of dw.subscriber_identity. Rows that are equal in all columns become one.
    """
    owners = identity.select(
        F.col("subscriber_id").alias("_subscriber"),
        F.col("customer_id").alias("_customer"),
        F.col("valid_from").alias("_from"),
        F.col("valid_to").alias("_to"),
    )
    held_then = (F.col("subscriber_id") == F.col("_subscriber")) & valid_at(
        F.col("happened_at"), "_from", "_to"
    )
    return (
        rows.join(owners, held_then, "left")
        .groupBy(*rows.columns)
        .agg(F.max_by("_customer", F.struct("_from", "_customer")).alias("customer_id"))
    )


def collisions(frame: DataFrame, id_column: str, natural_columns: Sequence[str]) -> DataFrame:
    """The (id, natural key) whose id belongs to several natural keys; the caller stops the run."""
    owners = frame.select(id_column, *natural_columns).distinct()
    clashing = owners.groupBy(id_column).count().where("count > 1").select(id_column)
    return owners.join(clashing, id_column, "left_semi")


def natural_keys(
    subscribers: DataFrame,
    event_parties: DataFrame | None,
    *,
    key: str,
    data_date: date,
    placeholders: Sequence[str] = (),
) -> DataFrame:
    """(id, kind, natural_key) of all subscribers and customers, as input of `collisions`."""
    known = _known_intervals(subscribers, key, data_date)
    pairs = [
        known.select(
            F.col("subscriber_id").alias("id"),
            F.lit("subscriber").alias("kind"),
            F.col("subscriber_no").alias("natural_key"),
        ),
        known.select(
            F.col("customer_id").alias("id"),
            F.lit("customer").alias("kind"),
            F.col("customer_no").alias("natural_key"),
        ),
    ]
    if event_parties is not None:
        parties = _party_owners(event_parties, key, placeholders)
        pairs.append(
            parties.select(
                F.col("subscriber_id").alias("id"),
                F.lit("party").alias("kind"),
                F.col("msisdn").alias("natural_key"),
            )
        )
    together = pairs[0]
    for pair in pairs[1:]:
        together = together.unionByName(pair)
    return together.distinct()


def subscriber_identity(
    subscribers: DataFrame,
    event_parties: DataFrame | None,
    *,
    key: str,
    data_date: date,
    placeholders: Sequence[str] = (),
) -> DataFrame:
    """dw.subscriber_identity: one row per interval in which a number belonged to one subscriber.

    `subscribers`: ods.subscriber; deliveries up to `data_date` count. At any instant a number
    belongs to the interval that began last: an interval ends where a later one begins. Times that
    no file covers stay without an owner. If two intervals begin at the same instant, the one that
    was changed last is kept.
    `event_parties`: (source, party) of the sources without customer files, or None. A party is one
    subscriber and is its own customer, valid from 1970-01-01. Numbers that are in the customer
    files are not taken from events. Blank and placeholder numbers belong to nobody.
    """
    known = _known_intervals(subscribers, key, data_date).where(
        linking(F.col("msisdn"), placeholders).isNotNull()
    )
    in_order = Window.partitionBy("msisdn").orderBy(
        "valid_from", "changed_at", F.col("subscriber_no").desc()
    )
    intervals = (
        known.withColumn("valid_to", F.least("valid_to", F.lead("valid_from").over(in_order)))
        .where(_not_empty())
        .select("subscriber_id", "msisdn", "customer_id", "valid_from", "valid_to")
    )
    if event_parties is not None:
        parties = _party_owners(event_parties, key, placeholders)
        intervals = intervals.unionByName(
            parties.join(known.select("msisdn"), "msisdn", "left_anti").select(
                "subscriber_id",
                "msisdn",
                "customer_id",
                F.timestamp_seconds(F.lit(0)).alias("valid_from"),
                F.lit(None).cast("timestamp").alias("valid_to"),
            )
        )
    return intervals.select(F.lit(data_date).alias("data_date"), "*")


def subscriber(
    subscribers: DataFrame,
    customers: DataFrame,
    event_parties: DataFrame | None,
    *,
    key: str,
    data_date: date,
    placeholders: Sequence[str] = (),
) -> DataFrame:
    """dw.subscriber: one row per subscriber with its state at the end of `data_date`.

    The state is that of the interval that began last. A subscriber whose interval has ended keeps
    the last state. A subscriber whose first interval is in the future is left out. `customers`:
    ods.customer; the row of a customer with the latest changed_at counts. A party that is known
    from events only has ids and its source, and no attributes.
    """
    end_of_day = F.date_add(F.lit(data_date), 1).cast("timestamp")
    begun_last = Window.partitionBy("subscriber_no").orderBy(F.col("valid_from").desc())
    known = _known_intervals(subscribers, key, data_date)
    states = (
        known.where(F.col("valid_from") < end_of_day)
        .withColumn("_nth", F.row_number().over(begun_last))
        .where("_nth = 1")
    )
    latest = _last_versions(customers, ["customer_no"], data_date)
    levels = latest.select("customer_no", "vip_level")
    people = states.join(levels, "customer_no", "left").select(
        F.lit(data_date).alias("data_date"),
        "subscriber_id",
        "customer_id",
        "subscriber_no",
        "customer_no",
        "brand",
        "status",
        "join_date",
        "branch",
        "vip_level",
        "do_not_disturb",
        "consent_marketing",
        "source",
    )
    if event_parties is None:
        return people
    parties = _party_owners(event_parties, key, placeholders)
    return people.unionByName(
        parties.join(known.select("msisdn"), "msisdn", "left_anti").select(
            F.lit(data_date).alias("data_date"), "subscriber_id", "customer_id", "source"
        ),
        allowMissingColumns=True,
    )


def subscription(
    subscriptions: DataFrame, *, kinds: Mapping[str, str], key: str, data_date: date
) -> DataFrame:
    """dw.subscription: one row per (subscriber, package, first day), past ones included.

    `subscriptions`: ods.package_subscription; for each (subscriber_no, package_id, valid_from) the
    row with the latest changed_at counts. A subscription cancelled before its first day is left
    out. `kinds`: the kind of each package of the catalogue.
    """
    latest = _last_versions(
        subscriptions, ["subscriber_no", "package_id", "valid_from"], data_date
    ).where(_not_empty())
    return latest.select(
        F.lit(data_date).alias("data_date"),
        keyed_id("subscriber", F.col("subscriber_no"), key=key).alias("subscriber_id"),
        "package_id",
        looked_up(F.col("package_id"), kinds, "string").alias("kind"),
        "valid_from",
        "valid_to",
    )


def as_of(events: DataFrame, identity: DataFrame, placeholders: Sequence[str]) -> DataFrame:
    """`events` with the ids of the number's owner at that instant. Grain: the event.

    `events` has msisdn, occurred_at and any other columns; subscriber_id and customer_id are added.
    `identity` is one snapshot of dw.subscriber_identity. A blank or placeholder number has no
    owner. The ids are NULL if there is no owner.
    """
    owners = identity.select(
        F.col("msisdn").alias("_number"),
        F.col("valid_from").alias("_from"),
        F.col("valid_to").alias("_to"),
        "subscriber_id",
        "customer_id",
    )
    owned_then = (linking(F.col("msisdn"), placeholders) == F.col("_number")) & valid_at(
        F.col("occurred_at"), "_from", "_to"
    )
    return events.join(owners, owned_then, "left").drop("_number", "_from", "_to")


def numbers_on(identity: DataFrame, data_date: date) -> DataFrame:
    """(subscriber_id, msisdn): the number at which each subscriber is reached after `data_date`.

    It is a number held at the end of the day and beyond; of several the one that began last. A
    subscriber without such a number has no row.
    """
    end_of_day = F.date_add(F.lit(data_date), 1).cast("timestamp")
    held = identity.where((F.col("valid_from") < end_of_day) & not_ended(end_of_day))
    return held.groupBy("subscriber_id").agg(
        F.max_by("msisdn", F.struct("valid_from", "msisdn")).alias("msisdn")
    )


def linking(number: Column, placeholders: Sequence[str]) -> Column:
    """The number; NULL if it is blank or one of the placeholders (in any letter case)."""
    blanks = sorted({""} | {text.strip().lower() for text in placeholders})
    return F.when(~F.lower(F.trim(number)).isin(blanks), number)


def _party_owners(event_parties: DataFrame, key: str, placeholders: Sequence[str]) -> DataFrame:
    """(msisdn, source, subscriber_id, customer_id), one row per distinct party.

    The party is its own customer. `source` is the first by name of the sources that know it.
    """
    return (
        event_parties.select(linking(F.col("party"), placeholders).alias("msisdn"), "source")
        .where(F.col("msisdn").isNotNull())
        .groupBy("msisdn")
        .agg(F.min("source").alias("source"))
        .withColumn("subscriber_id", keyed_id("party", F.col("msisdn"), key=key))
        .withColumn("customer_id", F.col("subscriber_id"))
    )


def _known_intervals(subscribers: DataFrame, key: str, data_date: date) -> DataFrame:
    """The last version of each (subscriber_no, valid_from) with both ids; no empty intervals."""
    latest = _last_versions(subscribers, ["subscriber_no", "valid_from"], data_date)
    return (
        latest.where(_not_empty())
        .withColumn("subscriber_id", keyed_id("subscriber", F.col("subscriber_no"), key=key))
        .withColumn("customer_id", keyed_id("customer", F.col("customer_no"), key=key))
    )


def _not_empty() -> Column:
    return F.col("valid_to").isNull() | (F.col("valid_from") < F.col("valid_to"))


def _last_versions(rows: DataFrame, grain: Sequence[str], data_date: date) -> DataFrame:
    """One row per `grain`: the one changed last; of several the lowest delivery, file and row."""
    last_changed = Window.partitionBy(*grain).orderBy(
        F.col("changed_at").desc(), "batch_date", "source", "file_name", "row_no"
    )
    return (
        rows.where(F.col("batch_date") <= F.lit(data_date))
        .withColumn("_version", F.row_number().over(last_changed))
        .where("_version = 1")
        .drop("_version")
    )
