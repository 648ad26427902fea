"""Count whom a target definition reaches, before a campaign uses it 目标客户预览.

A definition is a file of conf/targets. Its subscribers and customers are counted by branch and
brand. The funnel shows how many each condition takes, in the order of the file. Nothing is written
and no customer is named. Contact rules are not applied.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from jobs.plan.step import Step
from jobs.runtime import arguments
from jobs.runtime.lock import guarded
from jobs.runtime.progress import columns
from jobs.runtime.walk import configuration, reading
from jobs.steps.decision.facts import facts_of
from jobs.warehouse.tables import cached
from models.targeting.members import FunnelStep, by_branch_and_brand, funnel
from schemas.config import Config
from schemas.config.targeting.target import Target
from schemas.document.violation import near_miss
from schemas.errors import ConfigError

EXAMPLES = """examples:
  python -m jobs.targets tariff_savers --data-date 2009-05-03
  python -m jobs.targets bill_shock roamers --data-date 2009-05-03   each table is read once
  python -m jobs.targets --data-date 2009-05-03                      all definitions
exit codes: 0 done; 2 unknown target, or arguments; 4 a table of the day is missing"""


def main(argv: list[str] | None = None) -> int:
    """The command `python -m jobs.targets`; returns the exit code."""
    return guarded(lambda: _count(argv))


def _count(argv: list[str] | None) -> None:
    parser = arguments.parser("python -m jobs.targets", __doc__, EXAMPLES)
    parser.add_argument("name", nargs="*", metavar="NAME", help="file of conf/targets; none: all")
    args = parser.parse_args(argv)
    window, invocation = arguments.window(args), arguments.invocation(args)
    configured = configuration(invocation.conf)
    targets = _named(args.name, configured.conf)
    tables = dict.fromkeys(table for target in targets for table in target.tables)
    step = Step("targets", "targets", "count target definitions", tuple(tables), ())
    with reading(invocation, configured, step) as run:
        context = run.context(step, window)
        with run.warehouse.step(step, window):
            facts = facts_of(context, targets)
            with cached(facts.frame):
                for target in targets:
                    steps = funnel(target, facts, context.day)
                    rows = by_branch_and_brand(target, facts, context.day).collect()
                    print("\n".join(_report(target, steps, rows)), flush=True)


def _named(names: Sequence[str], conf: Config) -> list[Target]:
    """The definitions of these names, or all; ConfigError for an unknown one, or for none."""
    for name in names:
        if name not in conf.targets:
            raise ConfigError(f"unknown target '{name}'{near_miss(name, conf.targets)}")
    if not conf.targets:
        raise ConfigError("there is no target definition: write one into conf/local/targets")
    return [conf.targets[name] for name in dict.fromkeys(names or conf.targets)]


def _report(target: Target, steps: Sequence[FunnelStep], rows: Sequence) -> list[str]:
    """The lines of one definition: its funnel, and its subscribers by branch and brand."""
    last = steps[-1]
    return [
        f"{target.id} {target.name_cn}: {last.subscribers:,} subscribers of "
        f"{last.customers:,} customers",
        *_table(
            ("condition", "alone", "takes", "subscribers", "customers"),
            [(s.condition, s.alone, s.taken, s.subscribers, s.customers) for s in steps],
        ),
        *_table(
            ("branch", "brand", "subscribers", "customers"),
            [(one[0] or "-", one[1] or "-", one[2], one[3]) for one in rows],
        ),
        "",
    ]


def _table(heads: Sequence[str], rows: Sequence[Sequence[Any]]) -> list[str]:
    """Indented lines: texts to the left, numbers to the right; Chinese is two columns wide."""
    if not rows:
        return []
    drawn = [[one if isinstance(one, str) else f"{one:,}" for one in row] for row in rows]
    sizes = [max(map(columns, column)) for column in zip(heads, *drawn, strict=True)]
    texts = [isinstance(one, str) for one in rows[0]]
    return [
        "  " + "  ".join(map(_padded, row, sizes, texts)).rstrip() for row in (list(heads), *drawn)
    ]


def _padded(text: str, size: int, left: bool) -> str:
    gap = " " * (size - columns(text))
    return text + gap if left else gap + text


if __name__ == "__main__":
    sys.exit(main())
