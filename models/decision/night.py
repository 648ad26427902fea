"""The decision of one night, from tables to mart.decision.

offered = night.offered(tables, terms)             # candidates with value, one per person
rows = night.contested(offered, tables, terms)     # every rule, and who competes
decisions, assignment = night.decided(rows, choices.choices(contest.options(rows)), terms)

Whoever calls keeps `offered`, `rows` and the choices: each is read several times.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from models.assignment.assign import Assignment, assign
from models.assignment.choices import uses_of
from models.contact_policy import known, rules
from models.contact_policy.compiled import Compiled, compiled
from models.decision import candidates, contest, ledger, policy, scarce, value
from schemas.config import Campaign, Channel, Contacts
from schemas.config.decision_policy import Resources, ValuePolicy


@dataclass(frozen=True)
class Tables:
    """What a night is decided on.

    `acceptance`: the day's snapshot of mart.acceptance. `yesterday`: mart.decision of the night
    before, or no rows.
    """

    snapshots: candidates.Snapshots
    contacts: known.Tables
    acceptance: DataFrame
    yesterday: DataFrame


@dataclass(frozen=True)
class Terms:
    """What the configuration and the catalogue say for the night of `day`.

    `campaigns`: those that are valid on the day. `open_offers`: packages that may be ordered → the
    brands that may order them (empty: every brand). `branches`: of the customers.
    """

    day: date
    campaigns: Sequence[Campaign]
    channels: Mapping[str, Channel]
    open_offers: Mapping[str, Collection[str]]
    contacts: Contacts
    value: ValuePolicy
    resources: Resources
    zone: str
    branches: tuple[str, ...] = ()

    @property
    def compiled(self) -> Compiled:
        return compiled(self.contacts, self.channels)

    @property
    def classes(self) -> dict[str, str]:
        """The class of each campaign."""
        return {one.id: self.contacts.class_of_type(one.type) for one in self.campaigns}

    @property
    def scarce(self) -> scarce.Scarce:
        return scarce.Scarce(self.campaigns, self.channels, self.resources, self.branches)


def offered(tables: Tables, terms: Terms) -> DataFrame:
    """The candidates with their value and what speaks against the offer itself."""
    met = candidates.candidates(
        tables.snapshots,
        campaigns=terms.campaigns,
        channels=terms.channels,
        open_offers=terms.open_offers,
        data_date=terms.day,
    )
    return policy.offered(
        value.valued(
            met,
            tables.acceptance,
            campaigns=terms.campaigns,
            channels=terms.channels,
            rule=terms.value.channel_rule,
        )
    )


def contested(offered: DataFrame, tables: Tables, terms: Terms) -> DataFrame:
    """`offered` with every rule that a candidate breaks, and what the competition needs."""
    contacts = terms.compiled
    met = known.planned(offered, contacts, classes=terms.classes, data_date=terms.day)
    facts = known.facts(tables.contacts, contacts, data_date=terms.day)
    universal = terms.contacts.hold_out
    judged = policy.judged(
        rules.judged(met, facts, contacts, terms.zone),
        terms.campaigns,
        universal,
        [name for name, class_ in terms.classes.items() if class_ in universal.classes],
        terms.day,
    )
    rows = contest.contested(
        judged,
        campaigns=terms.campaigns,
        policy=contacts,
        exploration=terms.value.exploration,
        day=terms.day,
    )
    before = tables.yesterday.where("fate = 'pushed'").select(
        "customer_id", contest.option_id().alias("option_id"), F.lit(True).alias("sticky")
    )
    return (
        rows.withColumn("uses", terms.scarce.uses())
        .join(before, ["customer_id", "option_id"], "left")
        .withColumn("sticky", F.coalesce("sticky", F.lit(False)))
    )


def decided(rows: DataFrame, chosen: DataFrame, terms: Terms) -> tuple[DataFrame, Assignment]:
    """mart.decision, and the assignment behind it.

    `rows`: of `contested`. `chosen`: choices.choices of contest.options of these rows.
    Raises ConfigError for a channel without a capacity.
    """
    resources = terms.scarce.resources()
    assignment = assign(
        chosen,
        uses_of(contest.options(rows)),
        resources,
        stay_bonus=terms.value.stay_bonus,
        rule=terms.value.rule,
    )
    decisions = ledger.decided(
        rows,
        assignment.rows,
        prices={
            use.resource.name: use.price for use in assignment.summary.uses if use.resource.limits
        },
        policy=terms.compiled,
        stay_bonus=terms.value.stay_bonus,
        explored=terms.value.exploration.share,
        rule=terms.value.rule,
        data_date=terms.day,
    )
    return decisions, assignment
