"""Which customer-months need a replay of their events to split free units, and the replay.

The cube alone gives the split if a pool is large enough or if all units that draw on it are one
class (models/rating/pools.py). For the other months, the events are replayed once per signature of
a package. After that, all packages of the signature are priced by arithmetic again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame, Row
from pyspark.sql import functions as F

from models.frames.arrow_lists import listed
from models.frames.customer_batches import of_some_size, whole_customers
from models.frames.lookup import looked_up
from models.rating.cube import Cube, parts_of
from models.rating.month_events import MonthEvents, Replays
from models.rating.month_sums import MonthSums
from models.rating.package_prices import PackagePrices, SumValues
from models.rating.pools import MonthParts, draw_pools
from models.rating.price_matrix import ALL_TOLL, compile_prices
from models.tariff.measure import FACTS
from models.tariff.package import DAY_SECONDS, Package
from models.tariff.signature import signature
from models.usage import events as usage_events
from models.usage.local_time import NEVER_CHANGED, LocalTime

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
    """Signature → one package with it, in order of the signatures.

    Packages without pools have no free units to split and are left out.
    """
    found: dict[str, Package] = {}
    for package in sorted(packages, key=lambda package: package.id):
        if package.pools:
            found.setdefault(signature(package, all_toll=toll_rerated == ALL_TOLL), package)
    return dict(sorted(found.items()))


def wanted(cube: Cube, packages: Mapping[str, Package], toll_rerated: str) -> DataFrame:
    """(subscriber_id, month, joined, wanted): the customer-months that need a replay.

    `packages` are the `representatives`. `wanted` holds the places in `packages` of the signatures
    whose split depends on the order of events. Parts of months also have `until`. If a pool carries
    units over and one month of a customer is wanted, all months of the customer are wanted.
    """
    matrix = compile_prices(list(packages.values()), cube.cells, cube.measures, toll_rerated)
    parts_too = ["until"] if "until" in cube.months.columns else []
    names = ["subscriber_id", "month", "joined", *parts_too]

    def mark(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in whole_customers(batches):
            sums, parts = MonthSums(matrix, batch).sums, parts_of(batch)
            marks = np.zeros((batch.num_rows, len(matrix.packages)), dtype=bool)
            for place, prices in enumerate(matrix.packages):
                marks[:, place] = _ordered(prices, sums, parts)
            rows = np.flatnonzero(marks.any(axis=1))
            if len(rows):
                row, places = np.nonzero(marks[rows])
                taken = pa.array(rows)
                yield pa.RecordBatch.from_arrays(
                    [
                        *(batch.column(name).take(taken) for name in names),
                        listed(row, places, len(rows), pa.int32()),
                    ],
                    names=[*names, "wanted"],
                )

    schema = ", ".join([f"{name} {WANTED[name]}" for name in [*names, "wanted"]])
    return cube.by_customer(matrix).mapInArrow(mark, schema)


def _ordered(prices: PackagePrices, sums: SumValues, parts: MonthParts) -> np.ndarray:
    """Which months of a batch need a replay under one package."""
    ordered = draw_pools(prices, prices.units(sums), parts).ordered
    if any(pool.carry_over for pool in prices.pools) and ordered.any():
        customer = np.cumsum(parts.begins)
        ordered = np.isin(customer, customer[ordered])
    return ordered


def outstanding(
    wanted_splits: DataFrame, stored: DataFrame, packages: Mapping[str, Package]
) -> tuple[DataFrame, DataFrame]:
    """The part of `wanted` that has still to be replayed, and the rows of `stored` that are valid.

    `stored` holds rows of dw.free_unit_split whose events have not changed since they were made. A
    row is valid if the customer's day of joining is still the same. A signature with carry-over is
    always replayed, because its units carry over from the first of the compared months.
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
    valid = placed.alias("s").join(
        wanted_splits.alias("w"),
        same_month & F.array_contains("w.wanted", F.col("s.place")),
        "left_semi",
    )
    there = valid.groupBy("subscriber_id", "month", "joined").agg(
        F.collect_set("place").alias("there")
    )
    rest = F.array_except("wanted", F.coalesce("there", F.array().cast("array<int>")))
    left = (
        wanted_splits.alias("w")
        .join(there.alias("s"), same_month, "left")
        .select("w.subscriber_id", "w.month", "w.joined", rest.alias("wanted"))
    )
    return left.where(F.size("wanted") > 0), valid.drop("place")


def guided(
    events: DataFrame,
    identity: DataFrame,
    cuts: Mapping[str, Sequence[int]],
    holidays: Collection[date],
    wanted_months: DataFrame,
) -> DataFrame:
    """The guided events of the wanted customers. `events` as `events.guide` expects them.

    The identity table is filtered instead of the events, because it is much smaller.
    """
    theirs = identity.join(wanted_months, "subscriber_id", "left_semi")
    return usage_events.guide(events, theirs, cuts, holidays)


def split(
    guided: DataFrame,
    wanted_months: DataFrame,
    cells: Sequence[Row],
    packages: Mapping[str, Package],
    toll_rerated: str,
    holidays: Collection[date],
    zone: str = NEVER_CHANGED,
) -> DataFrame:
    """dw.free_unit_split: the split of each wanted customer-month, by signature.

    `guided` are the guided events of the months. `cells` are the rows of dw.rating_cell. If the
    bands of the catalogue have changed, a cell may be missing there; its facts then come with its
    events. Events are consumed in order of answer time; events of one instant in order of their
    keys, so the order is always the same, whatever else the catalogue holds. `zone` is the time
    zone of the local days.
    """
    replays = Replays(packages, cells, all_toll=toll_rerated == ALL_TOLL)
    local = LocalTime(holidays, zone)

    def replay(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in of_some_size(whole_customers(batches), TOGETHER):
            months = MonthEvents(batch, replays, local)
            for place, (name, one) in enumerate(zip(replays.names, replays.each, strict=True)):
                chosen = months.wanting(place)
                if len(chosen):
                    yield months.split_rows(name, chosen, months.replayed(one, chosen))

    # The months are rows of their own beside their events: joined to the events, they would be
    # sorted and shuffled with each of them. Spark sorts by one number only, which is by far the
    # fastest; MonthEvents then sorts the rows of each customer.
    services = {service for package in packages.values() for service in package.services}
    events = _replayed(guided, services, replays.ids)
    rows = events.unionByName(wanted_months, allowMissingColumns=True)
    return (
        rows.repartition("subscriber_id")
        .sortWithinPartitions("subscriber_id")
        .mapInArrow(replay, SPLIT)
    )


def _replayed(guided: DataFrame, services: Collection[str], known: np.ndarray) -> DataFrame:
    """The events with a quantity above 0, with the columns EVENT of month_events.

    `unknown_cell` holds the facts of a cell that is not in `known`.
    """
    unknown = ~F.col("cell_id").isin(known.tolist())
    return guided.where(
        F.col("subscriber_id").isNotNull()
        & (F.col("quantity") > 0)
        & F.col("service").isin(sorted(services))
    ).select(
        "subscriber_id",
        F.unix_micros("occurred_at").alias("occurred_us"),
        "event_key",
        (F.unix_date("local_date").cast("bigint") * DAY_SECONDS + F.col("local_second")).alias(
            "local_moment"
        ),
        "cell_id",
        "quantity",
        F.when(unknown, F.to_json(F.struct(*FACTS))).alias("unknown_cell"),
    )
