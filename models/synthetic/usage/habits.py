"""How often, when and where subscribers of the synthetic province use the network.

Calls, messages and data sessions share it: daily counts with heavy tails, the hours of the day,
travels, and the other parties. Everything is an array with one entry per event.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.synthetic.people.people import Subscribers
from models.synthetic.province import LINES_PER_CUSTOMER, Province, texts

ROAMING = ("home", "intra_prov", "inter_prov", "hkmotw", "intl")
DAY_SECONDS = 86_400
TRIPS_PER_DAY = 0.006  # chance that a trip begins
TRIP_KINDS = (0.0, 0.38, 0.57, 0.03, 0.02)  # by ROAMING
CONTACTS = 40  # people that one subscriber knows
OPERATORS = np.array(["CMCC", "CU", "CT", "CTT"], dtype=object)
OPERATOR_SHARES = (0.70, 0.18, 0.10, 0.02)
OTHER_PREFIXES = (0, 130, 133, 0)  # mobile numbers of the other operators; the last has fixed lines
HOME_AREA = "027"
# Weight of each hour in the events of a day; the two peaks are before noon and in the evening.
WORKDAY_HOURS = (
    8,
    4,
    2,
    1,
    1,
    2,
    8,
    25,
    55,
    72,
    78,
    70,
    58,
    50,
    56,
    60,
    62,
    70,
    74,
    72,
    68,
    58,
    34,
    16,
)
OTHER_HOURS = (
    12,
    6,
    3,
    2,
    1,
    2,
    5,
    12,
    30,
    52,
    66,
    66,
    58,
    50,
    52,
    55,
    58,
    64,
    72,
    78,
    74,
    62,
    40,
    22,
)


@dataclass(frozen=True)
class Moments:
    """Per event: the subscriber's place in the chunk, the day, and the second of the day."""

    subscriber: np.ndarray
    day: np.ndarray
    second: np.ndarray

    def __len__(self) -> int:
        return len(self.day)

    def take(self, places: np.ndarray) -> Moments:
        """The moments at these places, in this order."""
        return Moments(self.subscriber[places], self.day[places], self.second[places])


def moments(
    province: Province,
    people: Subscribers,
    rng: np.random.Generator,
    per_day: np.ndarray,
    day_factor: np.ndarray,
) -> Moments:
    """Events of active subscribers in order of subscriber, day and second.

    `per_day` is each subscriber's mean number of events, `day_factor` scales the days.
    """
    days = np.arange(province.days)
    counts = rng.poisson(per_day[:, None] * day_factor[None, :] * people.active(days))
    subscriber = np.repeat(np.repeat(np.arange(len(people)), province.days), counts.ravel())
    day = np.repeat(np.tile(days, len(people)), counts.ravel())
    free = np.array([kind != "workday" for kind in province.day_types])[day]
    second = _seconds(rng.random(len(day)), free)
    order = np.lexsort((second, day, subscriber))
    return Moments(subscriber[order], day[order], second[order])


def _seconds(draw: np.ndarray, free: np.ndarray) -> np.ndarray:
    """The second of the day for each draw (0 to 1); `free` marks days that are no workdays."""
    hours = np.arange(25) * 3600.0
    curves = [
        np.concatenate([[0], np.cumsum(shares)]) / sum(shares)
        for shares in (WORKDAY_HOURS, OTHER_HOURS)
    ]
    at_work, at_home = (np.interp(draw, curve, hours) for curve in curves)
    return np.minimum(np.where(free, at_home, at_work).astype(np.int64), DAY_SECONDS - 1)


def apart(found: Moments, lasting: np.ndarray) -> tuple[Moments, np.ndarray]:
    """The events, moved so that each begins after the end of the subscriber's event before.

    `lasting` is in seconds. Events that would move into another day are dropped. Returns the events
    and their places in `found`.
    """
    # The start s_i becomes max(s_i, s'_{i-1} + lasting_{i-1} + 1). This is a running maximum of s
    # minus the time already taken. Each subscriber's time axis begins far after the one before.
    taken = np.concatenate([[0], np.cumsum(lasting + 1)[:-1]]) if len(lasting) else lasting
    far = found.subscriber * np.int64(1 << 40)
    start = found.day * DAY_SECONDS + found.second
    moved = np.maximum.accumulate(far + start - taken) + taken - far
    kept = np.nonzero(moved // DAY_SECONDS == found.day)[0]
    return Moments(found.subscriber[kept], found.day[kept], moved[kept] % DAY_SECONDS), kept


def week_factor(province: Province, free_day: float, festival: float) -> np.ndarray:
    """A factor per day: `free_day` on weekends and holidays, `festival` around Chinese New Year.

    New Year is 26 January 2009; its eve has the most messages of the year.
    """
    factors = np.array([1.0 if kind == "workday" else free_day for kind in province.day_types])
    for number in range(province.days):
        day = province.day(number)
        if (day.year, day.month) == (2009, 1) and 24 <= day.day <= 28:
            factors[number] *= festival if day.day in (25, 26) else (1 + festival) / 2
    return factors


def travels(province: Province, people: Subscribers, chunk: int) -> np.ndarray:
    """The place of ROAMING where each subscriber (row) is on each day (column)."""
    rng = province.rng(chunk, "trips")
    where = np.zeros((len(people), province.days), dtype=np.int64)
    begins = np.argwhere(rng.random(where.shape) < TRIPS_PER_DAY)
    lengths = rng.integers(1, 7, len(begins))
    kinds = rng.choice(len(ROAMING), len(begins), p=TRIP_KINDS)
    for (subscriber, day), length, kind in zip(begins.tolist(), lengths, kinds, strict=True):
        where[subscriber, day : day + length] = kind
    return where


def known_people(
    province: Province, rng: np.random.Generator, line: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The other party of each event: one of the CONTACTS people of the paying line.

    The first ones are drawn most often. The same line and rank always give the same person. Returns
    phone numbers as text and operators; numbers of our operator are lines of the province.
    """
    rank = np.minimum(rng.zipf(1.6, len(line)), CONTACTS)
    person = _mixed(line * 64 + rank + province.seed)
    operator = np.searchsorted(np.cumsum(OPERATOR_SHARES), (person % 1_000) / 1_000, "right")
    ours = province.msisdn((person // 1_000) % province.customers * LINES_PER_CUSTOMER)
    theirs = np.array(OTHER_PREFIXES)[operator] * 100_000_000 + (person // 1_000) % 100_000_000
    numbers = texts(np.where(operator == 0, ours, theirs))
    fixed = operator == len(OPERATORS) - 1
    numbers[fixed] = HOME_AREA + texts(80_000_000 + person[fixed] % 10_000_000)
    return numbers, OPERATORS[operator]


def _mixed(value: np.ndarray) -> np.ndarray:
    """A fixed scramble of integers (splitmix64), never negative."""
    mixed = value.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return ((mixed ^ (mixed >> np.uint64(31))) >> np.uint64(2)).astype(np.int64)
