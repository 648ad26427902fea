"""Steps of the plan in parallel, where no table connects them.

A small step mostly waits: for plans, commits, checks. Two at a time use the machine better. The
results stay the same: a step begins once no earlier one is left that writes what it reads or
writes, or reads what it writes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from jobs.plan.step import Step

CUT_SHORT_S = 0.5  # between two attempts to end what the steps do


def waits_for(steps: Sequence[Step]) -> dict[str, set[str]]:
    """By the name of a step: the earlier steps that have to be done before it begins."""
    found: dict[str, set[str]] = {}
    for place, step in enumerate(steps):
        found[step.name] = {
            before.name
            for before in steps[:place]
            if {*before.writes} & {*step.reads, *step.writes} or {*before.reads} & {*step.writes}
        }
        if not step.writes or step.group == "report":  # it shows what all of them did, or sends it
            found[step.name] = {before.name for before in steps[:place]}
    return found


def run(
    steps: Sequence[Step],
    work: Callable[[Step], None],
    at_once: int,
    cut_short: Callable[[], None] = lambda: None,
) -> None:
    """Do the work of every step, at most `at_once` of them in parallel.

    After an error no further step begins; it is raised when the steps under way have ended. After a
    signal `cut_short` ends what they do, again and again: a step may just begin another job.
    """
    needed, left = waits_for(steps), list(steps)
    done: set[str] = set()
    under_way: dict[Future[None], Step] = {}
    error: BaseException | None = None
    running: set[str] = set()

    def tracked(step: Step) -> None:
        running.add(step.name)
        try:
            work(step)
        finally:
            running.remove(step.name)

    with ThreadPoolExecutor(at_once, thread_name_prefix="step") as threads:
        try:
            while (error is None and left) or under_way:
                for step in [step for step in left if error is None and needed[step.name] <= done]:
                    if len(under_way) < at_once:
                        left.remove(step)
                        under_way[threads.submit(tracked, step)] = step
                ended, _ = wait(under_way, return_when=FIRST_COMPLETED)
                for future in ended:
                    done.add(under_way.pop(future).name)
                    error = error or future.exception()
        except BaseException:  # a signal; the error of a step is none of this thread
            threads.shutdown(wait=False, cancel_futures=True)
            while running:
                cut_short()
                time.sleep(CUT_SHORT_S)
            raise
    if error is not None:
        raise error
