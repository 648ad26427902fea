"""Voice records of a chunk of the synthetic province, before anything is broken.

The mix is that of 2009:
- calls made and received, one in eleven of them missed
- local calls, and long distance dialled direct, through 17951 or through 12593
- roaming, calls within company groups (VPMN), and a few calls to information lines

Ordinary records have no airtime fee, because billing rates the month. 12593 calls and information
fees are charged on the record. The toll of a call dialled direct is on the record too, at the price
of the subscriber's own package.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.synthetic.people.people import Subscribers
from models.synthetic.province import AREA_CODES, Province, texts, wall_clock
from models.synthetic.rows import Rows
from models.synthetic.usage.habits import (
    ROAMING,
    Moments,
    apart,
    known_people,
    moments,
    week_factor,
)

DIRECTIONS = ("mo", "mt", "fwd")
TOLLS = ("local", *ROAMING[1:])
DIALS = ("direct", "ip17951", "ip12593")
MO, MT, FWD = range(3)
DIRECT, IP17951, IP12593 = range(3)
CALLS_A_DAY = 3.6
MISSED_SHARE, BUSY_SHARE, IN_GROUP_SHARE, INFO_SHARE = 0.09, 0.3, 0.3, 0.004
DIRECTION_SHARES = (0.48, 0.50, 0.02)
TOLL_SHARES = (0.79, 0.11, 0.092, 0.004, 0.004)
IP_HABIT, IP12593_HABIT = 0.35, 0.1
FEE_12593 = 300  # 厘 a started minute, charged on the record
INFO_FEE = 500  # 厘 a started minute of an information line
NOON = 43_200


@dataclass(frozen=True)
class Calls:
    """One entry per true call of the chunk, in order of subscriber and time.

    `duration` (seconds) is 0 for a missed call. Codes are places of DIRECTIONS, ROAMING, TOLLS and
    DIALS. Fees are in 厘.
    """

    when: Moments
    direction: np.ndarray
    roaming: np.ndarray
    toll: np.ndarray
    dial: np.ndarray
    in_group: np.ndarray
    duration: np.ndarray
    busy: np.ndarray
    other: np.ndarray
    operator: np.ndarray
    fee_12593: np.ndarray
    info_fee: np.ndarray

    def __len__(self) -> int:
        return len(self.direction)


def calls(province: Province, chunk: int, people: Subscribers, where: np.ndarray) -> Calls:
    """The true calls of the chunk; `where` is the matrix of travels."""
    rng = province.rng(chunk, "voice")
    found = moments(
        province, people, rng, CALLS_A_DAY * people.talking, week_factor(province, 0.9, 1.6)
    )
    talk = rng.lognormal(3.9, 1.0, len(found)).astype(np.int64) + 1
    talk = np.minimum(talk, 7_200)
    missed = rng.random(len(found)) < MISSED_SHARE
    found, kept = apart(found, np.where(missed, 0, talk) + 20)
    missed, talk = missed[kept], talk[kept]
    count, subscriber = len(found), found.subscriber
    direction = rng.choice(3, count, p=DIRECTION_SHARES)
    roaming = where[subscriber, found.day]
    made = direction == MO
    in_group = (people.vpmn[subscriber] >= 0) & (direction != FWD) & (roaming == 0)
    in_group &= rng.random(count) < IN_GROUP_SHARE
    toll = np.where(made | (direction == FWD), rng.choice(5, count, p=TOLL_SHARES), 0)
    info = made & (roaming == 0) & ~in_group & ~missed & (rng.random(count) < INFO_SHARE)
    toll[in_group | info] = 0
    dial = _dial(rng, people, found, made & (toll > 0) & (roaming == 0))
    minutes = -(-np.where(missed, 0, talk) // 60)
    other, operator = _others(province, rng, people, found, in_group, info, toll, dial)
    return Calls(
        when=found,
        direction=direction,
        roaming=roaming,
        toll=toll,
        dial=dial,
        in_group=in_group,
        duration=np.where(missed, 0, talk),
        busy=rng.random(count) < BUSY_SHARE,
        other=other,
        operator=operator,
        fee_12593=np.where(dial == IP12593, minutes * FEE_12593, 0),
        info_fee=np.where(info, minutes * INFO_FEE, 0),
    )


def _dial(
    rng: np.random.Generator, people: Subscribers, found: Moments, far: np.ndarray
) -> np.ndarray:
    """How each call is dialled, as a place of DIALS; only calls in `far` may use a prefix.

    Some lines dial 12593 for half of their calls; otherwise about a third of calls use 17951.
    """
    habit = (people.line[found.subscriber] * 2_654_435_761 % 1_000) / 1_000 < IP12593_HABIT
    dial = np.where(rng.random(len(found)) < IP_HABIT, IP17951, DIRECT)
    dial[habit & (rng.random(len(found)) < 0.5)] = IP12593
    return np.where(far, dial, DIRECT)


def _others(
    province: Province,
    rng: np.random.Generator,
    people: Subscribers,
    found: Moments,
    in_group: np.ndarray,
    info: np.ndarray,
    toll: np.ndarray,
    dial: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """The other number as dialled, and its operator."""
    other, operator = known_people(province, rng, people.line[found.subscriber])
    other[in_group] = _group_numbers(rng, people, found, in_group)
    operator[in_group] = "CMCC"
    other[info] = "12590" + texts(1_000 + people.line[found.subscriber[info]] % 50)
    operator[info] = "CMCC"
    abroad = toll >= 3
    prefixes = np.array(["", "", "", "00852", "001"], dtype=object)[toll[abroad]]
    other[abroad] = prefixes + texts(20_000_000 + people.line[found.subscriber[abroad]] % 7_000_000)
    operator[abroad] = "INTL"
    other[dial == IP17951] = "17951" + other[dial == IP17951]
    other[dial == IP12593] = "12593" + other[dial == IP12593]
    return other, operator


def _group_numbers(
    rng: np.random.Generator, people: Subscribers, found: Moments, in_group: np.ndarray
) -> np.ndarray:
    """The short or the long number of a colleague, for each call within a group."""
    caller = found.subscriber[in_group]
    members: dict[int, np.ndarray] = {
        group: np.nonzero(people.vpmn == group)[0]
        for group in np.unique(people.vpmn[people.vpmn >= 0]).tolist()
    }
    draw = rng.random(len(caller))
    colleague = np.array(
        [
            members[group][int(share * len(members[group]))]
            for group, share in zip(people.vpmn[caller].tolist(), draw.tolist(), strict=True)
        ],
        dtype=np.int64,
    )
    long_number = people.number_at(colleague, found.day[in_group])
    return texts(np.where(rng.random(len(caller)) < 0.6, people.short[colleague], long_number))


def call_rows(
    province: Province,
    chunk: int,
    people: Subscribers,
    city: np.ndarray,
    calls: Calls,
    toll_fee: np.ndarray,
) -> Rows:
    """The call records as the billing system delivers them, in two parts a day.

    `city` is the home city of each subscriber (place of CITIES). `toll_fee` is in 厘 per call.
    """
    when = calls.when
    areas = np.array(AREA_CODES, dtype=object)
    home = areas[city[when.subscriber]]
    away = np.array(["", "0717", "010", "00852", "001"], dtype=object)[calls.roaming]
    answered = np.where(calls.busy, "B", "A").astype(object)
    answered[calls.duration > 0] = "N"
    columns = {
        "cdr_id": "V" + texts((chunk + 1) * 10_000_000 + np.arange(len(calls))),
        "msisdn": people.number_at(when.subscriber, when.day),
        "opp_no": calls.other,
        "call_type": np.array(["MO", "MT", "FW"], dtype=object)[calls.direction],
        "start_time": wall_clock(province, when.day, when.second),
        "duration": calls.duration,
        "end_cause": answered,
        "toll_type": calls.toll,
        "roam_type": calls.roaming,
        "vpmn_flag": calls.in_group.astype(np.int64),
        "opp_oper": calls.operator,
        "home_area": home,
        "visit_area": np.where(calls.roaming == 0, home, away),
        "base_fee": calls.fee_12593,
        "toll_fee": toll_fee,
        "info_fee": calls.info_fee,
    }
    return Rows.of(columns, when.day, when.second, part=(when.second >= NOON).astype(np.int64))
