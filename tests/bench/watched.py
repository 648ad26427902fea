"""What a piece of work costs: seconds, and the most memory held meanwhile.

Memory is that of a process and of all that it started (Java included), in GiB, looked at several
times a second.
"""

import os
import subprocess
import threading
import time
from types import TracebackType

LOOK_EVERY_S, KIB_PER_GIB = 0.2, 2**20


class Watched:
    """`with Watched() as cost:` and then `cost.seconds`, `cost.most_gib`; of this process unless
    another is named."""

    def __init__(self, pid: int | None = None):
        self.pid, self.seconds, self.most_gib = pid or os.getpid(), 0.0, 0.0
        self._done = threading.Event()
        self._looking = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> "Watched":
        self._begun = time.monotonic()
        self._looking.start()
        return self

    def __exit__(
        self, kind: type | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.seconds = time.monotonic() - self._begun
        self._done.set()
        self._looking.join()

    def _look(self) -> None:
        while not self._done.wait(LOOK_EVERY_S):
            self.most_gib = max(self.most_gib, resident_gib(self.pid))


def resident_gib(pid: int) -> float:
    """What the process and its descendants hold in memory now; 0 when it is gone."""
    return sum(_of_family(pid, "rss")) / KIB_PER_GIB


def processor_seconds(pid: int) -> int:
    """Whole seconds of processors that the process and its living descendants have taken."""
    return sum(_of_family(pid, "times"))


def _of_family(pid: int, figure: str) -> list[int]:
    listed = subprocess.run(
        ["ps", "-e", "-o", f"pid=,ppid=,{figure}="], capture_output=True, text=True, check=True
    ).stdout.split()
    family, found = {pid}, []
    for one, parent, value in sorted(zip(*[map(int, listed)] * 3, strict=True)):
        if one in family or parent in family:
            family.add(one)
            found.append(value)
    return found
