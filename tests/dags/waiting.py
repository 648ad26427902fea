"""What the sensor of the deliveries and its trigger do, as data, for a process with Airflow.

The landing is that of two sources, of which one is optional and never delivered.
"""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

from airflow.sdk.exceptions import TaskDeferred
from airflow.sdk.module_loading import import_string

from dags.arrival import DeliverySensor
from schemas import config
from tests.given.paths import ROOT

EVERY_S = 0.02


def sensor(folder: Path) -> DeliverySensor:
    overlay = folder / "two sources"
    overlay.mkdir(exist_ok=True)
    gone = [
        name for name in config.load([ROOT / "conf"]).sources if name not in ("web_log", "wap_log")
    ]
    (overlay / "sources.yml").write_text(
        "wap_log: {optional: true}\n" + "".join(f"{name}: null\n" for name in gone),
        encoding="utf-8",
    )
    return DeliverySensor(
        task_id="deliveries",
        conf_folders=[ROOT / "conf", overlay],
        landing=str(folder / "landing"),
        first="2009-05-03",
        last="2009-05-03",
        wait_minutes="0",
    )


def looked(of: DeliverySensor):
    """The deferral of a first look, or None where the task goes on."""
    try:
        of.execute({})
    except TaskDeferred as deferred:
        return deferred


def said(of: DeliverySensor, event: list[str]) -> str | None:
    """What the resumed task says about the event of its trigger."""
    try:
        of.arrived({}, event)
    except Exception as error:
        return f"{type(error).__name__}: {error}"


async def fired(trigger, meanwhile=lambda: None) -> list[str]:
    """The payload of the trigger's event, when something happens after its first looks."""
    waiting = asyncio.ensure_future(anext(trigger.run()))
    await asyncio.sleep(10 * EVERY_S)
    meanwhile()
    return (await asyncio.wait_for(waiting, 20)).payload


def outcomes(folder: Path) -> dict:
    of = sensor(folder)
    deferred = looked(of)
    path, kwargs = deferred.trigger.serialize()
    late = asyncio.run(fired(deferred.trigger))

    def deliver() -> None:
        day = folder / "landing" / "web_log" / "2009-05-03"
        day.mkdir(parents=True)
        (day / "web_20090503.csv").write_text("", encoding="utf-8")

    later = datetime.now(UTC).replace(year=2100).isoformat()
    made = import_string(path)(**{**kwargs, "until": later, "every_s": EVERY_S})
    event = asyncio.run(fired(made, deliver))
    return {
        "at first": deferred and "deferred",
        "trigger": path,
        "too late": [late, said(of, late)],
        "when the file arrives": [event, said(of, event)],
        "once it is there": "deferred" if looked(of) else "goes on",
    }
