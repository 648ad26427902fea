"""Whole decisions from prices: drawn from the smoothed plan, admitted, spilled, filled, exchanged.

Why drawn: where values tie, everybody's best option at the prices is the same one, and orders by
the margin over the runner-up leave room empty. The plan says how ties are shared out.
"""

from __future__ import annotations

import numpy as np

from models.assignment.admission import Admission
from models.assignment.options import Options, places
from models.assignment.plan import MICRO, drawn
from models.assignment.prices import Prices


def recovered(options: Options, prices: Prices) -> Admission:
    """The options that are assigned, within every capacity."""
    per_kind = options.kinds.prices(prices.per_unit)
    picked = drawn(options, per_kind * MICRO, prices.smoothing)
    reduced = options.worth - per_kind[options.kind]
    admission = Admission(options)
    admission.admit(by_margin(options, reduced, picked))
    settle(admission, reduced)
    return admission


def by_margin(options: Options, reduced: np.ndarray, picked: np.ndarray) -> np.ndarray:
    """The picked options, those first whose chooser would lose most on an option that is not."""
    others = reduced.copy()
    others[picked] = 0
    margin = reduced[picked] - np.maximum(options.highest(others), 0)[options.chooser[picked]]
    return picked[np.lexsort((options.lot[options.chooser[picked]], -margin))]


def settle(admission: Admission, reduced: np.ndarray) -> None:
    """Spills to the next best with room, fills slack, and exchanges while an exchange gains.

    At the end nobody has an open slot and an option of worth with room, nor a better option with
    room than the least of those assigned.
    """
    options = admission.options
    loss = marginal(options, reduced)[options.chooser] - reduced
    while True:
        kinds = admission.has_room()
        rows = np.flatnonzero(kinds[options.kind])
        rows = rows[admission.fits(rows)]
        admission.admit(rows[np.lexsort((options.lot[options.chooser[rows]], loss[rows]))])
        if not _exchanged(admission, reduced):
            return


def _exchanged(admission: Admission, reduced: np.ndarray) -> int:
    """Exchanges of a chooser's least option for a better one, the best at the prices first."""
    options = admission.options
    worth, least = admission.least()
    rows = np.flatnonzero(~admission.taken & (options.worth > worth[options.chooser]))
    rows = rows[least[options.chooser[rows]] >= 0]
    place, units = admission.beyond(rows, least[options.chooser[rows]])
    rows = rows[(admission.room[place] >= units).all(axis=1)]
    gain = reduced[rows] - reduced[least[options.chooser[rows]]]
    rows = rows[np.lexsort((-gain, options.chooser[rows]))]
    rows = rows[places(options.chooser[rows]) == 0]
    old = least[options.chooser[rows]]
    order = np.lexsort((options.lot[options.chooser[rows]], reduced[old] - reduced[rows]))
    return admission.exchange(rows[order], old[order])


def marginal(options: Options, reduced: np.ndarray) -> np.ndarray:
    """What the last slot of each chooser is worth at the prices: 0 if it stays empty."""
    found = np.maximum(options.highest(reduced), 0)
    rows = np.flatnonzero(options.slots[options.chooser] > 1)
    rows = rows[np.lexsort((-reduced[rows], options.chooser[rows]))]
    found[options.slots > 1] = 0
    last = rows[places(options.chooser[rows]) == options.slots[options.chooser[rows]] - 1]
    found[options.chooser[last]] = np.maximum(reduced[last], 0)
    return found
