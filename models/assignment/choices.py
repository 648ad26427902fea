"""The options of a night as one row per customer and way, with fixed arrays."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from models.frames.customer_batches import of_some_size, whole_customers
from models.frames.money import micro_yuan

USES = "array<struct<resource: string, units: bigint>>"
LISTS = {
    "option_id": "string",
    "value": "bigint",
    "kind": "bigint",
    "preference": "smallint",
    "sticky": "boolean",
    "unlucky": "boolean",
}
ANY_NUMBER = 2**31 - 1
ROWS = 20_000  # options handed over at once


def choices(options: DataFrame) -> DataFrame:
    """One row per customer and way. Whoever calls keeps the rows: an assignment reads them twice.

    `options`: one row per option, in any order, with the columns
    - `customer_id` BIGINT and `way` STRING: who chooses, and the way of contact (intrusive, pull);
    - `option_id` STRING: unique within both; it breaks ties;
    - `value` DECIMAL yuan: an option without a value, or with one of 0 or less, is never assigned;
    - `uses`: what the option takes of each resource (USES);
    - `slots` INT: how many options this customer may get this way; of several numbers the least;
    - `preference` SMALLINT: the place in the customer's own ranking, for the naive rival;
    - `sticky` BOOLEAN: whether the customer had this option yesterday;
    - `unlucky` BOOLEAN: another option was drawn by lot in its place, so it is never assigned. It
      stands here for what a rule would have chosen without the lot.

    The rows have `slots`, a list of each of LISTS in the order of `option_id` (`value` in whole
    micro-yuan, `kind` as the hash of the uses), and `lot`, the fixed hash of customer and way: it
    decides between equals. `repeated`: whether an option stands there twice.
    """
    lists = ", ".join(f"{name} array<{kind}>" for name, kind in LISTS.items())
    return (
        options.select(
            "customer_id",
            "way",
            F.when(F.col("unlucky"), ANY_NUMBER)
            .otherwise(F.coalesce(F.col("slots").cast("int"), F.lit(0)))
            .alias("slots"),
            "option_id",
            micro_yuan(F.col("value")).alias("value"),
            F.xxhash64(_uses()).alias("kind"),
            F.col("preference").cast("smallint").alias("preference"),
            *(F.coalesce(name, F.lit(False)).alias(name) for name in ("sticky", "unlucky")),
        )
        .repartition("customer_id")
        .sortWithinPartitions("customer_id", "way", "option_id")
        .mapInArrow(
            _packed, f"customer_id bigint, way string, slots int, {lists}, repeated boolean"
        )
        .withColumn("lot", F.xxhash64("customer_id", "way"))
    )


def uses_of(options: DataFrame) -> DataFrame:
    """The different uses of resources (`uses`) among the options, each with its hash (`kind`)."""
    return options.select(F.xxhash64(_uses()).alias("kind"), _uses().alias("uses")).distinct()


def _uses() -> Column:
    return F.sort_array(F.coalesce(F.col("uses").cast(USES), F.array().cast(USES)))


def _packed(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    for batch in of_some_size(whole_customers(batches, "customer_id"), ROWS):
        customer = batch.column("customer_id").to_numpy(zero_copy_only=False)
        way, ids = batch.column("way"), batch.column("option_id")
        another = np.ones(len(customer), dtype=bool)
        another[1:] = (customer[1:] != customer[:-1]) | ~_as_before(way)
        first = np.flatnonzero(another)
        again = np.zeros(len(customer), dtype=bool)
        again[1:] = _as_before(ids) & ~another[1:]
        ends = pa.array(np.append(first, len(customer)), pa.int32())
        slots = batch.column("slots").to_numpy(zero_copy_only=False)
        yield pa.RecordBatch.from_arrays(
            [
                pa.array(customer[first]),
                way.take(pa.array(first)),
                pa.array(np.minimum.reduceat(slots, first)),
                *(pa.ListArray.from_arrays(ends, batch.column(name)) for name in LISTS),
                pa.array(np.logical_or.reduceat(again, first)),
            ],
            names=["customer_id", "way", "slots", *LISTS, "repeated"],
        )


def _as_before(values: pa.Array) -> np.ndarray:
    """Whether each value but the first equals the one before it."""
    return pc.equal(values[1:], values[:-1]).to_numpy(zero_copy_only=False)
