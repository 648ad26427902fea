"""The plan of the synthetic province: days, phone numbers, chunks and random streams.

A province is a pure function of (seed, customers, days, packages). Customers are generated in
chunks of `CHUNK_CUSTOMERS`. Every chunk has its own random streams, derived from the seed, the
chunk's number and a noun for what is drawn. So chunks can be generated in any order and by any
process, and memory does not grow with the province.

Days are integers: 0 is the first day of the history, earlier days are negative.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property, lru_cache

import numpy as np

from schemas.window import add_months

CHUNK_CUSTOMERS = 250
NEVER = 1 << 20  # a day after every history
LINES_PER_CUSTOMER = 4  # number blocks: first line, second line, a changed number of either
CITIES = ("武汉", "宜昌", "襄樊", "荆州", "黄石", "十堰")
AREA_CODES = ("027", "0717", "0710", "0716", "0714", "0719")
MOBILE_PREFIXES = np.array([135, 136, 137, 138, 139, 150, 151, 158, 159, 134], dtype=np.int64)
UTC_OFFSET_S = 8 * 3600  # Asia/Shanghai, without summer time since 1991


@dataclass(frozen=True)
class Province:
    """The plan of a province.

    `packages`: tariff documents by id. `defaults`: by kind, the package that prices subscribers
    without one. `services`: the type of each business code.
    """

    seed: int
    customers: int
    first: date
    last: date
    packages: Mapping[str, Mapping]
    defaults: Mapping[str, str]
    services: Mapping[str, str]
    holidays: frozenset = frozenset()

    @property
    def days(self) -> int:
        """Days of history, both ends included."""
        return (self.last - self.first).days + 1

    @property
    def chunks(self) -> int:
        """The number of chunks."""
        return -(-self.customers // CHUNK_CUSTOMERS)

    def customers_of(self, chunk: int) -> np.ndarray:
        """Customer numbers (0-based over the province) of a chunk."""
        start = chunk * CHUNK_CUSTOMERS
        return np.arange(start, min(start + CHUNK_CUSTOMERS, self.customers), dtype=np.int64)

    def rng(self, chunk: int, *noun: str) -> np.random.Generator:
        """The random stream of one noun of one chunk."""
        return np.random.default_rng([self.seed, chunk, *" ".join(noun).encode()])

    def day(self, number: int) -> date:
        """The date of a day of the history, or before it."""
        return self.first + timedelta(days=int(number))

    def number_of(self, day: date) -> int:
        """The number of a day; 0 is the first day of the history."""
        return (day - self.first).days

    def days_of_month(self, number: int) -> list[int]:
        """The days of the history with this day of the month."""
        return [day for day in range(self.days) if self.day(day).day == number]

    @cached_property
    def day_texts(self) -> np.ndarray:
        """Text yyyyMMdd of every day of the history."""
        return np.array([f"{self.day(n):%Y%m%d}" for n in range(self.days)], dtype=object)

    @cached_property
    def day_types(self) -> list[str]:
        """workday, weekend or holiday for every day of the history."""
        return [self._day_type(self.day(n)) for n in range(self.days)]

    def _day_type(self, day: date) -> str:
        if day in self.holidays:
            return "holiday"
        return "weekend" if day.weekday() >= 5 else "workday"

    @cached_property
    def billed_months(self) -> list[date]:
        """First days of the billed months.

        A month is billed if its first day and the day of its bills lie within the history.
        """
        months: list[date] = []
        month = self.first.replace(day=1)
        while True:
            following = (month + timedelta(days=31)).replace(day=1)
            if following + timedelta(days=BILL_DAY - 1) > self.last:
                return months
            if month >= self.first:
                months.append(month)
            month = following

    def msisdn(self, line: np.ndarray) -> np.ndarray:
        """The mobile number of each line, as an integer of 11 digits.

        A line is customer × LINES_PER_CUSTOMER + 0…3. Up to 25 million customers, no two lines have
        the same number. Neighbouring lines do not have neighbouring numbers.
        """
        digits = (line * 38_196_601 + 7_919 * (self.seed % 9_973)) % 100_000_000
        return MOBILE_PREFIXES[(digits // 7) % 10] * 100_000_000 + digits


BILL_DAY = 3  # day of the next month on which the bills of a month are delivered


def clock_texts(seconds: np.ndarray) -> np.ndarray:
    """HHmmss of seconds since midnight, as an object array."""
    return _all_clock_texts()[seconds]


@lru_cache(maxsize=1)
def _all_clock_texts() -> np.ndarray:
    texts = [f"{h:02d}{m:02d}{s:02d}" for h in range(24) for m in range(60) for s in range(60)]
    return np.array(texts, dtype=object)


def wall_clock(province: Province, days: np.ndarray, seconds: np.ndarray) -> np.ndarray:
    """Text yyyyMMddHHmmss of days of the history and seconds since midnight."""
    return province.day_texts[days] + clock_texts(seconds)


def month_before(day: date) -> str:
    """Text yyyyMM of the month before the day's month."""
    return f"{add_months(day.replace(day=1), -1):%Y%m}"


def moment(province: Province, day: int, second: int) -> str:
    """Text yyyyMMddHHmmss of any day, also before the history."""
    return f"{province.day(day):%Y%m%d}{_all_clock_texts()[second]}"


def texts(values: np.ndarray) -> np.ndarray:
    """Integers as decimal text, in an object array."""
    result = np.empty(len(values), dtype=object)
    result[:] = list(map(str, values.tolist()))
    return result
