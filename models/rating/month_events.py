"""Prepares the events of wanted customer-months for a replay, in batches of whole customers.

A batch holds two kinds of rows, in order of customers but in no further order: the wanted months
(with `wanted`, the places of the signatures) and events. A month may be split into parts. Then all
its parts are in the batch, and `month` holds the first day of each. An event belongs to the latest
part that began on or before its day; an event before the first part belongs to the first.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
from pyspark.sql import Row

from models.frames.arrow_lists import equal_lists, rows_of
from models.rating.cube import parts_of
from models.rating.pools import carried, pool_sizes
from models.rating.replay import Replay, ServiceEvents, Split
from models.tariff.measure import FACTS
from models.tariff.package import DAY_SECONDS, Package
from models.tariff.segmentation import LocalTime, Starts
from models.usage.event_measure import Events

MONTH = ["subscriber_id", "month", "joined", "until", "wanted"]  # until: month parts only
EVENT = [
    "subscriber_id",
    "occurred_us",
    "event_key",
    "local_moment",
    "cell_id",
    "quantity",
    "unknown_cell",
]
MICROSECONDS = 1_000_000
DAYS_APART = 2**20  # between two customers, when customer and day are one number


class Replays:
    """The replays of some signatures (signature → package) over rows of dw.rating_cell.

    A cell that is not among `cells` is added by `learn`.
    - `names`, `each`: the signatures in order, and their replays;
    - `ids`, `services`: the cells in order of their ids, and their services;
    - `takes`: by cell, whether any signature needs the events of the cell.
    """

    def __init__(self, packages: Mapping[str, Package], cells: Sequence[Row], *, all_toll: bool):
        self.names, self._packages, self._all_toll = list(packages), packages.values(), all_toll
        self._facts = {
            cell.cell_id: {fact: getattr(cell, fact) for fact in FACTS} for cell in cells
        }
        self._compile()

    def _compile(self) -> None:
        self.ids = np.array(sorted(self._facts), dtype=np.int64)
        facts = [self._facts[number] for number in self.ids.tolist()]
        self.services = np.array([one["service"] for one in facts], dtype=object)
        self.each = [Replay(package, facts, all_toll=self._all_toll) for package in self._packages]
        nothing = np.zeros(len(facts), dtype=bool)
        self.takes = np.logical_or.reduce([nothing, *(one.takes for one in self.each)])

    def learn(self, cell_ids: np.ndarray, facts: Sequence[str]) -> None:
        """Add cells by their facts, as JSON without the facts that are null."""
        new = dict(zip(cell_ids.tolist(), facts, strict=True))
        lacking = {
            number: {**dict.fromkeys(FACTS), **json.loads(text)}
            for number, text in new.items()
            if number not in self._facts
        }
        if lacking:
            self._facts |= lacking
            self._compile()


class MonthEvents:
    """The wanted months of a batch and their events.

    The months are in order of customer and month. The events of a month are in order of answer
    time; events of one instant are in order of their keys.
    """

    def __init__(self, batch: pa.RecordBatch, replays: Replays, local: LocalTime):
        is_month = batch.column("wanted").is_valid().to_numpy(zero_copy_only=False)
        numbers = batch.column("subscriber_id").to_numpy()
        customer = np.cumsum(np.diff(numbers, prepend=numbers[:1]) != 0) * DAYS_APART
        heads = np.flatnonzero(is_month)
        begins = batch.column("month").take(pa.array(heads)).to_numpy(zero_copy_only=False)
        begins = begins.astype("datetime64[D]")
        order = np.argsort(customer[heads] + begins.astype(np.int64))
        heads, begins = heads[order], begins[order]
        self._begins = customer[heads] + begins.astype(np.int64)
        self._month = customer[heads] + begins.astype("datetime64[M]").astype(np.int64)
        named = [name for name in MONTH if name in batch.schema.names]
        months = batch.select(named).take(pa.array(heads))
        self.count, self.parts = len(heads), parts_of(months)
        self.owned = [months.column(name) for name in ("subscriber_id", "month", "joined")]
        lists = months.column("wanted")
        self._wanting = rows_of(lists), lists.flatten().to_numpy(zero_copy_only=False)
        there = np.flatnonzero(~is_month)
        self._read(batch.select(EVENT).take(pa.array(there)), customer[there], replays, local)
        self._of_service: dict[str, ServiceEvents] = {}

    def _read(
        self, events: pa.RecordBatch, customer: np.ndarray, replays: Replays, local: LocalTime
    ) -> None:
        occurred, key, moment, cell_id, quantity = (
            events.column(name).to_numpy() for name in EVENT[1:-1]
        )
        unknown = events.column("unknown_cell")
        if unknown.null_count < len(unknown):
            there = unknown.is_valid().to_numpy(zero_copy_only=False)
            replays.learn(cell_id[there], unknown.drop_null().to_pylist())
        cell, day = np.searchsorted(replays.ids, cell_id), moment // DAY_SECONDS
        day = day.astype("datetime64[D]")
        row = self._row_of(customer, day)
        mine = np.flatnonzero((row >= 0) & replays.takes[cell])
        order = mine[_in_order(row[mine], occurred[mine], key[mine])]
        self._quantity = quantity[order]
        instant = occurred[order] // MICROSECONDS
        self._starts = Starts(instant, day[order], moment[order] % DAY_SECONDS)
        self._cell, self._row = cell[order], row[order]
        self._services, self._local = replays.services, local

    def _row_of(self, customer: np.ndarray, day: np.ndarray) -> np.ndarray:
        """The wanted month (or part) to which a customer's day belongs; -1 if it is not wanted."""
        month = customer + day.astype("datetime64[M]").astype(np.int64)
        months = np.append(self._month, -1)  # index -1 means before the first month
        latest = np.searchsorted(self._begins, customer + day.astype(np.int64), side="right") - 1
        row = np.where(months[latest] == month, latest, latest + 1)
        found: np.ndarray = np.where(months[row] == month, row, -1)
        return found

    def of_service(self, service: str) -> ServiceEvents:
        """The events of a service. All signatures share them, so each segmentation is cut once."""
        if service not in self._of_service:
            chosen = np.flatnonzero(self._services[self._cell] == service)
            events = Events(self._quantity[chosen], self._starts.of(chosen), self._local)
            self._of_service[service] = ServiceEvents(
                events, self._cell[chosen], self._row[chosen], chosen
            )
        return self._of_service[service]

    def wanting(self, place: int) -> np.ndarray:
        """The rows that want the signature at this place."""
        owner, places = self._wanting
        rows: np.ndarray = owner[places == place]
        return rows

    def replayed(self, replay: Replay, chosen: np.ndarray) -> Split:
        """The split of the chosen rows under one signature.

        If a pool carries units over, the months of a customer are replayed one after the other.
        """
        sizes = pool_sizes(replay.pools, replay.package.partial_month, self.parts)
        paid = np.zeros((len(replay.slots), self.count), dtype=np.int64)
        left = np.zeros(sizes.shape, dtype=np.int64)
        rounded = np.zeros((len(replay.lines), self.count), dtype=np.int64)
        carrying = any(pool.carry_over for pool in replay.pools)
        uses = [self.of_service(service) for service in replay.package.services]
        for wave in self.parts.waves() if carrying else [np.arange(self.count)]:
            rows = np.intersect1d(chosen, wave)
            ready = sizes[:, rows]
            if carrying:
                ready = ready + carried(replay.pools, sizes, left, self.parts.before[rows])
            number = np.full(self.count, -1, dtype=np.int64)
            number[rows] = np.arange(len(rows))
            one = replay.split([use._replace(row=number[use.row]) for use in uses], ready)
            paid[:, rows], left[:, rows], rounded[:, rows] = one
        return Split(paid[:, chosen], left[:, chosen], rounded[:, chosen])

    def split_rows(self, name: str, chosen: np.ndarray, found: Split) -> pa.RecordBatch:
        """The splits of the chosen rows as rows of dw.free_unit_split; `name` is the signature."""
        taken = pa.array(chosen)
        return pa.RecordBatch.from_arrays(
            [
                *(values.take(taken) for values in self.owned),
                pa.repeat(name, len(chosen)),
                *(equal_lists(values.T) for values in found),
            ],
            names=["subscriber_id", "month", "joined", "signature", "paid", "left", "rounded"],
        )


def _in_order(row: np.ndarray, occurred: np.ndarray, key: np.ndarray) -> np.ndarray:
    """The order by row, instant and event key.

    Row and instant are sorted as one number; only where two of these are equal, keys are compared.
    """
    if not len(row):
        return np.zeros(0, dtype=np.int64)
    instant = occurred - occurred.min()
    span = int(instant.max()) + 1
    if span * (int(row.max()) + 1) >= 2**63:
        return np.lexsort((key, instant, row))
    both = row * span + instant
    order = np.argsort(both)
    same = np.diff(both[order]) == 0
    tied = np.flatnonzero(np.append(same, False) | np.append(False, same))
    some = order[tied]
    order[tied] = some[np.lexsort((key[some], both[some]))]
    return order
