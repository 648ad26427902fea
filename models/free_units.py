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

from models import rating
from models.arrow_lists import equal_lists, listed, rows_of
from models.customer_batches import whole_customers
from models.event_measure import Events, day_types
from models.lookup import looked_up
from models.measure import FACTS
from models.month_sums import MonthSums
from models.package_prices import PackagePrices
from models.pools import MonthParts, carried, draw_pools, pool_sizes
from models.price_matrix import ALL_TOLL, compile_prices
from models.replay import Replay, Split
from models.signature import signature
from models.sums import Added
from models.tariff import Package

REPLAYED = ("subscriber_id", "month", "occurred_at", "local_date", "local_second", "cell_id",
            "quantity")  # what a replay looks at, of an event
WANTED = "subscriber_id BIGINT, month DATE, joined DATE, wanted ARRAY<INT>"
SPLIT = ("subscriber_id BIGINT, month DATE, joined DATE, signature STRING, paid ARRAY<BIGINT>, "
         "left ARRAY<BIGINT>, rounded ARRAY<BIGINT>")


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
    events tells; `wanted` holds the places of the signatures in `packages`.

    `packages` are `representatives`. Where pools carry over and one month is wanted, all months of
    the customer are.
    """
    matrix = compile_prices(list(packages.values()), cube.cells, cube.measures, toll_rerated)

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
                    [*(batch.column(name).take(taken)
                       for name in ("subscriber_id", "month", "joined")),
                     listed(row, place, len(rows), pa.int32())],
                    names=["subscriber_id", "month", "joined", "wanted"])

    return cube.by_customer(matrix).mapInArrow(mark, WANTED)


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
    places = {name: place for place, (name, package) in enumerate(packages.items())
              if not any(pool.carry_over for pool in package.pools)}
    placed = stored.withColumn("place", looked_up(F.col("signature"), places, "int"))
    same_month = ((F.col("w.subscriber_id") == F.col("s.subscriber_id"))
                  & (F.col("w.month") == F.col("s.month"))
                  & F.col("w.joined").eqNullSafe(F.col("s.joined")))
    stands = placed.alias("s").join(
        wanted_splits.alias("w"), same_month & F.array_contains("w.wanted", F.col("s.place")),
        "left_semi")
    there = stands.groupBy("subscriber_id", "month", "joined").agg(
        F.collect_set("place").alias("there"))
    rest = F.array_except("wanted", F.coalesce("there", F.array().cast("array<int>")))
    left = wanted_splits.alias("w").join(there.alias("s"), same_month, "left").select(
        "w.subscriber_id", "w.month", "w.joined", rest.alias("wanted"))
    return left.where(F.size("wanted") > 0), stands.drop("place")


def split(
    guided: DataFrame, wanted_months: DataFrame, cells: Sequence,
    packages: Mapping[str, Package], toll_rerated: str, holidays: Collection[date],
) -> DataFrame:
    """dw.free_unit_split: the split of every wanted customer-month, by signature.

    `guided`: usage.guide over the records of the months, with their `month`; `cells` are those of
    its events. Events are consumed in order of answer time; two of the same instant in that of
    cell and quantity, so no order is left to chance.
    """
    ordered = sorted(cells, key=lambda cell: cell.cell_id)
    ids = np.array([cell.cell_id for cell in ordered], dtype=np.int64)
    facts = [{fact: getattr(cell, fact) for fact in FACTS} for cell in ordered]
    services = np.array([cell.service for cell in ordered], dtype=object)
    kinds = day_types(holidays)
    names = list(packages)
    replays = [Replay(package, facts, toll_rerated == ALL_TOLL) for package in packages.values()]

    def replay(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in whole_customers(batches):
            months = _Months(batch, ids, services, kinds)
            for place, (name, one) in enumerate(zip(names, replays)):
                chosen = months.wanting(place)
                if len(chosen):
                    yield months.rows(name, chosen, months.split(one, chosen))

    events = (
        wanted_months.join(guided.select(*REPLAYED), ["subscriber_id", "month"], "left")
        .repartition("subscriber_id")
        .sortWithinPartitions("subscriber_id", "month", "occurred_at", "cell_id", "quantity")
        .select("subscriber_id", "month", "joined", "wanted", "local_date", "local_second",
                "cell_id", "quantity")
    )
    return events.mapInArrow(replay, SPLIT)


class _Months:
    """The wanted customer-months of a batch of events: row k begins at event `first[k]`."""

    def __init__(self, batch: pa.RecordBatch, cell_ids: np.ndarray, services: np.ndarray, kinds):
        column = {name: batch.column(name) for name in batch.schema.names}
        customers, month = (column[name].to_numpy(zero_copy_only=False)
                            for name in ("subscriber_id", "month"))
        begins = np.ones(len(customers), dtype=bool)
        begins[1:] = (customers[1:] != customers[:-1]) | (month[1:] != month[:-1])
        self.first, self.row = np.flatnonzero(begins), np.cumsum(begins) - 1
        heads = batch.take(pa.array(self.first))
        self.owned = [heads.column(name) for name in ("subscriber_id", "month", "joined")]
        self.parts = rating.parts_of(heads)
        lists = heads.column("wanted")
        self._wanting = rows_of(lists), lists.flatten().to_numpy(zero_copy_only=False)
        # A month without any event comes as one row without a cell.
        there = np.flatnonzero(column["cell_id"].is_valid().to_numpy(zero_copy_only=False))
        cell, quantity, day, second = (
            column[name].take(pa.array(there)).to_numpy(zero_copy_only=False)
            for name in ("cell_id", "quantity", "local_date", "local_second"))
        self._services = services
        self._cell, self._row = np.searchsorted(cell_ids, cell), self.row[there]
        self._events = Events(quantity, second.astype(np.int64), day.astype("datetime64[D]"), kinds)
        self._of_service: dict[str, tuple[Events, np.ndarray, np.ndarray]] = {}

    def of_service(self, service: str) -> tuple[Events, np.ndarray, np.ndarray]:
        """The events of a service, their cells and rows: the same ones for every signature, so that
        what is laid out once serves all."""
        if service not in self._of_service:
            chosen = np.flatnonzero(self._services[self._cell] == service)
            self._of_service[service] = (
                self._events.of(chosen), self._cell[chosen], self._row[chosen])
        return self._of_service[service]

    def wanting(self, place: int) -> np.ndarray:
        """The rows that want the signature at a place."""
        owner, places = self._wanting
        return owner[places == place]

    def split(self, replay: Replay, chosen: np.ndarray) -> Split:
        """The split of some rows; the months of a customer are handed over in order."""
        sizes = pool_sizes(replay.pools, replay.package.partial_month, self.parts)
        paid = np.zeros((len(replay.slots), len(self.first)), dtype=np.int64)
        left = np.zeros(sizes.shape, dtype=np.int64)
        rounded = np.zeros((len(replay.lines), len(self.first)), dtype=np.int64)
        carrying = any(pool.carry_over for pool in replay.pools)
        events, cell, row = self.of_service(replay.package.service)
        for wave in self.parts.waves() if carrying else [np.arange(len(self.first))]:
            rows = np.intersect1d(chosen, wave)
            ready = sizes[:, rows]
            if carrying:
                ready = ready + carried(replay.pools, sizes, left, self.parts.before[rows])
            number = np.full(len(self.first), -1, dtype=np.int64)
            number[rows] = np.arange(len(rows))
            one = replay.split(events, cell, number[row], ready)
            paid[:, rows], left[:, rows], rounded[:, rows] = one
        return Split(paid[:, chosen], left[:, chosen], rounded[:, chosen])

    def rows(self, name: str, chosen: np.ndarray, found: Split) -> pa.RecordBatch:
        """The rows of dw.free_unit_split of a signature."""
        taken = pa.array(chosen)
        return pa.RecordBatch.from_arrays(
            [*(values.take(taken) for values in self.owned), pa.repeat(name, len(chosen)),
             *(equal_lists(values.T) for values in found)],
            names=["subscriber_id", "month", "joined", "signature", "paid", "left", "rounded"])
