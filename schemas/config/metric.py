"""metrics.yml as dataclasses: what campaigns are judged by."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from schemas.config.settings import built

ASSIGNED = "assigned"


@dataclass(frozen=True)
class Part:
    """A value of each unit: the rows of `table` whose `at` lies in his window and that fit `where`.

    `take`: `any` is 1 if there is such a row, `rows` their number, `sum` adds up `column`.
    """

    table: str
    at: str
    take: str
    column: str | None = None
    where: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Metric:
    """A metric of campaigns; `denominator` None: all units that were assigned to the arm.

    The window is `window_days` long and begins on the day after the assignment. `before_days`: the
    numerator of so many days up to the assignment is taken off by CUPED. A larger value of the
    numerator than `winsor_limit` counts as the limit. `margin`: the harm that a guardrail bears, in
    the metric's own unit.
    """

    id: str
    name_cn: str
    name_en: str
    unit: str
    numerator: Part
    denominator: Part | None
    window_days: int
    direction: str
    role: str
    before_days: int | None = None
    winsor_limit: Decimal | None = None
    margin: Decimal | None = None

    @property
    def parts(self) -> tuple[Part, ...]:
        """The numerator, and the denominator where it is one of rows."""
        return (self.numerator,) if self.denominator is None else (self.numerator, self.denominator)


def metric_of(name: str, entry: Mapping[str, Any]) -> Metric:
    """The metric that an entry of metrics.yml describes."""
    below = entry["denominator"]
    denominator = None if below == ASSIGNED else below
    return built(Metric, {"id": name, **entry, "denominator": denominator})
