"""What campaigns have spent, by campaign and item, from ledgers of finance and from pushes."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from models.frames.lookup import looked_up

APPLIED, APPROVED, USED = "applied", "approved", "gift_deposit"
CONTACTS, CUSTOMERS = "contacts", "customers"
AMOUNT = "decimal(24,6)"


@dataclass(frozen=True)
class Tables:
    """What is read, all up to the night.

    `costs`: ods.cost_entry. `deposits`: ods.gift_deposit. `funnel`: mart.decision_funnel. `files`:
    mart.push_file. `receipts`: ods.receipt. `decisions`: mart.decision.
    """

    costs: DataFrame
    deposits: DataFrame
    funnel: DataFrame
    files: DataFrame
    receipts: DataFrame
    decisions: DataFrame


def spent(
    tables: Tables,
    *,
    campaigns: Collection[str],
    by_head: Collection[str],
    unit_costs: Mapping[str, Decimal],
) -> DataFrame:
    """(campaign_id, item, amount): sums since the beginning, in yuan; `customers` is a count.

    An item is a type of the MIS ledger, CONTACTS, APPLIED, APPROVED, USED or CUSTOMERS. Contacts
    count for `campaigns` only, customers for those `by_head`.
    """
    booked = tables.costs.where("campaign_id IS NOT NULL").select(
        "campaign_id", F.col("cost_type").alias("item"), F.col("amount").cast(AMOUNT)
    )
    parts = booked.unionByName(_deposits(tables.deposits))
    if campaigns:
        parts = parts.unionByName(_contacts(tables, campaigns, unit_costs))
    if by_head:
        parts = parts.unionByName(_customers(tables.decisions, by_head))
    return parts.groupBy("campaign_id", "item").agg(F.sum("amount").cast(AMOUNT).alias("amount"))


def _deposits(deposits: DataFrame) -> DataFrame:
    """Each application counts as the newest month says, however often it was delivered."""
    newest = F.max_by(
        F.struct("campaign_id", "state", "amount", "granted"),
        F.struct("month", "batch_date", "row_no"),
    )
    last = deposits.groupBy("source", "application_no").agg(newest.alias("last")).select("last.*")
    approved = F.col("state").isin("approved", "granted")
    items = F.array(
        _item(APPLIED, F.col("amount")),
        _item(APPROVED, F.when(approved, F.col("amount")).otherwise(0)),
        _item(USED, F.coalesce("granted", F.lit(0))),
    )
    return last.select("campaign_id", F.inline(items))


def _item(name: str, amount: Column) -> Column:
    return F.struct(F.lit(name).alias("item"), amount.cast(AMOUNT).alias("amount"))


def _contacts(
    tables: Tables, campaigns: Collection[str], unit_costs: Mapping[str, Decimal]
) -> DataFrame:
    """Contacts at their unit cost; of a file with a receipt only the share that was loaded."""
    pushed = (
        tables.funnel.where((F.col("reason") == "PUSHED") & _of(campaigns))
        .groupBy("campaign_id", "channel", "data_date")
        .agg(F.sum("rows").alias("contacts"))
    )
    order = Window.partitionBy("channel", "pushed_file").orderBy(
        F.col("received_at").desc(), F.col("batch_date").desc(), F.col("row_no").desc()
    )
    told = (
        tables.receipts.withColumn("place", F.row_number().over(order))
        .where("place = 1")
        .select("channel", F.col("pushed_file").alias("file_name"), "rows_loaded")
    )
    files = tables.files.where("rows > 0").select(
        "channel", "data_date", "file_name", F.col("rows").alias("sent")
    )
    loaded = files.join(told, ["channel", "file_name"]).select(
        "channel", "data_date", F.least("rows_loaded", "sent").alias("loaded"), "sent"
    )
    cost = looked_up(F.col("channel"), unit_costs, "decimal(12,6)")
    whole = (F.col("contacts").cast("decimal(12,0)") * cost).cast(AMOUNT)
    share = (whole * F.col("loaded").cast("decimal(12,0)") / F.col("sent")).cast(AMOUNT)
    return pushed.join(loaded, ["channel", "data_date"], "left").select(
        "campaign_id", F.lit(CONTACTS).alias("item"), F.coalesce(share, whole).alias("amount")
    )


def _customers(decisions: DataFrame, campaigns: Collection[str]) -> DataFrame:
    return (
        decisions.where((F.col("fate") == "pushed") & _of(campaigns))
        .groupBy("campaign_id")
        .agg(F.count_distinct("customer_id").cast(AMOUNT).alias("amount"))
        .select("campaign_id", F.lit(CUSTOMERS).alias("item"), "amount")
    )


def _of(campaigns: Collection[str]) -> Column:
    return F.col("campaign_id").isin(sorted(campaigns))
