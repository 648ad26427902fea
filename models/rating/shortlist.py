"""The short list of each customer: the best K packages of each group, and the customer's own.

All packages are priced for all months, but only the short list leaves the evaluator. So the later
work grows with the customers and not with the catalogue.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from models.frames.arrow_lists import rows_of
from models.tariff.alike import compared_groups
from models.tariff.package import Package

COST_BITS, MONTH_BITS = 58, 4  # with one bit for the brand, all that is above the sign
LARGEST_COST = 2 ** (COST_BITS - 1)


@dataclass(frozen=True)
class Shortlist:
    """Keeps the best packages. `offered`: ids that may be recommended; `keep`: K, per group.

    A group is all packages of a kind, or packages that are alike beside others
    (models/tariff/alike.py), so that the best alternatives can be made of what is kept.

    Packages of the customer's brand come first, then those with more comparable months, then those
    with the lowest cost of all months together. Ties go to the lower fee, then to the id.
    """

    packages: Sequence[Package]
    offered: Collection[str]
    keep: int

    def chosen(
        self,
        costs: np.ndarray,
        comparable: np.ndarray,
        starts: np.ndarray,
        brands: pa.Array,
        own: pa.ListArray,
    ) -> np.ndarray:
        """Package × customer: whether the package is kept.

        `costs` (micro-yuan) and `comparable` are by package and customer-month; the months of
        customer k begin at `starts[k]`. `brands` and `own` (ids of the customer's packages) are by
        customer.
        """
        months = np.add.reduceat(comparable, starts, axis=1, dtype=np.int64)
        cost = np.add.reduceat(np.where(comparable, costs, 0), starts, axis=1)
        kept = _listed(own, [package.id for package in self.packages])
        of_brand = _of_brand(self.packages, brands)
        for group in compared_groups(self.packages):
            places = [no for no in group if self.packages[no].id in self.offered]
            places.sort(key=lambda no: (self.packages[no].monthly_fee, self.packages[no].id))
            if places:
                best = _best(cost[places], months[places], of_brand[places], self.keep)
                kept[np.array(places)[best], np.arange(len(starts))] = True
        return kept


def _best(cost: np.ndarray, months: np.ndarray, of_brand: np.ndarray, keep: int) -> np.ndarray:
    """The places of the best packages, `keep` rows by customer. Rows are in order of fee and id."""
    lacking = months.max(initial=0) - months
    if lacking.max(initial=0) < 2**MONTH_BITS - 1 and np.abs(cost).max(initial=0) < LARGEST_COST:
        # Brand, months and cost as one integer, which sorts faster. No month means no cost.
        first = np.where(of_brand, 0, 1 << MONTH_BITS) + lacking + (months == 0)
        order = np.argsort((first << COST_BITS) + cost + LARGEST_COST, axis=0, kind="stable")
    else:
        order = np.lexsort((cost, months == 0, -months, ~of_brand), axis=0)
    return order[:keep]


def _listed(lists: pa.ListArray, ids: Sequence[str]) -> np.ndarray:
    """Package × customer: whether the customer's list names the package."""
    named = np.zeros((len(ids), len(lists)), dtype=bool)
    customer, values = rows_of(lists), lists.flatten()
    for no, name in enumerate(ids):
        named[no, customer[_equal(values, name)]] = True
    return named


def _of_brand(packages: Sequence[Package], brands: pa.Array) -> np.ndarray:
    """Package × customer: whether the package is for the customer's brand (no brands: for all)."""
    mine: Mapping[str, np.ndarray] = {
        brand: _equal(brands, brand) for brand in {one for p in packages for one in p.brands}
    }
    everybody = np.ones(len(brands), dtype=bool)
    rows = []
    for package in packages:
        fits = [mine[brand] for brand in package.brands]
        rows.append(np.any(fits, axis=0) if fits else everybody)
    return np.array(rows).reshape(len(packages), len(brands))


def _equal(values: pa.Array, text: str) -> np.ndarray:
    equal: np.ndarray = values.to_numpy(zero_copy_only=False) == text
    return equal
