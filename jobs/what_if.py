"""Try a new or changed package on all customers before it is launched 资费模拟.

The last closed months of every customer are priced under the package of a file. The prices come
from the usage cube; records are not read. The result shows who would take the package: how many
customers by saving, the change of the operator's income, the packages that they leave, and the
recommendations that it replaces. Only a page is written, no table. Months in which free units
depend on the order of events are compared only if a package on sale has the same pools.
"""

from __future__ import annotations

import sys
from decimal import Decimal
from pathlib import Path

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.plan.rating import COMPARED
from jobs.plan.step import Step
from jobs.runtime import arguments
from jobs.runtime.context import Context, Run
from jobs.runtime.lock import guarded
from jobs.runtime.walk import configuration, reading
from jobs.steps.rating.comparison import Comparison, compared
from jobs.warehouse.tables import cached
from models.drawing import page as charts
from models.quote import holding, package_quote, what_if
from models.quote import package_match as match
from models.quote.whole_match import WHOLE, whole_match
from models.rating import evaluator as rating
from models.tariff import catalogue
from models.tariff.package import BUNDLE, Package
from models.usage import register
from schemas import document
from schemas.config import overlay
from schemas.currency import Currency
from schemas.errors import InputError
from schemas.window import Window

STEP = Step(
    "what_if",
    "what_if",
    "a package tried on all customers",
    (*COMPARED, "mart.backtest", "mart.package_match"),
    (),
)
LISTED = 10


def main(argv: list[str] | None = None) -> int:
    """The command `python -m jobs.what_if`; returns the exit code."""
    return guarded(lambda: _try(argv))


def _try(argv: list[str] | None) -> None:
    parser = arguments.parser(
        "python -m jobs.what_if",
        __doc__,
        "example: python -m jobs.what_if --tariff new/gotone_48.yml --data-date 2009-05-03",
    )
    parser.add_argument(
        "--tariff",
        required=True,
        type=Path,
        help="file of the package; one of the same id on sale is left out",
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("build/what_if"),
        metavar="DIR",
        help="where the page is written (default: %(default)s)",
    )
    args = parser.parse_args(argv)
    window, invocation = arguments.window(args), arguments.invocation(args)
    configured = configuration(invocation.conf)
    found = document.read(args.tariff)
    document.check(found, overlay.shape("tariff", configured.conf.runtime.currency))
    package = next(iter(catalogue.load([found]).packages.values()))
    with reading(invocation, configured, STEP) as run:
        rated = _rated(run, window)
        with run.warehouse.step(STEP, rated):
            tables = _tables(run.context(STEP, rated), package)
    text = [f"{package.name} ({package.id}), months closed on {rated.last}"]
    for title, heads, rows in tables:
        text += ["", title, *_terminal_table(heads, rows)]
    print("\n".join(text))
    _write_page(args.out / f"{package.id}.html", text[0], tables)


def _rated(run: Run, window: Window) -> Window:
    """The day of the last re-rating up to the end of the window, as a window of one day."""
    with run.warehouse.step(STEP, window):
        day = run.warehouse.last_snapshot("mart.package_match", window.last)
    if day is None:
        raise InputError(
            f"nothing was re-rated up to {window.last}: run a night on which a month closes first"
        )
    return Window(day, day)


def _tables(context: Context, package: Package) -> list[tuple]:
    """(title, heads, rows) of each table of the page and of the terminal."""
    warehouse, day, policy = context.warehouse, context.day, context.conf.policy.rating
    money = context.conf.runtime.currency
    seen = compared(context)
    packages = seen.packages | {package.id: package}
    register.require_measures(seen.depths, register.depths_needed([package], seen.cube.measures))
    owned = holding.held_on(
        seen.subscribers, seen.subscriptions, policy.default_package, day, packages
    )
    evaluated = rating.evaluate(seen.cube, [package], policy.toll_rerated)
    quoted = package_quote.quotes(evaluated, seen.passing, seen.holdings, packages, policy)
    summed = match.summed(
        quoted,
        seen.actual,
        seen.used,
        owned,
        seen.subscribers,
        packages,
        _beside_the_present(seen, quoted, owned, package) if package.kind == BUNDLE else None,
    )
    matched = match.package_match(summed, warehouse.read("mart.backtest", on=day), policy).where(
        F.array_contains("packages", package.id)
    )
    kinds = package.kinds if package.kind != BUNDLE else (*package.kinds, WHOLE)
    matches = (
        warehouse.read("mart.package_match", on=day)
        .where(F.col("kind").isin(*kinds))
        .where(~F.array_contains("packages", package.id))
    )
    mine = owned.where(F.col("kind").isin(*package.kinds))
    with cached(what_if.outcomes(matched, mine, matches)) as rows:
        names = what_if.steps()
        return [
            (
                "All customers",
                [
                    "customers",
                    "compared",
                    "would take it",
                    f"they save, {money.unit} a month",
                    f"the operator's income, {money.unit} a month",
                ],
                _collected(what_if.totals(rows), money),
            ),
            (
                f"By saving, {money.unit} a month",
                ["saving", "customers", "would take it"],
                [
                    [names[step], *more]
                    for step, *more in _collected(what_if.distribution(rows), money)
                ],
            ),
            (
                "They leave",
                ["package", "takers", "income change"],
                _collected(what_if.takers_by(rows, "present").limit(LISTED), money),
            ),
            (
                "It takes the place of",
                ["recommendation", "takers", "income change"],
                _collected(what_if.takers_by(rows, "instead_of").limit(LISTED), money),
            ),
            (
                "Why the others would not",
                ["reason", "customers"],
                _collected(what_if.against(rows), money),
            ),
        ]


def _beside_the_present(
    seen: Comparison, quoted: DataFrame, owned: DataFrame, package: Package
) -> DataFrame:
    """A bundle with what each customer has of the kinds that it leaves out."""
    return whole_match(
        quoted,
        seen.actual,
        seen.used,
        owned,
        seen.subscribers,
        seen.packages | {package.id: package},
        [package.id],
        1,
        package.kinds,
    )


def _collected(frame: DataFrame, money: Currency) -> list[list]:
    """The rows of a table, their amounts as people read them."""
    return [
        [money.rounded(one) if isinstance(one, Decimal) else one for one in row]
        for row in frame.collect()
    ]


def _terminal_table(heads: list[str], rows: list[list]) -> list[str]:
    """The lines of a table for a terminal, with a bar for its first count."""
    most = max((row[1] for row in rows), default=0)
    drawn = [[f"{one:,}" if not isinstance(one, str) else one for one in row] for row in rows]
    width = [max(map(len, column)) for column in zip(heads, *drawn, strict=True)]
    lines = ["  ".join(f"{head:<{size}}" for head, size in zip(heads, width, strict=True))]
    for row, cells in zip(rows, drawn, strict=True):
        bar = "█" * round(30 * row[1] / most) if len(rows) > 1 and most else ""
        lines.append(
            "  ".join(
                f"{cell:<{size}}" if place == 0 else f"{cell:>{size}}"
                for place, (cell, size) in enumerate(zip(cells, width, strict=True))
            )
            + f"  {bar}"
        )
    return [line.rstrip() for line in lines]


def _write_page(path: Path, title: str, tables: list[tuple]) -> None:
    """Write the tables as a page and print where it is."""
    parts = []
    for name, heads, rows in tables:
        most = max((row[1] for row in rows), default=0)
        drawn = [[*row, charts.bar(row[1], most)] for row in rows] if len(rows) > 1 else rows
        parts.append(charts.table(name, [*heads, ""] if len(rows) > 1 else heads, drawn))
    arguments.write("--out", path, charts.page(title, parts))
    print(f"\nas a page: {path}")


if __name__ == "__main__":
    sys.exit(main())
