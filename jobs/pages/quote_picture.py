"""A month before and after a change of package, drawn from the engine's quotes (S2-10)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from models.drawing import bill_comparison
from models.tariff.amounts import BUCKETS
from models.tariff.package import BUNDLE, kinds_of
from schemas.currency import Currency
from schemas.errors import InputError

Documents = Mapping[str, Mapping[str, Any]]
"""The packages as their files say, by id."""
Quotes = Mapping[str, Mapping[str, Any]]
"""The engine's quotes of the month, by package."""


def kinds_priced(package: Mapping[str, Any]) -> Sequence[str]:
    """The kinds that a package prices, as its file says: its own, or all of a bundle."""
    return kinds_of(package.get("services") or [package["kind"]])


def picture(
    asked: Mapping[str, Any], month: date, kept: Quotes, tariffs: Documents, currency: Currency
) -> str:
    """The month under the present packages of the kinds of the package asked for, and under it.

    As SVG. InputError if one of them has no quote to draw.
    """
    package, kinds = asked["id"], kinds_priced(asked)
    present = {kind: _present(kept, kind, tariffs) for kind in kinds}
    if package in present.values():
        raise InputError(
            f"--picture: {package} is the customer's own package for {month:%Y-%m}: there is "
            "nothing to compare it with"
        )
    for kind, name in present.items():
        _require_quote(kept, month, name, f"the present {kind} package", kind)
    own_kind = kinds[0] if len(kinds) == 1 else BUNDLE
    _require_quote(kept, month, package, package, own_kind)
    row, names = kept[package], list(dict.fromkeys(present.values()))
    replaced = [kept[name] for name in names]
    total = replaced[0]["total"]
    if own_kind == BUNDLE:  # the same passes through on both sides
        total = sum((one[line] for one in replaced for line in BUCKETS), row["passed_through"])
    before = _side(names, replaced, total, tariffs, currency)
    after = _side([package], [row], row["total"], tariffs, currency)
    return bill_comparison.picture(
        f"{month.year}年{month.month}月费用：{before.name} → {after.name}",
        "当月",
        before,
        after,
        currency,
    )


def _present(kept: Quotes, kind: str, tariffs: Documents) -> str:
    """The present package of a kind among the quotes, or an empty text."""
    for name, row in kept.items():
        mine = row["kind"] == kind or (name in tariffs and kind in kinds_priced(tariffs[name]))
        if row["is_present"] and mine:
            return name
    return ""


def _require_quote(kept: Quotes, month: date, name: str, words: str, kind: str) -> None:
    """InputError if the engine kept no comparable quote of a package."""
    of_month = f"for {month:%Y-%m}"
    if name not in kept:
        others = ", ".join(
            sorted(
                one for one, row in kept.items() if row["kind"] == kind and not row["is_present"]
            )
        )
        raise InputError(
            f"--picture: the engine kept no quote of {words} {of_month}; its "
            f"{kind} quotes: {others or 'none'}"
        )
    if not kept[name]["comparable"]:
        reason = kept[name]["reason"]
        raise InputError(f"--picture: {name} {of_month} is not compared: {reason}")


def _side(
    names: Sequence[str],
    rows: Sequence[Mapping[str, Any]],
    total: Decimal,
    tariffs: Documents,
    currency: Currency,
) -> bill_comparison.Side:
    title = "+".join(tariffs[name]["name"] if name in tariffs else name for name in names)
    lines = {line: sum((row[line] for row in rows), Decimal(0)) for line in BUCKETS}
    return bill_comparison.Side(title, bill_comparison.stated(total, lines, currency))
