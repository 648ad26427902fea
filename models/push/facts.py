"""Facts of other tables beside the pushed rows: one column each, as channels.yml names them."""

from collections.abc import Mapping

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

# How a fact finds the pushed row: these columns are equal in both.
_DECISION = ("customer_id", "subscriber_id", "campaign_id", "wave", "package_id")
_OFFER = ("subscriber_id", "package_id")


def joined(
    rows: DataFrame, facts: Mapping[str, str], tables: Mapping[str, DataFrame], channel: str
) -> DataFrame:
    """`rows` with a column for each entry of `facts`: column → <name of the table>.<column>.

    `tables`, by the names of schemas.config.channel.FACT_TABLES:
    - `decision`: mart.decision of the day
    - `match`, `quote`: the last snapshots of mart.package_match and mart.package_quote; of quotes
      the last month of the offered package counts, a whole alternative has none
    - `subscriber`: the snapshot of the day
    - `preference`: the snapshot of mart.channel_preference of the day; the first preference counts
    - `customer`, `member`: ods.customer and ods.group_member as delivered so far; the last state
      of the customer, and the last month of the member count
    A fact that is missing is NULL. No row is lost or doubled.
    """
    wanted: dict[str, dict[str, str]] = {}
    for column, fact in facts.items():
        table, name = fact.split(".")
        wanted.setdefault(table, {})[column] = name
    if {"customer", "member"} & set(wanted):
        numbers = tables["subscriber"].select("subscriber_id", "subscriber_no", "customer_no")
        rows = rows.join(numbers, "subscriber_id", "left")
    for table, columns in wanted.items():
        frame, key = _keyed(table, tables[table], channel)
        chosen = [F.col(name).alias(column) for column, name in columns.items()]
        rows = rows.join(frame.select(*(F.col(one) for one in key), *chosen), list(key), "left")
    return rows


def serving(required: Mapping[str, str], tables: Mapping[str, DataFrame]) -> DataFrame:
    """(subscriber_id, serving): the channels whose required fact is known of the subscriber.

    `required`: channel → fact of `subscriber`, `customer` or `member`. `tables`: as of `joined`.
    The fact is the one that a column of the channel's file would hold.
    """
    rows = joined(tables["subscriber"].select("subscriber_id"), required, tables, "")
    known = [F.when(F.col(name).isNotNull(), F.lit(name)) for name in sorted(required)]
    return rows.select("subscriber_id", F.array_compact(F.array(*known)).alias("serving"))


def _keyed(table: str, frame: DataFrame, channel: str) -> tuple[DataFrame, tuple[str, ...]]:
    """The table with at most one row for each value of the key that the pushed rows have, too."""
    if table == "decision":
        pushed = (F.col("channel") == channel) & (F.col("fate") == "pushed")
        frame = frame.where(pushed).withColumn("package_id", F.col("offer"))
        return frame, _DECISION
    if table == "match":
        return frame.where("recommended"), _OFFER
    if table == "quote":
        return _last(frame, _OFFER, "month"), _OFFER
    if table == "preference":
        return frame.where("rank = 1"), ("customer_id",)
    if table == "subscriber":
        return frame, ("subscriber_id",)
    if table == "customer":
        return _last(frame, ("customer_no",), "changed_at"), ("customer_no",)
    return _last(frame, ("subscriber_no",), "month"), ("subscriber_no",)


def _last(frame: DataFrame, key: tuple[str, ...], by: str) -> DataFrame:
    """The last row of each key; of equal ones that of the first delivered line."""
    ties = [
        name
        for name in ("group_no", "source", "batch_date", "file_name", "row_no")
        if name in frame.columns
    ]
    order = Window.partitionBy(*key).orderBy(F.col(by).desc(), *ties)
    return frame.withColumn("_place", F.row_number().over(order)).where("_place = 1").drop("_place")
