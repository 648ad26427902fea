"""Rehearse a season: nights one after another, over a synthetic province that answers them.

Between two nights the channels and customers of the province read only the pushed files. They
answer by planted acceptance, fatigue, complaints and objections, and the deliveries of the next day
hold what follows. At the end the planted truth stands beside the estimates of the nights, and the
season's value beside a season under a simpler rule and one without contacts. SYNTHETIC DATA.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from jobs import night
from jobs.runtime import arguments
from jobs.runtime.lock import guarded
from jobs.runtime.session import spark_session
from jobs.runtime.walk import Configuration, configuration
from jobs.synthetic import province as synthetic
from jobs.synthetic.season import truth
from jobs.synthetic.season.province import Season
from jobs.warehouse.committed import CommittedRows
from schemas.config import Config
from schemas.errors import ChudianError
from schemas.window import add_months, month_of

HISTORY_MONTHS = 4
FIRST_NIGHT = date(2009, 5, 3)
WINDOW_DAYS = 10  # an order within them counts: windows of a month would never close in a season
CONTROL_SHARE = "0.30"  # of a few hundred customers
SUMMARY = "summary.json"
READ = ("mart.decision", "mart.campaign_result", "dw.subscriber")
EXAMPLES = """examples:
  make season NIGHTS=30 CUSTOMERS=400
  python -m jobs.season --nights 10 --customers 100 --rival none
exit codes: 0 done, 2 arguments or configuration, those of the night that failed, 1 other"""


@dataclass(frozen=True)
class Ended:
    """A season that has ended: its people, the value in yuan, the seconds of each night."""

    season: Season
    value: Decimal
    contaminated: int
    estimates: Mapping[tuple[str, int], Mapping[str, Any]]
    seconds: tuple[float, ...]


def main(argv: Sequence[str] | None = None) -> int:
    """The command `python -m jobs.season`; returns the exit code."""
    return guarded(lambda: _season(argv))


def _season(argv: Sequence[str] | None) -> None:
    args = _arguments(argv)
    folders = arguments.conf_folders(args.conf)
    folders = (*folders, _short_windows(args.build, configuration(folders).conf))
    ours = _ended(args, args.build / "ours", folders)
    rival = None
    if args.rival != "none":
        folder = args.build / args.rival
        rival = _ended(args, folder, (*folders, _rule(folder, args.rival)))
    made = summary(ours, rival)
    path = args.build / SUMMARY
    path.write_text(json.dumps(made, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"\nSYNTHETIC DATA: season of {args.nights} nights, {args.customers} customers")
    for name, figure in made.items():
        if not isinstance(figure, list):
            print(f"  {name:<16} {figure}")
    print(f"  {'campaign':<20} wave  pushed  true uplift  estimate  interval")
    for one in made["campaigns"]:
        interval = "none" if one["low"] is None else f"{one['low']:.3f} to {one['high']:.3f}"
        estimate = "" if one["estimate"] is None else f"{one['estimate']:.3f}"
        print(
            f"  {one['campaign']:<20} {one['wave']:>4} {one['pushed']:>7}"
            f"{one['true_uplift']:>13.3f}{estimate:>10}  {interval}"
        )
    print(f"  {path}")


def summary(ours: Ended, rival: Ended | None) -> dict[str, Any]:
    """The figures of summary.json."""
    season = ours.season
    return {
        "notice": synthetic.MARKER,
        "nights": len(ours.seconds),
        "contacts": sum(one.reached for one in season.touches),
        "violations": truth.violations(season),
        "contaminated": ours.contaminated,
        "value": str(ours.value),
        "value_naive": None if rival is None else str(rival.value),
        "value_without": str(truth.value_without(season)),
        "seconds_per_night": [round(one, 1) for one in ours.seconds],
        "campaigns": [
            {
                "campaign": one.campaign,
                "wave": one.wave,
                "pushed": one.pushed,
                "true_uplift": round(one.uplift, 6),
                **_estimate(ours.estimates.get((one.campaign, one.wave))),
            }
            for one in truth.effects(season, WINDOW_DAYS)
        ],
    }


def _estimate(row: Mapping[str, Any] | None) -> dict[str, Any]:
    def figure(name: str) -> float | None:
        return None if row is None or row[name] is None else float(row[name])

    return {
        "estimate": figure("uplift"),
        "low": figure("low"),
        "high": figure("high"),
        "outcome": None if row is None else row["outcome"],
    }


def _ended(args: argparse.Namespace, folder: Path, folders: tuple[Path, ...]) -> Ended:
    """Run a season below a folder; ChudianError where one of its nights fails."""
    configured = configuration(folders)
    nights = [FIRST_NIGHT + timedelta(days=n) for n in range(args.nights)]
    season = _province(args, folder, configured, nights)
    options = [part for one in folders for part in ("--conf", str(one))]
    for name in ("landing", "warehouse", "push"):
        options += [f"--{name}", str(folder / name)]
    seconds = []
    with spark_session(configured.conf, folders, few_rows=True):
        history = ["--history", str(HISTORY_MONTHS)]
        _run([*history, "--data-date", str(nights[0] - timedelta(days=1)), *options])
        season.answer(nights[0] - timedelta(days=1))
        for day in nights:
            began = time.perf_counter()
            _run(["--data-date", str(day), *options])
            seconds.append(time.perf_counter() - began)
            contacts = season.answer(day)
            print(f"season: {day} took {seconds[-1]:.1f} s; {contacts} contacts followed")
    tables = CommittedRows(
        "season", str(folder / "warehouse"), configured.conf, configured.contracts, READ
    )
    return Ended(
        season,
        truth.value(season, tables),
        truth.contaminated(season, tables),
        truth.estimates(tables, configured.conf, nights[-1]),
        tuple(seconds),
    )


def _run(options: list[str]) -> None:
    code = night.main(options)
    if code:
        error = ChudianError("season: a night failed, as said above")
        error.exit_code = code
        raise error


def _province(
    args: argparse.Namespace, folder: Path, configured: Configuration, nights: Sequence[date]
) -> Season:
    """The synthetic province of the season, newly written. Days after the last night are there."""
    until = nights[-1] + timedelta(days=1)
    first = add_months(month_of(nights[0] - timedelta(days=1)), -HISTORY_MONTHS)
    conf = configured.conf
    province = synthetic.plan(conf, args.seed, args.customers, first, until)
    synthetic.write(
        province,
        conf.sources,
        folder / "landing",
        folder / "truth",
        synthetic.recipe_of(conf, province),
    )
    return Season(
        province=province,
        conf=conf,
        uplift=float(args.uplift),
        first=nights[0],
        until=until,
        landing=folder / "landing",
        push=folder / "push",
    )


def _short_windows(build: Path, conf: Config) -> Path:
    """A configuration folder with short windows, daily looks and larger control groups."""
    made = build / "conf" / "campaigns"
    made.mkdir(parents=True, exist_ok=True)
    for one in conf.campaigns.values():
        text = f'control_share: "{CONTROL_SHARE}"\n'
        if one.success is not None:
            text += f"success: {{within_days: {WINDOW_DAYS}, read_out: daily}}\n"
        (made / f"{one.id}.yml").write_text(text, encoding="utf-8")
    return build / "conf"


def _rule(folder: Path, rule: str) -> Path:
    """A configuration folder that lets a simpler rule give the places."""
    made = folder / "conf"
    made.mkdir(parents=True, exist_ok=True)
    (made / "policy.yml").write_text(f"value: {{rule: {rule}}}\n", encoding="utf-8")
    return made


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = arguments.Parser(
        prog="python -m jobs.season",
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--nights", type=arguments.whole(1, 80), default=30, metavar="N")
    parser.add_argument("--customers", type=arguments.whole(1, 100_000), default=400, metavar="N")
    parser.add_argument("--seed", type=arguments.whole(0, 2**63 - 1), default=2009, metavar="S")
    parser.add_argument(
        "--uplift",
        type=Decimal,
        default=Decimal(1),
        metavar="F",
        help="factor of what contacts cause; 0: contacts cause nothing (default: %(default)s)",
    )
    parser.add_argument(
        "--rival",
        choices=("naive", "greedy", "margin_order", "none"),
        default="naive",
        help="the rule of the second season (default: %(default)s)",
    )
    parser.add_argument(
        "--build",
        type=Path,
        default=Path("build/season"),
        metavar="DIR",
        help="folder to build in (default: %(default)s)",
    )
    parser.add_argument("--conf", **arguments.FOLDERS["conf"])
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
