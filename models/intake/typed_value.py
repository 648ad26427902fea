"""A mapped value as a value of its column's type: read exactly, rounded by a rule, or refused.

Nothing is guessed and nothing is cut off in silence. A text is read as one date, time or number; a
number keeps every decimal, or is rounded as its source says. A binary float counts as the decimal
number that it is the nearest to.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from pyspark.sql import Column
from pyspark.sql import functions as F
from pyspark.sql import types as T

from schemas.contract.column import Column as ContractColumn
from schemas.render.spark import data_type

DECIMALS = 18  # the most decimals of a number that is read; 19 digits may stand before them
WIDE = T.DecimalType(37, DECIMALS)  # holds every bigint, and its sums and differences are exact
# A longer text is no number: the patterns below take long over a text of a million digits.
NUMBER = r"^[+-]?([0-9]{1,99}[.]?[0-9]{0,99}|[.][0-9]{1,99})([eE][+-]?[0-9]{1,3})?\z"
TOO_FINE = rf"^[^eE]*[.][0-9]{{{DECIMALS}}}[0-9]*[1-9]\z"
MONTH = r"^[0-9]{4}-[0-9]{1,2}\z"
TIME = r"^[+]?[0-9]{4,6}-[0-9]{1,2}-[0-9]{1,2}([ T].+)?\z"
FINE_TIME = r"[.][0-9]{6}[0-9]*[1-9]"  # parts of a microsecond, which Spark would cut off
FIRST_DAY, LAST_DAY = "0001-01-01", "9999-12-31"  # the days that other readers can open
# Instants whose day in every zone is one of these.
FIRST_INSTANT, LAST_INSTANT = "0001-01-02 00:00:00Z", "9999-12-31 00:00:00Z"


@dataclass(frozen=True)
class Typed:
    """What becomes of a value that is not null.

    - `value`: of the column's type; null where it is not readable, does not fit or is an open end;
    - `readable`: whether it is a value of such a type at all; None: always;
    - `fits`: whether a readable value is held as it is, or rounded; None: always;
    - `rounding`: what rounding added to the value, as decimal(38,18); null where it is not held;
      None: nothing.
    `readable` and `fits` are never null and need be looked at only where `value` is null.
    """

    value: Column
    readable: Column | None = None
    fits: Column | None = None
    rounding: Column | None = None


def _down(number: Column, scale: int) -> Column:
    return F.when(number < 0, F.ceil(number, scale)).otherwise(F.floor(number, scale))


RULES: Mapping[str, Callable[[Column, int], Column]] = {
    "ceil": F.ceil,
    "floor": F.floor,
    "half_up": F.round,
    "half_even": F.bround,
    "down": _down,
}


def typed(
    value: Column,
    given: T.DataType,
    column: ContractColumn,
    open_ends: Sequence[date],
    rule: str | None = None,
) -> Typed:
    """The value of type `given` in the type of the column. `rule`: how its source rounds it."""
    kind = data_type(column.data_type)
    if isinstance(kind, (T.DateType, T.TimestampType)):
        return _moment(value, given, column, kind, open_ends)
    if isinstance(kind, (T.IntegralType, T.DecimalType)):
        return _number(value, given, kind, rule)
    if given == kind:
        return Typed(value)
    if isinstance(kind, T.BooleanType) and isinstance(given, T.NumericType):
        value = value.cast("string")  # a cast of the number itself would take 7 for true
    cast = value.try_cast(kind)
    return Typed(cast, cast.isNotNull())


def among(typed: Typed, value: Column, texts: Sequence[str]) -> Typed:
    """The same, and only these texts are readable."""
    readable = F.coalesce(value.isin(list(texts)), F.lit(False))
    return Typed(F.when(readable, typed.value), readable)


def _number(value: Column, given: T.DataType, kind: T.DataType, rule: str | None) -> Typed:
    scale = kind.scale if isinstance(kind, T.DecimalType) else 0
    is_exact = isinstance(given, T.IntegralType) or (
        isinstance(given, T.DecimalType) and given.scale <= scale
    )
    if is_exact:
        cast = value.try_cast(kind)
        return Typed(cast, fits=cast.isNotNull())
    if isinstance(given, T.DecimalType) and given.scale <= DECIMALS:
        readable, whole, wide = None, F.lit(True), value.try_cast(WIDE)
    else:
        written = value.cast("string")
        readable = F.coalesce(written.rlike(NUMBER), F.lit(False))
        text = F.when(readable, written)
        whole, wide = ~_is_too_fine(text), text.try_cast(WIDE)
    nearest = F.round(wide, scale).try_cast(kind)
    is_float = isinstance(given, (T.FloatType, T.DoubleType))
    same = nearest.cast(given) == value if is_float else nearest.try_cast(WIDE) == wide
    same = F.coalesce(same & whole, F.lit(False))
    if rule is None:
        held = F.when(same, nearest)
        if isinstance(given, T.StringType):  # what most texts are is read without all that
            held = F.coalesce(_simple(value, kind), held)
        return Typed(held, readable, same)
    rounded = RULES[rule](wide, scale).try_cast(kind)
    held = F.when(same, nearest).when(whole, rounded)
    added = F.when(same, F.lit(0)).otherwise(rounded.try_cast(WIDE) - wide)
    return Typed(held, readable, held.isNotNull(), F.when(held.isNotNull(), added))


def _simple(text: Column, kind: T.DataType) -> Column:
    """The number, if it is written in a form that the column holds at once; else null."""
    if not isinstance(kind, T.DecimalType):
        return text.try_cast(kind)
    digits = rf"^-?[0-9]{{1,{max(kind.precision - kind.scale, 1)}}}([.][0-9]{{1,{kind.scale}}})?\z"
    return F.when(text.rlike(digits if kind.scale else r"^-?[0-9]+\z"), text.try_cast(kind))


def _is_too_fine(text: Column) -> Column:
    """Whether a number has more decimals than are read, zeros at its end not counted."""
    shift = F.coalesce(
        F.regexp_extract(text, r"[eE]([+-]?[0-9]{1,3})\z", 1).try_cast("int"), F.lit(0)
    )
    decimals = F.length(F.regexp_extract(text, "[.]([0-9]*?)0*[eE]", 1))
    with_exponent = text.rlike("[1-9].*[eE]") & (decimals - shift > DECIMALS)
    return text.rlike(TOO_FINE) | with_exponent


def _moment(
    value: Column,
    given: T.DataType,
    column: ContractColumn,
    kind: T.DataType,
    open_ends: Sequence[date],
) -> Typed:
    """A date or an instant. Spark alone would read `2009`, `10:15` and `2009-05-03 and more`."""
    if isinstance(kind, T.DateType):
        moment, fits = _day(value, given, kind, is_month=column.unit == "month")
        first, last = FIRST_DAY, LAST_DAY
    else:
        is_text = isinstance(given, T.StringType)
        moment = (F.when(value.rlike(TIME), value) if is_text else value).try_cast(kind)
        fits = ~value.rlike(FINE_TIME) if is_text else F.lit(True)
        first, last = FIRST_INSTANT, LAST_INSTANT
    known = F.coalesce(
        moment.between(F.lit(first).cast(kind), F.lit(last).cast(kind)), F.lit(False)
    )
    fits = F.coalesce(fits, F.lit(False))
    held = F.when(known & fits, moment)
    if not column.open_end:
        return Typed(held, known, fits)
    is_open = F.coalesce(moment >= F.lit(min(open_ends)).cast(kind), F.lit(False))
    return Typed(F.when(~is_open, held), known | is_open, fits | is_open)


def _day(
    value: Column, given: T.DataType, kind: T.DataType, *, is_month: bool
) -> tuple[Column, Column]:
    """The day, and whether the value says no more than the day."""
    if isinstance(given, T.DateType):
        return value, F.lit(True)
    if not isinstance(given, T.StringType):
        day = value.try_cast(kind)
        return day, value == day.cast(given)
    clock = F.when(value.rlike(TIME), value).try_cast("timestamp_ntz")
    day = clock.try_cast(kind)
    fits = clock == day.cast("timestamp_ntz")
    if not is_month:
        return day, fits
    month = F.when(value.rlike(MONTH), F.concat(value, F.lit("-01"))).try_cast(kind)
    return F.coalesce(day, month), F.coalesce(fits, month.isNotNull())
