"""A file of campaigns/ as a frozen dataclass: one marketing campaign."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from schemas.config.campaign_plan import (
    Material,
    Medium,
    Question,
    materials_of,
    media_of,
    questionnaires_of,
)
from schemas.config.settings import built

_DAYS = {"from": "valid_from", "to": "valid_to"}


@dataclass(frozen=True)
class Worth:
    """What a yuan of the customer's saving, and of the operator's income, counts in the value."""

    saving: Decimal = Decimal(1)
    margin: Decimal = Decimal(0)


@dataclass(frozen=True)
class Knowledge:
    """The knowledge message of an offer 知识短信 (B2, 9-03): the customer orders by answering it.

    `text` has the placeholders {reply}, the answer that orders, and {valid_until}.
    """

    text: str
    reply: str

    def on(self, valid_until: date | str) -> str:
        """The message of an offer that holds until this day."""
        text = self.text.replace("{reply}", self.reply)
        return text.replace("{valid_until}", str(valid_until))


@dataclass(frozen=True)
class Offer:
    """A business of services.yml that a campaign offers, in yuan a month.

    `margin`: what the operator earns by it. `saving`: what the customer saves by it. `knowledge`:
    the message about it that the customer may get; None: none.
    """

    margin: Decimal
    saving: Decimal = Decimal(0)
    knowledge: Knowledge | None = None


@dataclass(frozen=True)
class LaterWave:
    """A wave after the first 波次 (B4): whom it `reaches`, over which channels, and when.

    - `not_reached`: the waves before were pushed and have ended, and no contact was made
    - `touched`: a contact was made, and nothing was ordered
    It runs on [valid_from, valid_to); None: as long as the campaign.
    """

    wave: int
    reaches: str
    channels: tuple[str, ...]
    valid_from: date | None = None
    valid_to: date | None = None

    def valid_on(self, day: date) -> bool:
        return (self.valid_from is None or self.valid_from <= day) and (
            self.valid_to is None or day < self.valid_to
        )


@dataclass(frozen=True)
class Success:
    """What a campaign is for: a goal of metrics.yml, within so many days after the assignment.

    `also`: further metrics that are read out; the guardrails always are. `read_out`: `once`, when
    the windows of all customers have closed, or `daily`. `segments`: brands that are also read out.
    """

    metric: str
    within_days: int
    also: tuple[str, ...] = ()
    read_out: str = "once"
    segments: tuple[str, ...] = ()


@dataclass(frozen=True)
class Campaign:
    """A campaign, valid on [valid_from, valid_to). A lower `priority` number goes first.

    `target`: the definition of targets/ whose subscribers it is for; None: all matches.

    `offers`: the businesses that it offers; none: the packages of mart.package_match.

    `acceptance`: by channel, the share of contacts that lead to an order, until feedback tells.

    `control_share` of its targets is held out by a hash of `salt` and customer. Placeholders of
    `script`, and of `scripts` of single channels: {package_name} {cost_before} {cost_after}
    {saving} {currency} {months_won} {valid_until}.

    `success`: what it is judged by; None: what came of it is kept, and nothing is judged.

    `cost_targets`: yuan for the whole campaign by kind of cost, and `per_head`. `gift_deposits`:
    yuan that may be approved (S1-05); None: none are planned. `daily_budget`: by channel, yuan a
    night for the unit cost of contacts. `questionnaires`: by channel. `valid_days_on`: by channel,
    how long an offer over it may be accepted, where that is not `valid_days`.
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
    offers: Mapping[str, Offer] = field(default_factory=dict)
    later_waves: tuple[LaterWave, ...] = ()
    scripts: Mapping[str, str] = field(default_factory=dict)
    success: Success | None = None
    cost_targets: Mapping[str, Decimal] = field(default_factory=dict)
    gift_deposits: Decimal | None = None
    daily_budget: Mapping[str, Decimal] = field(default_factory=dict)
    media: tuple[Medium, ...] = ()
    materials: tuple[Material, ...] = ()
    questionnaires: Mapping[str, tuple[Question, ...]] = field(default_factory=dict)
    valid_days_on: Mapping[str, int] = field(default_factory=dict)

    def valid_on(self, day: date) -> bool:
        return self.valid_from <= day < self.valid_to

    def ways_on(self, day: date) -> tuple[tuple[int, str], ...]:
        """(wave, channel) of each wave that runs on the day."""
        later = [one for one in self.later_waves if one.valid_on(day)]
        ways = [(self.wave, name) for name in self.channels]
        return (*ways, *((one.wave, name) for one in later for name in one.channels))

    @property
    def within_days(self) -> int:
        """How many days after the assignment an order is an answer to the campaign."""
        return self.success.within_days if self.success else self.valid_days

    @property
    def every_channel(self) -> tuple[str, ...]:
        """The channels of all waves, each once."""
        later = [name for one in self.later_waves for name in one.channels]
        return tuple(dict.fromkeys((*self.channels, *later)))

    @property
    def best_wave(self) -> int:
        """The wave over whose channel most contacts lead to an order; ties: the first (D6)."""
        ways = [(self.wave, name) for name in self.channels]
        ways += [(one.wave, name) for one in self.later_waves for name in one.channels]
        return min(ways, key=lambda way: (-self.acceptance[way[1]], way[0]))[0]

    def last_day_on(self, channel: str, day: date) -> date:
        """The last day of an offer that is pushed on `day`: at most the campaign's last day."""
        days = self.valid_days_on.get(channel, self.valid_days)
        return min(day + timedelta(days=days), self.valid_to - timedelta(days=1))

    def script_on(self, channel: str) -> str:
        """The text for a channel."""
        return self.scripts.get(channel, self.script)


def campaign_of(entry: Mapping[str, Any]) -> Campaign:
    """The campaign that a file under campaigns/ describes."""
    parts: dict[str, Any] = {
        "later_waves": tuple(
            built(LaterWave, {_DAYS.get(key, key): value for key, value in one.items()})
            for one in entry.get("later_waves", ())
        ),
        "media": media_of(entry.get("media", ())),
        "materials": materials_of(entry.get("materials", ())),
        "questionnaires": questionnaires_of(entry.get("questionnaires", {})),
    }
    others = {key: one for key, one in entry.items() if key not in ("valid", *parts)}
    valid = {"valid_from": entry["valid"]["from"], "valid_to": entry["valid"]["to"]}
    return replace(built(Campaign, {**others, **valid}), **parts)
