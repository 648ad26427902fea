"""What the customers of a season would do: fixed before the first night, for every campaign.

Each probability is drawn from the seed, so two seasons of one seed have the same customers. An
order that a customer makes without a contact comes on the same day in every season.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from schemas.config import Campaign

NATURAL_DAYS = 30  # the days to which the natural share belongs
NATURAL_OF_ACCEPTED = 0.25  # natural orders in a month, per accepted contact of the best channel
FATIGUE = 0.8  # factor of the acceptance for each contact of the 30 days before
FATIGUE_DAYS = 30
COMPLAINT, OBJECTION, CALL_BACK = 0.004, 0.003, 0.03  # shares of contacts, before fatigue
REACHED = {
    "hotline_outbound": 0.6,
    "sms": 0.97,
    "customer_manager": 0.7,
    "hall": 0.3,
    "hotline_inbound": 0.3,
    "web": 0.35,
    "wap": 0.25,
    "terminal": 0.15,
    "email": 0.4,
}  # shares of pushed rows that come to a contact while the row is listed


def drawn(seed: int, *words: object) -> float:
    """A number of [0, 1) that depends on the seed and the words alone."""
    text = "|".join(map(str, (seed, *words)))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:7], "big") / 2**56


@dataclass(frozen=True)
class Planted:
    """The truth about a season's customers.

    `acceptance`: by campaign and channel, the share of reached customers who order because of the
    contact. `natural`: by campaign, the share of customers who order within NATURAL_DAYS by
    themselves.
    """

    seed: int
    acceptance: Mapping[tuple[str, str], float]
    natural: Mapping[str, float]

    def accepts(self, campaign: str, channel: str, wave: int, who: str, contacts: int) -> bool:
        """Whether a reached customer orders; `contacts`: those of the 30 days before."""
        share = self.acceptance.get((campaign, channel), 0.0) * self.liking(who)
        return drawn(self.seed, "accepts", campaign, wave, who) < share * FATIGUE**contacts

    def liking(self, who: str) -> float:
        """How much more than others a customer likes offers: 0.5 to 1.5, 1 in the mean."""
        return 0.5 + drawn(self.seed, "liking", who)

    def natural_day(self, campaign: str, who: str, first: date) -> date | None:
        """The day from `first` on on which a customer orders by himself; None: never."""
        share = self.natural.get(campaign, 0.0)
        if share <= 0:
            return None
        daily = 1 - (1 - share) ** (1 / NATURAL_DAYS)
        days = math.log(1 - drawn(self.seed, "natural", campaign, who)) / math.log(1 - daily)
        return first + timedelta(days=int(days)) if days < 10_000 else None

    def reached(self, channel: str, *what: object) -> bool:
        return drawn(self.seed, "reached", channel, *what) < REACHED.get(channel, 0.0)


def planted(campaigns: Mapping[str, Campaign], seed: int, uplift: float = 1.0) -> Planted:
    """The truth of a season: the configured acceptances, each made 0.5 to 2 times as large.

    `uplift`: a further factor of what contacts cause; 0: contacts cause nothing.
    """
    acceptance, natural = {}, {}
    for one in campaigns.values():
        for channel, share in one.acceptance.items():
            factor = 0.5 * 4 ** drawn(seed, "factor", one.id, channel)
            acceptance[one.id, channel] = min(0.9, float(share) * factor) * uplift
        best = max(map(float, one.acceptance.values()), default=0.0)
        natural[one.id] = NATURAL_OF_ACCEPTED * best if one.offers else 0.0
    return Planted(seed, acceptance, natural)
