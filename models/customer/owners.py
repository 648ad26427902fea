"""Events of numbers that nobody held at that instant, counted by source and day of delivery.

Nothing is computed from such events, so they are counted where their owners are looked up.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

PLACE = ("source", "batch_date")


@dataclass(frozen=True)
class Unheld:
    """The events of one delivery. `unheld`: of numbers that nobody held at that instant.

    `never_known`: those of them whose number nobody holds at any time that the customer files tell.
    """

    source: str
    day: date
    events: int
    unheld: int
    never_known: int

    @property
    def share(self) -> float:
        return self.unheld / max(self.events, 1)

    @property
    def at_other_times(self) -> int:
        """Events whose number somebody held before or after: the owner had left, or came later."""
        return self.unheld - self.never_known


def deliveries(events: DataFrame, identity: DataFrame) -> list[Unheld]:
    """Every delivery of the events, in order of source and day.

    `events` has source, batch_date and `unheld`: the number if nobody held it then, else NULL.
    `identity`: the snapshot of dw.subscriber_identity in which the owners were looked up. It is
    read again only if there is such a number.
    """
    rows = (
        events.groupBy(*PLACE)
        .agg(F.count(F.lit(1)).alias("events"), F.count("unheld").alias("unheld"))
        .collect()
    )
    never: dict[tuple[str, date], int] = {}
    if any(row["unheld"] for row in rows):
        strange = events.where("unheld IS NOT NULL").groupBy(*PLACE, "unheld").count()
        held = identity.select(F.col("msisdn").alias("unheld"))
        of_nobody = strange.join(held, "unheld", "left_anti").groupBy(*PLACE)
        never = {
            (row["source"], row["batch_date"]): row["events"]
            for row in of_nobody.agg(F.sum("count").alias("events")).collect()
        }
    return [
        Unheld(*place, row["events"], row["unheld"], never.get(place, 0))
        for place, row in sorted(((row["source"], row["batch_date"]), row) for row in rows)
    ]
