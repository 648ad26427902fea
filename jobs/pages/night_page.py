"""The operations part of a night's report, from rows of the ledger and results of checks.

The figures are those of `jobs.status`, with pictures. Plain Python.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from jobs.warehouse import ledger_summary
from jobs.warehouse.ledger import COMMITTED, FAILED, CheckResult, Entry
from jobs.warehouse.ledger_summary import MISSING, DeliveryState, Timing
from models.drawing import page
from models.drawing.page import BAD, DOUBLE, GOOD, Drawn
from schemas.config import Config
from schemas.render.expectations import UNHELD_EVENTS
from schemas.window import Window

DAYS_DRAWN = 30
LISTED = 20  # deliveries in "To look at"
ALL_WELL = "nothing: every delivery is in and no check has failed"


def since(window: Window) -> date:
    """The first day whose deliveries the page shows."""
    return min(window.first, window.last - timedelta(days=DAYS_DRAWN - 1))


def parts(
    entries: Sequence[Entry],
    verdicts: Sequence[CheckResult],
    reasons: Sequence[tuple[str, str, int]],
    conf: Config,
    window: Window,
) -> list[str]:
    """The parts of the page in their order.

    `entries`: rows of the ledger in the order of writing. `verdicts`: all results of checks of the
    window, the newest last. `reasons`: (source, reason, rows) in the order of the page.
    """
    found, timings = (
        ledger_summary.deliveries(entries, conf, window),
        ledger_summary.timings(entries),
    )
    failed = _failed(verdicts)
    return [
        _tiles(found, failed, timings),
        _to_look_at(found, failed, conf),
        _deliveries(found, ledger_summary.delivered_by_day(entries), conf, window),
        page.table(
            "Why rows were rejected",
            ["source", "reason", "rows", ""],
            [
                [source, reason, rows, page.bar(rows, max(one[2] for one in reasons))]
                for source, reason, rows in reasons
            ],
            "no row was rejected",
        ),
        _nobodys(verdicts),
        _steps(timings),
    ]


def _nobodys(verdicts: Sequence[CheckResult]) -> str:
    """The newest count of each delivery with such events; of a long window the last ones."""
    newest = {
        (one.slice, one.source): one.observed for one in verdicts if one.check == UNHELD_EVENTS
    }
    rows = [
        [source, day, found]
        for (day, source), found in sorted(newest.items())
        if not found.startswith("0 of ")
    ]
    return page.table(
        "Events of numbers that nobody held",
        ["source", "day", "what"],
        rows[-LISTED:],
        "every number had an owner",
    )


def _failed(verdicts: Sequence[CheckResult]) -> list[CheckResult]:
    """The failed checks by their newest result; a failed stop hides the warning of that check."""
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
    committed = [one.current for one in found if one.current is not None]
    delivered, rejected, warned = (
        sum(getattr(entry, f"rows_{part}") for entry in committed)
        for part in ("delivered", "rejected", "warned")
    )
    shown = [
        ("deliveries in", f"{len(committed):,} of {len(found):,}", len(committed) < len(found)),
        ("rows delivered", f"{delivered:,}", False),
        ("rows rejected", f"{rejected:,} ({rejected / max(delivered, 1):.2%})", False),
        ("rows with a warning", f"{warned:,}", False),
        ("checks not passed", f"{len(failed):,}", bool(failed)),
        ("work", f"{sum(step.seconds for step in timings):,.0f} s in {len(timings)} steps", False),
    ]
    return page.tiles(shown)


def _to_look_at(found: Sequence[DeliveryState], failed: Sequence[CheckResult], conf: Config) -> str:
    """Deliveries that are not committed or were accepted by an operator, then failed checks."""
    notable = [one for one in found if one.state != COMMITTED or one.message]
    rows = [
        [
            page.state(one.state if one.state != COMMITTED else "passed"),
            one.name,
            str(one.day),
            "optional"
            if one.state == MISSING and conf.sources[one.source].optional
            else one.message or "",
        ]
        for one in notable[-LISTED:]
    ]
    if len(notable) > LISTED:
        rows.insert(0, ["", "", "", f"and {len(notable) - LISTED:,} deliveries before these"])
    rows += [
        [
            page.state(FAILED if one.severity == "critical" else "warning"),
            one.source or one.table,
            one.slice,
            f"{one.check}: {one.observed}, expected {one.expected}",
        ]
        for one in sorted(failed, key=lambda one: one.severity)  # critical before warning
    ]
    return page.table("To look at", ["", "source or table", "day", "what"], rows, ALL_WELL)


def _deliveries(
    found: Sequence[DeliveryState],
    history: Mapping[str, Mapping[date, int]],
    conf: Config,
    window: Window,
) -> str:
    """One row per source and table: its newest delivery, and the sums over all days of the window.

    `history`: rows of the deliveries by source and day.
    """
    by_name: dict[str, list[DeliveryState]] = {}
    places = {name: place for place, name in enumerate(conf.sources)}
    for one in sorted(found, key=lambda one: places[one.source]):
        by_name.setdefault(one.name, []).append(one)
    rows = []
    for name, days in by_name.items():
        source = days[0].source
        committed = [one.current for one in days if one.current is not None]
        sums = (
            {
                part: sum(getattr(entry, f"rows_{part}") for entry in committed)
                for part in ledger_summary.COUNTS
            }
            if committed
            else dict.fromkeys(ledger_summary.COUNTS)
        )
        split = page.shares(
            (part, sums[part] or 0, colour)
            for part, colour in (("accepted", GOOD), ("duplicate", DOUBLE), ("rejected", BAD))
        )
        last = days[-1].day
        rows.append(
            [
                name,
                conf.sources[source].name_cn,
                str(last),
                page.state(days[-1].state),
                *sums.values(),
                split,
                page.by_day(history.get(source, {}), last, DAYS_DRAWN),
            ]
        )
    count = len(list(window.days()))
    span = "" if count == 1 else f", rows of all {count} days"
    return page.table(
        f"Deliveries{span}",
        [
            "source",
            "",
            "newest",
            "",
            *ledger_summary.COUNTS,
            "accepted, duplicate, rejected",
            f"delivered in {DAYS_DRAWN} days",
        ],
        rows,
    )


def _steps(timings: Sequence[Timing]) -> str:
    most = max((max(step.seconds, step.usual or 0) for step in timings), default=0)
    return page.table(
        "Steps",
        ["step", "seconds", "usual", "runs before", "", ""],
        [
            [
                step.step,
                round(step.seconds, 1),
                step.usual and round(step.usual, 1),
                step.runs,
                page.bar(step.seconds, most, step.usual, strong=step.slow),
                Drawn(f"{step.ratio:.1f} times" if step.slow else ""),
            ]
            for step in timings
        ],
    )
