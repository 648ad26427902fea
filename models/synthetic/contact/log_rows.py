"""The cells that the logs of all channels of the synthetic province share: who, when, what."""

from __future__ import annotations

import numpy as np

from models.synthetic.contact.contacts import CARE, HALL, MANAGER, MARKETING, Contacts
from models.synthetic.people.people import Subscribers
from models.synthetic.province import Province, texts, wall_clock
from models.synthetic.rows import PLAIN, Rows, mark_no

KIND_TEXTS = np.array(["咨询", "投诉", "办理", "查询", "关怀", "营销"], dtype=object)
KIND_DIGITS = np.array(["1", "2", "3", "4", "5", "6"], dtype=object)
PLACEHOLDERS = np.array(["", "0", "unknown", "NULL"], dtype=object)
PLACEHOLDER_SHARE = 0.015
CAMPAIGN = "spring_2009"
FIRST_CLERK, CLERKS = 1_000, 60
OPENING = {HALL: (9, 17), MANAGER: (9, 17)}  # hours; the others answer from 7 to 23
LARGEST_PAYMENT = 20  # tens of yuan


def clerk_of(line: int) -> str:
    """The clerk of a hall who tells a customer of a campaign: always the same one."""
    return f"Y{FIRST_CLERK + line % CLERKS}"


class Log:
    """Contacts of one log as cells of its file, with some contacts of unknown numbers added.

    `good` is how well each contact went (uniform from 0 to 1). `fee` is the payment in 厘, 0 for
    contacts that are no payments.
    """

    def __init__(
        self,
        province: Province,
        chunk: int,
        people: Subscribers,
        found: Contacts,
        places: np.ndarray,
        channel: int,
        rng: np.random.Generator,
    ):
        self.province, self.rng, self.count = province, rng, len(places)
        nobody = rng.binomial(self.count, PLACEHOLDER_SHARE)
        places = np.concatenate([places, places[rng.integers(0, max(1, self.count), nobody)]])
        self.mark = np.full(len(places), PLAIN)
        self.mark[self.count :] = mark_no("placeholder_number")
        self.count = len(places)
        self.day = found.day[places]
        self.kind, self.code = found.kind[places], found.code[places]
        self.about = found.about[places]
        self.channel = found.channel[places]
        self.number = texts(people.number_at(found.subscriber[places], self.day))
        self.number[self.mark != PLAIN] = rng.choice(PLACEHOLDERS, nobody)
        first, last = OPENING.get(channel, (7, 22))
        self.second = rng.integers(first * 3600, (last + 1) * 3600, self.count)
        self.at = wall_clock(province, self.day, self.second)
        self.id = texts((chunk + 1) * 1_000_000 + np.arange(self.count))
        self.good = rng.random(self.count)
        self.employee = texts(FIRST_CLERK + rng.integers(0, CLERKS, self.count))
        self.outbound = (self.kind == CARE) | (self.kind == MARKETING)
        paid = rng.integers(1, LARGEST_PAYMENT + 1, self.count) * 10_000
        self.fee = paid * (self.code == "payment")

    def as_rows(self, columns: dict[str, np.ndarray]) -> Rows:
        """The rows of the file, with the defects already planted."""
        return Rows.of(columns, self.day, self.second, mark=self.mark)

    def later(self, seconds: np.ndarray) -> np.ndarray:
        """The wall clock these seconds after the contact began (negative: before)."""
        return wall_clock(self.province, self.day, self.second + seconds)

    def either(self, condition: np.ndarray, yes: str, no: str) -> np.ndarray:
        """One of two texts for each contact."""
        return np.where(condition, yes, no).astype(object)

    def ended(self, good: str, bad: str, worse: str) -> np.ndarray:
        """The result of each contact: 90 percent good, 7 percent bad, 3 percent worse."""
        return np.array([good, bad, worse], dtype=object)[np.searchsorted((0.9, 0.97), self.good)]
