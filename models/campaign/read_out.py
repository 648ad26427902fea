"""Which metrics a campaign is judged by, and on which days. Plain Python."""

from collections.abc import Mapping
from datetime import date, timedelta

from schemas.config import Campaign
from schemas.config.metric import Metric

# Days after the end of a window for which deliveries about it still count: channels report late.
SETTLE_DAYS = 3
DAILY = "daily"
GRACE_DAYS = 7  # a read-out that no night was run for is made by the next night, so long


def windows(campaign: Campaign, metrics: Mapping[str, Metric]) -> dict[str, int]:
    """The metrics that are read out, with the days of their windows: the success comes first.

    Its window is the one of the campaign. Guardrails are always read out. A campaign that does not
    say what success is has none.
    """
    success = campaign.success
    if success is None:
        return {}
    guardrails = [name for name, one in metrics.items() if one.role == "guardrail"]
    named = dict.fromkeys((success.metric, *success.also, *guardrails))
    return {
        name: success.within_days if name == success.metric else metrics[name].window_days
        for name in named
    }


def due_on(campaign: Campaign, days: int) -> date:
    """The day on which the last windows of `days` have closed and what is told of them is in."""
    return campaign.valid_to + timedelta(days=days - 1 + SETTLE_DAYS)


def judged(
    campaigns: Mapping[str, Campaign], metrics: Mapping[str, Metric], day: date
) -> list[Campaign]:
    """The campaigns that have begun and whose last read-out is not over on the day."""

    def last(one: Campaign) -> date:
        return due_on(one, GRACE_DAYS + max([one.within_days, *windows(one, metrics).values()]))

    return [one for one in campaigns.values() if one.valid_from <= day <= last(one)]
