"""A price for each resource: the smoothed dual on the driver, and the exact bound at whole prices.

The dual is minimised by L-BFGS over λ = y / √(capacity × units of a use), with less and less
smoothing: with plain λ and 208 resources the gap stays above 5 %. The prices are rounded to whole
micro-yuan, and the bound is their exact sum. No critical value per resource is kept or updated:
that way of finding prices is under patents in the United States.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

from models.assignment.options import Options, places
from models.assignment.plan import MICRO, blocks

SMOOTHING = (1.0, 0.3, 0.1, 0.03)  # yuan
SAMPLE = 2_000_000  # choosers that prices are learnt from, at most
EVALUATIONS = 60  # at most, of each smoothing
TOLERANCE = 1e-9
BITS = 24


@dataclass(frozen=True)
class Prices:
    """Whole micro-yuan per unit of each resource, the smoothing of the plan, and evaluations."""

    per_unit: np.ndarray
    smoothing: float
    evaluations: int


def prices(options: Options) -> Prices:
    """Prices that make the smoothed dual least, over all choosers or a sample by lot."""
    kinds, choosers = options.kinds, None
    if options.choosers > SAMPLE:
        choosers = np.sort(np.argsort(options.lot, kind="stable")[:SAMPLE])
    share = 1.0 if choosers is None else SAMPLE / options.choosers
    capacity, ceilings = kinds.capacity * share, _ceilings(options)
    scarce = np.flatnonzero(contested(options))
    found = np.zeros(len(kinds.resources))
    if not len(scarce):
        return Prices(found.astype(np.int64), SMOOTHING[-1], 0)
    pieces = list(blocks(options, choosers))
    scale = np.sqrt(np.maximum(capacity, 1) * mean_units(options))[scarce]
    evaluations = 0

    def dual(scaled: np.ndarray, smoothing: float) -> tuple[float, np.ndarray]:
        nonlocal evaluations
        evaluations += 1
        found[scarce] = scaled / scale
        price, counts, gain = kinds.matrix @ found, np.zeros(len(kinds.content)), 0.0
        for piece in pieces:
            shares, gains = piece.plan(price, smoothing)
            gain += float(gains.sum())
            counts += np.bincount(piece.kind.ravel(), shares.ravel(), len(counts))
        slack = (capacity - kinds.matrix.T @ counts)[scarce]
        return gain + float(capacity @ found), slack / scale

    scaled = np.zeros(len(scarce))
    limits = [(0.0, high) for high in ceilings[scarce] * scale]
    for smoothing in SMOOTHING:
        scaled = minimize(
            dual,
            scaled,
            args=(smoothing,),
            jac=True,
            method="L-BFGS-B",
            bounds=limits,
            options={"maxfun": EVALUATIONS, "ftol": TOLERANCE, "gtol": 1e-9, "maxcor": 20},
        ).x
    found[scarce] = scaled / scale
    return Prices(np.rint(found / MICRO).astype(np.int64), SMOOTHING[-1], evaluations)


def bound(options: Options, per_unit: np.ndarray) -> int:
    """No assignment is worth more: an exact whole number of micro-yuan, at any prices from 0 on."""
    reduced = options.worth - options.kinds.prices(per_unit)[options.kind]
    several = options.slots[options.chooser] > 1
    single = options.highest(np.where(several, 0, reduced))
    rows = np.flatnonzero(several & (reduced > 0))
    best_first = rows[np.lexsort((-reduced[rows], options.chooser[rows]))]
    chooser = options.chooser[best_first]
    within = best_first[places(chooser) < options.slots[chooser]]
    rent = sum(
        int(price) * int(capacity)
        for price, capacity in zip(per_unit, options.kinds.capacity, strict=True)
    )
    return rent + exact_sum(np.maximum(single, 0)) + exact_sum(reduced[within])


def exact_sum(amounts: np.ndarray) -> int:
    """The sum of whole numbers, without the limit of 64 bits."""
    high, low = amounts >> BITS, amounts & (2**BITS - 1)
    return (int(high.sum()) << BITS) + int(low.sum())


def contested(options: Options) -> np.ndarray:
    """Whether there would be too little of each resource if every option were taken."""
    return _demand(options) > options.kinds.capacity


def _demand(options: Options) -> np.ndarray:
    """Units of each resource if every option were taken."""
    return options.kinds.used(np.bincount(options.kind, minlength=len(options.kinds.content)))


def mean_units(options: Options) -> np.ndarray:
    """The mean units of a use of each resource, at least 1."""
    counts = np.bincount(options.kind, minlength=len(options.kinds.content))
    uses = (options.kinds.matrix != 0).astype(float).T @ counts
    return np.maximum(_demand(options) / np.maximum(uses, 1), 1)


def _ceilings(options: Options) -> np.ndarray:
    """The price of each resource at which nobody would take it, in yuan."""
    kinds = options.kinds
    best = np.zeros(len(kinds.content))
    np.maximum.at(best, options.kind, options.worth * MICRO)
    ceilings = np.zeros(len(kinds.resources) + 1)
    np.maximum.at(ceilings, kinds.place, best[:, None] / np.maximum(kinds.units, 1))
    return ceilings[:-1]
