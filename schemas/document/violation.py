"""Violations of a JSON Schema, explained to the author of the file.

The schemas in `schemas/shapes` are JSON Schema 2020-12 written as YAML. Messages take what was
expected from the `description` beside a `pattern`, `type` or `anyOf`.
"""

import datetime
import difflib
import re
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

import jsonschema
from jsonschema.protocols import Validator as ValidatorProtocol

Key = tuple[str | int, ...]

TAKEN_AWAY = "null cannot take this key away, it is required: write a value, or leave the line out"
DECIMAL_PATTERN = r"^-?[0-9]+(\.[0-9]+)?$"


def _type(
    validator: Any, types: Any, value: Any, schema: Mapping[str, Any]
) -> Iterator[jsonschema.ValidationError]:
    """The keyword `type` of JSON Schema, except that our reader turns `format: date` into dates."""
    if schema.get("format") != "date":
        yield from jsonschema.Draft202012Validator.VALIDATORS["type"](
            validator, types, value, schema
        )
    elif not isinstance(value, datetime.date):
        yield jsonschema.ValidationError(f"{value!r} is no date")


_extend: Callable[..., type[ValidatorProtocol]] = jsonschema.validators.extend
Validator = _extend(jsonschema.Draft202012Validator, {"type": _type})
_TYPE_NAMES = {
    "object": "a map",
    "array": "a list",
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "null": "null",
}


def near_miss(word: Any, known: Iterable[str]) -> str:
    """`, did you mean 'files'?` if a known word is close, else the known words."""
    known = [str(one) for one in known]
    close = _close(word, known)
    if close:
        return f", did you mean '{close[0]}'?"
    if not known:
        return ""
    listed = ", ".join(known[:15]) + (", …" if len(known) > 15 else "")
    return f"; known: {listed}"


def explained(
    error: jsonschema.ValidationError, at: Key, removed: Container[Key] = ()
) -> Iterator[tuple[Key, str]]:
    """The places and texts of one violation; it may name several keys.

    `removed`: the paths of what an overlay took away.
    """
    path, kind = at + tuple(error.absolute_path), error.validator
    schema = _schema(error)
    got: Any = error.instance
    required: Any = error.validator_value
    if "propertyNames" in error.absolute_schema_path:
        hint = near_miss(got, schema.get("enum", ()))
        expected = schema.get("description")
        yield (*path, got), "unknown key" + (f", expected {expected}" if expected else hint)
    elif kind == "additionalProperties":
        known = list(schema.get("properties", {}))
        patterns = schema.get("patternProperties", {})
        for key in got:
            if key not in known and not any(re.search(one, key) for one in patterns):
                # A key that is there already is meant only if no other one is close.
                free = [one for one in known if one not in got]
                meant = free if _close(key, free) or not _close(key, known) else known
                yield (*path, key), "unknown key" + near_miss(key, meant or known)
    elif kind == "required":
        unknown = [key for key in got if key not in schema.get("properties", {})]
        for key in required:
            if key not in got and (*path, key) in removed:
                yield (*path, key), TAKEN_AWAY
                continue
            # A misspelt key is reported once, as the unknown one.
            if key not in got and not _close(key, unknown):
                yield path, f"the key '{key}' is missing"
    elif kind in ("anyOf", "oneOf"):
        yield from _branch(error, at, path, removed)
    else:
        yield path, _expected(error)


def _branch(
    error: jsonschema.ValidationError, at: Key, path: Key, removed: Container[Key]
) -> Iterator[tuple[Key, str]]:
    """The problems of the one allowed form that has the value's type, or of all forms at once."""
    branches: dict[str | int, list[jsonschema.ValidationError]] = {}
    for one in error.context:
        branches.setdefault(one.schema_path[0], []).append(one)
    meant = [
        found
        for found in branches.values()
        if not any(one.validator == "type" and not one.path for one in found)
    ]
    if len(meant) == 1:
        for one in meant[0]:
            yield from explained(one, at, removed)
    else:
        yield path, _expected(error)


def _expected(error: jsonschema.ValidationError) -> str:
    value: Any = error.validator_value
    got: Any = error.instance
    schema, kind = _schema(error), error.validator
    wanted = schema.get("description")
    if schema.get("pattern") == DECIMAL_PATTERN and _is_number(got):
        return f'prices are written as strings: "{got}"'
    if kind == "enum":
        names = [_spoken(one) for one in value]
        hint = _close(got, names)
        meant = f", did you mean '{hint[0]}'?" if hint else ""
        return f"expected one of {', '.join(names)}; got {quoted(got)}{meant}"
    if kind == "type":
        names = [value] if isinstance(value, str) else value
        named = " or ".join(_TYPE_NAMES[one] for one in names)
        wanted = wanted or ("a date like 2009-05-03" if schema.get("format") == "date" else named)
    elif kind == "const":
        wanted = wanted or quoted(value)
    elif kind == "pattern":
        wanted = wanted or f"text that matches {value}"
    elif kind in ("minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum"):
        sign = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}[
            kind
        ]
        wanted = f"a number {sign} {value}"
    elif kind in ("minItems", "minProperties", "minLength"):
        wanted = f"at least {value} of them" if kind != "minLength" else "a text that is not empty"
    elif kind in ("maxItems", "maxProperties"):
        wanted = f"at most {value} of them"
    elif kind == "uniqueItems":
        wanted = "each value once"
    return f"expected {wanted}; got {quoted(got)}" if wanted else _short(error.message)


def _schema(error: jsonschema.ValidationError) -> Mapping[str, Any]:
    return error.schema if isinstance(error.schema, Mapping) else {}


def _close(word: Any, known: list[str]) -> list[str]:
    return difflib.get_close_matches(str(word), known, n=1, cutoff=0.6)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, Decimal)) and not isinstance(value, bool)


def _spoken(value: Any) -> str:
    return (
        {True: "true", False: "false", None: "null"}[value]
        if (value is None or isinstance(value, bool))
        else str(value)
    )


def quoted(value: Any) -> str:
    """A value as a message shows it: text in quotes, a map by its kind, a list by its items."""
    if isinstance(value, dict):
        return "a map" if value else "an empty map"
    if isinstance(value, list):
        return _short("[" + ", ".join(quoted(one) for one in value) + "]")
    return f"'{_short(value)}'" if isinstance(value, str) else _spoken(value)


def _short(text: str) -> str:
    return text if len(text) <= 80 else text[:79] + "…"
