"""Whole decisions within capacity: options are admitted one after another, in a stated order.

All numbers are whole, so capacities hold exactly, and the order alone decides.
"""

from __future__ import annotations

import numpy as np

from models.assignment.options import Options, places

PIECE = 65_536  # options that are looked at together


class Admission:
    """What is taken so far: `taken` per option, `slots` left per chooser, `room` left per resource.

    `room` has a last entry for the padding of kinds.
    """

    def __init__(self, options: Options):
        self.options = options
        self.taken = np.zeros(len(options), dtype=bool)
        self.slots = options.slots.copy()
        self.room = np.append(options.kinds.capacity, 0)

    def admit(self, sequence: np.ndarray) -> None:
        """Takes, in order, each option of `sequence` that finds a slot of its chooser and room."""
        for first in range(0, len(sequence), PIECE):
            piece = sequence[first : first + PIECE]
            while len(piece := piece[self.fits(piece)]):
                piece = self._admit_until_full(piece)

    def fits(self, sequence: np.ndarray) -> np.ndarray:
        """Whether each option of `sequence` is open and finds a slot and room now."""
        options = self.options
        return (
            ~self.taken[sequence]
            & (self.slots[options.chooser[sequence]] > 0)
            & self.has_room()[options.kind[sequence]]
        )

    def has_room(self) -> np.ndarray:
        """Whether there is room for one option of each kind."""
        return self.options.kinds.fits(self.room)

    def _admit_until_full(self, piece: np.ndarray) -> np.ndarray:
        """Takes options until one finds no room; what is left to look at comes back."""
        options = self.options
        chooser = options.chooser[piece]
        order = np.argsort(chooser, kind="stable")
        turn = np.empty(len(piece), dtype=np.int64)
        turn[order] = places(chooser[order])
        offered = np.flatnonzero(turn < self.slots[chooser])
        kind = options.kind[piece[offered]]
        over = self._first_over(options.kinds.place[kind], options.kinds.units[kind])
        self.take(piece[offered[:over]])
        return piece[offered[over] + 1 :] if over < len(offered) else piece[:0]

    def exchange(self, new: np.ndarray, old: np.ndarray) -> int:
        """Gives, in order, each chooser's `new` option for the `old` one if there is room.

        Returns how many. Each chooser stands there once. Only what `new` takes beyond `old` needs
        room.
        """
        done = 0
        for first in range(0, len(new), PIECE):
            come, gone = new[first : first + PIECE], old[first : first + PIECE]
            while len(come):
                place, units = self.beyond(come, gone)
                fits = (self.room[place] >= units).all(axis=1)
                come, gone, place, units = come[fits], gone[fits], place[fits], units[fits]
                over = self._first_over(place, units)
                self.release(gone[:over])
                self.take(come[:over])
                done += min(over, len(come))
                come, gone = come[over + 1 :], gone[over + 1 :]
        return done

    def beyond(self, new: np.ndarray, old: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Resources of the `new` options, and the units they take beyond the `old` ones."""
        kinds, kind, before = self.options.kinds, self.options.kind[new], self.options.kind[old]
        place, units = kinds.place[kind], kinds.units[kind].copy()
        for column in range(kinds.width):
            same = place == kinds.place[before, column][:, None]
            units -= np.where(same, kinds.units[before, column][:, None], 0)
        return place, units

    def _first_over(self, place: np.ndarray, units: np.ndarray) -> int:
        """How many rows of uses fit one after another, before the first that does not.

        Units below 0 free nothing for those that follow.
        """
        place, units = place.ravel(), np.maximum(units.ravel(), 0)
        order = np.argsort(place, kind="stable")
        place, units = place[order], units[order]
        added = np.cumsum(units)
        starts = np.flatnonzero(np.diff(place, prepend=-1))
        before = np.repeat(added[starts] - units[starts], np.diff(np.append(starts, len(place))))
        over = order[added - before > self.room[place]]
        width = self.options.kinds.width
        return int(over.min()) // width if len(over) else len(order) // width

    def take(self, sequence: np.ndarray) -> None:
        self._move(sequence, 1)

    def release(self, sequence: np.ndarray) -> None:
        self._move(sequence, -1)

    def _move(self, sequence: np.ndarray, sign: int) -> None:
        options, kinds = self.options, self.options.kinds
        self.taken[sequence] = sign > 0
        np.subtract.at(self.slots, options.chooser[sequence], sign)
        counts = np.bincount(options.kind[sequence], minlength=len(kinds.content))
        self.room[:-1] -= sign * kinds.used(counts)

    def least(self) -> tuple[np.ndarray, np.ndarray]:
        """The worth of the least taken option of each chooser without a slot left, and the option.

        Choosers with a slot left have a least worth of 0, and option -1.
        """
        options = self.options
        worth = np.zeros(options.choosers, dtype=np.int64)
        option = np.full(options.choosers, -1)
        rows = np.flatnonzero(self.taken)
        rows = rows[self.slots[options.chooser[rows]] == 0]
        order = rows[np.lexsort((-rows, -options.worth[rows]))]
        worth[options.chooser[order]] = options.worth[
            order
        ]  # the last one written stays: the least
        option[options.chooser[order]] = order
        return worth, option
