"""Days, months and the days on which months close."""

from datetime import date

import pytest

from schemas.errors import ConfigError
from schemas.window import (
    Window,
    add_months,
    closed_months,
    closes_in,
    closing_day,
    month_of,
    parse_date,
)

JAN, FEB, MAR, APR = (date(2009, month, 1) for month in (1, 2, 3, 4))


def test_a_window_holds_both_its_ends():
    window = Window.parse("2009-02-27..2009-03-02")
    assert window.days() == [
        date(2009, 2, 27),
        date(2009, 2, 28),
        date(2009, 3, 1),
        date(2009, 3, 2),
    ]
    assert window.contains(date(2009, 2, 27))
    assert window.contains(date(2009, 3, 2))
    assert not window.contains(date(2009, 2, 26))
    assert not window.contains(date(2009, 3, 3))
    assert window.months() == [FEB, MAR]
    assert not window.single


def test_a_window_of_one_day_is_written_as_the_day():
    assert str(Window.parse("2009-05-03")) == "2009-05-03"
    assert Window.parse("2009-05-03").single
    assert str(Window.parse("2009-01-01..2009-05-03")) == "2009-01-01..2009-05-03"


def test_a_leap_year_has_29_february():
    assert Window.parse("2008-02-28..2008-03-01").days()[1] == date(2008, 2, 29)


@pytest.mark.parametrize("text", ["2009-02-29", "2009-13-01", "2009-04-31"])
def test_a_day_that_no_calendar_has_is_refused(text):
    with pytest.raises(ConfigError, match=f"no such date: {text}; write .* YYYY-MM-DD"):
        parse_date(text)


@pytest.mark.parametrize("text", ["", "yesterday", "20090503", "2009-5-3", "2009-05-03T00:00"])
def test_another_form_of_date_is_refused_with_the_accepted_one(text):
    with pytest.raises(ConfigError, match="write YYYY-MM-DD, for example 2009-05-03"):
        parse_date(text)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("2009/05/03", "'2009/05/03'"),
        (" 3.5.2009 ", "'3.5.2009'"),
        ("２００９-05-03", "'２００９-05-03'"),
        ("2009-05-03\n2009-05-04", "'2009-05-03 2009-05-04'"),
        ("9" * 50, f"'{'9' * 39}…'"),
    ],
)
def test_what_is_no_date_is_shown_shortly_in_one_line(text, shown):
    with pytest.raises(ConfigError) as raised:
        parse_date(text)
    assert str(raised.value) == (f"not a date: {shown}; write YYYY-MM-DD, for example 2009-05-03")


@pytest.mark.parametrize("text", ["0001-01-01", "1969-12-31", "3000-01-01", "9999-12-31"])
def test_a_day_far_from_any_data_is_refused_with_the_limits(text):
    with pytest.raises(ConfigError, match=f"{text}; write a day from 1970-01-01 to 2999-12-31"):
        parse_date(text)


def test_a_window_that_ends_before_it_begins_is_refused():
    with pytest.raises(ConfigError, match="ends before it begins"):
        Window.parse("2009-05-03..2009-05-02")


def test_months_are_added_over_the_year_and_the_day_is_cut_to_the_month():
    assert add_months(date(2008, 12, 1), 2) == FEB
    assert add_months(date(2009, 1, 31), 1) == date(2009, 2, 28)
    assert add_months(date(2008, 1, 31), 1) == date(2008, 2, 29)
    assert add_months(FEB, -14) == date(2007, 12, 1)
    assert month_of(date(2009, 2, 28)) == FEB


@pytest.mark.parametrize(
    ("on", "closed"),
    [
        ("2009-05-02", [JAN, FEB, MAR]),  # the day before the bills of April
        ("2009-05-03", [FEB, MAR, APR]),  # the day on which they come
        ("2009-05-31", [FEB, MAR, APR]),
    ],
)
def test_a_month_closes_on_the_day_its_bills_are_delivered(on, closed):
    assert closed_months(parse_date(on), 3, close_day=3) == closed


@pytest.mark.parametrize(
    ("on", "closed"),
    [
        ("2008-02-28", date(2008, 1, 1)),  # a leap February has a day to go
        ("2008-02-29", date(2008, 2, 1)),
        ("2009-02-27", JAN),
        ("2009-02-28", FEB),
    ],
)
def test_without_bills_a_month_closes_on_its_own_last_day(on, closed):
    assert closed_months(parse_date(on), 1, close_day=0) == [closed]


def test_a_closing_day_beyond_the_following_month_is_its_last_day():
    assert closing_day(JAN, 31) == date(2009, 2, 28)
    assert closed_months(date(2009, 2, 28), 1, close_day=31) == [JAN]


@pytest.mark.parametrize(
    ("window", "close_day", "closes"),
    [
        ("2009-05-02", 3, False),
        ("2009-05-03", 3, True),
        ("2009-05-04", 3, False),
        ("2009-05-04..2009-06-02", 3, False),
        ("2009-05-04..2009-06-03", 3, True),
        ("2009-01-01..2009-05-03", 3, True),
        ("2008-02-28", 0, False),
        ("2008-02-29", 0, True),
        ("2009-03-01..2009-03-30", 0, False),
        ("2009-12-31", 0, True),
        ("2010-01-01", 1, True),
    ],
)
def test_whether_a_month_closes_within_a_window(window, close_day, closes):
    assert closes_in(Window.parse(window), close_day) is closes
