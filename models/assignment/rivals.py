"""Simpler ways to assign the same options, valued beside ours every night."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from models.assignment.admission import Admission
from models.assignment.options import Options, places
from models.assignment.recovery import by_margin, marginal


def naive(options: Options, reduced: np.ndarray) -> Admission:
    """First come, first served: each asks for the first of the own ranking only."""
    order = np.lexsort((options.preference, options.chooser))
    asked = order[places(options.chooser[order]) < options.slots[options.chooser[order]]]
    admission = Admission(options)
    admission.admit(asked[np.argsort(options.lot[options.chooser[asked]], kind="stable")])
    return admission


def greedy(options: Options, reduced: np.ndarray) -> Admission:
    """The options of the greatest worth first."""
    admission = Admission(options)
    admission.admit(np.lexsort((options.turn(), -options.worth)))
    return admission


def margin_order(options: Options, reduced: np.ndarray) -> Admission:
    """Everybody's best at our prices, the greatest margin over the runner-up first; spilled."""
    best_first = np.lexsort((-reduced, options.chooser))
    chooser = options.chooser[best_first]
    best = best_first[places(chooser) < options.slots[chooser]]
    best = np.sort(best[reduced[best] > 0])
    admission = Admission(options)
    admission.admit(by_margin(options, reduced, best))
    rows = np.flatnonzero(admission.has_room()[options.kind])
    loss = marginal(options, reduced)[options.chooser[rows]] - reduced[rows]
    admission.admit(rows[np.lexsort((options.lot[options.chooser[rows]], loss))])
    return admission


RIVALS: dict[str, Callable[[Options, np.ndarray], Admission]] = {
    "naive": naive,
    "greedy": greedy,
    "margin_order": margin_order,
}
