"""What a step does while it runs."""

from dataclasses import dataclass, field

from jobs.plan.step import Step
from schemas.window import Window


@dataclass
class Activity:
    """What the running step has touched so far."""

    step: Step
    window: Window
    rebuild: bool = False
    versions: dict[str, int] = field(default_factory=dict)
    rows_out: int = 0
