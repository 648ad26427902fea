"""One customer from rows of tables, without Spark, is judged as a night judges him from frames."""

import random
from collections import Counter
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from models.contact_policy import known, one_customer, person, rules
from models.contact_policy.compiled import compiled, local_second
from models.contact_policy.person import Evening, Told
from schemas.render.spark import example_row
from tests.given.contact_policies import POLICY, ZONE, contacts
from tests.given.frames import local_frame
from tests.given.rows import CONTRACTS, frame, named

DAY = date(2008, 2, 28)  # its lists are worked on the leap day
EVENING = Evening(DAY, ZONE)
LIST = {"contact_at": "10:00", "listed_for": "10h", "report_within": "2d"}
LONG = {"contact_at": "09:00", "listed_for": "3d", "report_within": "1d"}
HOURS = {"open_from": "09:00", "open_to": "20:00"}
RULES = compiled(
    contacts(
        channels={
            "sms": {"way": "intrusive", **HOURS, **LIST},
            "hotline": {"way": "intrusive", **HOURS, **LONG},
            "web": {"way": "pull", **LONG, "contact_at": "00:00"},
        },
        classes={
            **POLICY["classes"],
            "care": {**POLICY["classes"]["care"], "limited": True, "campaign_types": ["care"]},
            "marketing": {**POLICY["classes"]["marketing"], "campaign_types": ["tariff"]},
        },
        caps={
            "message": {"limit": 2, "per": "72h", "channels": ["sms"]},
            "interruption": {"limit": 1, "per": "24h", "ways": ["intrusive"]},
            "week": {"limit": 3, "per": "7d"},
            "offer": {"limit": 4, "per": "30d", "classes": ["marketing"]},
            "prompt": {"limit": 1, "per": "calendar_day", "ways": ["pull"]},
        },
        rests={
            "refusals": {
                "outcome": "refused",
                "times": 2,
                "within": "10d",
                "rest": "20d",
                "classes": ["marketing"],
            }
        },
        families={"tariff": {"campaigns": ["saving", "upgrade"], "apart": "10d"}},
        sequences={"trial": {"first": "trial", "then": "upgrade"}},
    ),
    {},
)
CAMPAIGNS = {"saving": "marketing", "upgrade": "marketing", "birthday": "care", "poll": "survey"}
PEOPLE = range(1, 61)


def instant(text):
    return datetime.strptime(f"2008-{text}", "%Y-%m-%d %H:%M").replace(tzinfo=ZoneInfo(ZONE))


def number(customer, no):
    return f"138{customer:05}00{no}"


NOW = instant("02-29 00:00")


def ago(chance, days):
    minutes = chance.choice((0, 0, -1, 1, chance.randrange(1440)))
    return NOW - timedelta(days=chance.randrange(days), minutes=minutes)


def contacts_of(customer, chance):
    for no in range(chance.randrange(12)):
        channel = chance.choice(("sms", "sms", "hotline", "web", "email"))
        at = ago(chance, chance.choice((4, 35)))
        if chance.random() < 0.5:
            at = at.replace(hour=chance.randrange(9, 20))
        row = {
            "contact_id": customer * 100 + no,
            "customer_id": customer,
            "class": chance.choice(("service", "care", "marketing", "marketing", "survey")),
            "way": {"web": "pull", "email": None}.get(channel, "intrusive"),
            "channel": channel,
            "campaign_id": chance.choice((None, "saving", "upgrade", "trial", "birthday")),
            "offer": chance.choice((None, "a", "b")),
            "happened_at": at,
            "state": "made",
        }
        if chance.random() < 0.7:
            yield row
            continue
        until = at + timedelta(hours=chance.choice((10, 72)))
        yield {**row, "state": "reserved", "until": until}
        if chance.random() < 0.5:
            yield {**row, "state": "freed"}


def outcomes_of(customer, chance):
    for _ in range(chance.randrange(4)):
        at = ago(chance, 25)
        for _ in range(chance.choice((1, 2))):  # some are told twice
            yield {
                "customer_id": customer,
                "outcome": chance.choice(("refused", "refused", "accepted")),
                "campaign_id": "saving",
                "channel": "sms",
                "local_date": at.date(),
                "happened_at": at + timedelta(minutes=chance.randrange(9)),
            }


def consent_of(customer, chance):
    if chance.random() < 0.4:
        yield {
            "customer_id": customer,
            "class": chance.choice(("marketing", "survey")),
            "granted": False,
            "valid_from": ago(chance, 20),
            "valid_to": chance.choice((None, NOW, *(NOW + timedelta(hours=h) for h in (9, 11)))),
        }


def numbers_of(customer, chance):
    """Two numbers; of some customers the first one has changed hands."""
    other = customer % len(PEOPLE) + 1
    began, changed = instant("01-01 00:00"), chance.choice((None, ago(chance, 30)))
    held = [
        (number(customer, 1), customer, began, changed),
        (number(customer, 2), customer, began, None),
        *([(number(customer, 1), other, changed, None)] if changed else []),
    ]
    return named("msisdn customer_id valid_from valid_to", *held)


def entries_of(customer, chance):
    for no in (1, 2):
        if chance.random() < 0.2:
            row = {
                "msisdn": number(customer, no),
                "channel": chance.choice((None, "sms", "hotline")),
                "campaign_type": chance.choice((None, "tariff", "care")),
                "listed_at": ago(chance, 40),
                "changed_at": ago(chance, 40),
                "delisted_at": chance.choice((None, ago(chance, 5), NOW + timedelta(days=2))),
                "row_no": no,
            }
            yield row
            if chance.random() < 0.5:
                again = row["changed_at"] + timedelta(days=1)
                yield {**row, "delisted_at": ago(chance, 3), "changed_at": again}


def sensitive_of(customer, chance):
    for no in (1, 2):
        if chance.random() < 0.2:
            month = chance.choice((date(2008, 1, 1), date(2008, 2, 1)))
            yield {"month": month, "msisdn": number(customer, no)}


TABLES = {
    "history": ("dw.contact_history", contacts_of),
    "outcomes": ("dw.contact_outcome", outcomes_of),
    "consent": ("dw.consent", consent_of),
    "identity": ("dw.subscriber_identity", numbers_of),
    "do_not_contact": ("ods.do_not_contact", entries_of),
    "sensitive_numbers": ("ods.sensitive_number", sensitive_of),
}


@pytest.fixture(scope="module")
def told():
    """Changes of rows by table, of all customers."""
    chance = random.Random(20080229)
    rows = {
        name: [row for customer in PEOPLE for row in of(customer, chance)]
        for name, (_, of) in TABLES.items()
    }
    assert min(len(found) for found in rows.values()) > 10
    return rows


@pytest.fixture(scope="module")
def in_frames(spark, told):
    """The verdicts of a night over frames by (customer, class, channel, campaign)."""
    tables = {name: frame(spark, TABLES[name][0], *told[name]) for name in TABLES}
    candidates = local_frame(
        spark,
        [
            (who, campaign, "a", channel)
            for who in PEOPLE
            for campaign in CAMPAIGNS
            for channel in RULES.lists
        ],
        "customer_id bigint, campaign_id string, offer string, channel string",
    )
    met = known.planned(candidates, RULES, classes=CAMPAIGNS, data_date=DAY)
    facts = known.facts(known.Tables(**tables), RULES, data_date=DAY)
    return {
        (row["customer_id"], row["channel"], row["campaign_id"]): row
        for row in rules.judged(met, facts, RULES, ZONE).collect()
    }


def of(customer, told):
    """The person, from the rows that a command reads."""

    def rows(name, column, values):
        example = example_row(CONTRACTS[TABLES[name][0]])
        return [{**example, **row} for row in told[name] if row[column] in values]

    mine = {one["msisdn"] for one in rows("identity", "customer_id", [customer])}
    return person.person(
        customer,
        Told(
            **{
                name: rows(name, "customer_id", [customer])
                for name in ("history", "outcomes", "consent")
            },
            **{
                name: rows(name, "msisdn", mine)
                for name in ("identity", "do_not_contact", "sensitive_numbers")
            },
            sensitive_months={one["month"] for one in told["sensitive_numbers"]},
        ),
        RULES,
        EVENING,
    )


def second(when):
    return when and local_second(when.astimezone(), ZONE)


def test_each_number_is_that_of_the_night(told, in_frames):
    seen = Counter()
    for who in PEOPLE:
        somebody = of(who, told)
        for campaign, class_ in CAMPAIGNS.items():
            for channel in RULES.lists:
                found = in_frames[who, channel, campaign]
                asked = person.planned(
                    class_, channel, RULES, EVENING, campaign=campaign, offer="a"
                )
                alone = one_customer.judged(somebody, asked, RULES)
                assert (second(found["planned_at"]), second(found["planned_until"])) == (
                    asked.at,
                    asked.until,
                )
                assert tuple(found["contact_reasons"]) == alone.reasons
                assert found["slots"] == alone.slots
                assert second(found["retry_at"]) == alone.retry_at
                assert [
                    (one["cap"], one["left"], second(one["opens_at"])) for one in found["room"]
                ] == [(one.cap, one.left, one.opens_at) for one in alone.room]
                seen.update(alone.reasons)
    assert set(seen) == {"CONSENT", "SENSITIVE", "SUPPRESSED", "CAP_CHANNEL", "CAP_ALL", "CONFLICT"}


def test_the_window_that_is_shown_holds_what_is_counted(told):
    """Counted by hand: the contacts between its bounds, a reservation at its first moment there."""
    limits = {cap.name: cap for cap in RULES.caps}
    shown = 0
    for who in PEOPLE:
        somebody = of(who, told)
        for channel in RULES.lists:
            asked = person.planned("marketing", channel, RULES, EVENING)
            for one in one_customer.judged(somebody, asked, RULES).room:
                cap, (first, last) = limits[one.cap], one.window
                uses = [
                    made
                    for made in somebody.contacts
                    if cap.bit & RULES.counted.of(made.class_, made.way, made.channel)
                ]
                if cap.window is None:
                    held = [
                        made
                        for made in uses
                        if made.at < last and max(made.at, made.until - 1) >= first
                    ]
                    assert last - first == 86400
                else:
                    held = [made for made in uses if made.at <= last and made.until > first]
                    assert last - first == cap.window
                assert one.used == len(held)
                assert one.left == max(0, cap.limit - one.used)
                shown += bool(held)
    assert shown > 100


def test_a_channel_without_a_list_is_planned_in_its_hours():
    policy = compiled(
        contacts(
            channels={"customer_manager": {"way": "intrusive", **HOURS}, "web": {"way": "pull"}}
        ),
        {},
    )
    assert [
        person.planned("care", channel, policy, EVENING).at - local_second(EVENING.midnight, ZONE)
        for channel in ("customer_manager", "web")
    ] == [9 * 3600, 0]
