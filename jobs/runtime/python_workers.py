"""The process that Spark's Python workers are forked from (`spark.python.daemon.module`).

Spark's default daemon imports pyspark from a zip. Each task then reads the zip's directory again
and runs a full garbage collection: about 0.1 s for an empty task. This daemon imports pyspark from
site-packages, loads the modules that tasks need once for all workers, and freezes them (gc.freeze).
"""

import gc
import os
import sys
from importlib.machinery import PathFinder

ARCHIVES = [place for place in sys.path if os.path.isfile(place)]  # zips, and a jar of Spark
INSTALLED = [place for place in sys.path if place not in ARCHIVES]


def leave_archives() -> None:
    """Search no archive, where pyspark and py4j are installed outside of one."""
    if all(PathFinder.find_spec(name, INSTALLED) for name in ("pyspark", "py4j")):
        sys.path[:] = INSTALLED
        for place in ARCHIVES:
            sys.path_importer_cache.pop(place, None)


if __name__ == "__main__":
    leave_archives()
    from pyspark import daemon

    from models.rating import evaluator, free_units  # noqa: F401  # they load all that tasks need

    gc.collect()
    gc.freeze()
    daemon.manager()
