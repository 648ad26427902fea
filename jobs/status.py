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
from jobs.runtime import arguments
from jobs.runtime.lock import guarded
from jobs.runtime.progress import padded
from jobs.warehouse import delta_log
from jobs.warehouse.ledger import FAILED, STALE, SUPERSEDED, Entry, Ledger
from jobs.warehouse.ledger_summary import (
    COUNTS,
    MISSING,
    DeliveryState,
    Timing,
    deliveries,
    timings,
)
from schemas import config, contract
from schemas.config import Config
from schemas.contract import Contract
from schemas.errors import InputError
from schemas.window import Window, parse_date

EXAMPLE = """example: python -m jobs.status --data-date 2009-05-03 --days 7
exit codes: 0 every delivery of the days is committed, 4 one is missing or failed, 2 arguments"""


def shown(found: Sequence[DeliveryState], steps: Sequence[Timing], now: datetime) -> str:
    """The two tables as text."""
    heads = f"{'source':<22}{'day':<12}{'state':<11}" + "".join(f"{part:>10}" for part in COUNTS)
    lines = [heads + f"{'age':>9}"]
    for one in found:
        counts = [
            "" if one.current is None else f"{getattr(one.current, f'rows_{part}'):,}"
            for part in COUNTS
        ]
        age = "" if one.noted_at is None else _age(now - one.noted_at)
        line = padded(one.source, 22) + f"{one.day!s:<12}{one.state:<11}"
        line += "".join(f"{count:>10}" for count in counts) + f"{age:>9}"
        lines.append(line.rstrip())
        if one.message:  # why it failed or was undone, or what an operator let pass
            before = one.state in (FAILED, SUPERSEDED, STALE) and one.current
            kept = "; the commit before it stays valid" if before else ""
            lines.append(f"{'':<22}{one.message}{kept}")
    lines += ["", f"{'step':<30}{'seconds':>9}{'usual':>9}{'runs':>6}"]
    for step in steps:
        usual = "" if step.usual is None else f"{step.usual:.1f}"
        lines.append(
            f"{step.step:<30}{step.seconds:>9.1f}{usual:>9}{step.runs:>6}  {_bar(step)}".rstrip()
        )
    return "\n".join(lines)


def stale(known: Ledger, conf: Config, contracts: Mapping[str, Contract]) -> list[str]:
    """A line for each table and reason whose slices have to be rebuilt."""
    why: dict[tuple[str, str, str], list[str]] = {}
    for (table, source), slices in known.stale.items():
        for slice_, reason in slices.items():
            why.setdefault((table, source, f"{reason}: the next night"), []).append(slice_)
    for name in conf.sources:
        for day in redelivery.outdated_days(conf, contracts, known, name):
            reason = "would be read differently today: python -m jobs.repair"
            why.setdefault((conf.sources[name].record, name, reason), []).append(str(day))
    return [
        f"{padded(source or table, 24)}{_named(sorted(slices)):<38}{reason}"
        for (table, source, reason), slices in sorted(why.items())
    ]


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
    contracts = contract.load()
    conf = config.load(arguments.conf_folders(args.conf), contracts)
    entries = delta_log.entries(args.warehouse)
    last = parse_date(args.data_date) if args.data_date else _newest(entries)
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
            f"{wrong[0].source} {wrong[0].day}"
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
        type=int,
        default=1,
        help="how many days, ending with --data-date (default: %(default)s)",
    )
    return guarded(lambda: _status(parser.parse_args(argv)))


if __name__ == "__main__":
    sys.exit(main())
