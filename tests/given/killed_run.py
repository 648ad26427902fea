"""A night in a process that gets a signal at a commit: python -m tests.given.killed_run …

Arguments: the name of the signal, the table whose commit it is, `before` or `after` it, then those
of jobs.night. The signal goes to the group of the process, as a terminal and many schedulers send
it; KILL goes to the process alone.
"""

import os
import signal
import sys
import time

from jobs import night
from jobs.warehouse.tables import Tables

NOTICED_S = 1.0  # the main thread has acted on the signal


def main(name: str, table: str, when: str, *asked: str) -> int:
    """Run the night; it does not get beyond the commit."""
    save = Tables.save

    def send() -> None:
        if name == "KILL":
            os.kill(os.getpid(), signal.SIGKILL)
        os.killpg(os.getpgid(0), signal.Signals[f"SIG{name}"])
        time.sleep(NOTICED_S)

    def stopped(self, written, *args, **how):
        if (written, when) == (table, "before"):
            send()
        save(self, written, *args, **how)
        if (written, when) == (table, "after"):
            send()

    Tables.save = stopped
    return night.main(list(asked))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
