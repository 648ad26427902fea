"""Which package each subscriber of the synthetic province has, day by day.

Every subscriber always has one voice package. Some have a GPRS or an SMS package; the others pay
the standard price of the configuration. Most changes take effect on the first of a month and are
ordered in the weeks before; a few take effect within a month.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from models.synthetic.people.people import BRANDS, Subscribers
from models.synthetic.province import NEVER, Province
from schemas.errors import ConfigError

KINDS = ("voice", "gprs", "sms")
SHARE_WITH = {"voice": 1.0, "gprs": 0.45, "sms": 0.25}  # of the users of the service
CHANGE_AT_MONTH_START = {"voice": 0.04, "gprs": 0.03, "sms": 0.02}
CHANGE_WITHIN_MONTH = {"voice": 0.012, "gprs": 0.006, "sms": 0.0}
ORDER_CHANNELS = ("营业厅", "热线", "短信", "网站", "WAP", "客户经理")


@dataclass(frozen=True)
class Holding:
    """One package of one subscriber on the days [start, end).

    `ordered` and `cancelled` are the days of the order and, if `end` is known, of the cancellation,
    which is delivered on its own day.
    """

    subscriber: int
    kind: str
    package: str
    start: int
    end: int
    ordered: int
    cancelled: int
    order_channel: str


def require_packages(province: Province) -> None:
    """Raise ConfigError if a brand has no voice package through the whole history."""
    for brand in BRANDS:
        if not choices(province, "voice", brand):
            raise ConfigError(
                f"tariffs: no voice package of {brand} is valid from {province.first} to "
                f"{province.last}: the synthetic province needs one for each brand"
            )


def choices(province: Province, kind: str, brand: str) -> list[str]:
    """Package ids of a kind that a brand can have through the whole history, cheapest first."""
    open_ids = [
        package["id"]
        for package in province.packages.values()
        if package.get("kind") == kind
        and brand in package["brands"]
        and package["id"] not in province.defaults.values()
        and package["valid"]["from"] <= province.first
        and package["valid"]["to"] > province.last
    ]
    return sorted(open_ids, key=lambda one: (Fraction(province.packages[one]["monthly_fee"]), one))


def holdings(province: Province, chunk: int, people: Subscribers) -> list[Holding]:
    """Every holding of the chunk's subscribers that touches the history or ended before it."""
    rng = province.rng(chunk, "packages")
    options = {(kind, brand): choices(province, kind, brand) for kind in KINDS for brand in BRANDS}
    month_starts = [n for n in range(1, province.days) if province.day(n).day == 1]
    tastes = {"voice": people.talking, "gprs": people.browsing, "sms": people.texting}
    found: list[Holding] = []
    for kind in KINDS:
        # Most people want a small package: the wish grows with the square of the rank among the
        # users of the service.
        users = np.sort(tastes[kind][tastes[kind] > 0])
        rank = np.searchsorted(users, tastes[kind]) / max(1, len(users))
        wishes = rank**2 + rng.normal(0, 0.2, len(people))
        for subscriber in range(len(people)):
            ids = options[kind, BRANDS[people.brand[subscriber]]]
            if tastes[kind][subscriber] == 0:
                continue
            life = (int(people.joined[subscriber]), int(people.left[subscriber]))
            changes = _change_days(province, rng, kind, life, month_starts)
            if kind == "voice" and len(ids) == 1:
                changes = []  # there is no other package
            wanted = float(wishes[subscriber])
            found += _timeline(province, rng, subscriber, kind, ids, life, changes, wanted)
    return found


def _change_days(
    province: Province,
    rng: np.random.Generator,
    kind: str,
    life: tuple[int, int],
    month_starts: Sequence[int],
) -> list[int]:
    """The days on which the subscriber changes the package of a kind, in order."""
    joined, left = life
    share = CHANGE_AT_MONTH_START[kind]
    draws = rng.random(len(month_starts))
    days = {day for day, draw in zip(month_starts, draws, strict=True) if draw < share}
    if rng.random() < CHANGE_WITHIN_MONTH[kind]:
        day = int(rng.integers(1, max(2, province.days)))
        if province.day(day).day > 1:
            days.add(day)
    return sorted(day for day in days if max(joined, 0) < day < left)


def _timeline(
    province: Province,
    rng: np.random.Generator,
    subscriber: int,
    kind: str,
    ids: Sequence[str],
    life: tuple[int, int],
    changes: Sequence[int],
    wanted: float,
) -> list[Holding]:
    """The holdings of one subscriber and kind; a change ends one, begins one, or both."""
    joined, left = life
    bounds = [max(joined, 0), *changes, left]
    orders = [
        _order_day(province, rng, day, floor) for floor, day in zip(bounds, changes, strict=False)
    ]
    ordered_at = dict(zip(changes, orders, strict=True)) | {
        left: NEVER if left == NEVER else left - 1
    }
    current = _pick(rng, kind, ids, wanted)
    result = []
    for begin, end in itertools.pairwise(bounds):
        if current is not None:
            start, ordered = begin, ordered_at.get(begin, joined)
            if begin == bounds[0] and joined < 0:
                opened = province.number_of(province.packages[current]["valid"]["from"])
                start = max(joined, opened, -int(rng.integers(0, 700)))
                ordered = max(start - int(rng.integers(1, 16)), joined)
            channel = ORDER_CHANNELS[rng.integers(0, len(ORDER_CHANNELS))]
            result.append(
                Holding(subscriber, kind, current, start, end, ordered, ordered_at[end], channel)
            )
        others = [one for one in ids if one != current]
        current = _pick(rng, kind, others, wanted)
    return [holding for holding in result if holding.start < holding.end]


def _order_day(province: Province, rng: np.random.Generator, day: int, floor: int) -> int:
    """The day on which a change that takes effect on `day` is ordered.

    Within a month it is the day before, on the first of a month up to 15 days before. It is not
    before `floor`, on which the holding before began, but always before `day`.
    """
    early = 1 if province.day(day).day > 1 else int(rng.integers(1, 16))
    return min(day - 1, max(day - early, floor))


def _pick(rng: np.random.Generator, kind: str, ids: Sequence[str], wanted: float) -> str | None:
    """The package at place `wanted` (0 to 1, cheapest first); None for those who take none."""
    if not ids or rng.random() >= SHARE_WITH[kind]:
        return None
    return ids[min(len(ids) - 1, max(0, int(wanted * len(ids))))]
