"""The process that Spark's Python workers are forked from (`spark.python.daemon.module`).

Spark's own loads Python's side of Spark from an archive, and before each task has the directories
of all archives read once more, after it every object looked at that it has ever loaded: a tenth of
a second for a task that does nothing. Here that side comes from where it is installed, what tasks
need is loaded once for all workers, and no longer looked at.
"""

import gc
import os
import sys
from importlib.machinery import PathFinder

ARCHIVES = [place for place in sys.path if os.path.isfile(place)]  # also a jar of Java's classes
INSTALLED = [place for place in sys.path if place not in ARCHIVES]


def leave_archives() -> None:
    """Where Spark and what it stands on are installed, no archive is searched."""
    if all(PathFinder.find_spec(name, INSTALLED) for name in ("pyspark", "py4j")):
        sys.path[:] = INSTALLED
        for place in ARCHIVES:
            sys.path_importer_cache.pop(place, None)


if __name__ == "__main__":
    leave_archives()
    from pyspark import daemon

    from models.rating import evaluator as rating  # noqa: F401

    gc.collect()
    gc.freeze()
    daemon.manager()
