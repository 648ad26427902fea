"""Waiting for the deliveries of a night without occupying a worker.

The sensor looks once and then defers. A trigger in Airflow's triggerer looks again every minute, at
names, sizes, ages and control files only. The triggerer must see the landing folder and import this
module, so its PYTHONPATH needs the project's folder.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from airflow.sdk.bases.sensor import BaseSensorOperator
from airflow.sdk.exceptions import AirflowFailException
from airflow.triggers.base import BaseTrigger, TriggerEvent

from jobs.intake import landing as landing_place
from jobs.plan.step import due_days
from schemas import config, contract
from schemas.window import Window, parse_date

LOOK_AGAIN_S = 60.0


def missing(conf_folders: Iterable[str], landing: str, first: str, last: str) -> list[str]:
    """A line for each delivery that is due in the days and missing or incomplete."""
    conf = config.load([Path(folder) for folder in conf_folders], contract.load())
    window = Window(parse_date(first), parse_date(last))
    return [
        line
        for name, source in conf.sources.items()
        for line in landing_place.missing(name, source, due_days(conf, name, window), Path(landing))
    ]


class DeliverySensor(BaseSensorOperator):
    """Succeeds once every delivery that is due has arrived.

    After `wait_minutes` it fails with the list of the missing ones.
    """

    template_fields: Sequence[str] = ("landing", "first", "last", "wait_minutes")

    def __init__(
        self,
        *,
        conf_folders: Iterable[Path],
        landing: str,
        first: str,
        last: str,
        wait_minutes: str,
        **kwargs,
    ) -> None:
        super().__init__(**kwargs)
        self.conf_folders = [str(folder) for folder in conf_folders]
        self.landing, self.first, self.last = landing, first, last
        self.wait_minutes = wait_minutes

    def execute(self, context) -> None:
        absent = missing(self.conf_folders, self.landing, self.first, self.last)
        if not absent:
            return
        for line in absent:
            self.log.info("waiting: %s", line)
        until = datetime.now(UTC) + timedelta(minutes=int(self.wait_minutes))
        self.defer(
            method_name="arrived",
            trigger=DeliveryTrigger(
                self.conf_folders, self.landing, self.first, self.last, until.isoformat()
            ),
        )

    def arrived(self, context, event: list[str]) -> None:
        """Called with the missing deliveries: an empty list, or what is missing when time is up."""
        if event:
            raise AirflowFailException(
                f"{len(event)} of the deliveries not there after "
                f"{self.wait_minutes} minutes: " + "\n".join(event)
            )


class DeliveryTrigger(BaseTrigger):
    """Fires with the list of missing deliveries: once it is empty, or at the instant `until`.

    `until` is an instant, so a restarted triggerer waits no longer than the first one.
    """

    def __init__(
        self,
        conf_folders: list[str],
        landing: str,
        first: str,
        last: str,
        until: str,
        every_s: float = LOOK_AGAIN_S,
    ) -> None:
        super().__init__()
        self.conf_folders, self.landing, self.first, self.last = conf_folders, landing, first, last
        self.until, self.every_s = until, every_s

    def serialize(self) -> tuple[str, dict[str, Any]]:
        return "dags.arrival.DeliveryTrigger", {
            "conf_folders": self.conf_folders,
            "landing": self.landing,
            "first": self.first,
            "last": self.last,
            "until": self.until,
            "every_s": self.every_s,
        }

    async def run(self) -> AsyncIterator[TriggerEvent]:
        while True:
            absent = await asyncio.to_thread(
                missing, self.conf_folders, self.landing, self.first, self.last
            )
            left = datetime.fromisoformat(self.until) - datetime.now(UTC)
            if not absent or left <= timedelta():
                yield TriggerEvent(absent)
                return
            await asyncio.sleep(min(self.every_s, left.total_seconds()))
