"""The values of a tariff document, read by their path: amounts of money, quantities, bands.

A value that cannot be read raises ConfigError with file and line.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from models.tariff.package import DAY_SECONDS, DAY_TYPES, OFF_PEAK, SERVICE_UNIT, BandRange
from schemas.document import Document, Key

UNIT_SIZES = {
    "s": {"s": 1},
    "msg": {"msg": 1},
    "B": {"B": 1, "KB": 1024, "MB": 1024**2, "GB": 1024**3},
}
UNIT_EXAMPLES = {"s": "seconds, like 60s", "msg": "messages, like 1msg", "B": "bytes, like 1KB"}
PRICE = re.compile(r"-?[0-9]+(\.[0-9]+)?")
QUANTITY = re.compile(r"([0-9]+)([A-Za-z]+)")
LARGEST_QUANTITY = 2**50  # base units: sums over months of it still fit 64 bits


class Values:
    """The values of one document. Paths are keys and places, as of `Document.error`."""

    def __init__(self, document: Document):
        self.document = document
        self.data = document.data

    def value(self, path: Key, default: Any = None) -> Any:
        value = self.data
        for part in path[:-1]:
            value = value[part]
        return value.get(path[-1], default) if isinstance(value, Mapping) else value[path[-1]]

    def yuan(self, path: Key, default: str | None = None, *, discount: bool = False) -> Fraction:
        """A price; only a `discount` may be below zero."""
        value = self.value(path, default)
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

    def quantity(self, path: Key, service: str, least: int = 1) -> int:
        """Base units of a service: a whole number, or a quantity in a unit of the service."""
        return self.in_base_units(path, SERVICE_UNIT[service], service, least)

    def in_base_units(self, path: Key, base: str, counted: str, least: int = 1) -> int:
        value = self.value(path)
        size = value if isinstance(value, int) else None
        parts = QUANTITY.fullmatch(value) if isinstance(value, str) else None
        if parts and parts[2] in UNIT_SIZES[base]:
            size = int(parts[1]) * UNIT_SIZES[base][parts[2]]
        if size is None:
            raise self.document.error(
                path, f"{counted} is counted in {UNIT_EXAMPLES[base]}; got '{value}'"
            )
        if size < least:
            raise self.document.error(path, f"expected at least {least}; got '{value}'")
        self.refuse_larger(path, size, base)
        return size

    def refuse_larger(self, path: Key, size: int, base: str) -> None:
        if size > LARGEST_QUANTITY:
            raise self.document.error(
                path,
                f"expected at most {LARGEST_QUANTITY:,} {base}; got '{self.value(path)}'",
            )

    def bands(self) -> tuple[BandRange, ...]:
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
        days = self.value(path)
        if days == "all":
            return frozenset(DAY_TYPES)
        return frozenset(days if isinstance(days, list) else [days])

    def _second(self, path: Key) -> int:
        parts = str(self.value(path)).split(":")
        second = sum(int(part) * size for part, size in zip(parts, (3600, 60, 1), strict=False))
        if second > DAY_SECONDS:
            raise self.document.error(path, f"expected a time of day; got '{self.value(path)}'")
        return second
