"""The months of some customers as arrays: what each alternative would have cost, month by month.

Axes are, as far as an array has them: place of the package in the catalogue, kind (KINDS), month,
customer. Amounts are micro-yuan. No Python per customer.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from models.frames.arrow_lists import rows_of
from models.quote.alternative import COST, FACTS, LACKING, SLOTS, Alternatives, ordered
from models.quote.bill_item import KINDS
from models.tariff.package import BUNDLE

LARGEST = 2**55  # micro-yuan of a month: then no sum of an alternative exceeds 64 bits


class Chosen(NamedTuple):
    """Alternatives by row and customer; the last row is the present holding.

    - `there`: whether the customer has the row;
    - `places`: the packages, by row, SLOTS and customer, without the last row;
    - `holds`: the packages, by row, place and customer, of all rows;
    - `separate`: it has no bundle that is not held;
    - `not_best`: it has one, and an alternative without one costs no more.
    """

    there: np.ndarray
    places: np.ndarray
    holds: np.ndarray
    separate: np.ndarray
    not_best: np.ndarray


class Months(NamedTuple):
    """What the rows of Chosen make of the months: by row, month and customer.

    `after` is the cost of usage in the changed kinds, `before` that under the present packages of
    these kinds, if it is `known`. `priced` are the compared months that the row has a cost for.
    """

    cost: np.ndarray
    after: np.ndarray
    before: np.ndarray
    known: np.ndarray
    priced: np.ndarray


class CustomerMonths:
    """The quotes and bills of some customers, from a batch with one row per customer.

    Lists of the batch: `quote_…` (month, place, total, usage, unchanged; null if not comparable),
    `bill_…` (month, paid, rerated), `used_month`, `own` (ids of the present packages); and `brand`.
    """

    def __init__(self, alternatives: Alternatives, on_offer: np.ndarray, batch: pa.RecordBatch):
        self.alternatives, self.batch = alternatives, batch
        packages = alternatives.packages
        self.kinds = np.array([[kind in one.kinds for kind in KINDS] for one in packages])
        self.bundles = np.array([one.kind == BUNDLE for one in packages])
        self._read_quotes()
        self._read_bills()
        self.held = self._held()
        self.of_brand = self._of_brand()
        self.nothing = (self.kinds.T.astype(int) @ self.held.astype(int)) == 0
        self.added = np.where(self.comparable, self.total - self.unchanged, 0)
        priced = (self.comparable | ~self.compared).all(axis=1) & self.compared.any(axis=0)
        self.able = self.held | (on_offer[:, None] & self.of_brand & priced)

    def _read_quotes(self) -> None:
        batch, packages = self.batch, len(self.alternatives.packages)
        customer, month = rows_of(batch.column("quote_month")), _flat(batch, "quote_month")
        self.months = np.unique(month)
        shape = len(self.months), batch.num_rows
        place, at = _flat(batch, "quote_place"), np.searchsorted(self.months, month)
        known = batch.column("quote_total").flatten().is_valid().to_numpy(zero_copy_only=False)
        self.total, self.usage = np.zeros((2, packages, *shape), dtype=np.int64)
        self.comparable = np.zeros((packages, *shape), dtype=bool)
        self.unchanged = np.zeros(shape, dtype=np.int64)
        self.there, self.based = np.zeros((2, *shape), dtype=bool)
        self.there[at, customer] = True
        where = place[known], at[known], customer[known]
        self.comparable[where] = True
        self.total[where] = _flat(batch, "quote_total")[known]
        self.usage[where] = _flat(batch, "quote_usage")[known]
        self.based[where[1:]] = True
        self.unchanged[where[1:]] = _flat(batch, "quote_unchanged")[known]

    def _read_bills(self) -> None:
        self.actual = np.zeros(self.there.shape, dtype=np.int64)
        self.billed, self.used = np.zeros((2, *self.there.shape), dtype=bool)
        paid = self._marked("bill", self.billed)
        self.actual[paid[1:]] = _flat(self.batch, "bill_paid")[paid[0]]
        self._marked("used", self.used)
        self.rerated = np.zeros(self.batch.num_rows, dtype=bool)
        stands_in = self.batch.column("bill_rerated")
        self.rerated[rows_of(stands_in)[stands_in.flatten().to_numpy(zero_copy_only=False)]] = True
        self.billed &= self.there
        self.has_bill = self.billed.any(axis=0)
        self.compared = self.there & (self.billed | ~self.has_bill)
        amounts = (self.total, self.unchanged[None], self.actual[None])
        self.usable = np.all([(np.abs(one) < LARGEST).all(axis=(0, 1)) for one in amounts], axis=0)

    def _marked(self, name: str, marks: np.ndarray) -> tuple[np.ndarray, ...]:
        """Mark the months of a list; returns which entries are known months, and their places."""
        customer = rows_of(self.batch.column(f"{name}_month"))
        month = _flat(self.batch, f"{name}_month")
        known = np.isin(month, self.months)
        where = np.searchsorted(self.months, month[known]), customer[known]
        marks[where] = True
        return known, *where

    def _held(self) -> np.ndarray:
        own = self.batch.column("own")
        customer, names = rows_of(own), own.flatten().to_numpy(zero_copy_only=False)
        held = np.zeros((len(self.alternatives.packages), self.batch.num_rows), dtype=bool)
        for place, one in enumerate(self.alternatives.packages):
            held[place, customer[names == one.id]] = True
        return held

    def _of_brand(self) -> np.ndarray:
        brand = self.batch.column("brand").to_numpy(zero_copy_only=False)
        mine = {name: brand == name for one in self.alternatives.packages for name in one.brands}
        everybody = np.ones(self.batch.num_rows, dtype=bool)
        return np.array(
            [
                np.any([mine[name] for name in one.brands], axis=0) if one.brands else everybody
                for one in self.alternatives.packages
            ]
        )

    def chosen(self, keep: int, changing: Collection[str]) -> Chosen:
        """The best `keep` alternatives that change something, and the present holding.

        The kinds `changing` are not kept.
        """
        change = np.isin(KINDS, list(changing))
        nothing = self.nothing & ~change[:, None]
        bound = np.count_nonzero(self.kinds[:, change], axis=1) > 0
        able = self.able & ~(self.held & bound[:, None])
        costs = np.where(self.compared, self.added, 0).sum(axis=1)
        costs[self.held] = 0
        found = self.alternatives.best(costs, able, nothing)
        customers = np.arange(self.batch.num_rows)
        held = np.concatenate([self.held, np.ones((1, len(customers)), dtype=bool)])
        found[:, LACKING] += held[found[:, len(FACTS) :], customers].all(axis=1)
        found = np.take_along_axis(found, ordered(found)[:keep, None], axis=0)
        holding: np.ndarray = np.count_nonzero(self.held, axis=0)[None] > 0
        there = np.concatenate([found[:, LACKING] == 0, holding])
        places = found[:, len(FACTS) :]
        holds = np.zeros((len(there), self.alternatives.none + 1, len(customers)), dtype=bool)
        holds[np.arange(len(places))[:, None, None], places, customers] = True
        holds[-1, :-1] = self.held
        bundled = (holds[:, :-1] & self.bundles[:, None] & ~self.held).any(axis=1)
        separate = ~bundled
        separate[-1] = False
        not_best = np.zeros_like(bundled)
        if bundled.any():
            not_best[:-1] = bundled[:-1] & (self._lowest_cost_apart(costs) <= found[:, COST])
        return Chosen(there & self.usable, places, holds[:, :-1], separate, not_best)

    def _lowest_cost_apart(self, costs: np.ndarray) -> np.ndarray:
        """What the best alternative without a new bundle adds to the months of each customer."""
        able = self.able & (self.held | ~self.bundles[:, None])
        found = self.alternatives.best(costs, able, self.nothing)
        added: np.ndarray = np.where(
            found[:, LACKING] == 0, found[:, COST], np.iinfo(np.int64).max
        ).min(axis=0)
        return added

    def under(self, chosen: Chosen) -> Months:
        """The months under each row of `chosen`."""
        held = self.held[:, None]
        gaps = held & ~self.comparable
        fresh = (~self.held & ((self.kinds.astype(int) @ self.nothing.astype(int)) > 0))[:, None]
        own_usage, own_gaps = (np.where(held, one, 0).sum(axis=0) for one in (self.usage, gaps))

        def over(values: np.ndarray) -> np.ndarray:
            """Values of packages, added up over the packages of each row but the last."""
            return self._added_up(values, chosen.places)

        before = own_usage - over(np.where(held, self.usage, 0))
        known = (own_gaps - over(gaps) == 0) & (over(fresh & self.there) == 0)
        mine = Months(
            self.unchanged + over(np.where(held, 0, self.added)),
            over(np.where(held, 0, self.usage)),
            before,
            known,
            np.broadcast_to(self.compared, before.shape),
        )
        present = Months(
            self.unchanged + np.where(held, self.added, 0).sum(axis=0),
            own_usage,
            own_usage,
            own_gaps == 0,
            self.compared & (own_gaps == 0) & self.based,
        )
        rows = Months(
            *(np.append(one, last[None], axis=0) for one, last in zip(mine, present, strict=True))
        )
        return rows._replace(priced=rows.priced & chosen.there[:, None])

    def _added_up(self, values: np.ndarray, places: np.ndarray) -> np.ndarray:
        nobody = np.zeros((1, *values.shape[1:]), dtype=np.int64)
        values = np.concatenate([values, nobody])
        month, customer = np.ogrid[: values.shape[1], : values.shape[2]]
        total = np.zeros((len(places), *values.shape[1:]), dtype=np.int64)
        for slot in range(SLOTS):
            total += values[places[:, slot, None], month, customer]
        return total

    def gaps(self) -> np.ndarray:
        """Whether a present package is not priced in a month, by customer."""
        found: np.ndarray = (self.held[:, None] & ~self.comparable & self.there).any(axis=(0, 1))
        return found


def _flat(batch: pa.RecordBatch, name: str) -> np.ndarray:
    values: np.ndarray = batch.column(name).flatten().fill_null(0).to_numpy(zero_copy_only=False)
    return values
