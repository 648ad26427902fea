"""WLAN sessions of a chunk of the synthetic province: few people at a few hot spots.

It is a trial of the operator: sessions are free of charge and are on no bill.
"""

from __future__ import annotations

import numpy as np

from models.synthetic.people.people import Subscribers
from models.synthetic.province import AREA_CODES, Province, texts, wall_clock
from models.synthetic.rows import Rows
from models.synthetic.usage.habits import apart, moments, week_factor

USER_SHARE, SESSIONS_A_DAY = 0.1, 0.15
HOTSPOTS = np.array(
    [f"HB-{area}-{n:04d}" for area in AREA_CODES for n in range(1, 6)], dtype=object
)
CARRIERS = np.array(["", "", "", "", "CSL"], dtype=object)


def wlan_rows(province: Province, chunk: int, people: Subscribers) -> Rows:
    """The session records as the billing system delivers them."""
    rng = province.rng(chunk, "wlan")
    users = (people.browsing > 0) & (rng.random(len(people)) < USER_SHARE)
    when = moments(province, people, rng, SESSIONS_A_DAY * users, week_factor(province, 1.2, 0.8))
    duration = np.minimum(rng.lognormal(6.5, 0.8, len(when)).astype(np.int64) + 30, 7_200)
    when, kept = apart(when, duration)
    duration = np.minimum(duration[kept], 86_399 - when.second)  # cut at midnight
    count = len(when)
    down = (duration * rng.lognormal(8.5, 1.0, count)).astype(np.int64)
    return Rows.of(
        {
            "session_id": "L" + texts((chunk + 1) * 1_000_000 + np.arange(count)),
            "msisdn": people.number_at(when.subscriber, when.day),
            "auth_type": rng.choice(np.array(["1", "1", "2", "3"], dtype=object), count),
            "hotspot_id": rng.choice(HOTSPOTS, count),
            "start_time": wall_clock(province, when.day, when.second),
            "end_time": wall_clock(province, when.day, when.second + duration),
            "duration": duration,
            "up_bytes": down // 10,
            "down_bytes": down,
            "roam_carrier": rng.choice(CARRIERS, count),
            "stop_cause": rng.choice(np.array(["1", "1", "1", "2", "4"], dtype=object), count),
            "comm_fee": np.zeros(count, dtype=np.int64),
            "disc_fee": np.zeros(count, dtype=np.int64),
        },
        when.day,
        when.second,
    )
