"""One step of the night: what it reads and writes, and when it is due.

The steps themselves are in one file per group of this room; `night.py` puts them together.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from schemas.config import Config
from schemas.config.channel import FACT_TABLES
from schemas.window import Window, closes_in

DAILY = "daily"
MONTH_CLOSE = "month close"
CAMPAIGN_LOG = "ops.campaign_log"  # written by a command
OPS = ("ops.run_ledger", "ops.rejected_record", "ops.quality_result")  # of every run


def due_days(conf: Config, source: str, window: Window) -> list[date]:
    """The days of the window on which a delivery of the source is expected."""
    return [day for day in window.days() if conf.sources[source].cadence.due(day)]


def push_tables(conf: Config) -> tuple[str, ...]:
    """The tables of the channels that the configuration gives files."""
    return tuple(f"push.{channel}" for channel, entry in conf.channels.items() if entry.push)


def fact_tables(conf: Config) -> tuple[str, ...]:
    """The tables of the facts that the channels' files carry, in the order of FACT_TABLES."""
    pushes = [one.push for one in conf.channels.values() if one.push]
    return _tables_of([fact for push in pushes for fact in push.facts.values()])


def required_tables(conf: Config) -> tuple[str, ...]:
    """The tables of the facts that the channels require of a customer."""
    return _tables_of([one.requires for one in conf.channels.values() if one.requires])


def _tables_of(facts: Iterable[str]) -> tuple[str, ...]:
    """The tables of facts; facts of the CRM are found through the numbers of the subscriber."""
    named = {fact.split(".")[0] for fact in facts}
    if named & {"customer", "member"}:
        named.add("subscriber")
    return tuple(table for name, table in FACT_TABLES.items() if name in named)


@dataclass(frozen=True)
class Step:
    """One step of the night: the module `jobs.steps.<group>.<name>` does its work.

    `name`: unique in the plan; the steps of one module have names such as `ingest.voice`.
    `reads` and `writes`: tables; touching any other is an error.
    `cadence`: `daily`, `month close` (due when a month closes within the window) or, for a
    delivery, the cadence of its source.
    `final`: its tables are acted upon at once, so they are not rebuilt when an input changes.
    `looks_back`: of these deliveries it also reads the look-back of each source before the window,
    if the records of one event may come on several days (Source.apart_days).
    `looks_ahead`: of these it also reads as many days after the window, where they are there.
    `earlier`: of these tables of `reads` it reads only what earlier nights wrote; a later step of
    the plan writes them.
    `days_back`: a slice of deliveries is also derived from so many days of deliveries before it.
    `submitted_with`: the group whose Spark application runs the step; empty: its own group.
    """

    name: str
    group: str
    title: str
    reads: tuple[str, ...]
    writes: tuple[str, ...]
    cadence: str = DAILY
    source: str | None = None
    final: bool = False
    looks_back: tuple[str, ...] = ()
    looks_ahead: tuple[str, ...] = ()
    earlier: tuple[str, ...] = ()
    days_back: int = 0
    submitted_with: str = ""

    @property
    def module(self) -> str:
        """The module whose `run` does the step."""
        return f"jobs.steps.{self.group}.{self.name.split('.')[0]}"

    @property
    def application(self) -> str:
        """The Spark application in which the scheduler runs the step."""
        return self.submitted_with or self.group

    def due(self, window: Window, conf: Config) -> bool:
        """Whether the step has anything to do for the window."""
        if self.source is not None:
            return bool(due_days(conf, self.source, window))
        if self.cadence == MONTH_CLOSE:
            return closes_in(window, conf.policy.month_close.day)
        return True


def tables_of(steps: Iterable[Step]) -> set[str]:
    """The tables that the steps read or write."""
    return {table for step in steps for table in (*step.reads, *step.writes)}
