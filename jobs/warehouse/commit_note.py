"""What a commit's note says when no step of a night made it."""

from __future__ import annotations

UNDO = "undo of "  # and the run's id: the note of a commit that puts a table back
TIDYING = ("OPTIMIZE", "VACUUM START", "VACUUM END")  # commits that change no row
EXPIRY = "expiry by "  # and the run's id: the note of a commit that deletes what is too old
ERASURE = "erasure by "  # and the run's id: the note of a commit that erases a customer
