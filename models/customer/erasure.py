"""One customer in every table: what he is known by, and how a table's rows are told to be his.

Numbers are recycled and a subscriber may pass to another customer, so a number is his within the
intervals in which he held it, and a subscriber who had other customers too within his own.
"""

from collections.abc import Sequence
from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from models.customer import identity
from schemas.contract import Contract
from schemas.errors import ConfigError

CUSTOMER, SUBSCRIBER = ("customer_no", "customer_id"), ("subscriber_no", "subscriber_id")
NUMBER, RAW = "msisdn", "raw_line"
WORDS = (CUSTOMER[0], SUBSCRIBER[0], NUMBER)  # what may stand in a line as it came
TIMES = ("occurred_at", "local_date", "month", "valid_from")  # of what a row tells, else its slice
ALWAYS = date(9999, 12, 31)  # every delivery counts, whatever its day


def holdings(
    customers: DataFrame,
    subscribers: DataFrame,
    customer_no: str,
    *,
    key: str,
    placeholders: Sequence[str],
) -> DataFrame:
    """What the customer is known by: a row for himself, for each subscriber, for each number.

    `customers`: ods.customer, `subscribers`: ods.subscriber; no rows for a customer whom neither
    names. Columns: customer_no, customer_id, subscriber_no, subscriber_id,
    msisdn, of which a row has those of its kind, and the interval [since, until) in which they were
    his (NULL: always, or still). Of the numbers as the customer files give them last.
    """
    himself = (
        customers.select("customer_no")
        .unionByName(subscribers.select("customer_no"))
        .where(F.col("customer_no") == customer_no)
        .distinct()
        .withColumn("customer_id", identity.keyed_id("customer", F.col("customer_no"), key=key))
    )
    ever = (
        subscribers.groupBy("subscriber_no")
        .agg(
            F.bool_or(F.col("customer_no") == customer_no).alias("his"),
            F.bool_and(F.col("customer_no") == customer_no).alias("alone"),
        )
        .where("his")
        .withColumn(
            "subscriber_id", identity.keyed_id("subscriber", F.col("subscriber_no"), key=key)
        )
    )
    owned = identity.subscriber_identity(
        subscribers, None, key=key, data_date=ALWAYS, placeholders=placeholders
    ).withColumnsRenamed({"valid_from": "since", "valid_to": "until"})
    owned = owned.join(himself, "customer_id", "left_semi")
    shared = ever.where("not alone").join(
        owned.select("subscriber_id", "since", "until"), "subscriber_id"
    )
    names = [*SUBSCRIBER, "since", "until"]
    found = himself.unionByName(ever.where("alone").select(*SUBSCRIBER), True)
    found = found.unionByName(owned.select(NUMBER, "since", "until"), True)
    return found.unionByName(shared.select(*names), True)


def personal(contract: Contract) -> bool:
    """Whether some column of the table tells of a customer."""
    names = {*CUSTOMER, *SUBSCRIBER, NUMBER}
    return any(
        column.name in names or column.personal in ("number", "name", "address")
        for column in contract.columns
    )


def match(contract: Contract, max_age_days: int) -> str:
    """SQL that holds for a row `t` of the table and a row `p` of `holdings` when `t` is his.

    By the customer where a column names him, else by the subscriber, else by the number at the time
    of the event (of the delivery, where the row tells of none), else by any of them standing in the
    line as it came (`max_age_days`: how old an event may be on the day of its delivery).
    ConfigError for a table that tells of a customer and has none of these columns.
    """
    here = contract.column_names
    for keys in (CUSTOMER, SUBSCRIBER):
        known = [f"t.{name} = p.{name}" for name in keys if name in here]
        if known:
            within = "" if keys is CUSTOMER else f" AND {_held(_time(contract))}"
            return f"({' OR '.join(known)}){within}"
    if NUMBER in here and contract.slice is not None:
        return f"t.{NUMBER} = p.{NUMBER} AND {_held(_time(contract))}"
    if RAW in here and contract.slice is not None:
        return _in_line(contract.slice, max_age_days)
    raise ConfigError(
        f"{contract.table} has personal columns and none that says whose a row is: "
        f"an erasure would miss it; add one of "
        f"{', '.join((*CUSTOMER, *SUBSCRIBER, NUMBER))}"
    )


def _time(contract: Contract) -> str:
    name = next((name for name in TIMES if name in contract.column_names), contract.slice)
    return f"CAST(t.{name} AS TIMESTAMP)"


def _held(time: str, last: str | None = None) -> str:
    """Whether what `p` names was his at a time, or at some time from `time` to `last`."""
    return (
        f"(p.since IS NULL OR p.since <= {last or time}) AND (p.until IS NULL OR {time} < p.until)"
    )


def _in_line(day: str, max_age_days: int) -> str:
    """A number anywhere (before it may stand a prefix), a key as a whole word."""
    words = " OR ".join(
        f"t.{RAW} RLIKE concat('(^|[^0-9A-Za-z])\\\\Q', p.{name}, '\\\\E([^0-9A-Za-z]|$)')"
        for name in (CUSTOMER[0], SUBSCRIBER[0])
    )
    first = f"CAST(date_sub(t.{day}, {max_age_days}) AS TIMESTAMP)"
    last = f"CAST(date_add(t.{day}, 2) AS TIMESTAMP)"
    return f"(contains(t.{RAW}, p.{NUMBER}) OR {words}) AND {_held(first, last)}"
