"""The sums that packages need of a customer-month, and their folding into few rows and columns."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


class Sums:
    """The sums that packages need, collected cell by cell and then folded."""

    def __init__(self, cell_count: int, statistics: Sequence):
        self.place = {statistic: no for no, statistic in enumerate(statistics)}
        self.cell_count = cell_count
        self.needed_by: dict[tuple[int, int], set[int]] = {}
        self.count = 0

    def new(self) -> int:
        """The number of one more sum."""
        self.count += 1
        return self.count - 1

    def add(self, sum_no: int, cell_no: int, statistic) -> None:
        """Let a cell's statistic count in a sum."""
        self.needed_by.setdefault((cell_no, self.place[statistic]), set()).add(sum_no)

    def matrix(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The column of each cell's statistic (-1: nobody needs it), which columns add up to each
        row, and the row of each sum. Statistics needed by the same sums share a column, sums of
        the same columns (packages of one family) a row."""
        columns = np.full((self.cell_count + 1, len(self.place)), -1, dtype=np.int64)
        column_of: dict[tuple[int, ...], int] = {}
        for place, sum_nos in sorted(self.needed_by.items()):
            columns[place] = column_of.setdefault(tuple(sorted(sum_nos)), len(column_of))
        adding = np.zeros((self.count, len(column_of)), dtype=np.int64)
        for sum_nos, column in column_of.items():
            adding[list(sum_nos), column] = 1
        rows, row_of = np.unique(adding, axis=0, return_inverse=True)
        return columns, rows, row_of.reshape(self.count)


class Added:
    """The sums of some customer-months: each folded row once, asked for by the number of a sum."""

    def __init__(self, rows: np.ndarray, row_of: np.ndarray):
        self.rows, self.row_of = rows, row_of
        self._largest: dict[int, int] = {}

    def __len__(self) -> int:
        return self.rows.shape[1]

    def __getitem__(self, sum_no: int) -> np.ndarray:
        return self.rows[self.row_of[sum_no]]

    def these(self, sum_nos: Sequence[int]) -> np.ndarray:
        """Some sums, one row each: a copy."""
        return self.rows[self.row_of[list(sum_nos)]]

    def largest(self, sum_no: int) -> int:
        """The largest value of a sum; none of them is below 0."""
        row = int(self.row_of[sum_no])
        if row not in self._largest:
            self._largest[row] = int(self.rows[row].max(initial=0))
        return self._largest[row]

    def of(self, months: np.ndarray) -> Added:
        """The sums of some of the customer-months."""
        return Added(self.rows[:, months], self.row_of)
