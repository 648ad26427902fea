"""A night with a record of what it costs: python -m tests.bench.profiled_night FOLDER arguments…

The arguments after FOLDER are those of jobs.night. FOLDER gets `costs.json` and Spark's own events.
"""

import json
import os
import re
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from jobs import night
from jobs.runtime import session, walk
from jobs.warehouse.judge import Judge
from jobs.warehouse.tables import Tables

TICKS = os.sysconf("SC_CLK_TCK")


class Costs:
    """Sums by step and by part of the run. Seconds; of processors where the name says so."""

    def __init__(self) -> None:
        self.steps: dict[str, Counter] = defaultdict(Counter)
        self.parts: Counter = Counter()
        self.java: dict[str, Any] = {}
        self._lock = threading.Lock()
        self._thread = threading.local()  # `step`: the one that this thread runs

    def timed(self, owner: type, name: str, part: str) -> None:
        """Let each call of a method add its seconds to a part of the run."""
        call = getattr(owner, name)

        def measured(*args: Any, **how: Any) -> Any:
            began = time.monotonic()
            try:
                return call(*args, **how)
            finally:
                with self._lock:
                    self.parts[part] += time.monotonic() - began

        setattr(owner, name, measured)

    def of_steps(self, run_step: Callable) -> Callable:
        """The function that runs a step, with its seconds; its jobs get the name of the step."""

        def measured(step: Any, run: Any, *args: Any, **how: Any) -> int:
            spark = run.warehouse.tables.spark
            beans = spark._jvm.java.lang.management.ManagementFactory.getThreadMXBean()
            spark.sparkContext.setJobDescription(step.name)
            self._thread.step = step.name
            began = time.monotonic(), time.thread_time(), beans.getCurrentThreadCpuTime()
            try:
                return run_step(step, run, *args, **how)
            finally:
                ended = time.monotonic(), time.thread_time(), beans.getCurrentThreadCpuTime()
                wall, python, java = (
                    after - before for before, after in zip(began, ended, strict=True)
                )
                self._thread.step = None
                spark.sparkContext.setJobDescription(None)
                with self._lock:
                    self.steps[step.name].update(
                        {"wall": wall, "python": python, "java": java / 1e9}
                    )

        return measured

    def counted_commits(self, save: Callable) -> Callable:
        """`Tables.save`, counted by the step that calls it."""

        def counted(*args: Any, **how: Any) -> None:
            with self._lock:
                self.steps[getattr(self._thread, "step", None) or "(run)"]["commits"] += 1
            save(*args, **how)

        return counted

    @contextmanager
    def of_session(self, opened: Any) -> Iterator[Any]:
        """The session of a run; what Java has cost is read before it ends."""
        began = time.monotonic()
        with opened as spark:
            self.parts["start of Spark"] = time.monotonic() - began
            try:
                yield spark
            finally:
                self.java = of_java(spark._jvm)


def of_java(java: Any) -> dict[str, Any]:
    """Seconds that Java has spent, and on what; processor seconds by group of threads."""
    factory = java.java.lang.management.ManagementFactory
    catalyst = java.org.apache.spark.sql.catalyst
    rules = re.search(r"Total time: ([0-9.]+)", catalyst.rules.RuleExecutor.dumpTimeSpent())
    process = int(java.java.lang.ProcessHandle.current().pid())
    threads: Counter = Counter()
    for stat in Path(f"/proc/{process}/task").glob("*/stat"):
        name, used = used_by(stat, of_children=False)
        threads[re.sub(r"[-#.0-9]+", " ", name).strip()] += used
    codegen = java.org.apache.spark.metrics.source.CodegenMetrics
    collectors = factory.getGarbageCollectorMXBeans()
    return {
        "processor": used_by(Path(f"/proc/{process}/stat"))[1],
        "rules of planning": float(rules[1]) if rules else 0.0,
        "code generation": catalyst.expressions.codegen.CodeGenerator.compileTime() / 1e9,
        "generated classes": codegen.METRIC_COMPILATION_TIME().getCount(),
        "Java's compilers": factory.getCompilationMXBean().getTotalCompilationTime() / 1e3,
        "garbage": sum(one.getCollectionTime() for one in collectors) / 1e3,
        "threads": dict(threads.most_common(8)),
    }


def used_by(stat: Path, of_children: bool = True) -> tuple[str, float]:
    """Name and processor seconds of a process or thread; Linux counts ended children by process."""
    text = stat.read_text(encoding="utf-8")
    name, rest = text[text.index("(") + 1 : text.rindex(")")], text[text.rindex(")") + 2 :].split()
    return name, sum(map(int, rest[11 : 15 if of_children else 13])) / TICKS


def main(folder: Path, asked: list[str]) -> int:
    """Run the night and write what it cost."""
    costs, began = Costs(), time.monotonic()
    events = folder / "events"
    events.mkdir(parents=True)
    of_profile, opened = session.profile, walk.spark_session

    def logged(name: str, folders: tuple[Path, ...]) -> dict[str, str]:
        return {
            **of_profile(name, folders),
            "spark.eventLog.enabled": "true",
            "spark.eventLog.compress": "false",
            "spark.eventLog.rolling.enabled": "false",
            "spark.eventLog.dir": str(events),
        }

    session.profile = logged
    walk.spark_session = lambda *args, **how: costs.of_session(opened(*args, **how))
    walk._run_step = costs.of_steps(walk._run_step)
    Tables.save = costs.counted_commits(Tables.save)
    costs.timed(Judge, "check_metrics", "Great Expectations, checks")
    costs.timed(Judge, "publish", "Great Expectations, pages")
    costs.parts["start of Python"] = time.clock_gettime(time.CLOCK_PROCESS_CPUTIME_ID)
    code = night.main(asked)
    used = os.times()
    (folder / "costs.json").write_text(
        json.dumps(
            {
                "wall": time.monotonic() - began,
                "python": used.user + used.system,
                "parts": costs.parts,
                "java": costs.java,
                "steps": costs.steps,
            }
        ),
        encoding="utf-8",
    )
    return code


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
