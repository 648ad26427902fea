"""The compiled catalogue: what each rating cell costs under each package, as integers.

Each price of a package becomes an integer over the package's own denominator. Cells and measures
that no package distinguishes share one column, so a customer-month is a short vector. A matrix of
zeros and ones adds its columns up to the *sums* from which packages are priced: billed units of a
price group, events with a connect fee, recorded fees that pass through. models/rating/settlement.py
prices the months from these sums.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from pyspark.sql import Row

from models.rating.package_compiler import BILLED_EVENTS, EVENTS, PackageCompiler
from models.rating.package_prices import PackagePrices, Statistic, SumPlan
from models.tariff.measure import FACTS, FEES
from models.tariff.package import Facts, Package
from models.usage.register import Measure

BILLED = "billed"
IP_ONLY, ALL_TOLL = "ip_only", "all"
TOLL_READINGS = (IP_ONLY, ALL_TOLL)


@dataclass(frozen=True)
class PriceMatrix:
    """All packages over the observed cells.

    `columns`, `adding` and `row_of` are those of `SumPlan.matrix`. Arrays by cell have one more
    entry at the end, for an unknown cell (number -1).

    Three sums hold recorded fees that pass through under each package:
    - `d12593`: calls to 12593 (S2-R5);
    - `other`: other fees (S2-R6);
    - `direct_toll`: direct long distance if no package re-rates it (S2-R4 read as `ip_only`);
      otherwise the sum is empty.
    """

    cell_ids: np.ndarray
    cell_names: tuple[str, ...]
    statistics: tuple[Statistic, ...]
    columns: np.ndarray
    adding: np.ndarray
    row_of: np.ndarray
    d12593: int
    other: int
    direct_toll: int
    packages: tuple[PackagePrices, ...]

    @cached_property
    def needed(self) -> tuple[tuple[int, Statistic], ...]:
        """Place and name of each statistic that at least one sum needs."""
        return tuple(
            (place, name)
            for place, name in enumerate(self.statistics)
            if (self.columns[:, place] >= 0).any()
        )

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields of a cell of dw.usage_month that are read."""
        named = (name for _, name in self.needed if isinstance(name, str))
        return ("cell_id", BILLED, *named)

    @cached_property
    def unpriced_cells(self) -> np.ndarray:
        """Which cells have no price under at least one package."""
        nothing = np.zeros(len(self.cell_ids) + 1, dtype=bool)
        found: np.ndarray = np.logical_or.reduce(
            [nothing, *(one.unpriced_cells for one in self.packages)]
        )
        return found


def compile_prices(
    packages: Sequence[Package],
    cells: Sequence[Row],
    measures: Sequence[Measure],
    toll_rerated: str = IP_ONLY,
) -> PriceMatrix:
    """Compiles packages over `cells`, the rows of dw.rating_cell.

    `toll_rerated` is the reading of S2-R4: `ip_only` re-rates the toll of 17951 calls only, `all`
    re-rates all toll. In-group calls are left out (S2-07) and 12593 calls pass through (S2-R5).
    Raises ConfigError if a package needs a measure that is not registered.
    """
    if toll_rerated not in TOLL_READINGS:
        raise ValueError(f"toll_rerated: expected one of {TOLL_READINGS}, got {toll_rerated!r}")
    ordered = sorted(cells, key=lambda cell: cell.cell_id)
    facts = [{fact: getattr(cell, fact) for fact in FACTS} for cell in ordered]
    deepest = max((measure.measure_no for measure in measures), default=0)
    statistics = (*range(1, deepest + 1), BILLED_EVENTS, EVENTS, *FEES)
    sums = SumPlan(len(ordered), statistics)
    d12593, other, direct_toll = sums.new(), sums.new(), sums.new()
    for cell_no, cell in enumerate(facts):
        if cell["dial"] == "ip12593":
            for fee in FEES:
                sums.add(d12593, cell_no, fee)
            continue
        sums.add(other, cell_no, "other_fee")
        if cell["dial"] == "direct" and toll_rerated == IP_ONLY:
            sums.add(direct_toll, cell_no, "toll_fee")
    compiled = tuple(
        PackageCompiler(
            package, facts, measures, sums, all_toll=toll_rerated == ALL_TOLL
        ).compiled()
        for package in packages
    )
    columns, adding, row_of = sums.matrix()
    return PriceMatrix(
        np.array([cell.cell_id for cell in ordered], dtype=np.int64),
        tuple(_name(cell) for cell in facts),
        statistics,
        columns,
        adding,
        row_of,
        d12593,
        other,
        direct_toll,
        compiled,
    )


def _name(cell: Facts) -> str:
    """The facts of a cell in words, for a reason."""
    words = [str(cell[f]) for f in FACTS[:5] + FACTS[6:8] if cell[f] is not None]
    return " ".join([*words, f"{cell['slot_from']}-{cell['slot_to']} s"])
