"""Windows of delivery days, and calendar months: the only time that a run knows.

A run is a function of its window of `data_date`s; nothing here reads a clock. A window includes
both its ends, as people write them. A month is the date of its first day.
"""

import calendar
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from schemas.errors import ConfigError

EARLIEST, LATEST = date(1970, 1, 1), date(2999, 12, 31)


@dataclass(frozen=True)
class Window:
    """The delivery days from `first` to `last`, both included."""

    first: date
    last: date

    def __post_init__(self) -> None:
        if self.last < self.first:
            raise ConfigError(
                f"the window ends before it begins: {self.first}..{self.last}: "
                f"write the earlier date first"
            )

    @classmethod
    def parse(cls, text: str) -> "Window":
        """The window written `2009-05-03` or `2009-01-01..2009-05-03`."""
        first, dots, last = text.partition("..")
        return cls(parse_date(first), parse_date(last if dots else first))

    @property
    def single(self) -> bool:
        """Whether the window is one day."""
        return self.first == self.last

    def days(self) -> list[date]:
        return [self.first + timedelta(days=n) for n in range((self.last - self.first).days + 1)]

    def contains(self, day: date) -> bool:
        return self.first <= day <= self.last

    def months(self) -> list[date]:
        """The months that the window touches, oldest first."""
        months = [month_of(self.first)]
        while months[-1] < month_of(self.last):
            months.append(add_months(months[-1], 1))
        return months

    def __str__(self) -> str:
        return str(self.first) if self.single else f"{self.first}..{self.last}"


def grouped(
    days: Iterable[date], alike: Callable[[date, date], bool] | None = None
) -> list[Window]:
    """Days grouped into windows of consecutive days that are `alike`, if it is given."""
    found: list[Window] = []
    for day in sorted(days):
        last = found[-1].last if found else None
        if last and day - last == timedelta(days=1) and (alike is None or alike(last, day)):
            found[-1] = Window(found[-1].first, day)
        else:
            found.append(Window(day, day))
    return found


def parse_date(text: str) -> date:
    """The date written YYYY-MM-DD; ConfigError for another form or an impossible day.

    The years have a limit, so that a month before or after is a date too.
    """
    text = text.strip()
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        raise ConfigError(
            f"not a date: '{shortened(text)}'; write YYYY-MM-DD, for example 2009-05-03"
        )
    try:
        found = date.fromisoformat(text)
    except ValueError:
        raise ConfigError(
            f"no such date: {text}; write an existing day as YYYY-MM-DD, for example 2009-05-03"
        ) from None
    if not EARLIEST <= found <= LATEST:
        raise ConfigError(f"no day of data: {text}; write a day from {EARLIEST} to {LATEST}")
    return found


def shortened(text: str, longest: int = 40) -> str:
    """A value that somebody wrote, in one line that is short enough for a message."""
    text = " ".join(text.split())
    return text if len(text) <= longest else text[: longest - 1] + "…"


def month_of(day: date) -> date:
    """The month of a day, as the date of its first day."""
    return day.replace(day=1)


def add_months(day: date, n: int) -> date:
    """The same day `n` months later (negative: earlier), at most that month's last day."""
    count = day.year * 12 + day.month - 1 + n
    year, month = count // 12, count % 12 + 1
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


def closing_day(month: date, close_day: int) -> date:
    """The data_date on which `month` closes: its data are complete.

    `close_day` ≥ 1: that day of the following month, when its bills are delivered (at most the
    last day). 0: the month's own last day, if no bills are delivered.
    """
    following = add_months(month_of(month), 1)
    if close_day == 0:
        return following - timedelta(days=1)
    return following.replace(
        day=min(close_day, calendar.monthrange(following.year, following.month)[1])
    )


def closed_months(on: date, n: int, close_day: int) -> list[date]:
    """The last `n` months that are closed on `on`, oldest first."""
    newest = month_of(on)
    while closing_day(newest, close_day) > on:
        newest = add_months(newest, -1)
    return [add_months(newest, -back) for back in range(n - 1, -1, -1)]


def closes_in(window: Window, close_day: int) -> bool:
    """Whether a month closes on one of the days of the window."""
    earliest = add_months(month_of(window.first), -1)
    months = Window(earliest, window.last).months()
    return any(window.contains(closing_day(month, close_day)) for month in months)
