"""The options of a night as NumPy arrays on the driver, sorted by customer, way and option.

Only options that can be of use are here: of a value above 0, with room in an empty night, and not
behind as many better options of the same kind as the customer has slots.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame

from models.assignment.resource import Kinds, Resource
from models.frames.arrow_lists import rows_of
from schemas.errors import QualityError

UNRANKED = 2**15 - 1
LIMIT = 2**58  # micro-yuan × units, so that no price of an option leaves 64 bits


@dataclass(frozen=True)
class Options:
    """Choosers (customer × way) and their options; amounts in whole micro-yuan.

    Per chooser: `customer_id`, `way` (its number in `ways`), `lot`, `slots`, and `start` (where the
    options begin, with one more entry at the end). Per option: `chooser`, `position` (in the
    chooser's row of `choices`), `kind`, `value`, `worth` (with the stay bonus), `sticky`,
    `preference`, `code` (hash of the uses).
    `had`: how many options of yesterday the chooser could keep, useful or not. `drawn`: whether a
    lot left the chooser fewer options.
    """

    kinds: Kinds
    ways: tuple[str, ...]
    customer_id: np.ndarray
    way: np.ndarray
    lot: np.ndarray
    slots: np.ndarray
    had: np.ndarray
    drawn: np.ndarray
    start: np.ndarray
    chooser: np.ndarray
    position: np.ndarray
    kind: np.ndarray
    value: np.ndarray
    worth: np.ndarray
    sticky: np.ndarray
    preference: np.ndarray
    code: np.ndarray

    @property
    def choosers(self) -> int:
        return len(self.customer_id)

    def __len__(self) -> int:
        return len(self.chooser)

    def turn(self) -> np.ndarray:
        """Each option's lot, for orders between equals."""
        return self.lot[self.chooser]

    def highest(self, amounts: np.ndarray, empty: int = 0) -> np.ndarray:
        """The greatest amount among each chooser's options; `empty` where there are none."""
        found = np.full(self.choosers, empty, dtype=amounts.dtype)
        some = np.flatnonzero(np.diff(self.start))
        if len(some):
            found[some] = np.maximum.reduceat(amounts, self.start[some])
        return found


def options_of(
    choices: DataFrame, uses: DataFrame, resources: Sequence[Resource], stay_bonus: int
) -> tuple[Options, Options]:
    """The arrays of choices.choices and choices.uses_of, and the same as if no lot were drawn.

    `stay_bonus` in micro-yuan.

    Raises ConfigError for an unknown resource or a number of units below 0, QualityError for an
    option that a customer has twice and for values and units beyond LIMIT.
    """
    kinds = Kinds(_uses_by_hash(uses), resources)
    rows = choices.drop("option_id").toArrow()
    repeated = pc.sum(rows["repeated"]).as_py() or 0
    if repeated:
        raise QualityError(
            f"assignment: {repeated} customers have an option twice; expected every option_id once "
            "per customer and way; look at how options get their ids"
        )
    table = rows.combine_chunks()
    options = arrays_of(table, kinds, stay_bonus)
    without_lot = options
    if options.drawn.any():
        without_lot = arrays_of(table, kinds, stay_bonus, without_lot=True)
    worth, units = int(without_lot.worth.max(initial=0)), int(kinds.units.max(initial=0))
    if worth * units >= LIMIT:
        raise QualityError(
            f"assignment: an option is worth {worth // 10**6} yuan, and one takes {units} units; "
            f"expected a product below {LIMIT // 10**6}; look at how values and units get there"
        )
    return options, without_lot


def _uses_by_hash(uses: DataFrame) -> dict[int, list[tuple[str, int]]]:
    found: dict[int, list[tuple[str, int]]] = {}
    for row in uses.collect():
        taken = [(use.resource, use.units) for use in row.uses]
        if found.setdefault(row.kind, taken) != taken:
            raise QualityError(
                "assignment: two different uses of resources have one hash; this is a fault of the "
                "program: change the units of one of them by one"
            )
    return found


def arrays_of(
    rows: pa.Table, kinds: Kinds, stay_bonus: int, *, without_lot: bool = False
) -> Options:
    """The arrays of the rows as they come from Spark: a list per column and chooser.

    `without_lot`: unlucky options count like the others.
    """
    ways, way = _numbered(rows["way"])
    customer_id = rows["customer_id"].to_numpy()
    order = np.lexsort((way, customer_id))
    lists = rows["value"].combine_chunks()
    sizes = np.bincount(rows_of(lists), minlength=len(rows))[order]
    first = np.concatenate([[0], np.cumsum(pc.list_value_length(lists).to_numpy())])[:-1]
    start = np.concatenate([[0], np.cumsum(sizes)])
    chooser = np.repeat(np.arange(len(rows), dtype=np.int32), sizes)
    position = (np.arange(start[-1]) - start[chooser]).astype(np.int32)
    gathered = first[order][chooser] + position

    def flat(column: str, absent: int = 0) -> np.ndarray:
        values = rows[column].combine_chunks().flatten()
        if values.null_count:
            values = pc.fill_null(values, absent)
        return values.to_numpy(zero_copy_only=False)[gathered]

    value, sticky, code = flat("value"), flat("sticky"), flat("kind")
    codes = np.array(sorted(kinds.of_hash), dtype=np.int64)
    kind_of = np.array([kinds.of_hash[one] for one in codes.tolist()], dtype=np.int32)
    kind = kind_of[np.searchsorted(codes, code)] if len(codes) else code.astype(np.int32)
    slots = rows["slots"].to_numpy()[order].astype(np.int64)
    worth = value + np.where(sticky, stay_bonus, 0)
    unlucky = flat("unlucky")
    open_to_all = np.ones(len(unlucky), dtype=bool) if without_lot else ~unlucky
    had = np.bincount(chooser[sticky & open_to_all], minlength=len(rows))
    drawn = np.bincount(chooser[unlucky], minlength=len(rows)) > 0
    empty_night = np.append(kinds.capacity, 0)
    useful = open_to_all & (value > 0) & kinds.fits(empty_night)[kind] & (slots[chooser] > 0)
    useful &= ~_behind(chooser, kind, worth, slots, useful, len(kinds.content))
    kept = np.flatnonzero(useful)
    chooser = chooser[kept]
    return Options(
        kinds,
        ways,
        customer_id[order],
        way[order],
        rows["lot"].to_numpy()[order].view(np.uint64),
        slots,
        had,
        drawn,
        np.searchsorted(chooser, np.arange(len(rows) + 1)),
        chooser,
        position[kept],
        kind[kept],
        value[kept],
        worth[kept],
        sticky[kept],
        flat("preference", UNRANKED)[kept],
        code[kept],
    )


def _numbered(names: pa.ChunkedArray) -> tuple[tuple[str, ...], np.ndarray]:
    """The names in order, and the number of each row's name."""
    found = sorted(pc.unique(names).to_pylist())
    return tuple(found), pc.index_in(names, pa.array(found, names.type)).to_numpy().astype(np.int16)


def _behind(
    chooser: np.ndarray,
    kind: np.ndarray,
    worth: np.ndarray,
    slots: np.ndarray,
    useful: np.ndarray,
    kinds: int,
) -> np.ndarray:
    """Whether as many better options of the chooser and the kind are there as slots."""
    behind = np.zeros(len(chooser), dtype=bool)
    rows = np.flatnonzero(useful)
    pair = chooser[rows].astype(np.int64) * kinds + kind[rows]
    ordered = np.sort(pair)
    if not (ordered[1:] == ordered[:-1]).any():
        return behind
    order = np.lexsort((-worth[rows], pair))
    behind[rows[order]] = places(pair[order]) >= slots[chooser[rows[order]]]
    return behind


def places(groups: np.ndarray) -> np.ndarray:
    """The place of each row within its group, from 0; equal `groups` stand together."""
    begins = np.concatenate([[True], groups[1:] != groups[:-1]]) if len(groups) else groups
    first = np.flatnonzero(begins)
    return np.arange(len(groups)) - np.repeat(first, np.diff(np.append(first, len(groups))))
