"""What is scarce: contacts of a channel on a day, a branch, agents' minutes, a budget in yuan."""

from __future__ import annotations

from dataclasses import dataclass

from schemas.errors import ConfigError


@dataclass(frozen=True)
class Resource:
    """A resource of one night. `capacity` is a whole number of `unit`; 0 means never.

    `limits`: false for a resource whose use is reported and which decides nothing.
    Raises ConfigError for a capacity that is no whole number from 0 on.
    """

    name: str
    capacity: int
    unit: str
    limits: bool = True

    def __post_init__(self) -> None:
        known = isinstance(self.capacity, int) and not isinstance(self.capacity, bool)
        if not known or not 0 <= self.capacity < 2**53:
            raise ConfigError(
                f"resource {self.name}: capacity {self.capacity} {self.unit}; expected a whole "
                "number from 0 (never) to 2^53; correct the capacity"
            )
