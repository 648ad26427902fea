"""The whole night, in the order in which it runs.

Plain Python over the configuration: a step names the module that does it, the tables it reads and
writes, when it is due, and the group (one Spark application) in which the scheduler runs it. The
local runner (`jobs/night.py`) walks this list and the DAG (`dags/nightly.py`) is built from it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from models.contact.log import LOGS, OF_SEVERAL_ROWS
from schemas import contract
from schemas.config import Config
from schemas.contract import APPEND_ONLY, Contract
from schemas.errors import ConfigError
from schemas.window import Window, closed_months, closes_in, parse_date

DAILY = "daily"
MONTH_CLOSE = "month close"
COMPARED = (  # what a comparison of packages reads (jobs/comparison.py)
    "dw.usage_month",
    "dw.free_unit_split",
    "dw.rating_cell",
    "dw.rating_measure",
    "dw.subscriber",
    "dw.subscription",
    "ods.bill",
    "ods.bill_item",
)
OPS = ("ops.run_ledger", "ops.rejected_record", "ops.quality_result")


@dataclass(frozen=True)
class Step:
    """One step of the night.

    `reads` and `writes` are tables; touching any other is an error. `cadence` is `daily`,
    `month close` (due when a month closes within the window) or, for a delivery, the source's own.
    `final`: what it writes is acted upon at once, so it is not made again when its inputs change.
    `looks_back`: of these deliveries it reads the look-back of each source too; `looks_ahead`: and
    as many days after the window, if they are there.
    """

    name: str
    module: str
    group: str
    title: str
    reads: tuple[str, ...]
    writes: tuple[str, ...]
    cadence: str = DAILY
    source: str | None = None
    final: bool = False
    looks_back: tuple[str, ...] = ()
    looks_ahead: tuple[str, ...] = ()

    def due(self, window: Window, conf: Config) -> bool:
        """Whether the step has anything to do for the window."""
        if self.source is not None:
            return bool(due_days(conf, self.source, window))
        if self.cadence == MONTH_CLOSE:
            return closes_in(window, conf.policy.month_close.day)
        return True


def due_days(conf: Config, source: str, window: Window) -> list[date]:
    """The days of the window on which a delivery of the source is expected."""
    return [day for day in window.days() if conf.sources[source].cadence.due(day)]


def rated_months(conf: Config, window: Window) -> list[date]:
    """The closed months that a run of the window re-rates, oldest first (S2-07)."""
    return closed_months(window.last, conf.policy.rating.months, conf.policy.month_close.day)


def slices(conf: Config, table: Contract, window: Window, source: str | None = None) -> list[str]:
    """The slices of a table that a run of the window replaces (for a delivery: of its source)."""
    if source is not None:
        return [str(day) for day in due_days(conf, source, window)]
    if table.slice == "batch_date":
        return [str(day) for day in window.days()]
    if table.slice == "data_date":
        return [str(window.last)]
    if table.slice == "month":
        return [str(month) for month in rated_months(conf, window)]
    return [APPEND_ONLY]


def slices_of(
    conf: Config, contracts: Mapping[str, Contract], step: Step, window: Window
) -> list[tuple[str, str, str]]:
    """(table, source, slice) of all that a step writes in a run of a window."""
    return [
        (table, step.source or "", slice_)
        for table in step.writes
        for slice_ in slices(conf, contracts[table], window, step.source)
    ]


def night(conf: Config) -> tuple[Step, ...]:
    """Every step of the night, each after the steps whose tables it reads."""
    records = tuple(dict.fromkeys(source.record for source in conf.sources.values()))
    usage_records = ("ods.voice_call", "ods.message", "ods.data_session", "ods.wlan_session")
    contact_logs = tuple(table for table in LOGS if table in records) or ("ods.contact",)
    events = tuple(
        dict.fromkeys(
            source.record for source in conf.sources.values() if source.identity == "from_events"
        )
    )
    people = ("ods.customer", "ods.subscriber", "ods.package_subscription")
    pushes = tuple(f"push.{channel}" for channel, entry in conf.channels.items() if entry.push)
    references = _references()
    ingest = tuple(
        _ingest(conf, name, references)
        for name in sorted(
            conf.sources, key=lambda name: _depth(conf.sources[name].record, references)
        )
    )
    steps = (
        *ingest,
        Step(
            "identity",
            "jobs.steps.views.identity",
            "views",
            "who owns which number when, and who he is",
            people + events,
            ("dw.subscriber_identity", "dw.subscriber", "dw.subscription"),
        ),
        Step(
            "contact_event",
            "jobs.steps.views.contact_event",
            "views",
            "every contact of every channel in one format",
            (*contact_logs, "dw.subscriber_identity"),
            ("dw.contact_event",),
            looks_back=OF_SEVERAL_ROWS,
            looks_ahead=OF_SEVERAL_ROWS,
        ),
        Step(
            "contact_view",
            "jobs.steps.views.contact_view",
            "views",
            "one view of a customer's contacts by channel",
            ("dw.contact_event", "dw.contact_view"),
            ("dw.contact_view",),
        ),
        Step(
            "usage_day",
            "jobs.steps.rating.usage_day",
            "rating",
            "guide the records into rating cells and add them up by day",
            (*usage_records, "dw.subscriber_identity", "dw.rating_cell", "dw.rating_measure"),
            ("dw.rating_cell", "dw.rating_measure", "dw.usage_day"),
            looks_back=("ods.data_session",),
        ),
        Step(
            "usage_month",
            "jobs.steps.rating.usage_month",
            "rating",
            "add the days up to closed months",
            ("dw.usage_day", "dw.rating_measure", "dw.usage_month"),
            ("dw.usage_month",),
            MONTH_CLOSE,
        ),
        Step(
            "free_units",
            "jobs.steps.rating.free_units",
            "rating",
            "split free units event by event where only the order of events tells",
            (
                "dw.usage_day",
                "dw.usage_month",
                "dw.rating_cell",
                "dw.rating_measure",
                "dw.subscriber",
                "dw.subscriber_identity",
                *usage_records,
                "dw.free_unit_split",
            ),
            ("dw.free_unit_split",),
            MONTH_CLOSE,
        ),
        Step(
            "backtest",
            "jobs.steps.rating.backtest",
            "rating",
            "re-rate each customer's own packages and compare with his bill",
            (*COMPARED, "dw.usage_day", "dw.subscriber_identity", *usage_records),
            ("mart.backtest",),
            MONTH_CLOSE,
        ),
        Step(
            "rerate",
            "jobs.steps.rating.rerate",
            "rating",
            "what each customer would have paid under every open package",
            (*COMPARED, "mart.backtest"),
            ("mart.package_quote", "mart.package_match"),
            MONTH_CLOSE,
        ),
        Step(
            "preference",
            "jobs.steps.decision.preference",
            "decision",
            "which channel each customer prefers",
            ("dw.contact_view", "dw.subscriber"),
            ("mart.channel_preference",),
        ),
        Step(
            "decide",
            "jobs.steps.decision.decide",
            "decision",
            "who is offered what over which channel, and why not the others",
            (
                "mart.package_match",
                "mart.channel_preference",
                "dw.subscriber",
                "dw.subscription",
                "dw.subscriber_identity",
            ),
            ("mart.decision",),
            final=True,
        ),
        Step(
            "push",
            "jobs.steps.decision.push",
            "decision",
            "one table and one file per channel",
            (
                "mart.decision",
                "mart.package_match",
                "mart.package_quote",
                "dw.subscriber_identity",
                "dw.contact_event",
                *pushes,
            ),
            pushes,
            final=True,
        ),
        Step(
            "report",
            "jobs.steps.report.report",
            "decision",
            "the report of the run",
            ("mart.decision", "mart.backtest", "dw.contact_view", *OPS),
            (),
        ),
    )
    _preflight(steps, records)
    return steps


def _ingest(conf: Config, name: str, references: Mapping[str, tuple[str, ...]]) -> Step:
    source = conf.sources[name]
    return Step(
        f"ingest.{name}",
        "jobs.steps.ingest.ingest",
        "ingest",
        f"take in {source.name_cn} ({source.system})",
        (source.record, *references.get(source.record, ())),
        (source.record,),
        str(source.cadence),
        name,
    )


@cache
def _references() -> dict[str, tuple[str, ...]]:
    """The tables that a record's columns refer to, by the contracts."""
    return {
        table: tuple(
            dict.fromkeys(
                column.references.rsplit(".", 1)[0] for column in entry.columns if column.references
            )
        )
        for table, entry in contract.load().items()
    }


def _depth(table: str, references: Mapping[str, tuple[str, ...]]) -> int:
    """How many deliveries must be in before this one: what is referred to comes first."""
    return max((1 + _depth(other, references) for other in references.get(table, ())), default=0)


def _preflight(steps: tuple[Step, ...], records: tuple[str, ...]) -> None:
    """Every table that a step reads is written by an earlier step, or by itself the day before."""
    written = set(OPS)
    for step in steps:
        written.update(step.writes)
        for table in step.reads:
            if table not in written and not (table.startswith("ods.") and table not in records):
                raise ConfigError(f"plan: {step.name} reads {table}, which no earlier step writes")


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


def groups(steps: tuple[Step, ...]) -> dict[str, tuple[Step, ...]]:
    """The steps of each group, in the order of the plan."""
    grouped: dict[str, tuple[Step, ...]] = {}
    for step in steps:
        grouped[step.group] = (*grouped.get(step.group, ()), step)
    return grouped


def resolve_data_date(asked: str | None, logical_date: datetime | None, zone: str) -> date:
    """The data_date of a scheduled run.

    What the operator asked for; else the day before the local date of the run's logical date: the
    night of the 4th takes in the data of the 3rd. (`ds` of the scheduler is a UTC date: between
    midnight and 8 a.m. in China that is the day before.)
    """
    if asked:
        return parse_date(asked)
    if logical_date is None:
        raise ConfigError("no data_date: give the parameter data_date, for example 2009-05-03")
    if logical_date.tzinfo is None:
        logical_date = logical_date.replace(tzinfo=UTC)
    return logical_date.astimezone(ZoneInfo(zone)).date() - timedelta(days=1)
