"""The fate of each option, written in one pass over the choices."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame

from models.assignment.choices import LISTS
from models.frames.arrow_lists import rows_of
from models.frames.money import AMOUNT_TYPE, yuan_array

if TYPE_CHECKING:  # Spark's workers import this module, and need no SciPy
    from models.assignment.admission import Admission
    from models.assignment.rivals import Chosen

ASSIGNED, DISPLACED = "assigned", "displaced"
SLOT, CAPACITY, VALUE = "slot", "capacity", "value"
PRICES = f"array<struct<resource: string, price: {AMOUNT_TYPE}, units: bigint>>"
COLUMNS = {
    "customer_id": "bigint",
    "way": "string",
    "option_id": "string",
    "value": AMOUNT_TYPE,
    "sticky": "boolean",
    "fate": "string",
    "reduced_value": AMOUNT_TYPE,
    "prices": PRICES,
    "lost_to": "string",
    "winner": "string",
    "full": "string",
    "runner_up": "string",
    "rules": "array<string>",
}
PRICE = pa.struct(
    [("resource", pa.string()), ("price", pa.decimal128(18, 6)), ("units", pa.int64())]
)


@dataclass(frozen=True)
class Decisions:
    """What the pass has to know of the plan: per chooser what is taken, per hash of uses its price.

    `full`: the name of the resource that has no room for one more; null if all have. `rules`: of
    each rule its name, and per chooser what it would choose, as `start` and `position`.
    """

    customer_id: np.ndarray
    way: np.ndarray
    ways: tuple[str, ...]
    start: np.ndarray
    position: np.ndarray
    codes: np.ndarray
    price: np.ndarray
    prices: pa.ListArray
    full: pa.StringArray
    stay_bonus: int
    rules: tuple[tuple[str, np.ndarray, np.ndarray], ...]

    def places(self, customer_id: np.ndarray, way: pa.Array) -> np.ndarray:
        """Where the choosers of a batch stand."""
        wanted = pc.index_in(way, pa.array(self.ways, way.type)).to_numpy(zero_copy_only=False)
        place = np.searchsorted(self.customer_id, customer_id)
        for _ in self.ways[1:]:
            place += self.way[place] != wanted
        return place


def fates(
    choices: DataFrame,
    admission: Admission,
    per_unit: np.ndarray,
    stay_bonus: int,
    chosen: Mapping[str, Chosen] = MappingProxyType({}),
) -> DataFrame:
    """One row per option of `choices`: what became of it, and why. Amounts in DECIMAL yuan.

    - `fate`: assigned or displaced
    - `reduced_value`: the value, with the stay bonus, less the prices of what the option uses
    - `prices`: the price of each limiting resource that it uses, and the units of it
    - `lost_to`: of a displaced one: `slot` (better options got the customer's slots; `winner` is
      the least of them), `capacity` (`full` is the resource without room) or `value` (not above 0)
    - `runner_up`: of an assigned one: the customer's best displaced option at the prices
    - `rules`: the rules of `chosen` that would choose it if no lot were drawn
    """
    columns = ("customer_id", "way", "slots", *LISTS)
    return choices.select(*columns).mapInArrow(
        _written(_decisions(admission, per_unit, stay_bonus, chosen)),
        ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items()),
    )


def _decisions(
    admission: Admission, per_unit: np.ndarray, stay_bonus: int, chosen: Mapping[str, Chosen]
) -> Decisions:
    options, kinds = admission.options, admission.options.kinds
    codes = np.array(sorted(kinds.of_hash), dtype=np.int64)
    kind = np.array([kinds.of_hash[code] for code in codes.tolist()], dtype=np.int64)
    taken = np.flatnonzero(admission.taken)
    listed = [
        [
            {
                "resource": kinds.resources[place].name,
                "price": Decimal(int(per_unit[place])).scaleb(-6),
                "units": units,
            }
            for place, units in content
        ]
        for content in kinds.content
    ]
    full = []
    for content in kinds.content:
        lacking = [
            (-int(per_unit[place]) * units, kinds.resources[place].name)
            for place, units in content
            if admission.room[place] < units
        ]
        full.append(min(lacking)[1] if lacking else None)
    return Decisions(
        options.customer_id,
        options.way,
        options.ways,
        _starts(options.chooser[taken], options.choosers),
        options.position[taken],
        codes,
        kinds.prices(per_unit)[kind],
        pa.array(listed, pa.list_(PRICE)).take(pa.array(kind)),
        pa.array(full, pa.string()).take(pa.array(kind)),
        stay_bonus,
        tuple(
            (name, _starts(one.chooser, options.choosers), one.position)
            for name, one in sorted(chosen.items())
        ),
    )


def _starts(chooser: np.ndarray, choosers: int) -> np.ndarray:
    return np.searchsorted(chooser, np.arange(choosers + 1))


def _written(
    decisions: Decisions,
) -> Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    def write(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            if batch.num_rows:
                yield _batch(batch, decisions)

    return write


def _batch(batch: pa.RecordBatch, decisions: Decisions) -> pa.RecordBatch:
    row = rows_of(batch.column("value"))
    ids, value, code, sticky, unlucky = (
        batch.column(name).flatten() for name in ("option_id", "value", "kind", "sticky", "unlucky")
    )
    open_to_all = ~unlucky.to_numpy(zero_copy_only=False)
    worth = pc.fill_null(value, 0).to_numpy(zero_copy_only=False)
    kept = sticky.to_numpy(zero_copy_only=False)
    slots = batch.column("slots").to_numpy(zero_copy_only=False)
    place = decisions.places(
        batch.column("customer_id").to_numpy(zero_copy_only=False), batch.column("way")
    )
    use = np.searchsorted(decisions.codes, code.to_numpy(zero_copy_only=False))
    positive = (worth > 0) & open_to_all
    worth = worth + np.where(kept, decisions.stay_bonus, 0)
    reduced = worth - decisions.price[use]

    first = np.searchsorted(row, np.arange(batch.num_rows))
    counts = decisions.start[place + 1] - decisions.start[place]
    taken = _marked(decisions.start, decisions.position, place, first, len(row))

    least = _last_of_each(row, np.flatnonzero(taken), -worth, batch.num_rows)
    open_rivals = np.flatnonzero(~taken & positive)
    runner_up = _last_of_each(row, open_rivals, reduced, batch.num_rows)[row]
    winner = np.where(counts >= slots, least, -1)[row]
    beaten = (winner >= 0) & (worth <= worth[winner])
    by_slot = ~taken & positive & (beaten | (slots <= 0)[row])
    by_capacity = ~taken & positive & ~by_slot
    lost_to = np.select([taken, by_slot, by_capacity], [0, 1, 2], 3)
    names = pa.array([None, SLOT, CAPACITY, VALUE], pa.string())
    columns = [
        batch.column("customer_id").take(pa.array(row)),
        batch.column("way").take(pa.array(row)),
        ids,
        yuan_array(value),
        sticky,
        pa.array([DISPLACED, ASSIGNED], pa.string()).take(pa.array(taken.astype(np.int8))),
        yuan_array(pc.if_else(value.is_valid(), pa.array(reduced), None)),
        decisions.prices.take(pa.array(use)),
        names.take(pa.array(lost_to)),
        _taken_from(ids, winner, by_slot & (winner >= 0)),
        _taken_from(decisions.full, use, by_capacity),
        _taken_from(ids, runner_up, taken & (runner_up >= 0)),
        _rules(decisions.rules, place, first, len(row)),
    ]
    return pa.RecordBatch.from_arrays(columns, names=list(COLUMNS))


def _marked(
    start: np.ndarray, position: np.ndarray, place: np.ndarray, first: np.ndarray, options: int
) -> np.ndarray:
    """Which options of a batch are chosen; its choosers stand at `place` and begin at `first`."""
    counts = start[place + 1] - start[place]
    owner = np.repeat(np.arange(len(place)), counts)
    turn = np.arange(len(owner)) - np.repeat(np.cumsum(counts) - counts, counts)
    marked = np.zeros(options, dtype=bool)
    marked[first[owner] + position[start[place[owner]] + turn]] = True
    return marked


def _rules(
    rules: tuple[tuple[str, np.ndarray, np.ndarray], ...],
    place: np.ndarray,
    first: np.ndarray,
    options: int,
) -> pa.ListArray:
    """The names of the rules that choose each option of a batch."""
    code = np.zeros(options, dtype=np.int64)
    for bit, (_, start, position) in enumerate(rules):
        code |= _marked(start, position, place, first, options).astype(np.int64) << bit
    names = [name for name, _, _ in rules]
    sets = [
        [name for bit, name in enumerate(names) if one >> bit & 1] for one in range(2 ** len(names))
    ]
    return pa.array(sets, pa.list_(pa.string())).take(pa.array(code))


def _last_of_each(
    row: np.ndarray, options: np.ndarray, amounts: np.ndarray, rows: int
) -> np.ndarray:
    """Of these options, each row's one of the greatest amount, the first of equals; or -1."""
    found = np.full(rows, -1)
    order = options[np.lexsort((-options, amounts[options]))]
    found[row[order]] = order
    return found


def _taken_from(values: pa.Array, index: np.ndarray, wanted: np.ndarray) -> pa.Array:
    """`values` at `index` where `wanted`, else null."""
    return values.take(pa.array(np.where(wanted, index, 0), mask=~wanted))
