"""The signature of a package: everything that the split of its free units depends on.

Prices are part of it only with rounding at event. Packages with one signature share one replay
(models/rating/replay.py).
"""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any

from models.tariff.package import Clause, Package, Rule
from models.tariff.segmentation import Steps

SIGNATURE_DIGITS = 16


def signature(package: Package, *, all_toll: bool) -> str:
    """The signature as a short hash. With `all_toll` all long distance is re-rated (S2-R4)."""
    rounds = package.rounding.at == "event"
    text = json.dumps(
        {
            "services": list(package.services),
            "all_toll": all_toll,
            "policy": package.band_policy,
            "partial_month": package.partial_month,
            "bands": sorted(
                (part.band, sorted(part.days), part.start, part.end) for part in package.bands
            ),
            "rules": [
                [
                    rule.service,
                    rule.component,
                    rule.exchange,
                    _clause(rule.match),
                    _steps(Steps.of(rule)),
                    rule.increment_at,
                    list(rule.pools),
                ]
                + ([_prices(rule)] if rounds else [])
                for rule in package.rules
            ],
            "pools": [
                [
                    pool.id,
                    list(pool.services),
                    _clause(pool.covers),
                    sorted(pool.components),
                    pool.amount,
                    pool.unit,
                    pool.carry_over,
                ]
                for pool in sorted(package.pools, key=lambda pool: pool.order)
            ],
            "rounding": [package.rounding.scale, package.rounding.mode] if rounds else [],
        },
        sort_keys=True,
    )
    return sha256(text.encode()).hexdigest()[:SIGNATURE_DIGITS]


def _clause(clause: Clause) -> list[tuple[str, list[str]]]:
    return sorted((fact, sorted(map(str, values))) for fact, values in clause.items())


def _steps(steps: Steps) -> list[Any]:
    return [steps.first, [list(step) for step in steps.steps]]


def _prices(rule: Rule) -> list[str]:
    steps = range(max(1, len(rule.groups)))
    return [str(rule.connect), *(str(rule.price_of(step)) for step in steps)]
