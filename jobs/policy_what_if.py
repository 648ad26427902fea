"""Try another contact policy or other capacities on a night that was decided 策略模拟 (N3).

The night is decided again under the files: what is pushed to whom, and what that is worth, beside
what was decided. A file is laid over the configuration like a later folder, so it names only what
differs: --policy is like policy.yml (`contacts:`, `value:`, `resources:`), --capacity is like
channels.yml (`sms: {capacity: 900}`). Nothing is written into the warehouse, so it never counts as
history. The list of the customers who would get something else goes into a file.
"""

from __future__ import annotations

import csv
import os
import sys
from decimal import Decimal
from pathlib import Path

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.plan.decision import steps
from jobs.plan.step import Step
from jobs.runtime import arguments
from jobs.runtime.context import Context
from jobs.runtime.lock import guarded
from jobs.runtime.progress import columns, padded
from jobs.runtime.walk import configuration, reading
from jobs.steps.decision.decide import decided
from jobs.warehouse.tables import cached
from models.assignment.summary import Summary
from models.decision import difference
from models.decision.figures import TOTAL
from schemas.config import Config
from schemas.currency import Currency
from schemas.errors import ConfigError, InputError

LISTED = (
    "customer_id",
    "campaign_id",
    "offers_before",
    "offers_after",
    "value_before",
    "value_after",
    "why",
)


def main(argv: list[str] | None = None) -> int:
    """The command `python -m jobs.policy_what_if`; returns the exit code."""
    return guarded(lambda: _try(argv))


def _try(argv: list[str] | None) -> None:
    parser = arguments.parser(
        "python -m jobs.policy_what_if",
        __doc__,
        "example: python -m jobs.policy_what_if --policy stricter.yml --data-date 2009-05-03",
    )
    parser.add_argument("--policy", type=Path, metavar="FILE", help="what differs from policy.yml")
    parser.add_argument(
        "--capacity", type=Path, metavar="FILE", help="what differs from channels.yml"
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("build/policy_what_if"),
        metavar="DIR",
        help="where the list of customers is written (default: %(default)s)",
    )
    args = parser.parse_args(argv)
    window, invocation = arguments.window(args), arguments.invocation(args)
    files = {"policy": args.policy, "channels": args.capacity}
    tried = {name: path for name, path in files.items() if path is not None}
    if not tried:
        raise ConfigError("nothing to try: give --policy FILE, --capacity FILE, or both")
    for path in tried.values():
        if not path.is_file():
            raise ConfigError(f"{path}: no such file")
    configured = configuration(invocation.conf, tried)
    step = _step(configured.conf)
    with (
        reading(invocation, configured, step) as run,
        run.warehouse.step(step, window),
    ):
        text, rows = _compared(run.context(step, window))
    print("\n".join(text))
    target = args.out / f"{window.last}.csv"
    _write(target, rows)
    print(f"customers who would get something else: {target}")


def _step(conf: Config) -> Step:
    """A step that reads what `decide` reads, and what it decided."""
    (decide,) = (one for one in steps(conf) if one.name == "decide")
    return Step(
        "policy_what_if",
        "what_if",
        "a policy tried on a night",
        tuple(dict.fromkeys((*decide.reads, *decide.writes))),
        (),
    )


def _compared(context: Context) -> tuple[list[str], list[dict]]:
    """The lines for the terminal, and the customers who would get something else."""
    warehouse, day = context.warehouse, context.day
    if warehouse.last_snapshot("mart.decision", day) != day:
        raise InputError(f"nothing was decided on {day}: run that night first")
    was = warehouse.read("mart.decision", on=day)
    prices = warehouse.read("mart.capacity_price", on=day)
    with (
        decided(context) as made,
        cached(made.decisions) as after,
        cached(difference.changes(was, after)) as changes,
    ):
        money = context.conf.runtime.currency
        text = [
            f"night of {day}, decided again; nothing is written into the warehouse",
            *_totals(was, after, changes, money),
            *_table(
                "candidates by first reason",
                ("reason", "before", "after"),
                [tuple(row) for row in difference.reasons(was, after).collect()],
            ),
            *_resources(prices, made.assignment.summary, money),
        ]
        ordered = changes.orderBy("customer_id", "campaign_id").collect()
        return text, [row.asDict() for row in ordered]


def _totals(was: DataFrame, after: DataFrame, changes: DataFrame, money: Currency) -> list[str]:
    sides = []
    for frame in (was, after):
        (row,) = (
            frame.where("fate = 'pushed'")
            .agg(
                F.count(F.lit(1)),
                F.count_distinct("customer_id"),
                F.coalesce(F.sum("value"), F.lit(0)).cast("decimal(24,6)"),
            )
            .collect()
        )
        sides.append(tuple(row))
    (contacts, customers, value), (contacts_after, customers_after, value_after) = sides
    empty = F.col("offers_before") == "", F.col("offers_after") == ""
    (counts,) = changes.agg(
        F.count_if(empty[0]), F.count_if(empty[1]), F.count_if(~empty[0] & ~empty[1])
    ).collect()
    change = value_after - value
    return [
        *_table(
            "pushed",
            ("", "before", "after"),
            [
                ("contacts", contacts, contacts_after),
                ("customers", customers, customers_after),
                (f"value, {money.unit}", money.rounded(value), money.rounded(value_after)),
            ],
        ),
        f"value changes by {money.rounded(change)} {money.unit}; customers × campaigns with "
        f"something new: {counts[0]}, with nothing any more: {counts[1]}, with something else: "
        f"{counts[2]}",
    ]


def _resources(prices: DataFrame, summary: Summary, money: Currency) -> list[str]:
    before = {row.resource: row for row in prices.where(F.col("resource") != TOTAL).collect()}
    after = {use.resource.name: use for use in summary.uses}
    rows = []
    for name in sorted({*before, *after}):
        was, now = before.get(name), after.get(name)
        rows.append(
            (
                name,
                f"{was.used} of {was.capacity}" if was else "",
                f"{now.used} of {now.resource.capacity}" if now else "",
                money.rounded(was.price) if was else "",
                money.rounded(now.price) if now else "",
            )
        )
    heads = ("resource", "used before", "after", f"price before, {money.unit}", "after")
    return _table("what is scarce", heads, rows)


def _table(title: str, heads: tuple[str, ...], rows: list[tuple]) -> list[str]:
    """The lines of a table for a terminal; numbers stand to the right."""
    lines = [list(heads), *([str(one) for one in row] for row in rows)]
    widths = [max(map(columns, cells)) for cells in zip(*lines, strict=True)]

    def line(row: list[str]) -> str:
        first, *others = row
        right = [
            " " * (width - columns(one)) + one
            for one, width in zip(others, widths[1:], strict=True)
        ]
        return "  ".join(["  " + padded(first, widths[0]), *right])

    return ["", title, *map(line, lines)]


def _write(target: Path, rows: list[dict]) -> None:
    """A CSV file for its owner alone: it names customers by their keyed ids."""
    target.parent.mkdir(parents=True, exist_ok=True)
    number = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(number, "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, LISTED, lineterminator="\n")
        writer.writeheader()
        for row in rows:
            writer.writerow(
                {
                    name: format(one, "f") if isinstance(one := row[name], Decimal) else one
                    for name in LISTED
                }
            )


if __name__ == "__main__":
    sys.exit(main())
