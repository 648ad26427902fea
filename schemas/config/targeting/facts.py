"""The registry of facts and events: all that a target definition may ask of a subscriber.

Each fact is declared here once. The check of the definitions, the steps that read tables and the
model that adds rows up all follow from it. A table of contracts holds the values; facts of a
customer hold for each of the customer's subscribers.
"""

from collections.abc import Mapping
from dataclasses import dataclass

TEXT, SET, FLAG, DAY, COUNT, AMOUNT = "text", "set", "flag", "day", "count", "amount"
# What is compared, by type of fact.
COMPARISONS: Mapping[str, tuple[str, ...]] = {
    TEXT: ("is", "in"),
    SET: ("is", "in"),
    FLAG: ("is",),
    DAY: ("within_days", "at_least_days_ago", "between"),
    COUNT: ("is", "in", "at_least", "at_most", "above", "below", "between"),
    AMOUNT: ("at_least", "at_most", "above", "below", "between"),
}
SUBSCRIBER, CUSTOMER, ACCOUNT = "subscriber_id", "customer_id", "subscriber_no"
SNAPSHOT, LAST_SNAPSHOT, EVENTS, MONTHS = "snapshot", "last snapshot", "events", "months"


@dataclass(frozen=True)
class Fact:
    """One fact of a subscriber.

    - `table` and `column`: where it stands; `type`: how it is compared;
    - `how`: rows become one value per `owner` by max, min, sum, count, distinct (different values
      of the column), set, or by month (last, mean, before);
    - `narrowed_by`: columns whose values a condition may choose with `of`;
    - `where`: SQL over the table, for the rows that count;
    - `day`: column of the day of an event; a fact with one needs `over_days`;
    - `one_of`: columns of `narrowed_by` of which a condition names exactly one value, because
      sums over several have no unit;
    - `over_months`: it needs `over_months`, a number of closed months;
    - `meaning`: one line for people.
    """

    table: str
    column: str
    type: str
    how: str
    meaning: str
    owner: str = SUBSCRIBER
    narrowed_by: tuple[str, ...] = ()
    where: str = ""
    day: str = ""
    one_of: tuple[str, ...] = ()
    over_months: bool = False


@dataclass(frozen=True)
class Event:
    """Something that happened to a subscriber; the keys are those that its condition may have.

    `facts`: the facts that it is made of, so that their tables are read.
    """

    facts: tuple[str, ...]
    required: tuple[str, ...]
    optional: tuple[str, ...]
    meaning: str


@dataclass(frozen=True)
class Table:
    """How a table is read: its snapshot of the day, its last one, its events, its months."""

    read: str
    joined: str = ""


TABLES: Mapping[str, Table] = {
    "dw.subscriber": Table(SNAPSHOT),
    "dw.subscription": Table(SNAPSHOT),
    "dw.contact_view": Table(SNAPSHOT),
    "dw.contact_event": Table(EVENTS),
    "dw.contact_history": Table(EVENTS),
    "dw.contact_outcome": Table(EVENTS),
    "dw.usage_day": Table(EVENTS, joined="dw.rating_cell"),
    "ods.bill": Table(MONTHS),
    "mart.package_match": Table(LAST_SNAPSHOT),
    "mart.channel_preference": Table(SNAPSHOT),
}


def _attribute(column: str, type: str, meaning: str) -> Fact:
    return Fact("dw.subscriber", column, type, "max", meaning)


def _view(column: str, meaning: str, type: str = COUNT, how: str = "sum") -> Fact:
    return Fact("dw.contact_view", column, type, how, meaning, CUSTOMER, narrowed_by=("channel",))


def _usage(column: str, how: str, meaning: str, one_of: tuple[str, ...] = ()) -> Fact:
    return Fact(
        "dw.usage_day",
        column,
        COUNT,
        how,
        meaning,
        narrowed_by=("service", "direction", "roaming", "toll", "dial", "message_kind"),
        day="local_date",
        one_of=one_of,
    )


def _match(column: str, type: str, meaning: str, where: str = "recommended") -> Fact:
    narrowed = ("kind", "package_id") if where else ()
    return Fact(
        "mart.package_match", column, type, "max", meaning, narrowed_by=narrowed, where=where
    )


_OF_CONTACTS = ("channel", "direction", "kind", "business_code", "result", "campaign_id")
FACTS: Mapping[str, Fact] = {
    "brand": _attribute("brand", TEXT, "brand"),
    "status": _attribute("status", TEXT, "state of the subscriber"),
    "branch": _attribute("branch", TEXT, "branch that serves the subscriber"),
    "vip_level": _attribute("vip_level", TEXT, "VIP level of the customer"),
    "join_date": _attribute("join_date", DAY, "day of joining the network"),
    "do_not_disturb": _attribute("do_not_disturb", FLAG, "no marketing of any kind"),
    "consent_marketing": _attribute("consent_marketing", FLAG, "agreed to receive offers"),
    "packages": Fact("dw.subscription", "package_id", SET, "set", "packages in force"),
    "package_kinds": Fact("dw.subscription", "kind", SET, "set", "kinds of packages in force"),
    "contacts": _view("contacts", "contacts ever"),
    "enquiries": _view("enquiries", "enquiries ever"),
    "complaints": _view("complaints", "complaints ever, by the channel that received them"),
    "complaints_about": _view("complaints_about", "complaints ever about the channel"),
    "transactions": _view("transactions", "transactions ever"),
    "queries": _view("queries", "queries ever"),
    "marketings": _view("marketings", "marketing contacts ever"),
    "successes": _view("successes", "contacts ever that ended well"),
    "first_contact": _view("first_contact_at", "day of the first contact", DAY, "min"),
    "last_contact": _view("last_contact_at", "day of the last contact", DAY, "max"),
    "recent_contacts": Fact(
        "dw.contact_event",
        "contact_id",
        COUNT,
        "count",
        "contacts over some days",
        CUSTOMER,
        narrowed_by=_OF_CONTACTS,
        day="local_date",
    ),
    "offers_made": Fact(
        "dw.contact_history",
        "contact_id",
        COUNT,
        "count",
        "contacts by the operator that were made",
        CUSTOMER,
        narrowed_by=("class", "way", "channel", "campaign_id"),
        where="state = 'made'",
        day="happened_at",
    ),
    "answers": Fact(
        "dw.contact_outcome",
        "campaign_id, channel, outcome, local_date",
        COUNT,
        "distinct",
        "answers to campaigns, each once a day",
        CUSTOMER,
        narrowed_by=("outcome", "campaign_id", "channel"),
        day="local_date",
    ),
    "preferred_channel": Fact(
        "mart.channel_preference",
        "channel",
        TEXT,
        "max",
        "channel that the customer prefers",
        CUSTOMER,
        where="rank = 1",
    ),
    "saving": _match("saving", AMOUNT, "greatest mean monthly saving that may be offered"),
    "months_won": _match("months_won", COUNT, "most months that an offer would have been cheaper"),
    "monthly_cost": _match("mean_present_cost", AMOUNT, "mean cost of a compared month", where=""),
    "usage_events": _usage("events", "sum", "calls, messages or sessions over some days"),
    "usage_days": _usage("local_date", "distinct", "days with usage"),
    "usage_quantity": _usage(
        "quantity", "sum", "seconds, bytes or messages of one service", ("service",)
    ),
    "last_bill": Fact(
        "ods.bill", "total", AMOUNT, "last", "bill of the last closed month", ACCOUNT
    ),
    "mean_bill": Fact(
        "ods.bill",
        "total",
        AMOUNT,
        "mean",
        "mean bill of the last closed months",
        ACCOUNT,
        over_months=True,
    ),
    "bills_before": Fact(
        "ods.bill",
        "total",
        AMOUNT,
        "before",
        "sum of the bills of the closed months before the last; not known if one is missing",
        ACCOUNT,
        over_months=True,
    ),
}
EVENTS_KNOWN: Mapping[str, Event] = {
    "tariff_contact": Event(
        ("recent_contacts",),
        ("businesses", "within_days"),
        ("times",),
        "asked or complained about one of the businesses",
    ),
    "bill_rise": Event(
        ("last_bill", "bills_before"),
        ("factor", "months"),
        (),
        "the last bill is above factor × the mean of the months before",
    ),
    "bill_fall": Event(
        ("last_bill", "bills_before"),
        ("factor", "months"),
        (),
        "the last bill is below factor × the mean of the months before",
    ),
    "roaming_without": Event(
        ("usage_events", "packages"),
        ("roaming", "packages", "within_days"),
        ("times",),
        "called or was called while roaming, with none of the packages in force (12-10)",
    ),
}
