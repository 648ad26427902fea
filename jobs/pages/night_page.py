"""The operations part of a night's report, from rows of the ledger and judgements.

The same figures as `jobs.status` shows on a terminal, with pictures. Plain Python.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from jobs.warehouse import ledger_summary as status
from jobs.warehouse.ledger import COMMITTED, FAILED, CheckResult, Entry
from jobs.warehouse.ledger_summary import MISSING, DeliveryState, Timing
from models.drawing import page as charts
from models.drawing.page import BAD, DOUBLE, GOOD, Drawn
from schemas.config import Config
from schemas.window import Window

DAYS_DRAWN = 30
LISTED = 20  # deliveries that want a look
ALL_WELL = "nothing: every delivery is in and no check has failed"


def since(window: Window) -> date:
    """The first day of which the page shows deliveries."""
    return min(window.first, window.last - timedelta(days=DAYS_DRAWN - 1))


def parts(
    entries: Sequence[Entry],
    verdicts: Sequence[CheckResult],
    reasons: Sequence[tuple[str, str, int]],
    conf: Config,
    window: Window,
) -> list[str]:
    """The parts of the page in their order.

    `entries`: rows of the ledger as they were noted, `verdicts`: all judgements of the window,
    the newest last; `reasons`: source, reason and rows, as they are to be shown.
    """
    found, timings = status.deliveries(entries, conf, window), status.timings(entries)
    failed = _failed(verdicts)
    return [
        _tiles(found, failed, timings),
        _to_look_at(found, failed, conf),
        _deliveries(found, status.delivered_by_day(entries), conf, window),
        charts.table(
            "Why rows were rejected",
            ["source", "reason", "rows", ""],
            [
                [source, reason, rows, charts.bar(rows, max(one[2] for one in reasons))]
                for source, reason, rows in reasons
            ],
            "no row was",
        ),
        _steps(timings),
    ]


def _failed(verdicts: Sequence[CheckResult]) -> list[CheckResult]:
    """What fails by the newest judgement of each check; a stop that failed says the warning too."""
    last = {(one.source, one.table, one.check, one.severity): one for one in verdicts}
    stopped = {key[:3] for key, one in last.items() if key[3] == "critical" and not one.success}
    return [
        one
        for key, one in last.items()
        if not one.success and (one.severity == "critical" or key[:3] not in stopped)
    ]


def _tiles(
    found: Sequence[DeliveryState], failed: Sequence[CheckResult], timings: Sequence[Timing]
) -> str:
    stand = [one.current for one in found if one.current is not None]
    delivered, rejected, warned = (
        sum(getattr(entry, f"rows_{part}") for entry in stand)
        for part in ("delivered", "rejected", "warned")
    )
    shown = [
        ("deliveries in", f"{len(stand):,} of {len(found):,}", len(stand) < len(found)),
        ("rows delivered", f"{delivered:,}", False),
        ("rows rejected", f"{rejected:,} ({rejected / max(delivered, 1):.2%})", False),
        ("rows with a warning", f"{warned:,}", False),
        ("checks not passed", f"{len(failed):,}", bool(failed)),
        ("work", f"{sum(step.seconds for step in timings):,.0f} s in {len(timings)} steps", False),
    ]
    return charts.tiles(shown)


def _to_look_at(found: Sequence[DeliveryState], failed: Sequence[CheckResult], conf: Config) -> str:
    """Deliveries that are not in or were let pass, then every check that failed."""
    odd = [one for one in found if one.state != COMMITTED or one.message]
    rows = [
        [
            charts.state(one.state if one.state != COMMITTED else "passed"),
            one.source,
            str(one.day),
            "optional"
            if one.state == MISSING and conf.sources[one.source].optional
            else one.message or "",
        ]
        for one in odd[-LISTED:]
    ]
    if len(odd) > LISTED:
        rows.insert(0, ["", "", "", f"and {len(odd) - LISTED:,} deliveries before these"])
    rows += [
        [
            charts.state(FAILED if one.severity == "critical" else "warning"),
            one.source or one.table,
            one.slice,
            f"{one.check}: {one.observed}, expected {one.expected}",
        ]
        for one in sorted(failed, key=lambda one: one.severity)
    ]  # critical ones first
    return charts.table("To look at", ["", "source or table", "day", "what"], rows, ALL_WELL)


def _deliveries(found: Sequence[DeliveryState], history, conf: Config, window: Window) -> str:
    """A row for the newest delivery of each source; the figures of a range are its days' sums."""
    by_source: dict[str, list[DeliveryState]] = {}
    for one in found:
        by_source.setdefault(one.source, []).append(one)
    rows = []
    for name in conf.sources:
        days = by_source.get(name)
        if not days:
            continue
        stand = [one.current for one in days if one.current is not None]
        sums = (
            {part: sum(getattr(entry, f"rows_{part}") for entry in stand) for part in status.COUNTS}
            if stand
            else dict.fromkeys(status.COUNTS)
        )
        split = charts.shares(
            (part, sums[part] or 0, colour)
            for part, colour in (("accepted", GOOD), ("duplicate", DOUBLE), ("rejected", BAD))
        )
        last = days[-1].day
        rows.append(
            [
                name,
                conf.sources[name].name_cn,
                str(last),
                charts.state(days[-1].state),
                *sums.values(),
                split,
                charts.by_day(history.get(name, {}), last, DAYS_DRAWN),
            ]
        )
    count = len(list(window.days()))
    span = "" if count == 1 else f", rows of all {count} days"
    return charts.table(
        f"Deliveries{span}",
        [
            "source",
            "",
            "newest",
            "",
            *status.COUNTS,
            "accepted, duplicate, rejected",
            f"delivered in {DAYS_DRAWN} days",
        ],
        rows,
    )


def _steps(timings: Sequence[Timing]) -> str:
    most = max((max(step.seconds, step.usual or 0) for step in timings), default=0)
    return charts.table(
        "Steps",
        ["step", "seconds", "usual", "runs before", "", ""],
        [
            [
                step.step,
                round(step.seconds, 1),
                step.usual and round(step.usual, 1),
                step.runs,
                charts.bar(step.seconds, most, step.usual, strong=step.slow),
                Drawn(f"{step.ratio:.1f} times" if step.slow else ""),
            ]
            for step in timings
        ],
    )
