"""The identifiers of one customer, and the SQL that finds the customer's rows in each table.

Numbers are recycled, and a subscriber may pass from one customer to another. So a number counts
only in the intervals in which the customer held it. A subscriber who also had other customers
counts only in the intervals of this customer.
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
WORDS = (CUSTOMER[0], SUBSCRIBER[0], NUMBER)  # the identifiers that a delivered line may contain
TIMES = ("occurred_at", "local_date", "month", "valid_from")  # the time of a row, else its slice
ALWAYS = date(9999, 12, 31)  # deliveries of every day count


def identifiers(
    customers: DataFrame,
    subscribers: DataFrame,
    customer_no: str,
    *,
    key: str,
    placeholders: Sequence[str],
) -> DataFrame:
    """One row for the customer, one for each subscriber, one for each number of the customer.

    `customers`: ods.customer, `subscribers`: ods.subscriber; no rows if neither names the customer.
    Columns: customer_no, customer_id, subscriber_no, subscriber_id, msisdn. A row has those of its
    kind; the others are NULL. [since, until) is the interval in which the identifier belonged to
    the customer (NULL: no limit). Numbers are those of the latest versions of the customer files.
    """
    customer = (
        customers.select("customer_no")
        .unionByName(subscribers.select("customer_no"))
        .where(F.col("customer_no") == customer_no)
        .distinct()
        .withColumn("customer_id", identity.keyed_id("customer", F.col("customer_no"), key=key))
    )
    theirs = (
        subscribers.groupBy("subscriber_no")
        .agg(
            F.bool_or(F.col("customer_no") == customer_no).alias("ever"),
            F.bool_and(F.col("customer_no") == customer_no).alias("alone"),
        )
        .where("ever")
        .withColumn(
            "subscriber_id", identity.keyed_id("subscriber", F.col("subscriber_no"), key=key)
        )
    )
    owned = identity.subscriber_identity(
        subscribers, None, key=key, data_date=ALWAYS, placeholders=placeholders
    ).withColumnsRenamed({"valid_from": "since", "valid_to": "until"})
    owned = owned.join(customer, "customer_id", "left_semi")
    shared = theirs.where("not alone").join(
        owned.select("subscriber_id", "since", "until"), "subscriber_id"
    )
    names = [*SUBSCRIBER, "since", "until"]
    found = customer.unionByName(
        theirs.where("alone").select(*SUBSCRIBER), allowMissingColumns=True
    )
    found = found.unionByName(owned.select(NUMBER, "since", "until"), allowMissingColumns=True)
    return found.unionByName(shared.select(*names), allowMissingColumns=True)


def is_personal(contract: Contract) -> bool:
    """Whether a column of the table holds data about a customer."""
    names = {*CUSTOMER, *SUBSCRIBER, NUMBER}
    return any(
        column.name in names or column.personal in ("number", "name", "address")
        for column in contract.columns
    )


def condition(contract: Contract, max_age_days: int) -> str:
    """SQL that is true when row `t` of the table belongs to the customer of row `p`.

    `p`: a row of `identifiers`. The first of these rules that the table's columns allow is used:
    - by customer_no or customer_id;
    - by subscriber_no or subscriber_id, at the time of the row;
    - by msisdn, at the time of the row;
    - by an identifier in the delivered line, within the possible times of the event.
    The time of a row is the first of `TIMES` that it has, else its slice. `max_age_days`: the
    largest age of an event in days on the day of its delivery.
    ConfigError for a table with personal columns to which no rule applies.
    """
    here = contract.column_names
    for keys in (CUSTOMER, SUBSCRIBER):
        known = [f"t.{name} = p.{name}" for name in keys if name in here]
        if known:
            within = "" if keys is CUSTOMER else f" AND {_held(_time(contract))}"
            return f"({' OR '.join(known)}){within}"
    if NUMBER in here and contract.slice is not None:
        # A row about a month is of everybody who held the number in it.
        month = "CAST(add_months(t.month, 1) AS TIMESTAMP) - INTERVAL 1 SECOND"
        last = month if _time_column(contract) == "month" else None
        return f"t.{NUMBER} = p.{NUMBER} AND {_held(_time(contract), last)}"
    if RAW in here and contract.slice is not None:
        return _in_line(contract.slice, max_age_days)
    raise ConfigError(
        f"{contract.table} has personal columns but no column that identifies the customer: "
        f"an erasure would miss its rows; add one of "
        f"{', '.join((*CUSTOMER, *SUBSCRIBER, NUMBER))}"
    )


def _time_column(contract: Contract) -> str | None:
    return next((name for name in TIMES if name in contract.column_names), contract.slice)


def _time(contract: Contract) -> str:
    return f"CAST(t.{_time_column(contract)} AS TIMESTAMP)"


def _held(time: str, last: str | None = None) -> str:
    """SQL: the customer held the identifier of `p` at `time`, or at a time from it to `last`."""
    return (
        f"(p.since IS NULL OR p.since <= {last or time}) AND (p.until IS NULL OR {time} < p.until)"
    )


def _in_line(day: str, max_age_days: int) -> str:
    """SQL: the line has the number (also after a prefix) or another identifier as a whole word.

    The number may be written in groups, in full-width digits or with characters that nobody sees.
    """
    digits = f"translate(t.{RAW}, '０１２３４５６７８９', '0123456789')"
    bare = f"regexp_replace({digits}, '[\\\\p{{Z}}\\\\p{{Cf}}\\\\p{{Pd}}().]', '')"
    words = " OR ".join(
        f"t.{RAW} RLIKE concat('(^|[^0-9A-Za-z])\\\\Q', p.{name}, '\\\\E([^0-9A-Za-z]|$)')"
        for name in (CUSTOMER[0], SUBSCRIBER[0])
    )
    first = f"CAST(date_sub(t.{day}, {max_age_days}) AS TIMESTAMP)"
    last = f"CAST(date_add(t.{day}, 2) AS TIMESTAMP)"
    number = f"contains(t.{RAW}, p.{NUMBER}) OR contains({bare}, p.{NUMBER})"
    return f"({number} OR {words}) AND {_held(first, last)}"
