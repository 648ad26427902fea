"""Whole alternatives of a customer, compared over the months: rows of kind `whole` of the match.

An alternative (models/quote/alternative.py) is compared as a whole bill. A kept package, and a kind
for which nothing is held, stays as on the bill: it is on both sides, so it makes no saving. What is
changed is re-rated. The present holding is one of the alternatives, re-rated in full.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from decimal import Decimal

import numpy as np
import pyarrow as pa
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from models.frames.arrow_lists import listed
from models.frames.lookup import looked_up
from models.frames.money import AMOUNT_TYPE, micro_yuan
from models.quote.alternative import Alternatives
from models.quote.bill_item import BILL
from models.quote.customer_months import Chosen, CustomerMonths, Months
from models.quote.without_bill import RERATED
from models.tariff.amounts import USAGE
from models.tariff.package import Package

AMOUNTS = (
    "paid",
    "cost",
    "saved",
    "saved_in_use",
    "worst_month_cost",
    "regret",
    "usage_after",
    "usage_beside",
    "usage_before",
    "dearest_paid",
    "fee",
)
COUNTS = ("months", "months_won", "idle_months")
FLAGS = ("rerated", "lacks_bill", "has_gap", "owned", "of_brand", "separate", "not_best")
COMPARED = ", ".join(
    ["subscriber_id BIGINT", "packages ARRAY<STRING>", "new_packages ARRAY<STRING>"]
    + [f"{name} BIGINT" for name in (*AMOUNTS, *COUNTS)]
    + [f"{name} BOOLEAN" for name in FLAGS]
    + ["costs ARRAY<BIGINT>"]
)
LISTS = {
    "quote": ("month", "place", "total", "usage", "unchanged"),
    "bill": ("month", "paid", "rerated"),
    "used": ("month",),
}
SUMS_OF_MONTHS = (
    *("paid", "cost", "saved", "saved_in_use"),
    *("usage_after", "usage_beside", "usage_before"),
)
EXACT = "decimal(30,6)"  # a sum over months in yuan, or a threshold times a number of months
WHOLE, TOGETHER = "whole", "+"  # the kind of a whole alternative; what joins its ids
CUSTOMERS = 2_000  # at a time, so that their arrays fit the memory of a worker many times


def whole_match(
    quoted: DataFrame,
    actual: DataFrame,
    used: DataFrame,
    owned: DataFrame,
    subscribers: DataFrame,
    packages: Mapping[str, Package],
    offered: Collection[str],
    keep: int,
    changing: Collection[str] = (),
) -> DataFrame:
    """One row per subscriber and alternative: the best `keep`, and the present holding.

    `quoted`: package_quote.quotes; `actual`: bill_item.actual; `used`: (subscriber_id, month) of
    the months with usage; `owned`: holding.held_on. An alternative is compared over all months with
    a bill, or over all months if there is no bill. A package takes part if it is among `offered`,
    is for the brand, and is priced in each of these months. The kinds `changing` are not kept.

    Amounts are yuan; `packages` are the ids in order, `new_packages` those that the customer
    does not hold. `costs`: the compared months, micro-yuan. `separate`: no bundle that is not held
    today; `not_best`: there is one, and an alternative without one costs no more. A customer with a
    month beyond 36 billion yuan has no such rows.
    """
    catalogue = [packages[name] for name in sorted(packages)]
    places = {one.id: place for place, one in enumerate(catalogue)}
    month = F.unix_date("month").alias("month")
    usage = sum((F.col(line) for line in USAGE[1:]), F.col(USAGE[0]))
    entry = F.struct(
        month,
        looked_up(F.col("package_id"), places, "int").alias("place"),
        micro_yuan(F.col("total")).alias("total"),
        micro_yuan(usage).alias("usage"),
        micro_yuan(F.col("unchanged")).alias("unchanged"),
    )
    rows = _listed(quoted.where(F.col("package_id").isin(*places)), entry, "quote")
    paid = micro_yuan(F.col("actual")).alias("paid")
    rerated = (F.col("basis") == RERATED).alias("rerated")
    for others in (
        _listed(actual, F.struct(month, paid, rerated), "bill"),
        _listed(used, F.struct(month), "used"),
        owned.groupBy("subscriber_id").agg(F.collect_set("package_id").alias("own")),
        subscribers.select("subscriber_id", "brand"),
    ):
        rows = rows.join(others, "subscriber_id", "left")
    alternatives = Alternatives(catalogue)
    on_offer = np.array([one.id in offered for one in catalogue])

    def compare(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            for start in range(0, batch.num_rows, CUSTOMERS):
                some = batch.slice(start, CUSTOMERS)
                months = CustomerMonths(alternatives, on_offer, some)
                yield compared_rows(months, months.chosen(keep, changing))

    lists = [
        F.col(f"{name}.{field}").alias(f"{name}_{field}")
        for name, fields in LISTS.items()
        for field in fields
    ]
    compared = rows.select("subscriber_id", "brand", "own", *lists).mapInArrow(compare, COMPARED)
    return compared.withColumns(
        {
            **{
                name: (F.col(name).cast("decimal(24,0)") * F.lit(Decimal("0.000001"))).cast(
                    EXACT if name in SUMS_OF_MONTHS else AMOUNT_TYPE
                )
                for name in AMOUNTS
            },
            "months_won": F.col("months_won").cast("smallint"),
            "kind": F.lit(WHOLE),
            "package_id": F.array_join("packages", TOGETHER),
            "basis": F.when(F.col("rerated"), RERATED).otherwise(BILL),
        }
    ).drop("rerated")


def _listed(rows: DataFrame, entry: Column, name: str) -> DataFrame:
    return rows.groupBy("subscriber_id").agg(F.collect_list(entry).alias(name))


def compared_rows(months: CustomerMonths, chosen: Chosen) -> pa.RecordBatch:
    """The rows of COMPARED, the present holding of a customer after the best alternatives."""
    under = months.under(chosen)
    values = _sums(months, under) | _facts(months, chosen)
    customer, row = np.nonzero(chosen.there.T)
    holds = chosen.holds[row, :, customer]
    unknown = dict.fromkeys(("paid", "saved", "saved_in_use", "dearest_paid"), ~months.has_bill)
    none = under.priced.sum(axis=1) == 0
    columns = {
        "subscriber_id": months.batch.column("subscriber_id").take(pa.array(customer)),
        "packages": _ids(months, holds),
        "new_packages": _ids(months, holds & ~months.held[:, customer].T),
    }
    for name in AMOUNTS:
        blank = unknown.get(name, False) | (none & (name not in ("dearest_paid", "fee")))
        columns[name] = pa.array(
            np.broadcast_to(values[name], none.shape)[row, customer],
            pa.int64(),
            mask=np.broadcast_to(blank, none.shape)[row, customer],
        )
    for name in (*COUNTS, *FLAGS):
        columns[name] = pa.array(np.broadcast_to(values[name], none.shape)[row, customer])
    columns["costs"] = _costs(under, row, customer)
    return pa.RecordBatch.from_arrays(list(columns.values()), names=list(columns))


def _costs(under: Months, row: np.ndarray, customer: np.ndarray) -> pa.ListArray:
    """The compared months of each row, in order of size."""
    costs, priced = (one[row, :, customer] for one in (under.cost, under.priced))
    sizes = np.where(priced, costs, np.iinfo(np.int64).max)
    places = np.argsort(sizes, axis=1, kind="stable")
    costs, priced = (np.take_along_axis(one, places, axis=1) for one in (costs, priced))
    at, month = np.nonzero(priced)
    return listed(at, costs[at, month], len(costs), pa.int64())


def _ids(months: CustomerMonths, named: np.ndarray) -> pa.ListArray:
    """The ids of the packages of each row, in order; `named` is by row and place."""
    ids = np.array([one.id for one in months.alternatives.packages], dtype=object)
    row, place = np.nonzero(named)
    return listed(row, ids[place], len(named), pa.string())


def _sums(months: CustomerMonths, under: Months) -> dict[str, np.ndarray]:
    """Sums over the compared months, by row and customer, as package_match has them."""
    priced, cost, actual = under.priced, under.cost, months.actual
    cheapest = np.where(priced, cost, np.iinfo(np.int64).max).min(axis=0)

    def over(values: np.ndarray, where: np.ndarray = priced) -> np.ndarray:
        total: np.ndarray = np.where(where, values, 0).sum(axis=1)
        return total

    return {
        "months": priced.sum(axis=1),
        "months_won": over((cost < actual) & months.billed),
        "idle_months": over(~months.used),
        "paid": over(actual),
        "cost": over(cost),
        "saved": over(actual - cost),
        "saved_in_use": over(actual - cost, priced & months.used),
        "worst_month_cost": np.where(priced, cost, -np.iinfo(np.int64).max).max(axis=1),
        "regret": over(cost - cheapest),
        "usage_after": over(under.after),
        "usage_beside": over(under.after, priced & under.known),
        "usage_before": over(under.before, priced & under.known),
        "dearest_paid": np.where(months.billed, actual, 0).max(axis=0),
    }


def _facts(months: CustomerMonths, chosen: Chosen) -> dict[str, np.ndarray]:
    """What is known of the rows apart from costs."""
    fees = np.array(months.alternatives.fees, dtype=np.int64)
    present = np.zeros(len(chosen.there), dtype=bool)
    present[-1] = True
    strange = chosen.holds & ~months.of_brand
    strange[:-1] &= ~months.held
    return {
        "fee": (chosen.holds * fees[:, None]).sum(axis=1),
        "lacks_bill": (months.there & ~months.billed).any(axis=0),
        "rerated": months.rerated,
        "has_gap": present[:, None] & months.gaps(),
        "owned": present[:, None],
        "of_brand": ~strange.any(axis=1),
        "separate": chosen.separate,
        "not_best": chosen.not_best,
    }
