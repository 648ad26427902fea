"""The signature of a package: all that the split of its free units depends on, without prices.

Packages of one signature share one replay (models/replay.py).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256

from models.tariff.package import Package, Rule
from models.tariff.segmentation import Steps

SIGNATURE_DIGITS = 16


def signature(package: Package, all_toll: bool) -> str:
    """Names what the split of a package's free units depends on; equal for equal splits."""
    rounds = package.rounding.at == "event"
    text = json.dumps(
        {
            "service": package.service,
            "all_toll": all_toll,
            "policy": package.band_policy,
            "partial_month": package.partial_month,
            "bands": sorted(
                (part.band, sorted(part.days), part.start, part.end) for part in package.bands
            ),
            "rules": [
                [
                    rule.component,
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


def _clause(clause: Mapping[str, frozenset]) -> list:
    return sorted((fact, sorted(map(str, values))) for fact, values in clause.items())


def _steps(steps: Steps) -> list:
    return [steps.first, [list(step) for step in steps.steps]]


def _prices(rule: Rule) -> list[str]:
    steps = range(max(1, len(rule.groups)))
    return [str(rule.connect), *(str(rule.price_of(step)) for step in steps)]
