"""Rows of the synthetic province on their way into files: sorted, marked, turned into lines."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from models.synthetic.province import texts

PLAIN = 0
MARKS = (
    "plain",
    "broken",
    "unknown_code",
    "clock_1980",
    "duplicate_within",
    "duplicate_across",
    "late",
    "unknown_package",
    "unknown_subscriber",
    "placeholder_number",
)


def mark_no(name: str) -> int:
    """The number of a planted defect, as `Rows.mark` holds it."""
    return MARKS.index(name)


@dataclass(frozen=True)
class Rows:
    """Rows of one source, one array entry each.

    `columns` are the file's columns by name: integers, or objects that are text. `day` is the day
    of delivery, `part` the file of that day, `order` the place in the file. `mark` is the planted
    defect (MARKS). `cut` is the number of fields that a broken row keeps, 0 for a whole row.
    """

    columns: Mapping[str, np.ndarray]
    day: np.ndarray
    order: np.ndarray
    part: np.ndarray
    mark: np.ndarray
    cut: np.ndarray

    @classmethod
    def of(
        cls,
        columns: Mapping[str, np.ndarray],
        day: np.ndarray,
        order: np.ndarray,
        part: np.ndarray | None = None,
        mark: np.ndarray | None = None,
    ) -> Rows:
        """Rows without a planted defect unless `mark` says so."""
        none = np.zeros(len(day), dtype=np.int64)
        return cls(
            columns,
            day,
            order,
            none if part is None else part,
            none if mark is None else mark,
            none,
        )

    def __len__(self) -> int:
        return len(self.day)

    def take(self, places: np.ndarray) -> Rows:
        """These rows, in this order."""
        return Rows(
            {name: values[places] for name, values in self.columns.items()},
            self.day[places],
            self.order[places],
            self.part[places],
            self.mark[places],
            self.cut[places],
        )

    def with_column(self, name: str, values: np.ndarray) -> Rows:
        """The same rows with one column replaced."""
        return replace(self, columns={**self.columns, name: values})

    def sorted(self) -> Rows:
        """The rows by file and place; rows with the same place keep their order."""
        return self.take(np.lexsort((self.order, self.part, self.day)))


def stack(tables: Sequence[Rows]) -> Rows:
    """The rows of several tables with the same columns, one after the other.

    A column that is text in one table (an unknown code among numbers) becomes text in all.
    """

    def joined(arrays: Iterable[np.ndarray]) -> np.ndarray:
        arrays = list(arrays)
        if len({array.dtype == object for array in arrays}) > 1:
            arrays = [array if array.dtype == object else texts(array) for array in arrays]
        return np.concatenate(arrays)

    return Rows(
        {name: joined(t.columns[name] for t in tables) for name in tables[0].columns},
        joined(t.day for t in tables),
        joined(t.order for t in tables),
        joined(t.part for t in tables),
        joined(t.mark for t in tables),
        joined(t.cut for t in tables),
    )


def table(columns: Sequence[str], records: Sequence[tuple], mark: int = PLAIN) -> Rows:
    """Rows from tuples (day, order, *texts of the columns)."""
    day, order, *cells = (
        zip(*records, strict=True) if records else ([] for _ in range(len(columns) + 2))
    )
    texts = {
        name: np.array(values, dtype=object) for name, values in zip(columns, cells, strict=True)
    }
    days = np.array(day, dtype=np.int64)
    return Rows.of(texts, days, np.array(order, dtype=np.int64), mark=np.full(len(days), mark))


def files(rows: Rows, delimiter: str, quote: str | None) -> Iterator[tuple[int, int, list[str]]]:
    """(day, part, lines) of every file that has rows; `rows` must be sorted."""
    if not len(rows):
        return
    lines = _lines(rows, delimiter, quote)
    key = rows.day * 2 + rows.part
    bounds = np.nonzero(np.diff(key, prepend=key[:1] - 1, append=key[-1:] + 1))[0].tolist()
    for start, end in itertools.pairwise(bounds):
        yield int(rows.day[start]), int(rows.part[start]), lines[start:end]


def _lines(rows: Rows, delimiter: str, quote: str | None) -> list[str]:
    cells = [_texts(values) for values in rows.columns.values()]
    if quote is not None:
        delimiter = quote + delimiter + quote
        edge = quote
    else:
        edge = ""
    lines = list(map(delimiter.join, zip(*cells, strict=True)))
    for place in np.nonzero(rows.cut)[0].tolist():
        kept = [cell[place] for cell in cells[: rows.cut[place]]]
        lines[place] = delimiter.join(kept)
    return [edge + line + edge for line in lines] if edge else lines


def _texts(values: np.ndarray) -> list[str]:
    return values.tolist() if values.dtype == object else list(map(str, values.tolist()))
