"""A file of targets/ as a frozen dataclass: whom a campaign is for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from schemas.config.targeting.facts import (
    AMOUNT,
    COMPARISONS,
    EVENTS_KNOWN,
    FACTS,
    TABLES,
)

GROUPS = ("and", "or", "not")
Value = str | bool | int | Decimal | date


@dataclass(frozen=True)
class Asked:
    """A fact as a condition asks it: of these values, over the last days or closed months."""

    fact: str
    of: tuple[tuple[str, tuple[str, ...]], ...] = ()
    over_days: int | None = None
    over_months: int | None = None


@dataclass(frozen=True)
class FactCondition:
    """`comparison`: a key of facts.COMPARISONS. `values`: one, or the two ends of `between`."""

    asked: Asked
    comparison: str
    values: tuple[Value, ...]


@dataclass(frozen=True)
class EventCondition:
    """An event of facts.EVENTS_KNOWN with its keys; amounts and factors are Decimal."""

    event: str
    businesses: tuple[str, ...] = ()
    roaming: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    within_days: int = 0
    times: int = 1
    factor: Decimal = Decimal(1)
    months: int = 0

    @property
    def asked(self) -> tuple[Asked, ...]:
        """The facts that the event is made of, as they are asked."""
        if self.event == "tariff_contact":
            about = (("business_code", self.businesses), ("kind", ("complaint", "enquiry")))
            return (Asked("recent_contacts", about, self.within_days),)
        if self.event == "roaming_without":
            of = (("roaming", self.roaming), ("service", ("voice",)))
            used = Asked("usage_events", of, self.within_days)
            return (used, Asked("packages"))
        return (Asked("last_bill"), Asked("bills_before", over_months=self.months))


@dataclass(frozen=True)
class Group:
    """`kind`: and, or, not (of one part)."""

    kind: str
    parts: tuple[Condition, ...]


Condition = Group | FactCondition | EventCondition


@dataclass(frozen=True)
class Target:
    """Subscribers for whom `where` holds. A condition on an unknown fact does not hold."""

    id: str
    name_cn: str
    where: Condition

    @property
    def asked(self) -> tuple[Asked, ...]:
        """Every fact as it is asked, each once, in the order of the file."""
        return tuple(dict.fromkeys(_asked(self.where)))

    @property
    def tables(self) -> tuple[str, ...]:
        """The tables that the definition needs, with those joined to them; dw.subscriber first."""
        found = ["dw.subscriber"]
        for one in self.asked:
            table = FACTS[one.fact].table
            found += [table, *([TABLES[table].joined] if TABLES[table].joined else [])]
        return tuple(dict.fromkeys(found))

    @property
    def steps(self) -> tuple[Condition, ...]:
        """The conditions of the funnel: the parts of an `and`, or the whole as one."""
        if isinstance(self.where, Group) and self.where.kind == "and":
            return self.where.parts
        return (self.where,)


def _asked(condition: Condition) -> Iterator[Asked]:
    if isinstance(condition, Group):
        for part in condition.parts:
            yield from _asked(part)
    elif isinstance(condition, FactCondition):
        yield condition.asked
    else:
        yield from condition.asked


def target_of(entry: Mapping[str, Any]) -> Target:
    """The target that a file under targets/ describes, once it is checked."""
    return Target(entry["id"], entry["name_cn"], _condition(entry["where"]))


def _condition(entry: Mapping[str, Any]) -> Condition:
    for kind in GROUPS:
        if kind in entry:
            parts = [entry[kind]] if kind == "not" else entry[kind]
            return Group(kind, tuple(_condition(part) for part in parts))
    if "event" in entry:
        return EventCondition(**{key: _plain(key, value) for key, value in entry.items()})
    of = tuple((name, tuple(values)) for name, values in sorted(entry.get("of", {}).items()))
    asked = Asked(entry["fact"], of, entry.get("over_days"), entry.get("over_months"))
    kind = FACTS[asked.fact].type
    comparison = next(key for key in COMPARISONS[kind] if key in entry)
    given = entry[comparison]
    values = given if isinstance(given, list) else [given]
    return FactCondition(
        asked,
        comparison,
        tuple(Decimal(value) if kind == AMOUNT else value for value in values),
    )


def _plain(key: str, value: Any) -> Any:
    if isinstance(value, list):
        return tuple(value)
    return Decimal(value) if key == "factor" else value


def described(condition: Condition) -> str:
    """The condition in words, as mart.target and the funnel name it."""
    if isinstance(condition, Group):
        if condition.kind == "not":
            return f"not ({described(condition.parts[0])})"
        return f" {condition.kind} ".join(
            f"({described(part)})" if isinstance(part, Group) else described(part)
            for part in condition.parts
        )
    if isinstance(condition, EventCondition):
        keys = (*EVENTS_KNOWN[condition.event].required, *EVENTS_KNOWN[condition.event].optional)
        return " ".join([condition.event, *(_said(key, getattr(condition, key)) for key in keys)])
    asked = condition.asked
    words = [asked.fact]
    words += [f"of {name} {'/'.join(values)}" for name, values in asked.of]
    if asked.over_days is not None:
        words.append(f"over {asked.over_days} days")
    if asked.over_months is not None:
        words.append(f"over {asked.over_months} months")
    return " ".join([*words, _said(condition.comparison, condition.values)])


def _said(key: str, value: Any) -> str:
    values = value if isinstance(value, tuple) else (value,)
    texts = [str(one).lower() if isinstance(one, bool) else str(one) for one in values]
    return f"{key.replace('_', ' ')} {'..'.join(texts) if key == 'between' else '/'.join(texts)}"
