"""Which rules of the contact policy a candidate breaks, and which slots its customer has left.

Per person: everything is known by customer, over all numbers and accounts. `one_customer` holds the
same rules in plain Python.
"""

from __future__ import annotations

from dataclasses import dataclass

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from models.contact_policy import caps
from models.contact_policy.compiled import CODES, Compiled, Family, Masks, Rest
from models.frames.conditions import any_of
from models.frames.lookup import looked_up


@dataclass(frozen=True)
class Facts:
    """What is known of the customers on the night, each as a frame.

    - `contacts`: customer_id, class, way, channel, campaign_id, offer, happened_at, until, state:
      the contacts that were made, and the open reservations (history.standing)
    - `outcomes`: customer_id, outcome, happened_at: one row for each outcome
    - `closed`: customer_id, channel, class (NULL: all), valid_from, valid_to
    - `consent`: customer_id, class, granted, valid_from, valid_to
    - `sensitive`: customer_id: customers with a sensitive number
    - `levels`: customer_id, tariff_level, complaint_level
    """

    contacts: DataFrame
    outcomes: DataFrame
    closed: DataFrame
    consent: DataFrame
    sensitive: DataFrame
    levels: DataFrame


# What the verdict depends on, besides what was offered before: offers of one contact share it.
CONTACT = ("customer_id", "class", "channel", "campaign_id", "planned_at", "planned_until")
VERDICT = ("way", "slots", "room", "retry_at")


def judged(candidates: DataFrame, facts: Facts, policy: Compiled, zone: str) -> DataFrame:
    """`candidates` with the verdict of the contact policy; one row per candidate.

    A candidate has customer_id, class, channel, campaign_id, offer, planned_at and planned_until
    (it may be contacted in [planned_at, planned_until)), and any other columns. Added:
    - `way`: of the channel
    - `contact_reasons`: codes of all broken rules, in the order of the stages
    - `slots`: the contacts over the way that the caps and the night still leave the customer
    - `room`: array of (cap, left, opens_at) of the caps that bind the candidate; opens_at: the
      first instant from planned_at on at which the cap has room; NULL: never
    - `retry_at`: the first instant in the channel's hours at which all these caps have room
    """
    found = _contacts_judged(candidates.select(*CONTACT).distinct(), facts, policy, zone)
    found = found.withColumnsRenamed({name: f"_of_{name}" for name in CONTACT})
    same = [F.col(name).eqNullSafe(F.col(f"_of_{name}")) for name in CONTACT]
    other = F.exists("_offered", lambda one: one != F.col("offer"))
    return candidates.join(found, same).select(
        *candidates.columns,
        "way",
        F.when(other, F.col("_conflicting")).otherwise(F.col("_reasons")).alias("contact_reasons"),
        *VERDICT[1:],
    )


def _contacts_judged(rows: DataFrame, facts: Facts, policy: Compiled, zone: str) -> DataFrame:
    """CONTACT, VERDICT, `_offered`, and the reasons without and with a conflict.

    `_offered`: what the campaign itself offers the customer too near in time, if it belongs to a
    family: any other offer is in conflict with it.
    """
    names = [f"_left_{position}" for position in range(len(policy.caps))]
    rows = _with_facts(rows, facts, policy, zone)
    rows = rows.select(
        "*",
        *(
            F.when(caps.binds(cap), F.greatest(F.lit(0), caps.left(cap))).alias(name)
            for cap, name in zip(policy.caps, names, strict=True)
        ),
    )
    opens = [f"_opens_{position}" for position in range(len(policy.caps))]
    rows = rows.select(
        "*",
        *(
            F.when(F.col(name) > 0, F.col("_at"))
            .when(F.col(name) == 0, caps.opens_at(cap))
            .alias(to)
            for cap, name, to in zip(policy.caps, names, opens, strict=True)
        ),
    )
    never = any_of(
        F.coalesce((F.col(name) == 0) & F.col(to).isNull(), F.lit(False))
        for name, to in zip(names, opens, strict=True)
    )
    full = {
        code: any_of(
            F.coalesce(F.col(name) == 0, F.lit(False))
            for cap, name in zip(policy.caps, names, strict=True)
            if cap.code == code
        )
        for code in ("CAP_CHANNEL", "CAP_ALL")
    }
    broken = _rules(policy) | full
    room = F.array(
        *(
            F.struct(
                F.lit(cap.name).alias("cap"),
                F.col(name).alias("left"),
                _instant(F.col(to), zone).alias("opens_at"),
            )
            for cap, name, to in zip(policy.caps, names, opens, strict=True)
        )
    ).cast(caps.ROOM)
    a_night = looked_up(F.col("way"), policy.a_night, "int")
    hours = F.col("_opens"), F.col("_closes")
    all_open = F.greatest("_at", "_at", *opens)
    retry_at = F.when(
        ~never,
        F.when(caps.nothing_later(), caps.next_open(all_open, *hours)).otherwise(
            caps.retry_at(policy.caps, *hours)
        ),
    )
    return rows.select(
        *CONTACT,
        "way",
        F.least(a_night, a_night, *map(F.col, names)).alias("slots"),
        F.filter(room, lambda one: one.left.isNotNull()).alias("room"),
        _instant(retry_at, zone).alias("retry_at"),
        _offered(policy).alias("_offered"),
        _codes(broken).alias("_reasons"),
        _codes({**broken, "CONFLICT": F.lit(True)}).alias("_conflicting"),
    )


def _codes(broken: dict[str, Column]) -> Column:
    """The codes of the broken rules, in the order of the stages."""
    return F.array_compact(F.array(*(F.when(broken[code], F.lit(code)) for code in CODES)))


def second(instant: Column, zone: str) -> Column:
    """The local second of an instant (compiled.local_second)."""
    return F.unix_seconds(F.from_utc_timestamp(instant, zone))


def mask(masks: Masks) -> Column:
    """The bits of the caps for the row's class, way and channel."""
    by_class, by_way, by_channel = (
        looked_up(F.col(name), bits, "bigint")
        for name, bits in (
            ("class", masks.classes),
            ("way", masks.ways),
            ("channel", masks.channels),
        )
    )
    return (
        F.coalesce(by_class, F.lit(0))
        .bitwiseAND(F.coalesce(by_way, F.lit(masks.no_way)))
        .bitwiseAND(F.coalesce(by_channel, F.lit(masks.other)))
        .cast("bigint")
    )


def _instant(local: Column, zone: str) -> Column:
    return F.to_utc_timestamp(F.timestamp_seconds(local), zone)


def _with_facts(candidates: DataFrame, facts: Facts, policy: Compiled, zone: str) -> DataFrame:
    """The candidates with what is known of their customers, in one row each.

    Lists of a customer are arrays; NULL: the customer has none.
    """
    opens = {name: one.opens for name, one in policy.hours.items()}
    closes = {name: one.closes for name, one in policy.hours.items()}
    rows = (
        candidates.withColumn("way", looked_up(F.col("channel"), policy.ways, "string"))
        .withColumn("_at", second(F.col("planned_at"), zone))
        .withColumn("_until", second(F.col("planned_until"), zone))
        .withColumn("_last", F.greatest("_at", F.col("_until") - 1))
        .withColumn("_limited", mask(policy.limited))
        .withColumn("_opens", looked_up(F.col("channel"), opens, "bigint"))
        .withColumn("_closes", looked_up(F.col("channel"), closes, "bigint"))
    )
    for frame in (
        _contacts(facts.contacts, policy, zone),
        _rests(facts.outcomes, policy, zone),
        _listed(facts.closed, "closed", ("channel", "class"), zone),
        _listed(facts.consent, "consent", ("class", "granted"), zone),
        facts.sensitive.select("customer_id", F.lit(True).alias("_sensitive")).distinct(),
        facts.levels.select("customer_id", "tariff_level", "complaint_level"),
    ):
        rows = rows.join(frame, "customer_id", "left")
    return rows.withColumn(
        "contacts", F.coalesce("contacts", F.array().cast(_CONTACTS))
    ).withColumn("_later", F.filter("contacts", lambda one: one.at > F.col("_at")))


_CONTACTS = (
    "array<struct<mask bigint, at bigint, until bigint, campaign string, offer string, "
    "made boolean>>"
)


def _contacts(contacts: DataFrame, policy: Compiled, zone: str) -> DataFrame:
    """(customer_id, contacts): those that use a slot, or whose campaign a rule names."""
    named = {name for one in policy.families for name in one.campaigns}
    named |= {name for names in (*policy.exclusive, *policy.sequences) for name in names}
    is_named = F.col("campaign_id").isin(sorted(named)) if named else F.lit(False)
    return (
        contacts.withColumn("mask", mask(policy.counted))
        .where((F.col("mask") != 0) | is_named)
        .groupBy("customer_id")
        .agg(
            F.collect_list(
                F.struct(
                    "mask",
                    second(F.col("happened_at"), zone).alias("at"),
                    second(F.coalesce("until", "happened_at"), zone).alias("until"),
                    F.when(is_named, F.col("campaign_id")).alias("campaign"),
                    F.when(is_named, F.col("offer")).alias("offer"),
                    (F.col("state") == "made").alias("made"),
                )
            )
            .cast(_CONTACTS)
            .alias("contacts")
        )
    )


def _rests(outcomes: DataFrame, policy: Compiled, zone: str) -> DataFrame:
    """(customer_id, rests): array of (rule, since): when the last outcome of each rest came."""
    rests = [F.lit(None).cast("struct<rule int, since bigint>")]
    for number, rest in enumerate(policy.rests):
        own = Window.partitionBy("customer_id", "outcome").orderBy("_at")
        before = F.lag("_at", rest.times - 1).over(own) if rest.times > 1 else F.col("_at")
        rests.append(
            F.when(
                (F.col("outcome") == rest.outcome) & (F.col("_at") - before < rest.within),
                F.struct(F.lit(number).alias("rule"), F.col("_at").alias("since")),
            )
        )
    return (
        outcomes.withColumn("_at", second(F.col("happened_at"), zone))
        .select("customer_id", F.array_compact(F.array(*rests)).alias("_some"))
        .where(F.size("_some") > 0)
        .groupBy("customer_id")
        .agg(F.flatten(F.collect_list("_some")).alias("rests"))
    )


def _listed(frame: DataFrame, name: str, columns: tuple[str, ...], zone: str) -> DataFrame:
    """(customer_id, `name`): array of the columns with since and until in local seconds."""
    entry = F.struct(
        *columns,
        second(F.col("valid_from"), zone).alias("since"),
        second(F.col("valid_to"), zone).alias("until"),
    )
    return frame.groupBy("customer_id").agg(F.collect_list(entry).alias(name))


def _rules(policy: Compiled) -> dict[str, Column]:
    """Code → whether a candidate breaks the rule; all but the caps."""

    def holds(one: Column, at: Column, last: Column) -> Column:
        return (one.since <= last) & (one.until.isNull() | (at < one.until))

    at, last = F.col("_at"), F.col("_last")
    said = F.filter("consent", lambda one: (one["class"] == F.col("class")) & holds(one, at, at))
    default = looked_up(F.col("class"), policy.consent, "boolean")
    granted = F.when(F.size(said) > 0, F.forall(said, lambda one: one.granted)).otherwise(default)
    known_as = looked_up(F.col("channel"), policy.known_as, "string")
    shut = F.exists(
        "closed",
        lambda one: (
            holds(one, at, last)
            & (
                one.channel.isNull()
                | (one.channel == F.col("channel"))
                | one.channel.eqNullSafe(known_as)
            )
            & (one["class"].isNull() | (one["class"] == F.col("class")))
        ),
    )
    levels = [
        F.col(level.fact).isin(list(level.levels))
        & F.col("class").isin(list(level.classes))
        & (F.col("channel").isin(list(level.channels)) if level.channels else F.lit(True))
        for level in policy.levels
    ]
    found = {
        "CONSENT": ~granted | F.coalesce(shut, F.lit(False)),
        "SENSITIVE": any_of([F.col("_sensitive"), *levels]),
        "SUPPRESSED": any_of(_resting(*numbered) for numbered in enumerate(policy.rests)),
        "CONFLICT": any_of(_conflicts(policy)),
        "QUIET": caps.next_open(at, F.col("_opens"), F.col("_closes")) != at,
    }
    return {code: F.coalesce(broken, F.lit(False)) for code, broken in found.items()}


def _resting(number: int, rest: Rest) -> Column:
    at = F.col("_at")
    return F.col("class").isin(list(rest.classes)) & F.exists(
        "rests",
        lambda one: (one.rule == number) & (one.since <= at) & (at < one.since + rest.rest),
    )


def _conflicts(policy: Compiled) -> list[Column]:
    return [
        *map(_has_family_offer, policy.families),
        *map(_has_excluded, policy.exclusive),
        *(_lacks_first(first, then) for first, then in policy.sequences),
    ]


def _has_family_offer(family: Family) -> Column:
    own, members = F.col("campaign_id"), list(family.campaigns)
    return own.isin(members) & F.exists(
        "contacts",
        lambda one: F.coalesce(
            one.campaign.isin(members) & (one.campaign != own) & _is_near(one, family),
            F.lit(False),
        ),
    )


def _offered(policy: Compiled) -> Column:
    """The offers of the campaign itself that are too near in time, by the families it is in."""
    nothing = F.array().cast("array<string>")
    each = [F.coalesce(_offered_near(family), nothing) for family in policy.families]
    return F.concat(nothing, *each)


def _offered_near(family: Family) -> Column:
    own = F.col("campaign_id")
    near = F.filter("contacts", lambda one: (one.campaign == own) & _is_near(one, family))
    return F.when(own.isin(list(family.campaigns)), F.transform(near, lambda one: one.offer))


def _is_near(one: Column, family: Family) -> Column:
    """Whether a contact is less than the family's distance from the planned one."""
    return (one.at - family.apart < F.col("_last")) & (F.col("_at") < one.until + family.apart)


def _has_excluded(names: tuple[str, ...]) -> Column:
    own, others = F.col("campaign_id"), list(names)
    return own.isin(others) & F.exists(
        "contacts",
        lambda one: F.coalesce(one.campaign.isin(others) & (one.campaign != own), F.lit(False)),
    )


def _lacks_first(first: str, then: str) -> Column:
    return (F.col("campaign_id") == then) & ~F.exists(
        "contacts",
        lambda one: F.coalesce(
            (one.campaign == first) & one.made & (one.at <= F.col("_at")), F.lit(False)
        ),
    )
