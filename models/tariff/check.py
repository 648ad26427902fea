"""Whether a package makes sense: every due component priced, no rule, pool or band in vain.

A check yields (path in the document, what is wrong and what to do). Rules are judged over every
kind of event that the package can tell apart, so a forgotten toll rule, which would be a false
saving, cannot pass.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations, pairwise, product

from models.tariff import money_limit
from models.tariff.package import (
    DAY_SECONDS,
    FACT_VALUES,
    SERVICE_FACTS,
    Package,
    Rule,
    accepts,
    drawn_pools,
    due_components,
    first_rule,
)

Problem = tuple[tuple, str]


def problems(package: Package) -> Iterator[Problem]:
    """Everything that is wrong with a package, in a fixed order."""
    for check in (
        _validity,
        _bands,
        _pools,
        _draws_in_blocks,
        _groups,
        _tiers,
        _caps,
        _coverage,
        _whole_components,
        _monthly_pools,
        money_limit.problems,
    ):
        yield from check(package)


def event_kinds(package: Package, apart: Sequence[Mapping[str, frozenset]] = ()) -> Iterator[dict]:
    """One example of the facts of each kind of event that the package can tell apart.

    Values of a fact that no clause of the package (or of `apart`) and no due component
    distinguishes stand for one another, so a few hundred examples cover all facts.
    """
    clauses = [rule.match for rule in package.rules] + [pool.covers for pool in package.pools]
    clauses += apart
    facts = [fact for fact in SERVICE_FACTS[package.service] if fact != "day_type"]
    choices = []
    for fact in facts:
        named = [clause[fact] for clause in clauses if fact in clause]
        examples: dict[tuple, object] = {}
        for value in FACT_VALUES[fact]:
            kind = (*tuple(value in values for values in named), _due_by(fact, value))
            examples.setdefault(kind, value)
        choices.append(list(examples.values()))
    days = [clause["day_type"] for clause in clauses if "day_type" in clause]
    moments: dict[tuple, tuple[str, int]] = {}
    for day_type, second in product(FACT_VALUES["day_type"], slot_starts(package)):
        kind = (package.band_at(day_type, second), *tuple(day_type in one for one in days))
        moments.setdefault(kind, (day_type, second))
    unnamed = dict.fromkeys(set(FACT_VALUES) - set(facts))
    for values in product(*choices):
        for day_type, second in moments.values():
            yield (
                unnamed
                | dict(zip(facts, values))
                | {"service": package.service, "day_type": day_type, "slot_from": second}
            )


def slot_starts(package: Package) -> list[int]:
    """Local seconds at which the package's band may change, 0 among them."""
    return sorted(
        {0}
        | {part.start for part in package.bands}
        | {part.end for part in package.bands if part.end < DAY_SECONDS}
    )


def _due_by(fact: str, value: object) -> object:
    if fact == "direction":
        return value
    return value == "local" if fact == "toll" else None


def _validity(package: Package) -> Iterator[Problem]:
    if package.valid_from >= package.valid_to:
        yield (
            ("valid",),
            (
                f"valid on no day: from {package.valid_from} (included) to {package.valid_to} "
                "(not included)"
            ),
        )


def _bands(package: Package) -> Iterator[Problem]:
    for one, other in combinations(package.bands, 2):
        if one.days & other.days and one.start < other.end and other.start < one.end:
            yield (
                ("bands", other.band),
                (f"overlaps with band '{one.band}': a second of a day belongs to one band"),
            )
    if (
        package.bands
        and not any("band" in rule.match for rule in package.rules)
        and not any("band" in pool.covers for pool in package.pools)
    ):
        yield ("bands",), "no rule and no pool names a band: remove them"


def _pools(package: Package) -> Iterator[Problem]:
    seen: dict[int, str] = {}
    for no, pool in enumerate(package.pools):
        if pool.order in seen:
            yield (
                ("pools", no, "order"),
                (
                    f"pools '{seen[pool.order]}' and '{pool.id}' both have order {pool.order}: "
                    "each needs its own"
                ),
            )
        seen.setdefault(pool.order, pool.id)
        if pool.id in [other.id for other in package.pools[:no]]:
            yield ("pools", no, "id"), f"a second pool '{pool.id}'"
        if not any(pool.id in rule.pools for rule in package.rules):
            yield ("pools", no), f"no rule draws on pool '{pool.id}': name it in a rule's pools"


def _draws_in_blocks(package: Package) -> Iterator[Problem]:
    for rule in package.rules:
        increments = {*rule.increment, *(step.increment for step in rule.groups)}
        for pool_id in rule.pools:
            pool = package.pool(pool_id)
            if pool.draw == "block" and increments != {pool.unit}:
                yield (
                    ("rules", rule.no),
                    (
                        f"pool '{pool.id}' is drawn in blocks of {pool.unit}: the increment must be "
                        f"[{pool.unit}, {pool.unit}], or the pool must say draw: base"
                    ),
                )


def _groups(package: Package) -> Iterator[Problem]:
    for rule in package.rules:
        starts = [step.start for step in rule.groups]
        if starts and (starts[0] != 0 or any(a >= b for a, b in pairwise(starts))):
            yield ("rules", rule.no, "groups"), "the first starts at 0 and each next one later"
        if rule.increment_at == "month" and rule.groups:
            yield ("rules", rule.no, "groups"), "groups have no meaning with increment_at: month"
        if rule.increment_at == "month" and package.rounding.at == "event":
            yield ("rules", rule.no, "increment_at"), "month increments cannot be rounded at event"
        if rule.increment_at == "month" and package.band_policy == "split":
            yield ("rules", rule.no, "increment_at"), "month increments cannot be split by band"


def _tiers(package: Package) -> Iterator[Problem]:
    for no, tier in enumerate(package.tiers):
        bounds = [step.up_to for step in tier.steps]
        if (
            bounds[-1] is not None
            or None in bounds[:-1]
            or any(a >= b for a, b in pairwise(bounds[:-1]))
        ):
            yield (
                ("tiers", no, "steps"),
                ("bounds (up_to) are cumulative: each larger than the one before, the last null"),
            )
        if tier.component in [other.component for other in package.tiers[:no]]:
            yield ("tiers", no), f"a second tier for {tier.component}"
        if package.rounding.at == "event":
            yield ("tiers", no), "month tiers cannot be rounded at event: round at line or bill"


def _caps(package: Package) -> Iterator[Problem]:
    for service, cap in package.caps.items():
        if cap < 0:
            yield ("caps",), f"the cap of {service} is below 0"
    if package.min_commitment < 0:
        yield ("min_commitment",), "a commitment is not below 0"


def _coverage(package: Package) -> Iterator[Problem]:
    """Due components without a price; rules that never price; pools never or doubly drawn."""
    first: set[int] = set()
    draws: set[tuple[int, str]] = set()
    unpriced: dict[str, list[dict]] = {}
    doubled: dict[str, str] = {}
    for facts in event_kinds(package):
        taken: dict[str, Rule] = {}
        for component in due_components(facts):
            rule = first_rule(package, component, facts)
            if rule is None:
                unpriced.setdefault(component, []).append(facts)
                continue
            first.add(rule.no)
            for pool in drawn_pools(package, rule, facts):
                draws.add((rule.no, pool.id))
                if pool.id in taken and not pool.both:
                    doubled[pool.id] = f"rules[{taken[pool.id].no}] and rules[{rule.no}]"
                taken[pool.id] = rule
    if package.otherwise != "pass_through":
        for component, kinds in unpriced.items():
            yield (
                ("rules",),
                (
                    f"no rule prices the {component} of {_spoken(package, kinds[0])} ({len(kinds)} "
                    'kinds of event): add a rule (a free one has rate "0") or say '
                    "otherwise: pass_through"
                ),
            )
    for rule in package.rules:
        if rule.no not in first:
            yield ("rules", rule.no), _why_never(package, rule)
        for i, pool_id in enumerate(rule.pools):
            if rule.no in first and (rule.no, pool_id) not in draws:
                yield (
                    ("rules", rule.no, "pools", i),
                    (f"pool '{pool_id}' covers no {rule.component} of this rule"),
                )
    for no, pool in enumerate(package.pools):
        if pool.id in doubled:
            yield (
                ("pools", no),
                (
                    f"two components of one event draw on it ({doubled[pool.id]}): say both: true, or "
                    "take it from one of the rules"
                ),
            )


def _whole_components(package: Package) -> Iterator[Problem]:
    """With split bands a call may reach into a band in which its component has no price."""
    if package.band_policy != "split":
        return
    for facts in event_kinds(package):
        for component in due_components(facts):
            rules = {
                band: first_rule(package, component, facts, band) for band in package.band_names
            }
            lacking = [band for band, rule in rules.items() if rule is None]
            if lacking and len(lacking) < len(rules):
                yield (
                    ("rules",),
                    (
                        f"with band_policy: split a {component} has a price in every band or in none; "
                        f"{_spoken(package, facts)} has none in {', '.join(lacking)}"
                    ),
                )
                return


def _monthly_pools(package: Package) -> Iterator[Problem]:
    """What is rounded up once for the month can only draw as a whole."""
    drawn: dict[int, set[tuple]] = {}
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
                    "with increment_at: month all of the rule's events draw on the same pools: widen "
                    "covers, or make it two rules"
                ),
            )


def _why_never(package: Package, rule: Rule) -> str:
    accepted = [facts for facts in event_kinds(package) if accepts(rule.match, package, facts)]
    due = [facts for facts in accepted if rule.component in due_components(facts)]
    if not accepted:
        return "this rule can never match: its conditions exclude one another"
    if not due:
        return f"this rule can never match: no {rule.component} is due for such events"
    earlier = sorted({first_rule(package, rule.component, facts).no for facts in due})
    names = ", ".join(f"rules[{no}]" for no in earlier)
    return f"this rule can never match: {names} comes first for all of its events"


def _spoken(package: Package, facts: dict) -> str:
    shown = [f"{fact} {facts[fact]}" for fact in SERVICE_FACTS[package.service]]
    if package.bands:
        shown.append(f"band {package.band_at(facts['day_type'], facts['slot_from'])}")
    return ", ".join(shown)
