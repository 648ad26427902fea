"""Random nights for an assignment, and what HiGHS makes of them.

Nothing here is the model's own: the programs are built from the options as they were drawn.
"""

from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, linprog, milp

from models.assignment.options import Options, arrays_of
from models.assignment.resource import Kinds, Resource

MICRO = 1_000_000


@dataclass
class Night:
    """`offers`: per customer a list of (value in micro-yuan, uses); `slots` per customer."""

    offers: list[list[tuple[int, tuple[tuple[str, int], ...]]]]
    slots: list[int]
    resources: list[Resource]
    sticky: set[tuple[int, int]] = field(default_factory=set)

    def options(self, stay_bonus: int = 0) -> Options:
        """The arrays, as the rows of Spark would give them."""
        kinds: dict[tuple, int] = {}
        values, codes, sticky, preference = [], [], [], []
        for customer, offers in enumerate(self.offers):
            values.append([value for value, _ in offers])
            codes.append([kinds.setdefault(uses, len(kinds)) for _, uses in offers])
            sticky.append([(customer, place) in self.sticky for place in range(len(offers))])
            preference.append([(customer + place) % 7 for place in range(len(offers))])
        lots = np.random.default_rng(27).integers(-(2**63), 2**63 - 1, len(self.offers))
        rows = pa.table(
            {
                "customer_id": pa.array(range(len(self.offers)), pa.int64()),
                "way": pa.array(["intrusive"] * len(self.offers), pa.string()),
                "lot": pa.array(lots),
                "slots": pa.array(self.slots, pa.int32()),
                "value": pa.array(values, pa.list_(pa.int64())),
                "kind": pa.array(codes, pa.list_(pa.int64())),
                "preference": pa.array(preference, pa.list_(pa.int16())),
                "sticky": pa.array(sticky, pa.list_(pa.bool_())),
                "unlucky": pa.array(
                    [[False] * len(offers) for offers in self.offers], pa.list_(pa.bool_())
                ),
            }
        )
        return arrays_of(rows, Kinds({i: k for k, i in kinds.items()}, self.resources), stay_bonus)

    def program(self) -> tuple[np.ndarray, sparse.csr_array, np.ndarray]:
        """Values, rows of constraints (customers, then resources) and their limits."""
        flat = [(c, value, uses) for c, offers in enumerate(self.offers) for value, uses in offers]
        place = {resource.name: i for i, resource in enumerate(self.resources)}
        rows = [customer for customer, _, _ in flat]
        columns, units = list(range(len(flat))), [1.0] * len(flat)
        for column, (_, _, uses) in enumerate(flat):
            for name, taken in uses:
                rows.append(len(self.offers) + place[name])
                columns.append(column)
                units.append(float(taken))
        shape = (len(self.offers) + len(self.resources), len(flat))
        limits = [*self.slots, *(resource.capacity for resource in self.resources)]
        values = np.array([value for _, value, _ in flat]) / MICRO
        return values, sparse.csr_array((units, (rows, columns)), shape=shape), np.array(limits)

    def best_whole(self) -> float:
        """The optimum over whole decisions, in yuan."""
        values, rows, limits = self.program()
        found = milp(
            -values,
            integrality=np.ones(len(values)),
            bounds=Bounds(0, 1),
            constraints=LinearConstraint(rows, ub=limits),
            options={"mip_rel_gap": 0, "time_limit": 60},
        )
        assert found.success, found.message
        return -found.fun

    def best_shares(self) -> float:
        """The optimum when options may be taken in part, in yuan: at least the whole one."""
        values, rows, limits = self.program()
        found = linprog(-values, A_ub=rows, b_ub=limits, bounds=(0, 1), method="highs")
        assert found.success, found.message
        return -found.fun


CHANNELS = ("hall", "hotline", "sms", "web", "wap", "outbound")


def night(
    seed: int,
    customers: int,
    *,
    ties: bool = False,
    branches: int = 0,
    budgets: int = 0,
    scarce: float = 0.5,
    slots: int = 1,
    empty: bool = False,
) -> Night:
    """Values by customer, or by segment and channel in half yuan (`ties`); the hall's customers use
    a branch each; a contact takes 1 to 4 yuan of a budget. `empty`: nothing fits anywhere."""
    rng = np.random.default_rng(seed)
    share = rng.dirichlet(np.full(len(CHANNELS), 3.0))
    segment = rng.integers(0, 5, customers)
    fixed = rng.integers(2, 40, (5, len(CHANNELS))) / 2
    offers = []
    branch = rng.integers(0, max(branches, 1), customers)
    for customer in range(customers):
        taste = rng.gamma(2.0, 3.0)
        mine = []
        for place, channel in enumerate(CHANNELS):
            if rng.random() < 0.15:
                continue
            value = fixed[segment[customer], place] if ties else taste * rng.uniform(0.3, 1.5) - 1.0
            uses = [(channel, 1)]
            if branches and channel == "hall":
                uses.append((f"branch_{branch[customer]}", 1))
            if budgets:
                uses.append((f"budget_{place % budgets}", 1 + place % 4))
            mine.append((round(value * MICRO), tuple(uses)))
        offers.append(mine)
    room = 0 if empty else scarce * customers
    resources = [
        Resource(name, int(room * part), "contacts")
        for name, part in zip(CHANNELS, share, strict=True)
    ]
    resources += [
        Resource(f"branch_{i}", int(room * share[0] * 0.8 / branches), "contacts")
        for i in range(branches)
    ]
    resources += [
        Resource(f"budget_{i}", int(room * 1.5 / budgets), "yuan") for i in range(budgets)
    ]
    most = rng.integers(1, slots + 1, customers) if slots > 1 else np.ones(customers, dtype=int)
    return Night(offers, most.tolist(), resources)
