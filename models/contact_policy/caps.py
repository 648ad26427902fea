"""The slots that each cap leaves a candidate, and when the next one opens, over frames.

The columns of a candidate's customer are joined to it (models.contact_policy.rules):
- `contacts`: array of (mask, at, until, …), the contacts that count, in local seconds; `_later`:
  those of them that begin after the candidate
- `_limited`: the bits of the caps that bind the candidate; `_at`, `_until`: when it may be made

Everything is an expression over these arrays, so no row is multiplied or shuffled again.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

from pyspark.sql import Column
from pyspark.sql import functions as F

from models.contact_policy.compiled import DAY, Cap

ROOM = "array<struct<cap string, left int, opens_at timestamp>>"


def binds(cap: Cap) -> Column:
    """Whether the cap binds the candidate."""
    return F.col("_limited").bitwiseAND(F.lit(cap.bit)) != 0


def left(cap: Cap) -> Column:
    """The slots that the cap leaves at the candidate's instant; 0 or less: none."""
    begin, _ = _covered(cap, F.col("_at"), F.col("_until"))
    at_begin = F.size(F.filter("contacts", lambda one: _holds(cap, one, begin)))
    used = F.when(nothing_later(), at_begin).otherwise(_peak(cap, F.col("_at")))
    return F.lit(cap.limit) - used


def nothing_later() -> Column:
    """Whether no contact begins after the candidate, as for most: then slots only open."""
    return F.size("_later") == 0


def opens_at(cap: Cap) -> Column:
    """The first local second after the candidate's instant at which a full cap has room.

    NULL: never. Room begins only where a contact leaves its window. If nothing comes later, that is
    where as many contacts as the limit have not left yet.
    """
    if cap.limit == 0:
        return F.lit(None).cast("bigint")
    searched = F.filter(
        _ends(cap), lambda end: (end >= F.col("_at")) & (_peak(cap, end) < cap.limit)
    )
    leaving = F.get(F.sort_array(_ends(cap), asc=False), F.lit(cap.limit - 1))
    return F.when(nothing_later(), leaving).otherwise(F.array_min(searched))


def retry_at(caps: Sequence[Cap], opens: Column, closes: Column) -> Column:
    """The first local second, within the channel's hours, at which all caps have room; or NULL.

    A search for candidates with later contacts: a slot that opens may be filled again.
    """
    ends = reduce(F.concat, map(_ends, caps), F.array(F.col("_at")))
    instants = F.transform(
        F.filter(ends, lambda end: end >= F.col("_at")), lambda end: next_open(end, opens, closes)
    )
    return F.array_min(
        F.filter(
            F.array_distinct(instants),
            lambda at: reduce(
                Column.__and__,
                [~binds(cap) | (_peak(cap, at) < cap.limit) for cap in caps],
                F.lit(True),
            ),
        )
    )


def next_open(at: Column, opens: Column, closes: Column) -> Column:
    """The first local second from `at` on in the hours [opens, closes) of the day."""
    second = F.pmod(at, F.lit(DAY))
    midnight = at - second
    return (
        F.when(second < opens, midnight + opens)
        .when(second < closes, at)
        .otherwise(midnight + F.lit(DAY) + opens)
    )


def _ends(cap: Cap) -> Column:
    """When each contact that uses the cap leaves its window; none if the cap does not bind."""
    return F.transform(
        F.filter("contacts", lambda one: binds(cap) & _counts(cap, one)),
        lambda one: _covered(cap, one.at, one.until)[1],
    )


def _peak(cap: Cap, at: Column) -> Column:
    """The most contacts in a window that may also hold the candidate, made from `at` on."""
    begin, end = _covered(cap, at, at + F.col("_until") - F.col("_at"))
    at_begin = F.size(F.filter("contacts", lambda one: _holds(cap, one, begin)))
    later = F.filter(
        "contacts",
        lambda one: (_begin(cap, one) > begin) & _counts(cap, one) & (_begin(cap, one) < end),
    )
    most_later = F.array_max(
        F.transform(
            later,
            lambda first: F.size(
                F.filter("contacts", lambda one: _holds(cap, one, _begin(cap, first)))
            ),
        )
    )
    return F.greatest(at_begin, most_later)  # `later` is mostly empty: NULL, which does not count


def _holds(cap: Cap, one: Column, moment: Column) -> Column:
    """Whether a contact that uses the cap covers the moment."""
    begin, end = _covered(cap, one.at, one.until)
    return _counts(cap, one) & (begin <= moment) & (end > moment)


def _counts(cap: Cap, one: Column) -> Column:
    return one.mask.bitwiseAND(F.lit(cap.bit)) != 0


def _begin(cap: Cap, one: Column) -> Column:
    return _covered(cap, one.at, one.until)[0]


def _covered(cap: Cap, at: Column, until: Column) -> tuple[Column, Column]:
    """The instants whose window may hold a contact that is made in [at, until)."""
    if cap.window is not None:
        return at, until + F.lit(cap.window)
    last = F.greatest(at, until - 1)
    return at - F.pmod(at, F.lit(DAY)), last - F.pmod(last, F.lit(DAY)) + F.lit(DAY)
