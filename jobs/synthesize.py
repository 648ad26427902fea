"""Write a synthetic province: what billing, CRM and the channels would deliver, and the truth.

The landing gets every source of the shipped configuration, from the first day to the data date, in
the form of conf/sources.yml. The truth folder gets facts that only the generator knows: true
packages, preferences, planted defects. No step of the night reads the truth. Without this command
there is no data to run on; real deliveries replace it. With --receipts-of, the channels of the
province answer the files that a night pushed: their receipts come on the day after.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from jobs.runtime import arguments
from jobs.runtime.lock import guarded
from jobs.synthetic import province as synthetic
from jobs.synthetic import receipts
from schemas import config
from schemas.window import add_months, month_of

HISTORY_MONTHS = 4
MOST_CUSTOMERS = 50_000_000


def main(argv: Sequence[str] | None = None) -> int:
    """The command `python -m jobs.synthesize`; returns the exit code."""
    return guarded(lambda: _synthesize(argv))


def _synthesize(argv: Sequence[str] | None) -> None:
    args = _arguments(argv)
    last = arguments.day("--data-date", args.data_date)
    first = (
        arguments.day("--from-date", args.from_date)
        if args.from_date
        else add_months(month_of(last), -HISTORY_MONTHS)
    )
    conf = config.load(arguments.conf_folders(args.conf))
    if args.receipts_of:
        pushed = arguments.day("--receipts-of", args.receipts_of)
        count = receipts.answer(args.push, args.landing, conf.sources, pushed, args.seed)
        print(f"{count} receipts for the files of {pushed}: in {args.landing}")
        return
    province = synthetic.plan(conf, args.seed, args.customers, first, last)
    recipe = synthetic.recipe_of(conf, province)
    name = (
        f"synthetic province of {province.customers:,} customers, seed {province.seed}, "
        f"{first} to {last}"
    )
    if synthetic.is_written(args.landing, args.truth, recipe):
        print(f"{name}: already in {args.landing}")
        return
    totals = synthetic.write(province, conf.sources, args.landing, args.truth, recipe)
    print(f"{name}: {args.landing}, truth in {args.truth}")
    print(
        f"  {totals.records:,} records made and written in {totals.writing_s:.1f} s "
        f"({totals.records / totals.writing_s:,.0f} a second); "
        f"{totals.bills:,} bills rated in {totals.rating_s:.1f} s"
    )


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = arguments.Parser(
        prog="python -m jobs.synthesize",
        description=__doc__,
        epilog="example: python -m jobs.synthesize --customers 500 --seed 7 --data-date 2009-05-03",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--customers",
        type=arguments.whole(1, MOST_CUSTOMERS),
        default=2000,
        metavar="N",
        help="number of customers (default: %(default)s)",
    )
    parser.add_argument(
        "--seed",
        type=arguments.whole(0, 2**63 - 1),
        default=2009,
        metavar="S",
        help="seed of all random choices (default: %(default)s)",
    )
    parser.add_argument(
        "--data-date",
        default="2009-05-03",
        metavar="D",
        help="last day delivered (default: %(default)s)",
    )
    parser.add_argument(
        "--from-date",
        metavar="A",
        help="first day delivered (default: the first "
        f"of the month, {HISTORY_MONTHS} months before)",
    )
    parser.add_argument(
        "--receipts-of",
        metavar="D",
        help="only write the receipts for the files of this night, for the day after it",
    )
    parser.add_argument("--push", metavar="DIR", **arguments.FOLDERS["push"])
    parser.add_argument(
        "--landing",
        type=Path,
        default=Path("build/landing"),
        metavar="DIR",
        help="where the files go (default: %(default)s)",
    )
    parser.add_argument(
        "--truth",
        type=Path,
        default=Path("build/truth"),
        metavar="DIR",
        help="where the truth goes (default: %(default)s)",
    )
    parser.add_argument(
        "--conf",
        action="append",
        type=Path,
        metavar="DIR",
        help="configuration folder; repeatable, later ones overlay earlier ones",
    )
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
