"""The checks of a package event by event: which rules price it, and which pools it draws on.

Rules are checked for each kind of event that the package can distinguish. So a forgotten toll rule,
which would be a false saving, is always found.
"""

from __future__ import annotations

from collections.abc import Iterator

from models.tariff.event_kinds import event_kinds
from models.tariff.package import (
    SERVICE_FACTS,
    Facts,
    Package,
    Pool,
    Rule,
    accepts,
    drawn_pools,
    due_components,
    first_rule,
)
from schemas.document import Key

Problem = tuple[Key, str]


def problems(package: Package) -> Iterator[Problem]:
    """What is wrong with a package for some kinds of event, as of `check.problems`."""
    yield from _coverage(package)
    yield from _whole_components(package)
    yield from _monthly_pools(package)


class _Coverage:
    """Which rules price a package's kinds of event, and which pools they draw on."""

    def __init__(self, package: Package):
        self.package = package
        self.pricing: set[int] = set()
        self.draws: set[tuple[int, str]] = set()
        self.unpriced: dict[tuple[str, str], list[Facts]] = {}
        self.doubled: dict[str, str] = {}
        for facts in event_kinds(package):
            self._add(facts)

    def _add(self, facts: Facts) -> None:
        """Look up the rules and pools of one kind of event."""
        drawn_by: dict[str, Rule] = {}
        for component in due_components(facts):
            rule = first_rule(self.package, component, facts)
            if rule is None:
                self.unpriced.setdefault((facts["service"], component), []).append(facts)
                continue
            self.pricing.add(rule.no)
            for pool in drawn_pools(self.package, rule, facts):
                self.draws.add((rule.no, pool.id))
                if pool.id in drawn_by and not pool.both:
                    both = f"rules[{drawn_by[pool.id].no}] and rules[{rule.no}]"
                    self.doubled[pool.id] = both
                drawn_by[pool.id] = rule


def _coverage(package: Package) -> Iterator[Problem]:
    """Due components without a price; rules that never price; pools never or doubly drawn."""
    coverage = _Coverage(package)
    if package.otherwise != "pass_through":
        for (_, component), kinds in coverage.unpriced.items():
            yield (
                ("rules",),
                (
                    f"no rule prices the {component} of {_in_words(package, kinds[0])} "
                    f'({len(kinds)} kinds of event): add a rule (a free one has rate "0") or set '
                    "otherwise: pass_through"
                ),
            )
    for rule in package.rules:
        if rule.no not in coverage.pricing:
            yield ("rules", rule.no), _why_never(package, rule)
            continue
        for i, pool_id in enumerate(rule.pools):
            if (rule.no, pool_id) not in coverage.draws:
                yield (
                    ("rules", rule.no, "pools", i),
                    f"pool '{pool_id}' covers no {rule.component} of this rule",
                )
    for no, pool in enumerate(package.pools):
        if pool.id in coverage.doubled:
            yield (
                ("pools", no),
                (
                    "two components of one event draw on this pool "
                    f"({coverage.doubled[pool.id]}): set both: true, or remove the pool from one "
                    "of the rules"
                ),
            )


def _whole_components(package: Package) -> Iterator[Problem]:
    """With split bands, a call may reach into a band in which its component has no price."""
    if package.band_policy != "split":
        return
    for facts in event_kinds(package):
        if facts["service"] not in package.lasting:
            continue
        for component in due_components(facts):
            rules = {
                band: first_rule(package, component, facts, band) for band in package.band_names
            }
            lacking = [band for band, rule in rules.items() if rule is None]
            if lacking and len(lacking) < len(rules):
                yield (
                    ("rules",),
                    (
                        f"with band_policy: split, {component} needs a price in every band or in "
                        f"none; {_in_words(package, facts)} has none in {', '.join(lacking)}"
                    ),
                )
                return


def _monthly_pools(package: Package) -> Iterator[Problem]:
    """A quantity that is rounded up once for the month can only draw as a whole."""
    drawn: dict[int, set[tuple[Pool, ...]]] = {}
    for facts in event_kinds(package):
        for component in due_components(facts):
            rule = first_rule(package, component, facts)
            if rule is not None and rule.increment_at == "month":
                drawn.setdefault(rule.no, set()).add(drawn_pools(package, rule, facts))
    for no, pools in sorted(drawn.items()):
        if len(pools) > 1:
            yield (
                ("rules", no, "pools"),
                (
                    "with increment_at: month, all events of the rule must draw on the same pools: "
                    "widen covers, or split the rule in two"
                ),
            )


def _why_never(package: Package, rule: Rule) -> str:
    accepted = [
        facts
        for facts in event_kinds(package)
        if facts["service"] == rule.service and accepts(rule.match, package, facts)
    ]
    due = [facts for facts in accepted if rule.component in due_components(facts)]
    if not accepted:
        return "this rule can never match: its conditions exclude one another"
    if not due:
        return f"this rule can never match: no {rule.component} is due for such events"
    matching = (first_rule(package, rule.component, facts) for facts in due)
    earlier = sorted({one.no for one in matching if one is not None})
    names = ", ".join(f"rules[{no}]" for no in earlier)
    return f"this rule can never match: {names} comes first for all of its events"


def _in_words(package: Package, facts: Facts) -> str:
    """The facts of an event, for a message."""
    words = [f"{fact} {facts[fact]}" for fact in SERVICE_FACTS[facts["service"]]]
    if len(package.services) > 1:
        words.insert(0, facts["service"])
    if package.bands:
        words.append(f"band {package.band_at(facts['day_type'], facts['slot_from'])}")
    return ", ".join(words)
