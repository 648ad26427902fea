"""Who is offered what over which channel, and why not the others (S2-05, 7-01, 8-08).

Grain of the results: customer × campaign × offer × channel × wave in `mart.decision`, each with its
value, its fate and every rule it breaks; campaign × wave × channel × reason in
`mart.decision_funnel`; resource in `mart.capacity_price`; what each rule would choose in
`mart.rule_choice`. Decided on the newest match of packages
and the state of the customers on the day. If the decisions do not account for every candidate, the
run stops before anything is pushed. When this step fails, nothing is pushed.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from pyspark.sql import DataFrame

from jobs.runtime.context import Context
from jobs.steps.decision.channel_facts import channel_facts, required_facts
from jobs.steps.decision.contact_facts import contact_tables
from jobs.steps.decision.running import running_campaigns
from jobs.warehouse.tables import cached, held
from models.assignment.assign import Assignment
from models.assignment.choices import choices
from models.decision import candidates, contest, figures, ledger, night
from models.push import facts
from schemas.config import Campaign
from schemas.errors import QualityError
from schemas.render import expectations
from schemas.window import Window

ADDS_UP = "funnel_adds_up"


def run(context: Context) -> None:
    warehouse, day = context.warehouse, context.day
    with decided(context) as made:
        warehouse.replace("mart.decision", made.decisions)
        decisions = warehouse.read("mart.decision", on=day)
        warehouse.replace("mart.rule_choice", ledger.rule_choices(decisions, made.campaigns))
        warehouse.replace("mart.decision_funnel", figures.funnel(decisions, day))
        warehouse.replace(
            "mart.capacity_price",
            warehouse.rows(
                "mart.capacity_price", figures.capacity_prices(made.assignment.summary, day)
            ),
        )
        _stop_if_unexplained(context, made.targets, decisions)


@dataclass(frozen=True)
class Decided:
    """What was decided. `targets`: the candidates before any rule, counted by figures.targets.

    `campaigns`: those that were in force.
    """

    campaigns: Sequence[Campaign]
    decisions: DataFrame
    assignment: Assignment
    targets: DataFrame


@contextmanager
def decided(context: Context) -> Iterator[Decided]:
    """The decision of the night, without writing it; its frames live until the block ends."""
    terms = _terms(context)
    tables = _tables(context, terms)
    with (
        cached(night.offered(tables, terms)) as offered,
        held(night.contested(offered, tables, terms)) as rows,
        cached(choices(contest.options(rows))) as chosen,
    ):
        decisions, assignment = night.decided(rows, chosen, terms)
        yield Decided(terms.campaigns, decisions, assignment, figures.targets(offered))


def _terms(context: Context) -> night.Terms:
    conf, day = context.conf, context.day
    return night.Terms(
        day=day,
        campaigns=running_campaigns(context),
        channels=conf.channels,
        open_offers={package.id: package.brands for package in context.catalogue.open_on(day)},
        contacts=conf.policy.contacts,
        value=conf.policy.value,
        resources=conf.policy.resources,
        zone=conf.runtime.timezone,
        branches=_branches(context),
    )


def _tables(context: Context, terms: night.Terms) -> night.Tables:
    warehouse, day = context.warehouse, context.day
    before = day - timedelta(days=1)
    used = {name for one in terms.campaigns for _, name in one.ways_on(day)}
    required = required_facts(context.conf, used)
    return night.Tables(
        snapshots=candidates.Snapshots(
            match=context.newest("mart.package_match"),
            subscribers=warehouse.read("dw.subscriber", on=day),
            subscriptions=warehouse.read("dw.subscription", on=day),
            identity=warehouse.read("dw.subscriber_identity", on=day),
            preference=warehouse.read("mart.channel_preference", on=day),
            targets=warehouse.read("mart.target", on=day),
            serving=facts.serving(required, channel_facts(context)) if required else None,
        ),
        contacts=contact_tables(context, terms.compiled, terms.campaigns),
        acceptance=warehouse.read("mart.acceptance", on=day),
        yesterday=warehouse.read(
            "mart.decision", window=Window(before, before), allow_missing=True
        ),
    )


def _branches(context: Context) -> tuple[str, ...]:
    """The branches of the subscribers, where a channel has a number for each."""
    if not context.conf.policy.resources.branches:
        return ()
    rows = context.warehouse.read("dw.subscriber", on=context.day).select("branch").distinct()
    return tuple(sorted(row.branch for row in rows.collect() if row.branch))


def _stop_if_unexplained(context: Context, targets: DataFrame, decisions: DataFrame) -> None:
    """Record whether each candidate is accounted for; QualityError if one is not."""
    rows = sorted(figures.unexplained(targets, decisions).collect())
    left = sum(abs(row["unexplained"]) for row in rows)
    context.expect_none(
        "mart.decision",
        ADDS_UP,
        len(rows),
        of=context.day,
        severity=expectations.CRITICAL,
        observed=f"{left} candidates unexplained",
    )
    if rows:
        first = rows[0]
        raise QualityError(
            f"mart.decision of {context.day}: {left} candidates are not accounted for, first "
            f"{first['unexplained']} of campaign {first['campaign_id']}, wave {first['wave']}, "
            f"over {first['channel']}; expected pushed + first reasons = targets. Nothing is "
            "pushed. This is a fault of the program: keep the warehouse and report it"
        )
