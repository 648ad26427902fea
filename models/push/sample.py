"""Rows that are no customer's: the sample of a channel's file, and the rows of test targets."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Any

from schemas.config import Campaign, Push
from schemas.config.campaign_plan import questionnaire_text
from schemas.contract import Contract


def example(
    contract: Contract, push: Push, channel: str, campaign: Campaign | None, day: date
) -> dict[str, Any]:
    """A row of push.<channel>: the examples of the contract, with the campaign's own text."""
    values = {column.name: column.example for column in contract.columns}
    values["data_date"] = day
    if campaign is not None:
        values |= {
            "campaign_id": campaign.id,
            "wave": campaign.wave,
            "valid_until": campaign.last_day_on(channel, day),
        }
        values["script"] = _filled(campaign.script_on(channel), values, contract.currency.name)
        if "best_wave" in values:
            values["best_wave"] = campaign.best_wave
        if "questionnaire" in values:
            asked = campaign.questionnaires.get(channel)
            values["questionnaire"] = questionnaire_text(asked) if asked else None
        if "knowledge_sms" in values:
            texts = [one.knowledge for one in campaign.offers.values() if one.knowledge]
            values["knowledge_sms"] = texts[0].on(values["valid_until"]) if texts else None
    if push.message is not None:
        values |= {
            "sender": push.message.sender,
            "parts": push.message.parts(values["script"]),
        }
    return values


def _filled(script: str, values: Mapping[str, Any], currency: str) -> str:
    for name, value in {**values, "currency": currency}.items():
        script = script.replace("{" + name + "}", str(value))
    return script


def staff_rows(
    contract: Contract, push: Push, channel: str, campaigns: Iterable[Campaign], day: date
) -> Iterator[dict[str, Any]]:
    """For each campaign of the channel on the day, a row of examples for each test target.

    The operator's staff see the text and the form that customers get, and no customer's data.
    """
    for campaign in sorted(campaigns, key=lambda one: one.id):
        if not campaign.valid_on(day):
            continue
        for wave, name in campaign.ways_on(day):
            if name == channel:
                row = example(contract, push, channel, campaign, day)
                for number in push.test_targets:
                    yield {**row, "wave": wave, "msisdn": number}
