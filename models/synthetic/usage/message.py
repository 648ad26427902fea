"""Short and multimedia messages of a chunk of the synthetic province, before anything is broken.

Ordinary records have no communication fee, because billing rates the month. The charge of a service
provider is on the record as information fee.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.synthetic.people.people import Subscribers
from models.synthetic.province import Province, texts, wall_clock
from models.synthetic.rows import Rows
from models.synthetic.usage.habits import Moments, apart, known_people, moments, week_factor

DIRECTIONS = ("mo", "mt")
SERVICES = ("sms", "mms")
KINDS = ("p2p", "sp")
MESSAGES_A_DAY = 2.0
# (direction, service, kind) → share of all messages
MIX = {
    (0, 0, 0): 0.435,
    (1, 0, 0): 0.435,
    (0, 0, 1): 0.02,
    (1, 0, 1): 0.075,
    (0, 1, 0): 0.015,
    (1, 1, 0): 0.015,
    (1, 1, 1): 0.005,
}
INFO_FEES = (100, 200, 500, 1_000, 2_000)  # 厘
CHARGED_SHARE = 0.2


@dataclass(frozen=True)
class Messages:
    """One entry per true message of the chunk, in order of subscriber and time; fees in 厘."""

    when: Moments
    direction: np.ndarray
    service: np.ndarray
    kind: np.ndarray
    roaming: np.ndarray
    size: np.ndarray
    other: np.ndarray
    info_fee: np.ndarray

    def __len__(self) -> int:
        return len(self.direction)


def messages(province: Province, chunk: int, people: Subscribers, where: np.ndarray) -> Messages:
    """The true messages of the chunk; `where` is the matrix of travels."""
    rng = province.rng(chunk, "message")
    found = moments(
        province, people, rng, MESSAGES_A_DAY * people.texting, week_factor(province, 0.95, 4.0)
    )
    found, _ = apart(found, np.zeros(len(found), dtype=np.int64))
    count = len(found)
    kinds = np.array(list(MIX))[rng.choice(len(MIX), count, p=list(MIX.values()))]
    direction, service, kind = kinds.T
    other, _ = known_people(province, rng, people.line[found.subscriber])
    provider = kind == 1
    other[provider] = "10" + texts(620_000 + rng.integers(0, 400, provider.sum()))
    charged = provider & (rng.random(count) < CHARGED_SHARE)
    length = np.where(service == 0, rng.integers(6, 141, count), rng.integers(5_000, 95_000, count))
    return Messages(
        when=found,
        direction=direction,
        service=service,
        kind=kind,
        roaming=where[found.subscriber, found.day],
        size=length,
        other=other,
        info_fee=np.where(charged, rng.choice(INFO_FEES, count), 0),
    )


def message_rows(province: Province, chunk: int, people: Subscribers, messages: Messages) -> Rows:
    """The message records as the billing system delivers them."""
    when = messages.when
    kind_codes = np.array([[11, 12], [21, 22]])
    columns = {
        "cdr_id": "M" + texts((chunk + 1) * 10_000_000 + np.arange(len(messages))),
        "msisdn": people.number_at(when.subscriber, when.day),
        "opp_no": messages.other,
        "biz_type": kind_codes[messages.service, messages.kind],
        "direct": messages.direction,
        "submit_time": wall_clock(province, when.day, when.second),
        "msg_length": messages.size,
        "roam_type": messages.roaming,
        "comm_fee": np.zeros(len(messages), dtype=np.int64),
        "info_fee": messages.info_fee,
    }
    return Rows.of(columns, when.day, when.second)
