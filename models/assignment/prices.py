"""A price for each resource: the smoothed dual on the driver, and the exact bound at whole prices.

The dual is minimised by L-BFGS over λ = y / √(capacity × units of a use), with less and less
smoothing: with plain λ and 208 resources the gap stays above 5 %. The prices are rounded to whole
micro-yuan, and the bound is their exact sum. No critical value per resource is kept or updated:
that way of finding prices is under patents in the United States.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from scipy.optimize import minimize

from models.assignment.options import Options, places
from models.assignment.plan import MICRO, Block, blocks
from models.assignment.resource import Kinds

SMOOTHING = (1.0, 0.3, 0.1, 0.03)  # yuan
SAMPLE = 2_000_000  # choosers that the first guess is learnt from, at most
EVALUATIONS = 60  # at most, of each smoothing
TOLERANCE = 1e-6  # of the dual, for a step to be the last; the undecided are settled exactly
BITS = 24


@dataclass(frozen=True)
class Prices:
    """Whole micro-yuan per unit of each resource, the smoothing of the plan, and evaluations."""

    per_unit: np.ndarray
    smoothing: float
    evaluations: int


def prices(options: Options) -> Prices:
    """Prices that make the smoothed dual least.

    Of more than SAMPLE choosers a sample by lot makes the first guess, and all of them the last
    step. A resource that would have room for every option has the price 0.
    """
    kinds = options.kinds
    found, evaluations = np.zeros(len(kinds.resources)), 0
    scarce = np.flatnonzero(contested(options))
    if not len(scarce):
        return Prices(found.astype(np.int64), SMOOTHING[-1], 0)
    scale = np.sqrt(np.maximum(kinds.capacity, 1) * mean_units(options))[scarce]
    limits = [(0.0, high) for high in _ceilings(options)[scarce] * scale]
    for choosers, smoothings in _stages(options):
        pieces = list(blocks(options, choosers))
        share = 1.0 if choosers is None else len(choosers) / options.choosers
        dual = partial(_dual, kinds, pieces, kinds.capacity * share, scarce, scale)
        for smoothing in smoothings:
            least = minimize(
                dual,
                found[scarce] * scale,
                args=(smoothing,),
                jac=True,
                method="L-BFGS-B",
                bounds=limits,
                options={"maxfun": EVALUATIONS, "ftol": TOLERANCE, "gtol": 1e-9, "maxcor": 20},
            )
            found[scarce] = least.x / scale
            evaluations += least.nfev
    return Prices(np.rint(found / MICRO).astype(np.int64), SMOOTHING[-1], evaluations)


def _stages(options: Options) -> list[tuple[np.ndarray | None, tuple[float, ...]]]:
    """The choosers to learn from (None: all), with the smoothings to go through."""
    if options.choosers <= SAMPLE:
        return [(None, SMOOTHING)]
    sample = np.sort(np.argsort(options.lot, kind="stable")[:SAMPLE])
    return [(sample, SMOOTHING), (None, SMOOTHING[-1:])]


def _dual(
    kinds: Kinds,
    pieces: Sequence[Block],
    capacity: np.ndarray,
    scarce: np.ndarray,
    scale: np.ndarray,
    scaled: np.ndarray,
    smoothing: float,
) -> tuple[float, np.ndarray]:
    """The smoothed dual in yuan and its slope, at scaled prices of the scarce resources."""
    price = np.zeros(len(capacity))
    price[scarce] = scaled / scale
    per_kind, counts, gain = kinds.matrix @ price, np.zeros(len(kinds.content)), 0.0
    for piece in pieces:
        shares, gains = piece.plan(per_kind, smoothing)
        gain += float(gains.sum())
        counts += np.bincount(piece.kind.ravel(), shares.ravel(), len(counts))
    slack = (capacity - kinds.matrix.T @ counts)[scarce]
    return gain + float(capacity @ price), slack / scale


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
