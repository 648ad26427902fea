"""Which metrics a campaign is judged by, and on which days. Plain Python."""

from collections import Counter
from collections.abc import Mapping
from datetime import date, timedelta

from schemas.config import Campaign, Config, Success
from schemas.config.metric import Metric
from schemas.window import add_months

# Days after the end of a window for which deliveries about it still count: channels report late.
SETTLE_DAYS = 3
DAILY = "daily"
EVERY = "all_"  # all campaigns of a quarter, such as all_2009q2
QUARTER_WINDOW = 30
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


def judged(conf: Config, day: date) -> list[Campaign]:
    """The campaigns and quarters that have begun and whose last read-out is not over on the day."""

    def last(one: Campaign) -> date:
        days = windows(one, conf.metrics).values()
        return due_on(one, GRACE_DAYS + max([one.within_days, *days]))

    each = (*conf.campaigns.values(), *programs(conf, day))
    return [one for one in each if one.valid_from <= day <= last(one)]


def judged_campaigns(conf: Config, day: date) -> list[Campaign]:
    """Of `judged` those that are a campaign of their own: no quarter."""
    return [one for one in judged(conf, day) if not is_program(one)]


def of_all(conf: Config) -> list[Campaign]:
    """The campaigns from whose offers the universal hold-out keeps its customers."""
    contacts = conf.policy.contacts
    return [
        one
        for one in conf.campaigns.values()
        if contacts.class_of_type(one.type) in contacts.hold_out.classes
    ]


def is_program(campaign: Campaign) -> bool:
    """Whether it stands for all campaigns of a quarter: no channel is its own."""
    return not campaign.channels


def programs(conf: Config, day: date) -> list[Campaign]:
    """All campaigns of a quarter as one, for this quarter and the two before it.

    Its control group is the universal hold-out. Its success is what most campaigns call so.
    """
    goals = Counter(one.success.metric for one in of_all(conf) if one.success)
    share = conf.policy.contacts.hold_out.share
    if not goals or not share:
        return []
    goal = min(goals, key=lambda name: (-goals[name], name))
    this = date(day.year, (day.month - 1) // 3 * 3 + 1, 1)
    return [_program(add_months(this, -back), goal, conf) for back in (6, 3, 0)]


def _program(first: date, goal: str, conf: Config) -> Campaign:
    quarter = f"{first.year}q{(first.month + 2) // 3}"
    universal = conf.policy.contacts.hold_out
    return Campaign(
        id=f"{EVERY}{quarter}",
        name_cn=f"全部活动 {quarter}",
        type="tariff",
        valid_from=first,
        valid_to=add_months(first, 3),
        channels=(),
        wave=1,
        priority=0,
        control_share=universal.share,
        salt=f"{universal.salt}-{quarter}",
        horizon_months=1,
        valid_days=QUARTER_WINDOW,
        script="",
        acceptance={},
        success=Success(goal, QUARTER_WINDOW),
    )
