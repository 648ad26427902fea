"""Simpler ways to assign the same options, and what each rule would choose, every night."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

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


OPTIMAL = "optimal"
RIVALS: dict[str, Callable[[Options, np.ndarray], Admission]] = {
    "naive": naive,
    "greedy": greedy,
    "margin_order": margin_order,
}


@dataclass(frozen=True)
class Chosen:
    """The options that a rule chooses, in the order of choosers; `position`: in the row of each."""

    chooser: np.ndarray
    position: np.ndarray


def chosen(
    without_lot: Options, admitted: Mapping[str, Admission], rule: str, per_unit: np.ndarray
) -> dict[str, Chosen]:
    """What each rule would choose if no lot were drawn (S2-12).

    `admitted`: what each rule takes with the lots of the night. `rule`: the one that decided; what
    it took of choosers without a lot stays. OPTIMAL takes for a drawn chooser what is worth most at
    the prices `per_unit`; the others admit all options anew.
    """
    if not without_lot.drawn.any():
        return {name: _chosen(one, one.taken) for name, one in admitted.items()}
    reduced = without_lot.worth - without_lot.kinds.prices(per_unit)[without_lot.kind]
    found = {}
    for name, admission in admitted.items():
        again = Admission(without_lot)
        if name in RIVALS:
            again = RIVALS[name](without_lot, reduced)
        else:
            again.taken[_best(without_lot, reduced)] = True
        whole = _chosen(again, again.taken)
        if name in (OPTIMAL, rule):
            stays = _chosen(admission, admission.taken)
            whole = _joined(whole, stays, without_lot.drawn)
        found[name] = whole
    return found


def _best(options: Options, reduced: np.ndarray) -> np.ndarray:
    """The options of the greatest reduced worth above 0, as many as the chooser has slots."""
    rows = np.flatnonzero(reduced > 0)
    rows = rows[np.lexsort((-reduced[rows], options.chooser[rows]))]
    chooser = options.chooser[rows]
    return rows[places(chooser) < options.slots[chooser]]


def _chosen(admission: Admission, taken: np.ndarray) -> Chosen:
    rows = np.flatnonzero(taken)
    return Chosen(admission.options.chooser[rows], admission.options.position[rows])


def _joined(of_drawn: Chosen, of_others: Chosen, drawn: np.ndarray) -> Chosen:
    some, others = drawn[of_drawn.chooser], ~drawn[of_others.chooser]
    chooser = np.concatenate([of_drawn.chooser[some], of_others.chooser[others]])
    position = np.concatenate([of_drawn.position[some], of_others.position[others]])
    order = np.lexsort((position, chooser))
    return Chosen(chooser[order], position[order])
