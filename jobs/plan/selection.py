"""The steps that a command names, and the Spark applications that the scheduler submits."""

from jobs.plan.step import Step
from schemas.errors import ConfigError


def select(
    steps: tuple[Step, ...], only: str | None = None, start: str | None = None
) -> tuple[Step, ...]:
    """The steps named by `--only a,b` (a name, or a prefix such as `ingest`) or `--from a`."""
    names = [step.name for step in steps]
    if only is not None:
        wanted = [part.strip() for part in only.split(",") if part.strip()]
        if not wanted:
            raise ConfigError(f"--only names no step; the plan has: {', '.join(names)}")
        for part in wanted:
            if not any(_named(name, part) for name in names):
                raise ConfigError(f"--only: no step '{part}'; the plan has: {', '.join(names)}")
        return tuple(s for s in steps if any(_named(s.name, part) for part in wanted))
    if start is not None:
        places = [place for place, name in enumerate(names) if _named(name, start)]
        if not places:
            raise ConfigError(f"--from: no step '{start}'; the plan has: {', '.join(names)}")
        return steps[places[0] :]
    return steps


def _named(name: str, part: str) -> bool:
    return name == part or name.startswith(part + ".")


def applications(steps: tuple[Step, ...]) -> dict[str, tuple[Step, ...]]:
    """The steps of each Spark application, in the order of the plan."""
    found: dict[str, tuple[Step, ...]] = {}
    for step in steps:
        found[step.application] = (*found.get(step.application, ()), step)
    return found
