"""GPRS sessions of a chunk of the synthetic province, before anything is broken.

Half of the subscribers use data: most of them a little over WAP, a few of them a lot. Records have
no fee, because billing rates the month.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.synthetic.people.people import Subscribers
from models.synthetic.province import Province, texts, wall_clock
from models.synthetic.rows import Rows, stack
from models.synthetic.usage.habits import DAY_SECONDS, Moments, apart, moments, week_factor

SESSIONS_A_DAY, CMWAP_SHARE = 0.4, 0.78
CUT_SHARE = 0.03  # sessions that the gateway cuts in two; at midnight it cuts every session
LARGEST_SESSION = 40 * 1024 * 1024
GATEWAYS = np.array(["211.137.58.1", "211.137.58.2", "211.137.59.1"], dtype=object)


@dataclass(frozen=True)
class Sessions:
    """One entry per true session of the chunk, in order of subscriber and time."""

    when: Moments
    roaming: np.ndarray
    wap: np.ndarray
    duration: np.ndarray
    up: np.ndarray
    down: np.ndarray

    def __len__(self) -> int:
        return len(self.up)


def sessions(province: Province, chunk: int, people: Subscribers, where: np.ndarray) -> Sessions:
    """The true sessions of the chunk; `where` is the matrix of travels."""
    rng = province.rng(chunk, "data")
    found = moments(
        province, people, rng, SESSIONS_A_DAY * people.browsing, week_factor(province, 1.1, 0.9)
    )
    duration = np.minimum(rng.lognormal(4.6, 1.1, len(found)).astype(np.int64) + 1, 14_400)
    found, kept = apart(found, duration)
    duration = duration[kept]
    hunger = rng.lognormal(0.0, 0.8, len(people))[found.subscriber]
    total = rng.lognormal(9.4, 1.3, len(found)) * hunger
    total = np.minimum(total.astype(np.int64) + 200, LARGEST_SESSION)
    up = (total * rng.uniform(0.05, 0.3, len(found))).astype(np.int64)
    return Sessions(
        when=found,
        roaming=where[found.subscriber, found.day],
        wap=rng.random(len(found)) < CMWAP_SHARE,
        duration=duration,
        up=up,
        down=total - up,
    )


def session_rows(province: Province, chunk: int, people: Subscribers, sessions: Sessions) -> Rows:
    """The session records as the billing system delivers them, some sessions in two parts.

    Charging ids repeat after 2³² sessions of a gateway, so the start time is part of the key.
    """
    when = sessions.when
    place = np.arange(len(sessions))
    duration = sessions.duration
    first = _first_part(province, chunk, sessions)
    columns = {
        "charging_id": texts((chunk * 10_000_019 + place) * 2_654_435_761 % (1 << 32)),
        "ggsn_addr": GATEWAYS[place % len(GATEWAYS)],
        "msisdn": people.number_at(when.subscriber, when.day),
        "apn": np.where(sessions.wap, "CMWAP", "CMNET").astype(object),
        "start_time": wall_clock(province, when.day, when.second),
        "duration": first,
        "up_bytes": sessions.up * first // duration,
        "down_bytes": sessions.down * first // duration,
        "roam_type": sessions.roaming,
        "comm_fee": np.zeros(len(sessions), dtype=np.int64),
    }
    rest = np.nonzero(first < duration)[0]
    start = (when.day * DAY_SECONDS + when.second + first)[rest]
    day, second = start // DAY_SECONDS, start % DAY_SECONDS
    later = {name: values[rest] for name, values in columns.items()} | {
        "start_time": wall_clock(province, day, second),
        "duration": (duration - first)[rest],
        "up_bytes": (sessions.up - columns["up_bytes"])[rest],
        "down_bytes": (sessions.down - columns["down_bytes"])[rest],
    }
    return stack([Rows.of(columns, when.day, when.second), Rows.of(later, day, second)])


def _first_part(province: Province, chunk: int, sessions: Sessions) -> np.ndarray:
    """The seconds of each session's first part; all seconds of a session that is not cut."""
    rng = province.rng(chunk, "parts of sessions")
    duration, left = sessions.duration, DAY_SECONDS - sessions.when.second
    cut = (rng.random(len(duration)) < CUT_SHARE) & (duration > 1)
    part = np.maximum((duration * rng.random(len(duration))).astype(np.int64), 1)
    first = np.where(cut, part, duration)
    at_midnight = (duration > left) & (sessions.when.day + 1 < province.days)
    return np.where(at_midnight, left, np.where(duration > left, duration, first))
