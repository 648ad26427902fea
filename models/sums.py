"""The sums that packages need of a customer-month, and their folding into few columns."""
from __future__ import annotations

from typing import Sequence

import numpy as np


class Sums:
    """The sums that packages need, collected cell by cell and then folded into few columns."""

    def __init__(self, cell_count: int, statistics: Sequence):
        self.place = {statistic: no for no, statistic in enumerate(statistics)}
        self.cell_count = cell_count
        self.needed_by: dict[tuple[int, int], set[int]] = {}
        self.count = 0

    def new(self) -> int:
        self.count += 1
        return self.count - 1

    def add(self, sum_no: int, cell_no: int, statistic) -> None:
        self.needed_by.setdefault((cell_no, self.place[statistic]), set()).add(sum_no)

    def matrix(self) -> tuple[np.ndarray, np.ndarray]:
        """Statistics needed by the same sums share a column."""
        columns = np.full((self.cell_count + 1, len(self.place)), -1, dtype=np.int64)
        column_of: dict[tuple[int, ...], int] = {}
        for place, sum_nos in sorted(self.needed_by.items()):
            columns[place] = column_of.setdefault(tuple(sorted(sum_nos)), len(column_of))
        adding = np.zeros((self.count, len(column_of)), dtype=np.int64)
        for sum_nos, column in column_of.items():
            adding[list(sum_nos), column] = 1
        return columns, adding
