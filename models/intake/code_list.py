"""The codes of a source's column as ours, and those that nobody has listed."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce

from pyspark.sql import Column
from pyspark.sql import functions as F

from schemas.config.source import OTHERWISE

Codes = Mapping[str, str | bool | None]


def coded(value: Column, codes: Codes | None) -> Column:
    """The operator's code as ours. One that is not listed becomes what `otherwise` says, or stays,
    for the contract to reject; a missing one stays missing."""
    if not codes:
        return value
    text = value.cast("string")
    ours = [
        (code, str(mine).lower() if isinstance(mine, bool) else mine)
        for code, mine in codes.items()
        if code != OTHERWISE
    ]
    chosen = reduce(
        lambda case, pair: case.when(text == pair[0], F.lit(pair[1])),
        ours[1:],
        F.when(text == ours[0][0], F.lit(ours[0][1])),
    )
    if OTHERWISE in codes:
        return chosen.when(text.isNotNull(), F.lit(codes[OTHERWISE]))
    return chosen.otherwise(text)


def unlisted(value: Column, codes: Codes) -> Column:
    """Whether there is a code and it is not listed; never null."""
    listed = [code for code in codes if code != OTHERWISE]
    return F.coalesce(~value.cast("string").isin(listed), F.lit(False))
