"""What became of every delivery, and how long each step took against its usual time.

Reads only the ledger, without Spark, so it answers at once and also while a night is running. A
delivery is `missing` when its source expects one and the ledger has no row for it. Ages count to
now.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta

from jobs.intake import redelivery
from jobs.runtime import arguments, contract_changes
from jobs.runtime.lock import guarded
from jobs.runtime.progress import columns, padded
from jobs.warehouse import delta_log
from jobs.warehouse.ledger import FAILED, STALE, SUPERSEDED, Entry, Ledger
from jobs.warehouse.ledger_summary import (
    COUNTS,
    MISSING,
    DeliveryState,
    Timing,
    deliveries,
    delivery_name,
    timings,
)
from schemas import config, contract
from schemas.config import Config
from schemas.contract import Contract
from schemas.errors import InputError
from schemas.window import Window

MOST_DAYS = 366
EXAMPLE = """example: python -m jobs.status --data-date 2009-05-03 --days 7
exit codes: 0 every delivery of the days is committed, 4 one is missing or failed, 2 arguments"""


def shown(found: Sequence[DeliveryState], steps: Sequence[Timing], now: datetime) -> str:
    """The two tables as text; a column is as wide as its longest value."""
    names = _wide(22, (one.name for one in found))
    rows = [[_count(one, part) for part in COUNTS] for one in found]
    widths = [_wide(10, column, 1) for column in zip(COUNTS, *rows, strict=True)]

    def counted(values: Iterable[str]) -> str:
        return "".join(f"{value:>{width}}" for value, width in zip(values, widths, strict=True))

    lines = [f"{'source':<{names}}{'day':<12}{'state':<11}{counted(COUNTS)}{'age':>9}"]
    for one, counts in zip(found, rows, strict=True):
        age = "" if one.noted_at is None else _age(now - one.noted_at)
        line = padded(one.name, names) + f"{one.day!s:<12}{one.state:<11}"
        lines.append(f"{line}{counted(counts)}{age:>9}".rstrip())
        if one.message:  # why it failed or was undone, or what an operator let pass
            before = one.state in (FAILED, SUPERSEDED, STALE) and one.current
            kept = "; the commit before it stays valid" if before else ""
            lines.append(f"{'':<{names}}{one.message}{kept}")
        if one.current is not None and one.current.rows_skipped:
            lines.append(
                f"{'':<{names}}{one.current.rows_skipped:,} more rows hold nothing of this"
            )
    names = _wide(30, (step.step for step in steps))
    lines += ["", f"{'step':<{names}}{'seconds':>9}{'usual':>9}{'runs':>6}"]
    for step in steps:
        usual = "" if step.usual is None else f"{step.usual:.1f}"
        line = padded(step.step, names) + f"{step.seconds:>9.1f}{usual:>9}{step.runs:>6}"
        lines.append(f"{line}  {_bar(step)}".rstrip())
    return "\n".join(lines)


def _count(one: DeliveryState, part: str) -> str:
    return "" if one.current is None else f"{getattr(one.current, f'rows_{part}') or 0:,}"


def _wide(least: int, texts: Iterable[str], gap: int = 2) -> int:
    """The width of a column of these texts, with `gap` blanks between it and the next."""
    return max([least, *(columns(text) + gap for text in texts)])


def stale(known: Ledger, conf: Config, contracts: Mapping[str, Contract]) -> list[str]:
    """A line for each table and reason whose slices have to be rebuilt."""
    why: dict[tuple[str, str, str], list[str]] = {}
    for (table, source), slices in known.stale.items():
        for slice_, reason in slices.items():
            why.setdefault((table, source, f"{reason}: the next night"), []).append(slice_)
    for name in conf.sources:
        for table, day in redelivery.outdated_days(conf, contracts, known, name):
            reason = "would be read differently today: python -m jobs.repair"
            why.setdefault((table, name, reason), []).append(str(day))
    rows = [
        (delivery_name(source, table, conf) if source else table, _named(sorted(slices)), reason)
        for (table, source, reason), slices in sorted(why.items())
    ]
    names, days = (
        _wide(least, (row[place] for row in rows)) for place, least in enumerate((24, 38))
    )
    return [f"{padded(name, names)}{slices:<{days}}{reason}" for name, slices, reason in rows]


def _named(slices: Sequence[str]) -> str:
    return slices[0] if len(slices) == 1 else f"{slices[0]} … {slices[-1]} ({len(slices)})"


def _bar(step: Timing) -> str:
    if not step.slow:
        return ""
    return "#" * min(20, round(4 * step.ratio)) + f" {step.ratio:.1f} times"


def _age(age: timedelta) -> str:
    minutes = max(0, int(age.total_seconds() // 60))
    if minutes < 120:
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < 48 * 60 else f"{minutes // (24 * 60)} days"


def _newest(entries: Iterable[Entry]) -> date:
    days = [date.fromisoformat(entry.slice) for entry in entries if entry.source]
    if not days:
        raise InputError("the ledger has no delivery yet: give a day with --data-date")
    return max(days)


def _status(args: argparse.Namespace) -> None:
    asked = arguments.day("--data-date", args.data_date) if args.data_date else None
    contracts = contract.load()
    conf = config.load(arguments.conf_folders(args.conf), contracts)
    contracts = contract.in_currency(contracts, conf.runtime.currency)
    contract_changes.require_currency(args.warehouse, contracts)
    entries = delta_log.entries(args.warehouse)
    last = asked or _newest(entries)
    window = Window(last - timedelta(days=args.days - 1), last)
    found = deliveries(entries, conf, window)
    print(f"{args.warehouse}, deliveries of {window}")
    print(shown(found, timings(entries), datetime.now(UTC)))
    known = Ledger("", conf.fingerprint)
    known.learn(entries)
    rebuilt = stale(known, conf, contracts)
    if rebuilt:
        print("\n".join(["", "to be rebuilt", *rebuilt]))
    wrong = [one for one in found if _wrong(one, conf)]
    if wrong:
        raise InputError(
            f"{len(wrong)} of {len(found)} deliveries are missing or failed, first "
            f"{wrong[0].name} {wrong[0].day}"
        )


def _wrong(one: DeliveryState, conf: Config) -> bool:
    if one.state == MISSING:
        return not conf.sources[one.source].optional
    return one.state == FAILED or (one.state == SUPERSEDED and one.current is None)


def main(argv: list[str] | None = None) -> int:
    """The command `python -m jobs.status`; returns the exit code."""
    parser = arguments.bare_parser("python -m jobs.status", __doc__, EXAMPLE)
    parser.add_argument(
        "--data-date",
        metavar="D",
        help="last day to show (default: the newest that the ledger knows)",
    )
    parser.add_argument(
        "--days",
        metavar="N",
        type=arguments.whole(1, MOST_DAYS),
        default=1,
        help="how many days, ending with --data-date (default: %(default)s)",
    )
    return guarded(lambda: _status(parser.parse_args(argv)))


if __name__ == "__main__":
    sys.exit(main())
