"""Steps of the plan at the same time, where no table stands between them.

A small step is mostly waiting: for plans, commits, the judge. Two at a time use the machine better
and change no result, because a step begins only when all earlier ones are done that write what it
reads or writes, or read what it writes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from jobs.plan.step import Step


def waits_for(steps: Sequence[Step]) -> dict[str, set[str]]:
    """By the name of a step: the earlier steps that have to be done before it begins."""
    found: dict[str, set[str]] = {}
    for place, step in enumerate(steps):
        found[step.name] = {
            before.name
            for before in steps[:place]
            if {*before.writes} & {*step.reads, *step.writes} or {*before.reads} & {*step.writes}
        }
        if not step.writes:  # a report shows all that was done
            found[step.name] = {before.name for before in steps[:place]}
    return found


def run(steps: Sequence[Step], work: Callable[[Step], None], at_once: int) -> None:
    """Do the work of every step, as many at once as may be.

    After an error no further step begins; it is raised when those under way have ended.
    """
    needed, left, done = waits_for(steps), list(steps), set()
    under_way: dict[Future, Step] = {}
    error: BaseException | None = None
    with ThreadPoolExecutor(at_once, thread_name_prefix="step") as threads:
        while (error is None and left) or under_way:
            for step in [step for step in left if error is None and needed[step.name] <= done]:
                if len(under_way) < at_once:
                    left.remove(step)
                    under_way[threads.submit(work, step)] = step
            ended, _ = wait(under_way, return_when=FIRST_COMPLETED)
            for future in ended:
                done.add(under_way.pop(future).name)
                error = error or future.exception()
    if error is not None:
        raise error
