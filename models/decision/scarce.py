"""What contacts use up 承载能力: contacts a day of channels and branches, minutes, budgets."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import reduce
from math import gcd

from pyspark.sql import Column
from pyspark.sql import functions as F

from models.assignment.choices import USES
from models.assignment.resource import Resource
from models.frames.lookup import looked_up
from schemas.config import Campaign, Channel
from schemas.config.decision_policy import Budget, Resources
from schemas.errors import ConfigError

CONTACTS, MINUTES, MICRO = "contacts", "minutes", 10**6
NO_BRANCH = "-"  # customers whose branch is not known


@dataclass(frozen=True)
class Scarce:
    """The resources of a night, and what a row uses of them.

    `branches`: the branches of the candidates' customers.
    """

    campaigns: Sequence[Campaign]
    channels: Mapping[str, Channel]
    configured: Resources
    branches: tuple[str, ...] = ()

    @property
    def used_channels(self) -> list[str]:
        """The channels of the campaigns."""
        return sorted({name for campaign in self.campaigns for name in campaign.every_channel})

    def resources(self) -> list[Resource]:
        """All of them. Raises ConfigError for a channel without a capacity."""
        found = [self._channel(name) for name in self.used_channels]
        for channel in self._of_used(self.configured.branches):
            entry = self.configured.branches[channel]
            found += [
                Resource(
                    branch_resource(channel, branch),
                    (entry.named or {}).get(branch, entry.each),
                    CONTACTS,
                )
                for branch in sorted({*self.branches, NO_BRANCH})
            ]
        found += [
            Resource(f"minutes:{channel}", self.configured.minutes[channel].a_day, MINUTES)
            for channel in self._of_used(self.configured.minutes)
        ]
        found += [
            Resource(f"budget:{name}", int(budget.amount * MICRO) // self.step, self.money_unit)
            for name, budget in self.budgets.items()
        ]
        return found

    @property
    def budgets(self) -> dict[str, Budget]:
        """The budgets of the policy, and those of campaigns for a night of one channel."""
        own = {
            f"{campaign.id}:{channel}": Budget(amount, (campaign.id,), (channel,))
            for campaign in self.campaigns
            for channel, amount in campaign.daily_budget.items()
        }
        return {**self.configured.budgets, **own}

    @property
    def step(self) -> int:
        """The micro-units of money in one unit of a budget: all unit costs are multiples of it."""
        costs = [_micro(self.channels[name].unit_cost) for name in self.used_channels]
        return reduce(gcd, costs, 0) or 1

    @property
    def money_unit(self) -> str:
        return f"{format(Decimal(self.step).scaleb(-6).normalize(), 'f')} of money"

    def uses(self) -> Column:
        """What the row's contact uses (USES)."""
        parts = [_use(F.concat(F.lit("channel:"), "channel"), F.lit(1))]
        for channel in self._of_used(self.configured.branches):
            name = F.concat(F.lit(branch_resource(channel, "")), F.coalesce("branch", F.lit("-")))
            parts.append(F.when(F.col("channel") == channel, _use(name, F.lit(1))))
        minutes = {
            channel: self.configured.minutes[channel].a_contact
            for channel in self._of_used(self.configured.minutes)
        }
        for channel, taken in minutes.items():
            use = _use(F.lit(f"minutes:{channel}"), F.lit(taken))
            parts.append(F.when(F.col("channel") == channel, use))
        units = {
            name: _micro(self.channels[name].unit_cost) // self.step for name in self.used_channels
        }
        for budget_id, budget in self.budgets.items():
            use = _use(F.lit(f"budget:{budget_id}"), looked_up(F.col("channel"), units, "bigint"))
            parts.append(F.when(_pays(budget), use))
        return F.array_compact(F.array(*parts)).cast(USES)

    def _channel(self, name: str) -> Resource:
        capacity = self.channels[name].capacity
        if capacity is None:
            raise ConfigError(
                f"channels.yml: {name}: no capacity, but a campaign pushes on it; give the "
                "contacts a day (0: never)"
            )
        return Resource(f"channel:{name}", capacity, CONTACTS)

    def _of_used(self, names: Iterable[str]) -> list[str]:
        return sorted(set(names) & set(self.used_channels))


def branch_resource(channel: str, branch: str) -> str:
    """The name of the contacts a day of one branch."""
    return f"branch:{channel}:{branch}"


def _use(name: Column, units: Column) -> Column:
    return F.struct(name.alias("resource"), units.cast("bigint").alias("units"))


def _pays(budget: Budget) -> Column:
    """Whether the budget pays the row's contact."""
    pays = F.lit(True)
    if budget.campaigns:
        pays = pays & F.col("campaign_id").isin(list(budget.campaigns))
    if budget.channels:
        pays = pays & F.col("channel").isin(list(budget.channels))
    return pays


def _micro(amount: Decimal) -> int:
    return int(amount * MICRO)
