"""What the command `jobs.campaign --dry-run` reads, and the lines that it prints; no step."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.plan.step import Step, required_tables
from jobs.runtime.context import Context
from jobs.steps.decision.channel_facts import channel_facts, required_facts
from jobs.steps.decision.contact_facts import contact_tables
from jobs.steps.decision.facts import facts_of
from models.campaign.night_load import contacts
from models.campaign.power import WANTED, detectable, power
from models.contact_policy import hold_out, known, rules
from models.contact_policy.compiled import CODES, compiled
from models.evaluation.power import customers_needed
from models.push.facts import serving
from models.targeting.members import members
from models.targeting.preview import (
    CONTROL,
    NOT_SERVED,
    TREATED,
    UNIVERSAL,
    Preview,
    candidates,
    preview,
    with_channel_rule,
)
from schemas.config import Campaign, Config


def step_of(campaign: Campaign, conf: Config) -> Step:
    """The step in which the tables of a dry run are read."""
    target = conf.targets[campaign.target].tables if campaign.target else ("mart.package_match",)
    tables = (
        *("dw.subscriber", "dw.subscription", "dw.subscriber_identity", "dw.consent"),
        *("dw.contact_history", "dw.contact_outcome"),
        *("ods.do_not_contact", "ods.sensitive_number"),
        *required_tables(conf),
    )
    return Step(
        "dry_run", "dry_run", "try a campaign", tuple(dict.fromkeys((*tables, *target))), ()
    )


def tried(context: Context, campaign: Campaign) -> Preview:
    """The counts of the campaign on the day of the run."""
    warehouse, conf, day = context.warehouse, context.conf, context.day
    policy = compiled(conf.policy.contacts, conf.channels)
    people = _members(context, campaign)
    tables = contact_tables(context, policy, [campaign])
    classes = {campaign.id: conf.policy.contacts.class_of_type(campaign.type)}
    met = known.planned(candidates(people, campaign), policy, classes=classes, data_date=day)
    facts = known.facts(tables, policy, data_date=day)
    judged = rules.judged(met, facts, policy, conf.runtime.timezone)
    if required := required_facts(conf, campaign.channels):
        judged = with_channel_rule(
            judged, people, serving(required, channel_facts(context)), required
        )
    late = F.lit(day - timedelta(days=campaign.valid_days))
    taken_up = warehouse.read("dw.subscription", on=day).where(
        (F.col("valid_from") > late) & (F.col("valid_from") <= F.lit(day))
    )
    return preview(
        people,
        taken_up,
        judged,
        hold_out.of_all(conf.policy.contacts.hold_out, day),
        hold_out.of_campaign([campaign], F.col("campaign_id")),
    )


def _members(context: Context, campaign: Campaign) -> DataFrame:
    """(customer_id, subscriber_id): of the target, or with a recommended package."""
    warehouse, day = context.warehouse, context.day
    if campaign.target:
        target = context.conf.targets[campaign.target]
        return members(target, facts_of(context, [target]), day)
    match = context.newest("mart.package_match")
    people = warehouse.read("dw.subscriber", on=day).select("customer_id", "subscriber_id")
    return people.join(match.where("recommended"), "subscriber_id", "left_semi")


def lines(campaign: Campaign, conf: Config, found: Preview) -> list[str]:
    """What is found, for a terminal."""
    free: dict[str, dict[tuple[str, ...], int]] = {UNIVERSAL: {}, CONTROL: {}, TREATED: {}}
    for (arm, channels), count in found.groups.items():
        if channels:
            free[arm][channels] = count
    size = {arm: sum(groups.values()) for arm, groups in free.items()}
    capacity = {name: _places(campaign, conf, name) for name in campaign.channels}
    cost = {name: conf.channels[name].unit_cost for name in campaign.channels}
    night = contacts(free[TREATED], capacity, cost)
    total = sum(night.values())
    spent = sum((cost[name] * count for name, count in night.items()), Decimal(0))
    orders = sum((campaign.acceptance[n] * count for n, count in night.items()), Decimal(0))
    base = found.ordered / found.reached if found.reached else 0.0
    gain = float(orders) / total if total else 0.0
    return [
        f"{campaign.id} {campaign.name_cn}: reaches {found.reached:,} customers; no other campaign "
        "is looked at",
        f"  may be contacted  {sum(size.values()):,}: {size[TREATED]:,} treated, "
        f"{size[CONTROL]:,} control, {size[UNIVERSAL]:,} held out of all",
        f"  a night           {total:,} contacts, "
        f"{conf.runtime.currency.rounded(spent)} {conf.runtime.currency.unit}, "
        f"{orders:.1f} orders expected",
        *_by_channel(campaign, found, night, capacity),
        _power(base, gain, size[CONTROL], size[TREATED]),
        *_too_small(campaign, base, gain, size[CONTROL], size[TREATED]),
    ]


def _places(campaign: Campaign, conf: Config, channel: str) -> int:
    """The contacts of a night that the channel and the campaign's own budget for it allow."""
    entry, budget = conf.channels[channel], campaign.daily_budget.get(channel)
    places = entry.capacity or 0
    if budget is None or not entry.unit_cost:
        return places
    return min(places, int(budget // entry.unit_cost))


def _by_channel(
    campaign: Campaign, found: Preview, night: dict[str, int], capacity: dict[str, int]
) -> Sequence[str]:
    said = []
    for name in campaign.channels:
        kept = [
            f"{code} {found.reasons[name, code]:,}"
            for code in (NOT_SERVED, *CODES)
            if (name, code) in found.reasons
        ]
        full = [f"{cap} {n:,}" for (of, cap), n in sorted(found.caps.items()) if of == name]
        text = f"  {name:<17} {night[name]:,} contacts of {capacity[name]:,}"
        text += f"; kept from: {', '.join(kept)}" if kept else ""
        said.append(text + (f"; caps that are full: {', '.join(full)}" if full else ""))
    return said


def _power(base: float, gain: float, controls: int, treated: int) -> str:
    """`base`: share that orders anyway; `gain`: what a contact is expected to add."""
    least = detectable(base, controls, treated)
    could = "no rise can be seen" if least is None else f"80 % for a rise of {least:.2%}"
    return (
        f"  power             {power(base, min(1.0, base + gain), controls, treated):.0%} to see a "
        f"rise from {base:.2%} to {min(1.0, base + gain):.2%}; {could}"
    )


def _too_small(
    campaign: Campaign, base: float, gain: float, controls: int, treated: int
) -> Sequence[str]:
    """A mark on a campaign with a success that it could not see with 80 % (S1-07)."""
    raised = min(1.0, base + gain)
    if campaign.success is None or power(base, raised, controls, treated) >= WANTED:
        return ()
    mark = "  TOO SMALL         cannot see its own success"
    middle = (base + raised) / 2
    if not campaign.control_share or not raised > base or not 0 < middle < 1:
        return (f"{mark}: {'no control group' if raised > base else 'no rise is expected'}",)
    needed = customers_needed(
        raised - base, middle * (1 - middle), float(1 - campaign.control_share)
    )
    return (
        f"{mark}: {needed[0]:,} treated and {needed[1]:,} control would see it with 80 %; reach "
        "more customers, or raise control_share",
    )
