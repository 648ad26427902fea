"""Ctrl-C from a person, TERM from a scheduler: a command that is stopped ends in order.

The signal raises `Stopped` in the main thread. A night ends the steps under way at once, records in
the ledger what became of their slices, and says what is committed. A second signal within some
seconds is the same one sent twice. A later one ends the process at once, which is safe too: the
next run does again what is not recorded as committed.
"""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

WORDS = {signal.SIGINT: "stopped by Ctrl-C", signal.SIGTERM: "stopped by TERM"}
SAME_S = 5.0  # signals within these seconds are one


class Stopped(BaseException):
    """A signal has stopped the command. `committed`: what a run had committed by then, in words."""

    committed = "what was committed stays valid"


class Watch:
    """The signal that has stopped the command under way; None as long as none has."""

    def __init__(self) -> None:
        self.signal: signal.Signals | None = None
        self._since = 0.0

    def handle(self, number: int, _: FrameType | None) -> None:
        """Raise Stopped for the first signal; end the process for one that comes much later."""
        if self.signal is None:
            self.signal, self._since = signal.Signals(number), time.monotonic()
            _leave_java()
            raise Stopped
        if time.monotonic() - self._since > SAME_S:
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)

    @property
    def code(self) -> int:
        """The exit code of a process that a signal has stopped, as shells count it."""
        return 128 + (self.signal or signal.SIGINT)

    def message(self, committed: str) -> str:
        """What a person has to know now."""
        return (
            f"{WORDS[self.signal or signal.SIGINT]}; {committed}; run the same command again, "
            "it goes on with the rest"
        )


@contextmanager
def watched() -> Iterator[Watch]:
    """Turn Ctrl-C and TERM into Stopped while the block runs.

    Only the main thread of a process can; elsewhere signals stay with whoever handles them.
    """
    watch = Watch()
    if threading.current_thread() is not threading.main_thread():
        yield watch
        return
    before = {number: signal.signal(number, watch.handle) for number in WORDS}
    try:
        yield watch
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _leave_java() -> None:
    """Let the next call to Java open a connection: the one of a call cut short holds its answer."""
    context = getattr(sys.modules.get("pyspark"), "SparkContext", None)
    gateway = getattr(context, "_gateway", None)
    if gateway is not None:
        gateway._gateway_client.thread_connection.connection = None
