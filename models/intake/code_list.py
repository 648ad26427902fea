"""The operator's codes of a column: their translation, and which of them are not listed."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce

from pyspark.sql import Column
from pyspark.sql import functions as F

from schemas.config.source import OTHERWISE

Codes = Mapping[str, str | bool | None]


def translated(value: Column, codes: Codes | None) -> Column:
    """The value of our vocabulary for an operator's code.

    A code that is not listed becomes the value of `otherwise`. Without `otherwise` it stays, and
    the contract rejects it. NULL stays NULL.
    """
    if not codes:
        return value
    text = value.cast("string")
    pairs = [
        (code, str(ours).lower() if isinstance(ours, bool) else ours)
        for code, ours in codes.items()
        if code != OTHERWISE
    ]
    chosen = reduce(
        lambda case, pair: case.when(text == pair[0], F.lit(pair[1])),
        pairs[1:],
        F.when(text == pairs[0][0], F.lit(pairs[0][1])),
    )
    if OTHERWISE in codes:
        return chosen.when(text.isNotNull(), F.lit(codes[OTHERWISE]))
    return chosen.otherwise(text)


def is_unlisted(value: Column, codes: Codes) -> Column:
    """Whether the value is a code that is not listed. Never null: a missing code is false."""
    listed = [code for code in codes if code != OTHERWISE]
    return F.coalesce(~value.cast("string").isin(listed), F.lit(False))


def means_null(value: Column, codes: Codes | None) -> Column:
    """Whether the value is a code that stands for no value. Never null."""
    listed = [code for code, ours in (codes or {}).items() if ours is None]
    return F.coalesce(value.cast("string").isin(listed), F.lit(False)) if listed else F.lit(False)
