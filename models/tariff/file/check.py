"""The checks of a package: each due component has a price, and no rule, pool or band is unused.

A check yields pairs (path in the document, what is wrong and what to do). Rules are checked for
each kind of event that the package can distinguish. So a forgotten toll rule, which would be a
false saving, is always found.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, pairwise

from models.tariff import money_limit
from models.tariff.file import coverage
from models.tariff.package import (
    OFF_PEAK,
    SERVICE_UNIT,
    Package,
    Pool,
    Rule,
    TierStep,
)
from schemas.document import Key

Problem = tuple[Key, str]
COUNTED_IN = {"B": "bytes", "msg": "messages"}


def problems(package: Package) -> Iterator[Problem]:
    """Everything that is wrong with a package, in a fixed order."""
    for check in (
        _validity,
        _bands,
        _band_policy,
        _pools,
        _draws_in_blocks,
        _groups,
        _tiers,
        _exchanges,
        _fee_when,
        _held_together,
        coverage.problems,
        money_limit.problems,
    ):
        yield from check(package)


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
    overlapping = set()
    for one, other in combinations(package.bands, 2):
        if one.days & other.days and one.start < other.end and other.start < one.end:
            overlapping.add(other.band)
            yield (
                ("bands", other.band),
                f"overlaps with band '{one.band}': each second of a day belongs to one band",
            )
    clauses = [rule.match for rule in package.rules] + [pool.covers for pool in package.pools]
    named = {band for clause in clauses for band in clause.get("band", ())}
    if package.bands and not named:
        yield ("bands",), "no rule and no pool names a band: remove the bands"
    elif OFF_PEAK not in named:
        for band in package.band_names[:-1]:
            if band not in named | overlapping:
                yield (
                    ("bands", band),
                    (
                        f"no rule and no pool names '{band}' or off_peak, so the two are one band: "
                        f"remove '{band}'"
                    ),
                )


def _band_policy(package: Package) -> Iterator[Problem]:
    """An event is split by its seconds: bytes and messages have no time within the event."""
    if package.band_policy == "split" and not package.lasting:
        service = package.services[0]
        yield (
            ("band_policy",),
            (
                f"split cuts an event by its seconds, and {service} is counted in "
                f"{COUNTED_IN[SERVICE_UNIT[service]]}: write band_policy: start (the band "
                "in which the event begins)"
            ),
        )


def _pools(package: Package) -> Iterator[Problem]:
    seen: dict[int, str] = {}
    for no, pool in enumerate(package.pools):
        if pool.order in seen:
            yield (
                ("pools", no, "order"),
                (
                    f"pools '{seen[pool.order]}' and '{pool.id}' both have order {pool.order}: "
                    "each pool needs its own order"
                ),
            )
        seen.setdefault(pool.order, pool.id)
        if pool.id in [other.id for other in package.pools[:no]]:
            yield ("pools", no, "id"), f"duplicate pool id '{pool.id}'"
        if not any(pool.id in rule.pools for rule in package.rules):
            yield (
                ("pools", no),
                f"no rule draws on pool '{pool.id}': name it in the pools of a rule",
            )
            continue
        for i, component in enumerate(pool.components):
            if not any(_draws(rule, component, pool) for rule in package.rules):
                yield (
                    ("pools", no, "components", i),
                    (
                        f"no rule of {component} draws on pool '{pool.id}': name the pool in one, "
                        f"or remove {component} here"
                    ),
                )


def _draws(rule: Rule, component: str, pool: Pool) -> bool:
    """Whether a rule prices the component of a service of the pool, and names the pool."""
    named = rule.component == component and pool.id in rule.pools
    return named and rule.service in pool.services


def _draws_in_blocks(package: Package) -> Iterator[Problem]:
    for rule in package.rules:
        increments = {*rule.increment, *(step.increment for step in rule.groups)}
        for pool_id in rule.pools:
            pool = package.pool(pool_id)
            if pool.draw != "block" or rule.service not in pool.services:
                continue
            if rule.exchange > 1:
                if any(size * rule.exchange % pool.unit for size in increments):
                    yield (
                        ("rules", rule.no),
                        (
                            f"pool '{pool.id}' is drawn in blocks of {pool.unit}, and one unit of "
                            f"{rule.service} takes {rule.exchange}: each increment must take a "
                            "whole number of blocks, or the pool must have draw: base"
                        ),
                    )
            elif increments != {pool.unit}:
                yield (
                    ("rules", rule.no),
                    (
                        f"pool '{pool.id}' is drawn in blocks of {pool.unit}: the increment must "
                        f"be [{pool.unit}, {pool.unit}], or the pool must have draw: base"
                    ),
                )


def _groups(package: Package) -> Iterator[Problem]:
    for rule in package.rules:
        starts = [step.start for step in rule.groups]
        if starts and (starts[0] != 0 or any(a >= b for a, b in pairwise(starts))):
            yield (
                ("rules", rule.no, "groups"),
                "the first group must start at 0, and each next group later than the one before",
            )
        if SERVICE_UNIT[rule.service] == "msg" and len(starts) > 1:
            yield (
                ("rules", rule.no, "groups", 1),
                "a message is one unit, so no message reaches this group: price steps of a month "
                "are tiers",
            )
        if rule.increment_at == "month" and rule.groups:
            yield (
                ("rules", rule.no, "groups"),
                "groups cannot be combined with increment_at: month",
            )
        if rule.increment_at == "month" and package.rounding.at == "event":
            yield (
                ("rules", rule.no, "increment_at"),
                "increment_at: month cannot be combined with rounding at event",
            )
        split = package.band_policy == "split" and SERVICE_UNIT[rule.service] == "s"
        if rule.increment_at == "month" and split:
            yield (
                ("rules", rule.no, "increment_at"),
                "increment_at: month cannot be combined with band_policy: split",
            )


def _tiers(package: Package) -> Iterator[Problem]:
    for no, tier in enumerate(package.tiers):
        if not _cumulative(tier.steps):
            yield (
                ("tiers", no, "steps"),
                (
                    "bounds (up_to) are cumulative: each must be larger than the one before, and "
                    "the last must be null"
                ),
            )
        mine = (tier.service, tier.component)
        if mine in [(other.service, other.component) for other in package.tiers[:no]]:
            yield ("tiers", no), f"duplicate tier for {tier.component}"
        if not any((rule.service, rule.component) == mine for rule in package.rules):
            yield (
                ("tiers", no),
                f"no rule rates {tier.component}, so no units reach this tier: add a rule",
            )
        if tier.flat_at_zero and not tier.steps[0].flat:
            yield (
                ("tiers", no, "flat_at_zero"),
                "the first step has no flat amount: give it one, or remove flat_at_zero",
            )
        if package.rounding.at == "event":
            yield (
                ("tiers", no),
                "tiers cannot be combined with rounding at event: round at line or bill",
            )


def _exchanges(package: Package) -> Iterator[Problem]:
    """Units that are counted in the units of another service's pool."""
    tiers = {(tier.service, tier.component): no for no, tier in enumerate(package.tiers)}
    for rule in package.rules:
        if rule.exchange == 1:
            continue
        no = tiers.get((rule.service, rule.component))
        if no is not None:
            yield (
                ("tiers", no),
                (
                    f"rules[{rule.no}] draws on a pool by exchange, which leaves parts of a unit: "
                    "tiers need whole units, so give the service a pool of its own"
                ),
            )
        if rule.increment_at == "month":
            yield (
                ("rules", rule.no, "increment_at"),
                "increment_at: month cannot be combined with a pool that is drawn by exchange",
            )


def _fee_when(package: Package) -> Iterator[Problem]:
    """With fee_when: used, nothing is due in a month without usage."""
    if package.fee_when != "used":
        return
    if not package.monthly_fee and not package.min_commitment:
        yield (
            ("fee_when",),
            "without a fee and a commitment nothing depends on it: remove fee_when",
        )
    for no, pool in enumerate(package.pools):
        if pool.carry_over:
            yield (
                ("pools", no, "carry_over"),
                (
                    "cannot be combined with fee_when: used: a month without usage has no free "
                    "units to hand on"
                ),
            )
    for no, tier in enumerate(package.tiers):
        if tier.flat_at_zero:
            yield (
                ("tiers", no, "flat_at_zero"),
                "cannot be combined with fee_when: used: a month without usage owes nothing",
            )


def _held_together(package: Package) -> Iterator[Problem]:
    """A package is named for itself, and the two lists do not contradict each other."""
    for key, names in (("requires", package.requires), ("excludes", package.excludes)):
        if package.id in names:
            yield (key, names.index(package.id)), "the package names itself: remove it here"
    for name in package.requires:
        if name in package.excludes:
            yield (
                ("excludes", package.excludes.index(name)),
                f"'{name}' is also in requires: keep it in one of the two",
            )


def _cumulative(steps: tuple[TierStep, ...]) -> bool:
    """Whether the bounds grow and only the last one is open."""
    *bounds, last = (step.up_to for step in steps)
    closed = [bound for bound in bounds if bound is not None]
    return last is None and len(closed) == len(bounds) and all(a < b for a, b in pairwise(closed))
