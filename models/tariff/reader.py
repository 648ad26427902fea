"""Reads one tariff document (YAML, its shape already checked) into a Package.

One document is one package. A value that cannot be read raises ConfigError with file and line.
Whether the package is consistent as a whole is checked in models/tariff/check.py.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from models.tariff.package import (
    COMPONENT_SERVICES,
    DAY_SECONDS,
    DAY_TYPES,
    FACT_VALUES,
    KIND_SERVICE,
    OFF_PEAK,
    SERVICE_FACTS,
    SERVICE_UNIT,
    BandRange,
    Package,
    Pool,
    PriceStep,
    Rounding,
    Rule,
    Tier,
    TierStep,
)
from schemas.document import Document, Key, shown

UNIT_SIZES = {
    "s": {"s": 1},
    "msg": {"msg": 1},
    "B": {"B": 1, "KB": 1024, "MB": 1024**2, "GB": 1024**3},
}
UNIT_EXAMPLES = {"s": "seconds, like 60s", "msg": "messages, like 1msg", "B": "bytes, like 1KB"}
PRICE = re.compile(r"-?[0-9]+(\.[0-9]+)?")
QUANTITY = re.compile(r"([0-9]+)([A-Za-z]+)")
LARGEST_QUANTITY = 2**50  # base units: sums over months of it still fit 64 bits


def read_package(document: Document) -> Package:
    """The package of a document. Raises ConfigError at the first value that cannot be read."""
    return _Reader(document).package()


class _Reader:
    """The values of one document, read by path."""

    def __init__(self, document: Document):
        self.document = document
        self.data = document.data
        self.service = self._one_of(("kind",), KIND_SERVICE)
        self.band_names = {OFF_PEAK}

    def package(self) -> Package:
        data = self.data
        bands = self._bands()
        self.band_names |= {part.band for part in bands}
        pools = tuple(self._pool(("pools", i)) for i in range(len(data.get("pools") or [])))
        order = {pool.id: pool.order for pool in pools}
        rules = tuple(self._rule(i, order) for i in range(len(data["rules"])))
        tiers = tuple(self._tier(("tiers", i)) for i in range(len(data.get("tiers") or [])))
        rounding = data["rounding"]
        self._refuse_empty_words()
        return Package(
            id=data["id"],
            name=data["name"],
            kind=data["kind"],
            brands=tuple(data["brands"]),
            valid_from=data["valid"]["from"],
            valid_to=data["valid"]["to"],
            monthly_fee=self._yuan(("monthly_fee",)),
            partial_month=data["partial_month"],
            pools=pools,
            rules=rules,
            caps=self._caps(),
            min_commitment=self._yuan(("min_commitment",), "0"),
            rounding=Rounding(
                rounding["at"], rounding.get("scale", 2), rounding.get("mode", "half_up")
            ),
            bands=bands,
            band_policy=data.get("band_policy", "start"),
            tiers=tiers,
            otherwise=data.get("otherwise", "refuse"),
            source=data["source"],
            present_only=data.get("present_only", False),
            former_of=data.get("former_of"),
            origin=shown(self.document.path),
        )

    def _value(self, path: Key, default: Any = None) -> Any:
        value = self.data
        for part in path[:-1]:
            value = value[part]
        return value.get(path[-1], default) if isinstance(value, Mapping) else value[path[-1]]

    def _one_of(self, path: Key, known: Mapping[str, str]) -> str:
        value = self._value(path)
        if value not in known:
            raise self.document.error(path, f"expected one of {', '.join(known)}; got '{value}'")
        return known[value]

    def _yuan(self, path: Key, default: str | None = None, *, discount: bool = False) -> Fraction:
        """A price; only a `discount` may be below zero."""
        value = self._value(path, default)
        if not isinstance(value, str):
            raise self.document.error(path, f'prices are written as strings: "{value}"')
        if not PRICE.fullmatch(value):
            raise self.document.error(
                path, f"expected yuan as a decimal number like \"0.40\"; got '{value}'"
            )
        if Fraction(value) < 0 and not discount:
            raise self.document.error(
                path,
                f"expected 0 or more; got '{value}': only the flat amount of a tier may be below "
                "zero, as a discount",
            )
        return Fraction(value)

    def _quantity(self, path: Key, least: int = 1) -> int:
        """Base units: a whole number, or a quantity in a unit of the package's service."""
        value, base = self._value(path), SERVICE_UNIT[self.service]
        size = value if isinstance(value, int) else None
        parts = QUANTITY.fullmatch(value) if isinstance(value, str) else None
        if parts and parts[2] in UNIT_SIZES[base]:
            size = int(parts[1]) * UNIT_SIZES[base][parts[2]]
        if size is None:
            raise self.document.error(
                path, f"{self.service} is counted in {UNIT_EXAMPLES[base]}; got '{value}'"
            )
        if size < least:
            raise self.document.error(path, f"expected at least {least}; got '{value}'")
        self._refuse_larger(path, size)
        return size

    def _refuse_larger(self, path: Key, size: int) -> None:
        if size > LARGEST_QUANTITY:
            raise self.document.error(
                path,
                f"expected at most {LARGEST_QUANTITY:,} {SERVICE_UNIT[self.service]}; got "
                f"'{self._value(path)}'",
            )

    def _clause(self, path: Key) -> dict[str, frozenset[object]]:
        """The `match` of a rule or the `covers` of a pool: fact → accepted values."""
        clause = {}
        for fact, value in (self._value(path) or {}).items():
            values = frozenset(value if isinstance(value, list) else [value])
            known: set[object]
            if fact == "service":
                known = {self.service}
            elif fact == "band":
                if not self.data.get("bands"):
                    raise self.document.error(
                        (*path, fact), "the package has no bands: remove this condition"
                    )
                known = set(self.band_names)
            elif fact in SERVICE_FACTS[self.service]:
                known = set(FACT_VALUES[fact])
            else:
                raise self.document.error(
                    (*path, fact),
                    f"{self.service} has no such fact; it has "
                    f"{', '.join(SERVICE_FACTS[self.service])} and band",
                )
            for unknown in sorted(str(one) for one in values - known):
                raise self.document.error(
                    (*path, fact),
                    f"expected one of {', '.join(sorted(map(str, known)))}; got '{unknown}'",
                )
            clause[fact] = values
        return clause

    def _component(self, path: Key) -> str:
        component = str(self._value(path))
        own = [one for one, services in COMPONENT_SERVICES.items() if self.service in services]
        if component not in own:
            raise self.document.error(
                path,
                f"a package of kind {self.data['kind']} prices {' and '.join(own)}; "
                f"got '{component}'",
            )
        return component

    def _rule(self, no: int, pool_order: Mapping[str, int]) -> Rule:
        path = ("rules", no)
        rule = self._value(path)
        groups = tuple(
            self._group((*path, "groups", i)) for i in range(len(rule.get("groups") or []))
        )
        if groups and {"rate", "per", "increment"} & set(rule):
            raise self.document.error(path, "give either rate, per and increment, or groups")
        pools = tuple(rule.get("pools") or ())
        for i, pool_id in enumerate(pools):
            if pool_id not in pool_order:
                known = ", ".join(pool_order) or "none"
                raise self.document.error(
                    (*path, "pools", i), f"unknown pool '{pool_id}'; known: {known}"
                )
        if groups:
            rate, per = groups[0].rate, groups[0].per
            increment = (groups[0].increment, groups[0].increment)
        else:
            rate, per = self._yuan((*path, "rate")), self._quantity((*path, "per"))
            increment = (
                self._quantity((*path, "increment", 0)),
                self._quantity((*path, "increment", 1)),
            )
        return Rule(
            no=no,
            component=self._component((*path, "component")),
            match=self._clause((*path, "match")),
            rate=rate,
            per=per,
            increment=increment,
            connect=self._yuan((*path, "connect"), "0"),
            pools=tuple(sorted(pools, key=lambda pool_id: pool_order[pool_id])),
            groups=groups,
            increment_at=rule.get("increment_at", "event"),
        )

    def _group(self, path: Key) -> PriceStep:
        return PriceStep(
            start=self._quantity((*path, "start"), least=0),
            rate=self._yuan((*path, "rate")),
            per=self._quantity((*path, "per")),
            increment=self._quantity((*path, "increment")),
        )

    def _pool(self, path: Key) -> Pool:
        pool, unit = self._value(path), self._quantity((*path, "unit"))
        self._refuse_larger((*path, "amount"), pool["amount"] * unit)
        components = tuple(
            self._component((*path, "components", i)) for i in range(len(pool["components"]))
        )
        return Pool(
            id=pool["id"],
            covers=self._clause((*path, "covers")),
            components=components,
            amount=pool["amount"],
            unit=unit,
            order=pool["order"],
            draw=pool.get("draw", "block"),
            both=pool.get("both", False),
            carry_over=pool.get("carry_over", False),
        )

    def _tier(self, path: Key) -> Tier:
        tier, per = self._value(path), self._quantity((*path, "per"))
        steps = []
        for i, step in enumerate(tier["steps"]):
            at = (*path, "steps", i)
            self._refuse_larger((*at, "up_to"), (step["up_to"] or 0) * per)
            rate = self._yuan((*at, "rate"))
            flat = self._yuan((*at, "flat"), "0", discount=True)
            steps.append(TierStep(step["up_to"], rate, flat))
        return Tier(
            component=self._component((*path, "component")),
            mode=tier["mode"],
            per=per,
            steps=tuple(steps),
            flat_at_zero=tier.get("flat_at_zero", False),
        )

    def _caps(self) -> dict[str, Fraction]:
        """Caps by service; the file may name a service or a kind of package."""
        caps: dict[str, Fraction] = {}
        for name in self.data.get("caps") or {}:
            service, path = KIND_SERVICE.get(name, name), ("caps", name)
            if service != self.service:
                raise self.document.error(
                    path, f"a package of kind {self.data['kind']} can cap only its own usage"
                )
            if service in caps:
                one, other = self.data["caps"]
                raise self.document.error(
                    path, f"{one} and {other} are one service: keep one of the two caps"
                )
            caps[service] = self._yuan(path)
        return caps

    def _refuse_empty_words(self) -> None:
        """ConfigError for words that would say nothing beside what the file says elsewhere."""
        rounding = self.data["rounding"]
        if rounding["at"] == "none":
            for word in ("scale", "mode"):
                if word in rounding:
                    raise self.document.error(
                        ("rounding", word),
                        f"at: none rounds nothing: remove {word}, or round at event, line or bill",
                    )
        if "band_policy" in self.data and not self.data.get("bands"):
            raise self.document.error(
                ("band_policy",), "the package has no bands: remove band_policy, or write bands"
            )

    def _bands(self) -> tuple[BandRange, ...]:
        ranges = []
        for name, parts in (self.data.get("bands") or {}).items():
            if name == OFF_PEAK:
                raise self.document.error(
                    ("bands", name),
                    "off_peak is the time outside all bands: give this band another name",
                )
            for i, part in enumerate(parts):
                path = ("bands", name, i)
                start, end = (self._second((*path, key)) for key in ("from", "to"))
                if start >= end:
                    raise self.document.error(
                        path,
                        f"{part['from']} to {part['to']} is not a range within one day: write a "
                        "band over midnight as two ranges",
                    )
                ranges.append(BandRange(name, self._days((*path, "days")), start, end))
        return tuple(ranges)

    def _days(self, path: Key) -> frozenset[str]:
        days = self._value(path)
        if days == "all":
            return frozenset(DAY_TYPES)
        return frozenset(days if isinstance(days, list) else [days])

    def _second(self, path: Key) -> int:
        parts = str(self._value(path)).split(":")
        second = sum(int(part) * size for part, size in zip(parts, (3600, 60, 1), strict=False))
        if second > DAY_SECONDS:
            raise self.document.error(path, f"expected a time of day; got '{self._value(path)}'")
        return second
