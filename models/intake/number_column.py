"""The one form of phone numbers and keys (`number_form`) as columns of Spark."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

from pyspark.sql import Column
from pyspark.sql import functions as F

from models.frames import invisible
from models.intake import number_form
from models.intake.number_form import LONGEST_TEXT, Step
from schemas.config.settings import Numbers
from schemas.contract import column as contract_column

FORMED = ("number", "account")  # the personal data that have one form
LOST = "digits were lost in an exponent; export the column as text"


def of(column: contract_column.Column, value: Column, numbers: Numbers) -> Column:
    """The value of a contract's column in its one form, if the column holds a number or a key."""
    if column.personal == "number":
        return number(value, numbers)
    return key(value) if column.personal == "account" else value


def number(value: Column, numbers: Numbers) -> Column:
    """`number_form.number_of`, but NULL if blank."""
    folded = F.translate(value, number_form.NUMBER_FROM, number_form.NUMBER_TO)
    return (
        F.when(_is_common(value, numbers), value)
        .when(value.rlike(_in_form(numbers)), value)
        .when(
            _is_short(folded) & folded.rlike(number_form.NUMBER),
            _replaced(folded, number_form.number_steps(numbers)),
        )
        .otherwise(F.nullif(F.regexp_replace(value, invisible.AT_THE_ENDS, ""), F.lit("")))
    )


def key(value: Column) -> Column:
    """`number_form.key_of`, but NULL if blank."""
    folded = F.translate(value, number_form.KEY_FROM, number_form.KEY_TO)
    return (
        F.when(value.rlike(number_form.PLAIN_KEY), value)
        .when(_is_short(folded), F.nullif(_replaced(folded, number_form.KEY_STEPS), F.lit("")))
        .otherwise(value)
    )


def _is_short(text: Column) -> Column:
    """Whether the text may be a number or a key; a longer one stays as it is."""
    return F.length(text) <= LONGEST_TEXT


def is_lost(formed: Column) -> Column:
    """Whether a number or key in its form still has an exponent: some of its digits are lost."""
    marked = F.contains(formed, F.lit("E")) | F.contains(formed, F.lit("e"))
    return F.coalesce(marked & formed.rlike(rf"^{number_form.EXPONENT}\z"), F.lit(False))


def _is_common(value: Column, numbers: Numbers) -> Column:
    """Whether the value is digits from 1 on that no prefix begins: almost all are, told at once."""
    whole = value.try_cast("bigint")
    is_common = (whole > 0) & (whole.cast("string") == value)
    for prefix in sorted({numbers.country_code, numbers.trunk} - {"", "0"}):
        is_common = is_common & ~F.startswith(value, F.lit(prefix))
    return is_common


def _in_form(numbers: Numbers) -> str:
    """A number that needs no step."""
    return rf"^(?:{numbers.national}|(?!00)(?!{number_form.home(numbers)}$)[0-9]+)\z"


def _replaced(text: Column, steps: Sequence[Step]) -> Column:
    return reduce(lambda so_far, step: F.regexp_replace(so_far, *step), steps, text)
