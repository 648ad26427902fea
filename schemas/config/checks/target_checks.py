"""Checks of the files of targets/: facts, events, values, intervals, before Spark starts."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from schemas.config.checks.value_checks import Names, id_problem
from schemas.config.targeting.facts import (
    AMOUNT,
    COMPARISONS,
    COUNT,
    DAY,
    EVENTS_KNOWN,
    FACTS,
    FLAG,
    SET,
    TABLES,
    TEXT,
    Fact,
)
from schemas.config.targeting.target import GROUPS
from schemas.contract import Contract
from schemas.document import Document, Key
from schemas.document.violation import near_miss

CONDITION = (*GROUPS, "fact", "event")
# Columns whose values the configuration defines, where the contract does not say so.
DEFINED = {"business_code": "businesses", "channel": "channels", "package_id": "packages"}
DEFINED |= {"campaign_id": "campaigns", "class": "classes", "way": "ways"}


def problems(
    targets: Mapping[str, Document],
    contracts: Mapping[str, Contract] | None,
    sets: Mapping[str, Names],
) -> Iterator[str]:
    """One line per problem. `targets`: by the name of their file.

    `sets`: the names of channels, packages, businesses, campaigns, classes and ways of contact. A
    definition may name what a later folder took away; no subscriber has it then.
    """
    for name, found in targets.items():
        yield from id_problem(found, name)
        yield from _Check(found, contracts or {}, sets).condition(found.data["where"], ("where",))


@dataclass(frozen=True)
class _Check:
    found: Document
    contracts: Mapping[str, Contract]
    sets: Mapping[str, Names]

    def condition(self, entry: Mapping[str, Any], path: Key) -> Iterator[str]:
        """What is wrong with a condition and with the parts of it."""
        kinds = [key for key in CONDITION if key in entry]
        if len(kinds) != 1:
            got = " and ".join(kinds) or ", ".join(entry)
            yield self.found.problem(
                path, f"expected one of {', '.join(CONDITION)} in a condition; got {got}"
            )
            return
        kind = kinds[0]
        if kind in GROUPS:
            yield from self._stray(entry, path, (kind,), f"'{kind}'")
            if kind == "not":
                yield from self.condition(entry[kind], (*path, kind))
            else:
                for position, part in enumerate(entry[kind]):
                    yield from self.condition(part, (*path, kind, position))
        elif kind == "event":
            yield from self._event(entry, path)
        else:
            yield from self._fact(entry, path)

    def _stray(
        self, entry: Mapping[str, Any], path: Key, known: Sequence[str], what: str
    ) -> Iterator[str]:
        for key in entry:
            if key not in known:
                yield self.found.problem(
                    (*path, key), f"{what} has no key '{key}'; known: {', '.join(known)}"
                )

    def _missing(
        self, entry: Mapping[str, Any], path: Key, needed: Sequence[str], what: str
    ) -> Iterator[str]:
        for key in needed:
            if key not in entry:
                yield self.found.problem(path, f"the key '{key}' is missing: {what} needs it")

    def _event(self, entry: Mapping[str, Any], path: Key) -> Iterator[str]:
        name = entry["event"]
        event = EVENTS_KNOWN.get(name)
        if event is None:
            yield self.found.problem(
                (*path, "event"), f"unknown event '{name}'{near_miss(name, EVENTS_KNOWN)}"
            )
            return
        what = f"the event '{name}'"
        yield from self._stray(entry, path, ("event", *event.required, *event.optional), what)
        yield from self._missing(entry, path, event.required, what)
        for key, column, table in (
            ("businesses", "business_code", "dw.contact_event"),
            ("packages", "package_id", "dw.subscription"),
            ("roaming", "roaming", "dw.rating_cell"),
        ):
            if key in entry and key in event.required:
                yield from self._values(table, column, entry[key], (*path, key))
        if "factor" in entry and Decimal(entry["factor"]) <= 0:
            yield self.found.problem((*path, "factor"), "expected a factor above 0")

    def _fact(self, entry: Mapping[str, Any], path: Key) -> Iterator[str]:
        name = entry["fact"]
        fact = FACTS.get(name)
        if fact is None:
            yield self.found.problem(
                (*path, "fact"), f"unknown fact '{name}'{near_miss(name, FACTS)}"
            )
            return
        what, compared = f"the fact '{name}'", COMPARISONS[fact.type]
        needed = [*(["over_days"] if fact.day else [])]
        needed += ["over_months"] if fact.over_months else []
        narrowing = ["of"] if fact.narrowed_by else []
        yield from self._missing(entry, path, needed, what)
        given = [key for key in compared if key in entry]
        others = [key for of in COMPARISONS.values() for key in of if key not in compared]
        wrong = [key for key in dict.fromkeys(others) if key in entry]
        for key in wrong:
            yield self.found.problem(
                (*path, key),
                f"{what} is {_spoken(fact)}: compare it by {', '.join(compared)}",
            )
        known = ("fact", *needed, *narrowing, *compared)
        rest = {key: value for key, value in entry.items() if key not in wrong}
        yield from self._stray(rest, path, known, what)
        if not wrong and len(given) != 1:
            yield self.found.problem(
                path,
                f"expected one comparison of {what}, by {', '.join(compared)}; "
                f"got {' and '.join(given) or 'none'}",
            )
        if fact.narrowed_by:
            yield from self._of(entry.get("of", {}), fact, path)
        for key in given:
            yield from self._compared(entry[key], key, fact, (*path, key))

    def _of(self, of: Mapping[str, Any], fact: Fact, path: Key) -> Iterator[str]:
        for column, values in of.items():
            if column not in fact.narrowed_by:
                yield self.found.problem(
                    (*path, "of", column),
                    f"unknown column '{column}'{near_miss(column, fact.narrowed_by)}",
                )
            else:
                yield from self._values(fact.table, column, values, (*path, "of", column))
        for column in fact.one_of:
            if len(of.get(column, ())) != 1:
                yield self.found.problem(
                    path, f"name one {column} in 'of': several have no unit in common"
                )

    def _compared(self, value: Any, key: str, fact: Fact, path: Key) -> Iterator[str]:
        values = value if isinstance(value, list) else [value]
        places = [(*path, at) for at in range(len(values))] if isinstance(value, list) else [path]
        if fact.type == DAY and key != "between":
            return  # a number of days, by the shape of the file
        expected, fits = _FORMS[fact.type]
        wrong = False
        for one, place in zip(values, places, strict=True):
            if not fits(one):
                wrong = True
                yield self.found.problem(place, f"expected {expected}; got {one!r}")
        if wrong:
            return
        if fact.type in (TEXT, SET):
            yield from self._values(fact.table, fact.column, values, path)
        elif key == "between":
            low, high = (Decimal(one) for one in values) if fact.type == AMOUNT else values
            if low > high:
                yield self.found.problem(
                    path, f"the interval is empty: {values[0]} is above {values[1]}"
                )

    def _values(self, table: str, column: str, values: Any, path: Key) -> Iterator[str]:
        """Values that the contract or the configuration does not know."""
        allowed: Any = None
        for name in (table, TABLES[table].joined if table in TABLES else ""):
            contract = self.contracts.get(name)
            if contract is not None and column in contract.column_names:
                allowed = contract.column(column).allowed
        allowed = allowed or DEFINED.get(column)
        if allowed is None:
            return
        names = self.sets[allowed] if isinstance(allowed, str) else Names(allowed, {})
        for position, value in enumerate(values):
            if value not in names.known and value not in names.taken:
                single = not isinstance(self._given(path), list)
                yield self.found.problem(
                    path if single else (*path, position),
                    f"unknown {column} '{value}'{names.hint(value)}",
                )

    def _given(self, path: Key) -> Any:
        value: Any = self.found.data
        for part in path:
            value = value[part]
        return value


def _spoken(fact: Fact) -> str:
    return {TEXT: "text", SET: "a set of texts", FLAG: "true or false", DAY: "a day"}.get(
        fact.type, "a number" if fact.type == COUNT else "an amount"
    )


def _decimal(value: Any) -> bool:
    try:
        return isinstance(value, str) and Decimal(value).is_finite()
    except InvalidOperation:
        return False


_FORMS: Mapping[str, tuple[str, Callable[[Any], bool]]] = {
    TEXT: ("text", lambda one: isinstance(one, str)),
    SET: ("text", lambda one: isinstance(one, str)),
    FLAG: ("true or false", lambda one: isinstance(one, bool)),
    DAY: ("a date like 2009-05-03", lambda one: isinstance(one, date)),
    COUNT: (
        "a whole number",
        lambda one: isinstance(one, int) and not isinstance(one, bool) and one >= 0,
    ),
    AMOUNT: ('a decimal written as a string, like "5.00"', _decimal),
}
