"""A night in a process of its own that kills itself at a commit: python -m tests.given.killed_run …

Arguments: the table whose commit it is, `before` or `after` it, then those of jobs.night.
"""

import os
import signal
import sys

from jobs import night
from jobs.warehouse.tables import Tables


def main(table: str, when: str, *asked: str) -> int:
    """Run the night; it does not get beyond the commit."""
    save = Tables.save

    def killed(self, name, *args, **how):
        if (name, when) == (table, "before"):
            os.kill(os.getpid(), signal.SIGKILL)
        save(self, name, *args, **how)
        if (name, when) == (table, "after"):
            os.kill(os.getpid(), signal.SIGKILL)

    Tables.save = killed
    return night.main(list(asked))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
