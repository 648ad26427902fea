"""Reads one tariff document (YAML, its shape already checked) into a Package.

One document is one package. A value that cannot be read raises ConfigError with file and line.
Whether the package is consistent as a whole is checked in models/tariff/file/check.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

from models.tariff.file.values import QUANTITY, UNIT_SIZES, Values
from models.tariff.package import (
    COMPONENT_SERVICES,
    FACT_VALUES,
    KIND_SERVICE,
    OFF_PEAK,
    SERVICE_FACTS,
    SERVICE_UNIT,
    Package,
    Pool,
    PriceStep,
    Rounding,
    Rule,
    Tier,
    TierStep,
    kinds_of,
)
from schemas.document import Document, Key, shown


def read_package(document: Document) -> Package:
    """The package of a document. Raises ConfigError at the first value that cannot be read."""
    return _Reader(document).package()


class _Reader(Values):
    """One document, read part by part."""

    def __init__(self, document: Document):
        super().__init__(document)
        self.kinds = self._kinds()
        self.services = tuple(KIND_SERVICE[kind] for kind in self.kinds)
        self.band_names = {OFF_PEAK}

    def package(self) -> Package:
        data = self.data
        bands = self.bands()
        self.band_names |= {part.band for part in bands}
        pools = tuple(self._pool(("pools", i)) for i in range(len(data.get("pools") or [])))
        by_id = {pool.id: pool for pool in pools}
        rules = tuple(self._rule(i, by_id) for i in range(len(data["rules"])))
        tiers = tuple(self._tier(("tiers", i)) for i in range(len(data.get("tiers") or [])))
        rounding = data["rounding"]
        self._refuse_empty_words()
        return Package(
            id=data["id"],
            name=data["name"],
            kinds=self.kinds,
            brands=tuple(data["brands"]),
            valid_from=data["valid"]["from"],
            valid_to=data["valid"]["to"],
            monthly_fee=self.yuan(("monthly_fee",)),
            partial_month=data["partial_month"],
            pools=pools,
            rules=rules,
            caps=self._caps(),
            min_commitment=self.yuan(("min_commitment",), "0"),
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
            fee_when=data.get("fee_when", "held"),
            requires=tuple(data.get("requires") or ()),
            excludes=tuple(data.get("excludes") or ()),
            origin=shown(self.document.path),
        )

    def _kinds(self) -> tuple[str, ...]:
        """The kinds of the package, in the order of KIND_SERVICE: `kind`, or those of `services`.

        A file may name a service or a kind of package.
        """
        if "kind" in self.data and "services" in self.data:
            raise self.document.error(
                ("services",), "give either kind (one service) or services (several)"
            )
        named = set()
        if "kind" in self.data:
            if self.data["kind"] not in KIND_SERVICE:
                raise self.document.error(
                    ("kind",),
                    f"expected one of {', '.join(KIND_SERVICE)}; got '{self.data['kind']}'",
                )
            named.add(self.data["kind"])
        for i, name in enumerate(self.data.get("services") or ()):
            kind = next((one for one, of in KIND_SERVICE.items() if name in (one, of)), None)
            if kind is None:
                raise self.document.error(
                    ("services", i), f"expected one of {', '.join(KIND_SERVICE)}; got '{name}'"
                )
            if kind in named:
                raise self.document.error(("services", i), f"'{name}' is named twice: keep it once")
            named.add(kind)
        if "services" in self.data and len(named) == 1:
            raise self.document.error(
                ("services",), f"a package of one service is written as kind: {next(iter(named))}"
            )
        return kinds_of(named)

    def _of_package(self) -> str:
        """What the package covers, for a message."""
        if len(self.kinds) == 1:
            return f"a package of kind {self.kinds[0]}"
        return f"a package of {_and(self.kinds)}"

    def _clause(self, path: Key, services: Sequence[str]) -> dict[str, frozenset[object]]:
        """The `match` of a rule or the `covers` of a pool of some services: fact → values."""
        clause = {}
        for fact, value in (self.value(path) or {}).items():
            values = frozenset(value if isinstance(value, list) else [value])
            lacking = [one for one in services if fact not in SERVICE_FACTS[one]]
            known: set[object]
            if fact == "service":
                known = set(services)
            elif fact == "band":
                if not self.data.get("bands"):
                    raise self.document.error(
                        (*path, fact), "the package has no bands: remove this condition"
                    )
                known = set(self.band_names)
            elif not lacking:
                known = set(FACT_VALUES[fact])
            else:
                raise self.document.error(
                    (*path, fact),
                    f"{lacking[0]} has no such fact; it has "
                    f"{', '.join(SERVICE_FACTS[lacking[0]])} and band",
                )
            for unknown in sorted(str(one) for one in values - known):
                raise self.document.error(
                    (*path, fact),
                    f"expected one of {', '.join(sorted(map(str, known)))}; got '{unknown}'",
                )
            clause[fact] = values
        return clause

    def _component(self, path: Key) -> str:
        component = str(self.value(path))
        own = [one for one in COMPONENT_SERVICES if self._services_of(one)]
        if component not in own:
            raise self.document.error(
                path, f"{self._of_package()} prices {_and(own)}; got '{component}'"
            )
        return component

    def _services_of(self, component: str) -> tuple[str, ...]:
        """The services of the package for which a component is due."""
        return tuple(one for one in self.services if one in COMPONENT_SERVICES[component])

    def _service(self, path: Key, component: str, named: Key) -> str:
        """The one service of a rule or tier: that of its component, or the one at `named`."""
        own, stated = self._services_of(component), self._stated(named)
        for name in stated:
            if name not in own:
                raise self.document.error(named, f"expected one of {', '.join(own)}; got '{name}'")
        if len(stated or own) > 1:
            where = ".".join(str(part) for part in named[len(path) :])
            raise self.document.error(
                path,
                f"{self._of_package()} has a {component} of {_and(own)}: name one of them in "
                f"{where}",
            )
        (service,) = stated or own
        return service

    def _stated(self, path: Key) -> tuple[str, ...]:
        """The services that a clause names; none if it leaves them open."""
        value = (self.value(path[:-1]) or {}).get(path[-1])
        return tuple(value) if isinstance(value, list) else (value,) if value else ()

    def _rule(self, no: int, by_id: Mapping[str, Pool]) -> Rule:
        path = ("rules", no)
        rule = self.value(path)
        component = self._component((*path, "component"))
        service = self._service(path, component, (*path, "match", "service"))
        groups = tuple(
            self._group((*path, "groups", i), service) for i in range(len(rule.get("groups") or []))
        )
        if groups and {"rate", "per", "increment"} & set(rule):
            raise self.document.error(path, "give either rate, per and increment, or groups")
        if groups:
            rate, per = groups[0].rate, groups[0].per
            increment = (groups[0].increment, groups[0].increment)
        else:
            rate, per = self.yuan((*path, "rate")), self.quantity((*path, "per"), service)
            increment = (
                self.quantity((*path, "increment", 0), service),
                self.quantity((*path, "increment", 1), service),
            )
        pools = self._pools_of(path, by_id)
        return Rule(
            no=no,
            service=service,
            component=component,
            match=self._clause((*path, "match"), (service,)),
            rate=rate,
            per=per,
            increment=increment,
            connect=self.yuan((*path, "connect"), "0"),
            pools=tuple(pool.id for pool in pools),
            groups=groups,
            increment_at=rule.get("increment_at", "event"),
            exchange=self._exchange_of(path, service, pools),
        )

    def _pools_of(self, path: Key, by_id: Mapping[str, Pool]) -> list[Pool]:
        """The pools that a rule names, in the order in which they are consumed."""
        named = self.value((*path, "pools")) or ()
        for i, pool_id in enumerate(named):
            if pool_id not in by_id:
                known = ", ".join(by_id) or "none"
                raise self.document.error(
                    (*path, "pools", i), f"unknown pool '{pool_id}'; known: {known}"
                )
        return sorted((by_id[pool_id] for pool_id in named), key=lambda pool: pool.order)

    def _exchange_of(self, path: Key, service: str, pools: Sequence[Pool]) -> int:
        """How many base units of its pools a base unit of the rule takes: the same of each pool."""
        taken = {
            pool.id: pool.exchange.get(service, 1) for pool in pools if service in pool.services
        }
        if len(set(taken.values())) > 1:
            each = ", ".join(f"{size} of '{name}'" for name, size in taken.items())
            raise self.document.error(
                (*path, "pools"),
                f"one unit of {service} takes {each}: the pools of a rule must take the same, so "
                "split the rule, or count the pools in one unit",
            )
        return next(iter(taken.values()), 1)

    def _group(self, path: Key, service: str) -> PriceStep:
        return PriceStep(
            start=self.quantity((*path, "start"), service, least=0),
            rate=self.yuan((*path, "rate")),
            per=self.quantity((*path, "per"), service),
            increment=self.quantity((*path, "increment"), service),
        )

    def _pool(self, path: Key) -> Pool:
        pool = self.value(path)
        components = tuple(
            self._component((*path, "components", i)) for i in range(len(pool["components"]))
        )
        due = [one for one in self.services if any(one in self._services_of(c) for c in components)]
        stated = self._stated((*path, "covers", "service"))
        services = tuple(one for one in self.services if one in (stated or due))
        covers = self._clause((*path, "covers"), services or self.services)
        base = self._base_of(path, services)
        unit = self.in_base_units((*path, "unit"), base, services[0])
        self.refuse_larger((*path, "amount"), pool["amount"] * unit, base)
        return Pool(
            id=pool["id"],
            covers=covers,
            services=services,
            components=components,
            amount=pool["amount"],
            unit=unit,
            order=pool["order"],
            draw=pool.get("draw", "block"),
            both=pool.get("both", False),
            carry_over=pool.get("carry_over", False),
            exchange=self._exchange(path, services, base),
        )

    def _base_of(self, path: Key, services: Sequence[str]) -> str:
        """The base unit of a pool: that of the one service that needs no exchange, if any."""
        exchanged = self._exchanged(path)
        own = [one for one in services if one not in exchanged]
        if len(own) > 1:
            raise self.document.error(
                path,
                f"the pool covers {_and(own)}: say with exchange what one unit of each but one of "
                "them takes, like exchange: {sms: 60s}, or name one service in covers",
            )
        if own:
            return SERVICE_UNIT[own[0]]
        parts = QUANTITY.fullmatch(str(self.value((*path, "unit"))))
        return next(
            (base for base, sizes in UNIT_SIZES.items() if parts and parts[2] in sizes), "s"
        )

    def _exchanged(self, path: Key) -> dict[str, str]:
        """Service → the name by which the file says its exchange; a kind of package will do."""
        names = self.value((*path, "exchange")) or {}
        return {KIND_SERVICE.get(name, name): name for name in names}

    def _exchange(self, path: Key, services: Sequence[str], base: str) -> dict[str, int]:
        """Service → base units of the pool that one base unit of the service takes."""
        found = {}
        for service, name in self._exchanged(path).items():
            at = (*path, "exchange", name)
            if service not in services:
                raise self.document.error(
                    at, f"the pool does not cover {name}; it covers {_and(services)}"
                )
            found[service] = self.in_base_units(at, base, "the pool")
        return found

    def _tier(self, path: Key) -> Tier:
        tier = self.value(path)
        component = self._component((*path, "component"))
        service = self._service(path, component, (*path, "service"))
        per, steps = self.quantity((*path, "per"), service), []
        for i, step in enumerate(tier["steps"]):
            at = (*path, "steps", i)
            self.refuse_larger((*at, "up_to"), (step["up_to"] or 0) * per, SERVICE_UNIT[service])
            rate = self.yuan((*at, "rate"))
            flat = self.yuan((*at, "flat"), "0", discount=True)
            steps.append(TierStep(step["up_to"], rate, flat))
        return Tier(
            service=service,
            component=component,
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
            if service not in self.services:
                raise self.document.error(path, f"{self._of_package()} can cap only its own usage")
            if service in caps:
                one, other = (
                    known
                    for known in self.data["caps"]
                    if KIND_SERVICE.get(known, known) == service
                )
                raise self.document.error(
                    path, f"{one} and {other} are one service: keep one of the two caps"
                )
            caps[service] = self.yuan(path)
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


def _and(words: Sequence[str]) -> str:
    """Words as a person lists them: one, two and three."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
