"""Validity intervals are half-open, and a null end means that there is no end."""

from datetime import date

import pytest
from pyspark.sql import functions as F

from models.frames.validity import not_ended, valid_at, valid_during
from tests.given.frames import local_frame

# Valid from 2 to 4 March: the last valid day is the 4th. The second row has no end.
ENDING = (date(2009, 3, 2), date(2009, 3, 5))
ENDLESS = (date(2009, 3, 2), None)


def march(number):
    return F.lit(date(2009, 3, number))


@pytest.fixture(scope="module")
def answers(spark):
    """(condition, whether the interval has no end) → the result, all from one query."""
    conditions = {
        **{("at", day): valid_at(march(day)) for day in (1, 2, 4, 5)},
        **{("not ended", day): not_ended(march(day)) for day in (1, 4, 5)},
        ("during", 1, 1): valid_during(march(1), march(1)),
        ("during", 1, 2): valid_during(march(1), march(2)),
        ("during", 4, 9): valid_during(march(4), march(9)),
        ("during", 5, 9): valid_during(march(5), march(9)),
        ("columns", 4): valid_at(march(4), F.col("valid_from"), F.col("valid_to")),
    }
    rows = local_frame(spark, [ENDING, ENDLESS], "valid_from date, valid_to date")
    named = [condition.alias(str(no)) for no, condition in enumerate(conditions.values())]
    found = rows.select("valid_to", *named).collect()
    return {
        (name, row.valid_to is None): row[str(no)]
        for row in found
        for no, name in enumerate(conditions)
    }


@pytest.mark.parametrize(
    ("condition", "ending", "endless"),
    [
        (("at", 1), False, False),
        (("at", 2), True, True),  # the begin is included
        (("at", 4), True, True),
        (("at", 5), False, True),  # the end is not
        (("not ended", 1), True, True),  # not begun either: only the end is looked at
        (("not ended", 4), True, True),
        (("not ended", 5), False, True),
        (("during", 1, 1), False, False),
        (("during", 1, 2), True, True),
        (("during", 4, 9), True, True),
        (("during", 5, 9), False, True),
        (("columns", 4), True, True),
    ],
)
def test_an_interval_is_half_open(answers, condition, ending, endless):
    assert answers[condition, False] is ending
    assert answers[condition, True] is endless
