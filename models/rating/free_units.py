"""Which customer-months need their events replayed to split free units, and the replay of them.

The cube alone tells the split wherever a pool suffices or all that it is drawn by is one class
(models/pools.py). For the others the events of the month are replayed once per signature of a
package; all packages of the signature are arithmetic again after that.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from models.frames.arrow_lists import listed
from models.frames.customer_batches import of_some_size, whole_customers
from models.frames.lookup import looked_up
from models.rating import evaluator as rating
from models.rating.month_events import MonthEvents, Replays
from models.rating.month_sums import MonthSums
from models.rating.package_prices import PackagePrices
from models.rating.pools import MonthParts, draw_pools
from models.rating.price_matrix import ALL_TOLL, compile_prices
from models.rating.sums import Added
from models.tariff.measure import FACTS
from models.tariff.package import DAY_SECONDS, Package
from models.tariff.signature import signature
from models.usage import cube as usage
from models.usage.event_measure import day_types

TOGETHER = 10_000  # rows
WANTED = {
    "subscriber_id": "BIGINT",
    "month": "DATE",
    "joined": "DATE",
    "until": "DATE",
    "wanted": "ARRAY<INT>",
}
SPLIT = (
    "subscriber_id BIGINT, month DATE, joined DATE, signature STRING, paid ARRAY<BIGINT>, "
    "left ARRAY<BIGINT>, rounded ARRAY<BIGINT>"
)


def representatives(packages: Sequence[Package], toll_rerated: str) -> Mapping[str, Package]:
    """One package of each signature, in order of the signatures; packages without pools have no
    free units to split."""
    found: dict[str, Package] = {}
    for package in sorted(packages, key=lambda package: package.id):
        if package.pools:
            found.setdefault(signature(package, toll_rerated == ALL_TOLL), package)
    return dict(sorted(found.items()))


def wanted(cube: rating.Cube, packages: Mapping[str, Package], toll_rerated: str) -> DataFrame:
    """(subscriber_id, month, joined, wanted): the customer-months whose split only the order of
    events tells; `wanted` holds the places of the signatures in `packages`. Parts of months have
    `until` too.

    `packages` are `representatives`. Where pools carry over and one month is wanted, all months of
    the customer are.
    """
    matrix = compile_prices(list(packages.values()), cube.cells, cube.measures, toll_rerated)
    parts_too = ["until"] if "until" in cube.months.columns else []
    names = ["subscriber_id", "month", "joined", *parts_too]

    def mark(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in whole_customers(batches):
            sums, parts = MonthSums(matrix, batch).added, rating.parts_of(batch)
            marks = np.zeros((batch.num_rows, len(matrix.packages)), dtype=bool)
            for place, prices in enumerate(matrix.packages):
                marks[:, place] = _ordered(prices, sums, parts)
            rows = np.flatnonzero(marks.any(axis=1))
            if len(rows):
                row, place = np.nonzero(marks[rows])
                taken = pa.array(rows)
                yield pa.RecordBatch.from_arrays(
                    [
                        *(batch.column(name).take(taken) for name in names),
                        listed(row, place, len(rows), pa.int32()),
                    ],
                    names=[*names, "wanted"],
                )

    schema = ", ".join([f"{name} {WANTED[name]}" for name in [*names, "wanted"]])
    return cube.by_customer(matrix).mapInArrow(mark, schema)


def _ordered(prices: PackagePrices, sums: Added, parts: MonthParts) -> np.ndarray:
    units = sums.these([group.units for group in prices.groups])
    ordered = draw_pools(prices, units, parts).ordered
    if any(pool.carry_over for pool in prices.pools) and ordered.any():
        customer = np.cumsum(parts.begins)
        ordered = np.isin(customer, customer[ordered])
    return ordered


def outstanding(
    wanted_splits: DataFrame, stored: DataFrame, packages: Mapping[str, Package]
) -> tuple[DataFrame, DataFrame]:
    """What of `wanted` has still to be replayed, and the rows of `stored` that stand.

    `stored`: rows of dw.free_unit_split whose events are the same as when they were made. One
    stands for a customer who has not joined on another day since. What a pool carries over begins
    with the first of the months compared, so such signatures are replayed at every close.
    """
    places = {
        name: place
        for place, (name, package) in enumerate(packages.items())
        if not any(pool.carry_over for pool in package.pools)
    }
    placed = stored.withColumn("place", looked_up(F.col("signature"), places, "int"))
    same_month = (
        (F.col("w.subscriber_id") == F.col("s.subscriber_id"))
        & (F.col("w.month") == F.col("s.month"))
        & F.col("w.joined").eqNullSafe(F.col("s.joined"))
    )
    stands = placed.alias("s").join(
        wanted_splits.alias("w"),
        same_month & F.array_contains("w.wanted", F.col("s.place")),
        "left_semi",
    )
    there = stands.groupBy("subscriber_id", "month", "joined").agg(
        F.collect_set("place").alias("there")
    )
    rest = F.array_except("wanted", F.coalesce("there", F.array().cast("array<int>")))
    left = (
        wanted_splits.alias("w")
        .join(there.alias("s"), same_month, "left")
        .select("w.subscriber_id", "w.month", "w.joined", rest.alias("wanted"))
    )
    return left.where(F.size("wanted") > 0), stands.drop("place")


def guided(
    records: usage.Records,
    identity: DataFrame,
    cuts: Mapping[str, Sequence[int]],
    holidays: Collection[date],
    wanted_months: DataFrame,
) -> DataFrame:
    """usage.guide of the wanted customers: to leave out the others' numbers is less than to leave
    out their events."""
    theirs = identity.join(wanted_months, "subscriber_id", "left_semi")
    return usage.guide(records, theirs, cuts, holidays)


def split(
    guided: DataFrame,
    wanted_months: DataFrame,
    cells: Sequence,
    packages: Mapping[str, Package],
    toll_rerated: str,
    holidays: Collection[date],
) -> DataFrame:
    """dw.free_unit_split: the split of every wanted customer-month, by signature.

    `guided`: usage.guide over the records of the months; `cells` are rows of dw.rating_cell (one
    that they lack, since the bands of the catalogue have changed, comes with its events). Events
    are consumed in order of answer time; two of the same instant in that of cell and quantity, so
    no order is left to chance.
    """
    replays, kinds = Replays(packages, cells, toll_rerated == ALL_TOLL), day_types(holidays)

    def replay(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in of_some_size(whole_customers(batches), TOGETHER):
            months = MonthEvents(batch, replays, kinds)
            for place, (name, one) in enumerate(zip(replays.names, replays.each)):
                chosen = months.wanting(place)
                if len(chosen):
                    yield months.rows(name, chosen, months.split(one, chosen))

    # The months come as rows beside their events: joined to each event they would be sorted and
    # carried with every one of them. Within a customer the rows are put in order there: a sort by
    # one number alone is much the fastest.
    events = _replayed(guided, {package.service for package in packages.values()}, replays.ids)
    rows = events.unionByName(wanted_months, allowMissingColumns=True)
    return (
        rows.repartition("subscriber_id")
        .sortWithinPartitions("subscriber_id")
        .mapInArrow(replay, SPLIT)
    )


def _replayed(guided: DataFrame, services: Collection[str], known: np.ndarray) -> DataFrame:
    """What a replay looks at: EVENT of what was used, with the facts of a cell that is not known."""
    unknown = ~F.col("cell_id").isin(known.tolist())
    return guided.where(
        F.col("subscriber_id").isNotNull()
        & (F.col("quantity") > 0)
        & F.col("service").isin(sorted(services))
    ).select(
        "subscriber_id",
        F.unix_micros("occurred_at").alias("occurred_us"),
        (F.unix_date("local_date").cast("bigint") * DAY_SECONDS + F.col("local_second")).alias(
            "local_moment"
        ),
        "cell_id",
        "quantity",
        F.when(unknown, F.to_json(F.struct(*FACTS))).alias("unknown_cell"),
    )
