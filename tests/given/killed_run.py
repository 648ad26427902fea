"""A night in a process that gets a signal at a commit: python -m tests.given.killed_run …

Arguments: the name of the signal, the table whose commit it is, `before` or `after` it, then those
of jobs.night. The signal goes to the group of the process, as a terminal and many schedulers send
it; KILL goes to the process alone.
"""

import os
import signal
import sys
import threading

from jobs import night
from jobs.runtime import walk
from jobs.warehouse.tables import Tables
from jobs.warehouse.warehouse import Warehouse

LONGEST_WAIT_S = 120.0


def main(name: str, table: str, when: str, *asked: str) -> int:
    """Run the night; it does not get beyond the commit.

    KILL comes at the commit of any table; the others at that of a step, which looks for them.
    """
    owner, method = (Tables, "save") if name == "KILL" else (Warehouse, "_save")
    save, cut_short = getattr(owner, method), walk.cut_short
    noticed = threading.Event()

    def notice(run):
        cut_short(run)
        noticed.set()

    def send() -> None:
        if name == "KILL":
            os.kill(os.getpid(), signal.SIGKILL)
        os.killpg(os.getpgid(0), signal.Signals[f"SIG{name}"])
        noticed.wait(LONGEST_WAIT_S)  # the main thread acts on the signal, however slow it is

    def stopped(self, written, *args, **how):
        if (written, when) == (table, "before"):
            send()
        save(self, written, *args, **how)
        if (written, when) == (table, "after"):
            send()

    setattr(owner, method, stopped)
    walk.cut_short = notice
    return night.main(list(asked))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
