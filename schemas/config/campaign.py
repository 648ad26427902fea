"""A file of campaigns/ as a frozen dataclass: one marketing campaign."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from schemas.config.settings import built


@dataclass(frozen=True)
class Worth:
    """What a yuan of the customer's saving, and of the operator's income, counts in the value."""

    saving: Decimal = Decimal(1)
    margin: Decimal = Decimal(0)


@dataclass(frozen=True)
class Campaign:
    """A campaign, valid on [valid_from, valid_to). A lower `priority` number goes first.

    `target`: the definition of targets/ whose subscribers it is for; None: all matches.

    `acceptance`: by channel, the share of contacts that lead to an order, until feedback tells.

    `control_share` of its targets is held out by a hash of `salt` and customer. Placeholders of
    `script`: {package_name} {cost_before} {cost_after} {saving} {currency} {months_won}
    {valid_until}.
    """

    id: str
    name_cn: str
    type: str
    valid_from: date
    valid_to: date
    channels: tuple[str, ...]
    wave: int
    priority: int
    control_share: Decimal
    salt: str
    horizon_months: int
    valid_days: int
    script: str
    acceptance: Mapping[str, Decimal]
    worth: Worth = Worth()
    target: str | None = None

    def valid_on(self, day: date) -> bool:
        return self.valid_from <= day < self.valid_to


def campaign_of(entry: Mapping[str, Any]) -> Campaign:
    """The campaign that a file under campaigns/ describes."""
    others = {key: value for key, value in entry.items() if key != "valid"}
    valid = {"valid_from": entry["valid"]["from"], "valid_to": entry["valid"]["to"]}
    return built(Campaign, {**others, **valid})
