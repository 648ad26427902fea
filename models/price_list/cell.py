"""Cells of a price list as spreadsheets write them: amounts, whole numbers, days, quantities.

A cell is read if it has one meaning. A cell that can be read in two ways is refused with both:
`1,234` is 1234 where the comma parts thousands, and 1.234 where it is the decimal sign.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from decimal import Decimal
from functools import cache, partial
from typing import Any

from schemas.currency import Currency

# Full-width forms (U+FF01 to U+FF5E) have the order of ASCII. Superscripts and fractions are left
# alone: they are no digits of a price.
SAME: dict[int, int | str | None] = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
SAME |= dict.fromkeys(map(ord, "\u3000\u00a0\u2009\u202f\t"), " ")
SAME |= dict.fromkeys(map(ord, "\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"), None)
SAME |= {ord("￥"): "¥", ord("−"): "-", ord("’"): "'"}
POINT = re.compile(r"[0-9]+(?:\.[0-9]+)?|[1-9][0-9]{0,2}(?:,[0-9]{3})+(?:\.[0-9]+)?")
COMMA = re.compile(r"[0-9]+(?:,[0-9]+)?|[1-9][0-9]{0,2}(?:\.[0-9]{3})+(?:,[0-9]+)?")
SPACED = re.compile(r"[1-9][0-9]{0,2}(?:[ '][0-9]{3})+(?:[.,][0-9]+)?")
POINT_AND_THREE = re.compile(r"[1-9][0-9]{0,2}\.[0-9]{3}")
YEAR_FIRST = re.compile(
    r"([0-9]{4})(?:([-/.])([0-9]{1,2})\2([0-9]{1,2})|年([0-9]{1,2})月([0-9]{1,2})日|"
    r"([0-9]{2})([0-9]{2}))"
)
YEAR_LAST = re.compile(r"([0-9]{1,2})([-/.])([0-9]{1,2})\2([0-9]{4})")
MIDNIGHT = re.compile(r"[ T]0{1,2}:00(?::00(?:\.0+)?)?$")
QUANTITY = re.compile(r"(.*?) ?([A-Za-z]+)")
Reading = Callable[[str], Any]


class UnreadableError(ValueError):
    """A cell without one meaning; the text says what was expected or what to write."""


def plain(text: str) -> str:
    """The text with full-width forms, wide spaces and invisible characters as plain ones."""
    return text.translate(SAME).strip()


def amount(text: str, currency: Currency) -> str:
    """An amount as a tariff file writes it: `¥1,234.50`, `1.234,50 元`, `１２３４.50`: 1234.50."""
    number = plain(text)
    minus = number.startswith("-")
    number = _signs(currency).sub("", number.removeprefix("-"), count=1)
    minus, number = minus or number.startswith("-"), number.removeprefix("-")
    found = _readings(number)
    if not found:
        raise UnreadableError(f"expected {currency.unit} like 0.40; got '{text[:40]}'")
    if len(found) > 1:
        raise _two_meanings(text, *found)
    return f"-{found[0]}" if minus else found[0]


@cache
def _signs(currency: Currency) -> re.Pattern[str]:
    """The currency's signs before an amount, and its signs and names behind it.

    An abbreviated name may lack its point.
    """
    before = (*currency.signs, currency.code)
    behind = (*before, currency.unit, currency.name, currency.name.rstrip("."))

    def one_of(words: Iterable[str]) -> str:
        return "|".join(re.escape(plain(word)) for word in sorted(words, key=len, reverse=True))

    return re.compile(f"^(?:{one_of(before)}) ?| ?(?:{one_of(behind)})$", re.IGNORECASE)


def whole(text: str) -> int:
    """A whole number: `2,000`, `2 000`, `200.0` and `２００` are read, `1.5` is not."""
    written = plain(text)
    sign, number = (-1, written[1:]) if written.startswith("-") else (1, written)
    found = [one for one in _readings(number) if Decimal(one) == int(Decimal(one))]
    if re.fullmatch(r"[0-9]{1,3},000", number):  # nobody writes a whole number with three decimals
        found = [one for one in found if "." not in one]
    if not found:
        raise UnreadableError(f"expected a whole number; got '{text[:40]}'")
    if len(found) > 1:
        raise _two_meanings(text, *(str(int(Decimal(one))) for one in found))
    return sign * int(Decimal(found[0]))


def quantity(text: str) -> str | int:
    """A quantity with its unit, or a whole number of base units: `60 s`, `1,024KB`, `60.0`."""
    parts = QUANTITY.fullmatch(plain(text))
    if parts is None:
        return whole(text)
    try:
        return f"{whole(parts[1])}{parts[2]}"
    except UnreadableError:
        raise UnreadableError(f"expected a quantity like 60s or 1KB; got '{text[:40]}'") from None


def day(text: str) -> date:
    """A day: `2009-05-03`, `2009/5/3`, `2009年5月3日`, `20090503`, `31/5/2009`, not `4/5/2009`."""
    written = MIDNIGHT.sub("", plain(text))
    parts = YEAR_FIRST.fullmatch(written)
    if parts:
        numbers = [int(one) for one in parts.groups() if one and one.isdigit()]
        found = _days(numbers[0], numbers[1:])
    else:
        parts = YEAR_LAST.fullmatch(written)
        two = [int(parts[1]), int(parts[3])] if parts else []
        found = _days(int(parts[4]), two, two[::-1]) if parts else []
    if not found:
        raise UnreadableError(f"expected a day as 2009-05-03; got '{text[:40]}'")
    if len(found) > 1:
        raise _two_meanings(text, *map(str, sorted(found)))
    return found[0]


def yes_or_no(text: str) -> bool:
    """`true` or `false`, as YAML or a spreadsheet writes them."""
    try:
        return {"true": True, "false": False}[plain(text).lower()]
    except KeyError:
        raise UnreadableError(f"expected true or false; got '{text[:40]}'") from None


def reading(shape: Mapping[str, Any], of: Mapping[str, Any], currency: Currency) -> Reading:
    """How a cell is read for a value of a shape. `of` is the whole JSON Schema with its `$defs`."""
    name = shape.get("$ref", "").rpartition("/")[2]
    if name:
        if name == "yuan":
            return partial(amount, currency=currency)
        named = {"quantity": quantity, "amount": quantity, "position": quantity}
        return named.get(name) or reading(of["$defs"][name], of, currency)
    if shape.get("format") == "date":
        return day
    types = shape.get("type", ())
    if "integer" in types:
        return lambda text: None if "null" in types and text == "null" else whole(text)
    if types == "boolean":
        return yes_or_no
    if types == "array":
        one = reading(shape["items"], of, currency)
        return lambda text: [one(part.strip()) for part in text.replace("；", ";").split(";")]
    forms = shape.get("anyOf", ())
    if len(forms) == 2 and forms[1].get("type") == "array":  # one value, or a list of them
        single, several = (reading(form, of, currency) for form in forms)
        return lambda text: several(text) if ";" in text or "；" in text else single(text)
    return str


def shape_at(place: tuple[str | int, ...], of: Mapping[str, Any]) -> Mapping[str, Any]:
    """The shape of the value at a place; an empty one if the schema names no such place."""
    shape: Any = of
    for step in place:
        while "$ref" in shape:
            shape = of["$defs"][shape["$ref"].rpartition("/")[2]]
        if isinstance(step, int):
            shape = shape.get("items", {})
        else:
            others = shape.get("additionalProperties") or {}
            shape = shape.get("properties", {}).get(step, others)
    return shape if isinstance(shape, Mapping) else {}


def _readings(number: str) -> list[str]:
    """The values that a number may mean, written plainly: with a point and without thousands."""
    found = []
    if number.startswith((".", ",")):
        number = f"0{number}"
    if POINT.fullmatch(number):
        found.append(number.replace(",", ""))
    if COMMA.fullmatch(number):
        found.append(number.replace(".", "").replace(",", "."))
    if SPACED.fullmatch(number):
        found.append(re.sub("[ ']", "", number).replace(",", "."))
    return list({Decimal(one): one for one in reversed(found)}.values())[::-1]


def _days(year: int, *orders: list[int]) -> list[date]:
    """The days that exist, of month and day in each of the orders."""
    found: dict[date, None] = {}
    for month, number in orders:
        try:
            found[date(year, month, number)] = None
        except ValueError:
            continue
    return list(found)


def _two_meanings(text: str, one: str, other: str) -> UnreadableError:
    """Both values, each written so that it has one meaning."""
    ways = [f"{value}0" if POINT_AND_THREE.fullmatch(value) else value for value in (one, other)]
    return UnreadableError(f"'{text[:40]}' has two meanings: write {ways[0]} or {ways[1]}")
