"""Which day a scheduled run takes in: the parameter, else the local date of the run minus one."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from jobs.plan.data_date import resolve_data_date
from schemas.errors import ConfigError

CHINA = ZoneInfo("Asia/Shanghai")


@pytest.mark.parametrize(
    ("case", "run_at", "expected"),
    [
        (
            "00:30 in China is the day before in UTC; the local date counts",
            datetime(2009, 5, 4, 0, 30, tzinfo=CHINA),
            date(2009, 5, 3),
        ),
        (
            "07:30 in China is still the day before in UTC",
            datetime(2009, 5, 4, 7, 30, tzinfo=CHINA),
            date(2009, 5, 3),
        ),
        (
            "08:00 in China is midnight in UTC; nothing changes",
            datetime(2009, 5, 4, 8, 0, tzinfo=CHINA),
            date(2009, 5, 3),
        ),
        (
            "the last minute of the local day",
            datetime(2009, 5, 4, 23, 59, tzinfo=CHINA),
            date(2009, 5, 3),
        ),
        (
            "the same instant as 00:30 in China, written in UTC as Airflow does",
            datetime(2009, 5, 3, 16, 30, tzinfo=UTC),
            date(2009, 5, 3),
        ),
        (
            "one minute before midnight in China, written in UTC",
            datetime(2009, 5, 3, 15, 59, tzinfo=UTC),
            date(2009, 5, 2),
        ),
        (
            "a naive time is UTC: 23:30 is 07:30 of the next day in China",
            datetime(2009, 5, 3, 23, 30),  # noqa: DTZ001
            date(2009, 5, 3),
        ),
        (
            "the first of a month takes in the last of the month before",
            datetime(2009, 3, 1, 6, 0, tzinfo=CHINA),
            date(2009, 2, 28),
        ),
    ],
)
def test_a_run_takes_in_the_local_day_before(case, run_at, expected):
    assert resolve_data_date(None, run_at, "Asia/Shanghai") == expected, case


def test_the_zone_is_the_configured_one():
    run_at = datetime(2009, 5, 3, 17, 0, tzinfo=UTC)
    assert resolve_data_date(None, run_at, "Asia/Shanghai") == date(2009, 5, 3)
    assert resolve_data_date(None, run_at, "Europe/Copenhagen") == date(2009, 5, 2)


def test_the_parameter_wins_over_the_time_of_the_run():
    run_at = datetime(2011, 1, 1, 6, 0, tzinfo=CHINA)
    assert resolve_data_date("2009-05-03", run_at, "Asia/Shanghai") == date(2009, 5, 3)


def test_a_run_by_hand_without_a_time_needs_the_parameter():
    assert resolve_data_date("2009-05-03", None, "Asia/Shanghai") == date(2009, 5, 3)
    for nothing in (None, ""):
        with pytest.raises(ConfigError, match="give the parameter data_date"):
            resolve_data_date(nothing, None, "Asia/Shanghai")


def test_an_impossible_parameter_is_refused():
    with pytest.raises(ConfigError, match="2009-02-30"):
        resolve_data_date("2009-02-30", None, "Asia/Shanghai")
