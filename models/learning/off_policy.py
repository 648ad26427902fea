"""What another rule would have earned for each of its contacts, from logged decisions (S2-12).

The night draws some channels by lot, so a contact that a rule would have made was really made with
a known probability p, its propensity. Each one that was made stands for 1 ÷ p of them.

- inverse_propensity: Σ earned ÷ p, over all contacts of the rule
- self_normalised: the same over Σ 1 ÷ p: biased a little in small logs, and mostly narrower
- doubly_robust: what the model expects of every contact, and (earned − expected) ÷ p of those that
  were made. A wrong model leaves it unbiased; a good one makes it narrow
- model: what the model expects, over all contacts of the rule, whether any could have been made

The unit of the intervals is the customer. Contacts that were never possible (p = 0) have no
support: the first three say nothing of them, and the share `support` tells how many are left.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from models.evaluation.intervals import Effect, ratio
from models.evaluation.sums import Figure, Sums

INVERSE, NORMALISED, ROBUST, MODEL = ESTIMATORS = (
    "inverse_propensity",
    "self_normalised",
    "doubly_robust",
    "model",
)
LEAST_CUSTOMERS = 30
LEAST_ORDERS = 30  # expected of contacts that only a lot could make
NOTHING, TOO_FEW = "no_support", "too_few"
PRODUCTS = {
    "nn": ("n", "n"),
    "ww": ("w", "w"),
    "aa": ("a", "a"),
    "an": ("a", "n"),
    "aw": ("a", "w"),
    "zz": ("z", "z"),
    "zn": ("z", "n"),
}


@dataclass(frozen=True)
class Log:
    """The log of one rule, added up by customer and then over `customers`.

    Of a customer: `n` contacts of the rule that were possible, `w` the sum of 1 ÷ p of those that
    were made, `a` of earned ÷ p, `z` of what is expected and (earned − expected) ÷ p. Then the sums
    of products of two. `contacts`: all of the rule, and `expected` of them. Of contacts that only a
    lot could make (p below one half) `lot_contacts` were possible, and `lot_orders` orders were
    expected of those that the lots would make.
    """

    customers: Figure
    n: Figure
    w: Figure
    a: Figure
    z: Figure
    nn: Figure
    ww: Figure
    aa: Figure
    an: Figure
    aw: Figure
    zz: Figure
    zn: Figure
    contacts: Figure
    expected: Figure
    lot_contacts: Figure
    lot_orders: Figure


def estimates(log: Log) -> dict[str, Effect]:
    """By estimator what a contact earns, with its 95 % interval; the model has none."""
    of = log.customers
    nan = np.full(np.shape(log.expected), np.nan)[()]
    with np.errstate(divide="ignore", invalid="ignore"):
        direct = np.divide(log.expected, log.contacts)
    return {
        INVERSE: ratio(Sums(of, log.a, log.aa, log.n, log.nn, log.an)),
        NORMALISED: ratio(Sums(of, log.a, log.aa, log.w, log.ww, log.aw)),
        ROBUST: ratio(Sums(of, log.z, log.zz, log.n, log.nn, log.zn)),
        MODEL: Effect(direct, nan, nan, nan, nan),
    }


def because(log: Log) -> str | None:
    """Why the log says nothing of the rule; None: it does.

    Orders are rare and a contact by lot weighs much. Where fewer than LEAST_ORDERS of these were to
    be expected, an interval would be too narrow. What came of the contacts plays no part here.
    """
    if not log.n or not log.w:
        return NOTHING
    if log.customers < LEAST_CUSTOMERS or (log.lot_contacts and log.lot_orders < LEAST_ORDERS):
        return TOO_FEW
    return None


def log_of(row: Mapping[str, Any]) -> Log:
    """The sums of a row of logged.sums, as floats; counts stay whole."""
    return Log(**{name: _number(row[name]) for name in Log.__dataclass_fields__})


def _number(value: Any) -> Any:
    return value if isinstance(value, int) else float(value or 0)
