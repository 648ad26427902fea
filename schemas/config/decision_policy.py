"""The parts `value` and `resources` of policy.yml: what a contact is worth, and what is scarce.

Amounts are in yuan. Shares and weights are exact decimals.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True)
class Weights:
    """What counts for one group of customers (8-08).

    `preference`: yuan for a contact over a channel that the customer prefers with certainty, and
    less in proportion to the score. `cost`: the factor of the cost of the contact.
    """

    preference: Decimal
    cost: Decimal


@dataclass(frozen=True)
class ChannelRule:
    """分流 (8-08): high-value customers by preference, ordinary ones by cost.

    A customer is of high value whose present monthly bill is at least `high_value_from` yuan.
    """

    high_value_from: Decimal
    high_value: Weights
    ordinary: Weights


@dataclass(frozen=True)
class Exploration:
    """The share of customers whose channel is drawn by lot, with the salt of the draw."""

    share: Decimal
    salt: str


@dataclass(frozen=True)
class AcceptanceAlarm:
    """When offers are not accepted as predicted: over so many `nights`, from so many `contacts` on.

    `level`: the share of nights with an alarm at most, where nothing has changed.
    """

    nights: int = 28
    contacts: int = 50
    level: Decimal = Decimal("0.01")


@dataclass(frozen=True)
class ValuePolicy:
    """How a candidate is valued.

    `acceptance_weight`: how many contacts the configured acceptance of a campaign stands for, when
    feedback is mixed with it. `stay_bonus`: yuan for what was pushed on the night before. `rule`:
    how places are given: optimal, or one of the simpler ways naive, greedy, margin_order.
    """

    acceptance_weight: int
    stay_bonus: Decimal
    channel_rule: ChannelRule
    exploration: Exploration
    rule: str = "optimal"
    acceptance_alarm: AcceptanceAlarm = AcceptanceAlarm()


@dataclass(frozen=True)
class Branches:
    """Contacts a day over a channel in each branch; `named`: branches with another number.

    Customers of an unknown branch share one number `each`.
    """

    each: int
    named: Mapping[str, int] | None = None


@dataclass(frozen=True)
class Minutes:
    """Minutes of agents a day, and the minutes that one contact takes."""

    a_day: int
    a_contact: int


@dataclass(frozen=True)
class Budget:
    """Yuan a night for contacts of these campaigns and channels at unit cost; empty: of all."""

    amount: Decimal
    campaigns: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()


@dataclass(frozen=True)
class Resources:
    """What is scarce besides the contacts a day of each channel; branches, minutes by channel."""

    branches: Mapping[str, Branches]
    minutes: Mapping[str, Minutes]
    budgets: Mapping[str, Budget]
