"""The catalogue compiled: what each rating cell costs under each package, as integers.

Every price of a package becomes an integer over the package's own denominator D. Cells and measures
that no package tells apart share one column, so a customer-month is a short vector; a matrix of
zeros and ones adds its columns up to the *sums* that packages are priced from (billed units of a
price group, events with a connect fee, recorded fees that pass). models/settlement.py does the
rest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from models.rating.package_compiler import BILLED_EVENTS, EVENTS, PackageCompiler
from models.rating.package_prices import PackagePrices
from models.rating.sums import Sums
from models.tariff.measure import FACTS, FEES, Measure
from models.tariff.package import Package

BILLED = "billed"
IP_ONLY, ALL_TOLL = "ip_only", "all"
TOLL_READINGS = (IP_ONLY, ALL_TOLL)


@dataclass(frozen=True)
class PriceMatrix:
    """All packages over the observed cells.

    `columns[cell, statistic]` is the column of a cell's statistic or -1 when nobody needs it.
    Arrays by cell have one more entry at the end, for a cell that is not known (number -1).
    `adding[row, column]` says which columns make a row, `row_of` the row of each sum. `d12593` and
    `other` are the sums of the recorded fees that every package passes (S2-R5, S2-R6),
    `direct_toll` of direct long distance where no package re-rates it (S2-R4 read as `ip_only`;
    else it is empty).
    """

    cell_ids: np.ndarray
    cell_names: tuple[str, ...]
    statistics: tuple[str | int, ...]
    columns: np.ndarray
    adding: np.ndarray
    row_of: np.ndarray
    d12593: int
    other: int
    direct_toll: int
    packages: tuple[PackagePrices, ...]

    @cached_property
    def needed(self) -> tuple[tuple[int, str | int], ...]:
        """Place and name of the statistics that some sum needs of some cell."""
        return tuple(
            (place, name)
            for place, name in enumerate(self.statistics)
            if (self.columns[:, place] >= 0).any()
        )

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields of a cell of dw.usage_month that hold them, and which cell it is."""
        named = (name for _, name in self.needed if isinstance(name, str))
        return ("cell_id", BILLED, *named)

    @cached_property
    def unpriced_cells(self) -> np.ndarray:
        """Which cells some package has no price for."""
        nothing = np.zeros(len(self.cell_ids) + 1, dtype=bool)
        return np.logical_or.reduce([nothing, *(one.unpriced_cells for one in self.packages)])


def compile_prices(
    packages: Sequence[Package],
    cells: Sequence,
    measures: Sequence[Measure],
    toll_rerated: str = IP_ONLY,
) -> PriceMatrix:
    """Packages over the rows of dw.rating_cell (anything with the attributes of a cell).

    `toll_rerated` reads S2-R4: `ip_only` re-rates the toll of 17951 calls alone, `all` every toll.
    In-group calls are left out (S2-07) and 12593 calls pass (S2-R5). Raises ConfigError for what
    a package needs and no measure adds up.
    """
    if toll_rerated not in TOLL_READINGS:
        raise ValueError(f"toll_rerated: expected one of {TOLL_READINGS}, got {toll_rerated!r}")
    ordered = sorted(cells, key=lambda cell: cell.cell_id)
    facts = [{fact: getattr(cell, fact) for fact in FACTS} for cell in ordered]
    deepest = max((measure.measure_no for measure in measures), default=0)
    statistics = (*range(1, deepest + 1), BILLED_EVENTS, EVENTS, *FEES)
    sums = Sums(len(ordered), statistics)
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
        PackageCompiler(package, facts, measures, toll_rerated == ALL_TOLL, sums).compiled()
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


def _name(cell: Mapping) -> str:
    words = [str(cell[f]) for f in FACTS[:5] + FACTS[6:8] if cell[f] is not None]
    return " ".join([*words, f"{cell['slot_from']}-{cell['slot_to']} s"])
