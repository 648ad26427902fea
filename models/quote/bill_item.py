"""The bill in a comparison: what was paid, and which items pass through (S2-R7, S2-R8).

A service is either re-rated or passed through, never both. The policy (`bill_items`) says which
items a package of a kind replaces; an item that the policy does not name passes through.
"""

from __future__ import annotations

from collections.abc import Mapping

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from models.frames.lookup import looked_up
from models.frames.money import AMOUNT_TYPE
from models.tariff.package import KIND_SERVICE
from schemas.config.policy import BillItem

KINDS = tuple(KIND_SERVICE)
PACKAGE_RENT = "package_rent"
BILL = "bill"  # what a comparison rests on
SIGN = {"add": 1, "subtract": -1, "none": 0}


def actual(bills: DataFrame, subscribers: DataFrame) -> DataFrame:
    """(subscriber_id, month, actual, basis): the bill's total in yuan (ods.bill, dw.subscriber)."""
    return (
        _owned(bills, subscribers)
        .groupBy("subscriber_id", "month")
        .agg(F.sum("total").cast(AMOUNT_TYPE).alias("actual"))
        .withColumn("basis", F.lit(BILL))
    )


def passing(
    items: DataFrame,
    subscribers: DataFrame,
    kind_of: Mapping[str, str],
    treatments: Mapping[str, BillItem],
) -> DataFrame:
    """(subscriber_id, month, itemised, passed, vpmn, and one `rerated_<kind>` per kind) in yuan.

    `items` is ods.bill_item; `kind_of` holds the kind of each package of the catalogue, the first
    kind of a bundle: its rent is replaced with that kind, because all its kinds are replaced
    together. `itemised` is the sum of all items. An amount is null if the bill has no such item.
    """
    kind = F.when(
        F.col("item_code") == PACKAGE_RENT, looked_up(F.col("package_id"), kind_of, "string")
    ).otherwise(looked_up(F.col("item_code"), _named(treatments, "kind"), "string"))
    treatment = F.coalesce(
        looked_up(F.col("item_code"), _named(treatments, "treatment"), "string"), F.lit("passed")
    )
    rerated = (treatment == "rerated") & kind.isNotNull()
    sums = {
        "passed": (treatment == "passed") | ((treatment == "rerated") & kind.isNull()),
        "vpmn": treatment == "vpmn",
    }
    sums |= {f"rerated_{one}": rerated & (kind == one) for one in KINDS}
    return (
        _owned(items, subscribers)
        .groupBy("subscriber_id", "month")
        .agg(
            F.sum("amount").cast(AMOUNT_TYPE).alias("itemised"),
            *(
                F.sum(F.when(wanted, F.col("amount"))).cast(AMOUNT_TYPE).alias(name)
                for name, wanted in sums.items()
            ),
        )
    )


def not_rerated(replaced: Mapping[str, Column]) -> Column:
    """S2-R7: the yuan that pass through from a bill, in which some kinds are replaced.

    The items of a kind are replaced if `replaced[kind]` is true; all other items pass through.
    """
    kept = (
        F.when(replaced[kind], 0).otherwise(F.coalesce(f"rerated_{kind}", F.lit(0)))
        for kind in KINDS
    )
    return sum(kept, F.coalesce("passed", F.lit(0))).cast(AMOUNT_TYPE)


def vpmn_rent(replaced: Column, mode: str) -> Column:
    """S2-R8: the old VPMN fee in yuan, by `vpmn_rent_mode` if `replaced`, else as it was paid.

    Only a voice package can replace it.
    """
    paid = F.coalesce("vpmn", F.lit(0))
    return F.when(replaced, paid * SIGN[mode]).otherwise(paid).cast(AMOUNT_TYPE)


def _owned(rows: DataFrame, subscribers: DataFrame) -> DataFrame:
    owners = subscribers.where("subscriber_no IS NOT NULL").select("subscriber_id", "subscriber_no")
    return rows.join(owners, "subscriber_no")


def _named(treatments: Mapping[str, BillItem], attribute: str) -> dict[str, str]:
    values = {code: getattr(item, attribute) for code, item in treatments.items()}
    return {code: value for code, value in values.items() if value is not None}
